"""Watching trackers: live or on a video, and several of them side by side."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes

from inmo.harness.commands.options import Names, NetworkOptions
from inmo.harness.commands.shared import EXIT_HOLES, setups_of


@dataclass(frozen=True)
class Play:
    """Follow a target through a video file or a camera, on the screen or into a video.

    Example: python run_all.py play --tracker cnninmo --preset lite --video clip.mp4 --box 120 80 64 48 --out boxes.mp4
    """

    tracker: str
    """Tracker to run."""
    video: str
    """Video file, folder of frames, `camera`, or `camera:1` for the second one."""
    box: tuple[float, float, float, float] | None = None
    """x, y, w, h of the target in the first frame, in pixels from 0; drawn with the mouse when not given."""
    out: Path | None = None
    """FILE.mp4 to write in place of a window. FILE.csv, beside it, holds the boxes."""
    frames: int | None = None
    """Stop after so many frames."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    allow_random_weights: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    tuned_for: str = "folder"
    """Benchmark whose test-time constants are used; one without its own takes LaSOT's."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


def play(command: Play) -> int:
    from inmo.harness.live.play import play as start
    from inmo.trackers.base import TrackerFailure

    (setup,) = setups_of([command.tracker], command.network, command.allow_random_weights)
    try:
        count = start(
            setup, command.video, box=command.box, out=command.out, most=command.frames, benchmark=command.tuned_for,
            device=command.device,
        )  # fmt: skip
    except TrackerFailure as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_HOLES
    where = f"; written to {command.out}, the boxes to {command.out.with_suffix('.csv')}" if command.out else ""
    print(f"{count} frames{where}")
    return 0


@dataclass(frozen=True)
class Draw:
    """Make a video of a sequence with the boxes of several trackers and their overlap below, from stored results.

    Example: python run_all.py draw --store runs --dataset otb100 --sequence Deer --out deer.mp4
    """

    store: Path
    """Folder of results."""
    sequence: str
    """Name of the sequence."""
    out: Path
    """FILE.mp4 to write."""
    dataset: str = ""
    """Label of the dataset in the store; may be left out where the store has one."""
    root: str = ""
    """Where the images are now, when they are not where they were."""
    trackers: Names = ()
    """Only these trackers, by the names that the report prints; all when not given."""
    fps: float = 25.0
    """Frames per second of the video."""
    width: int = 960
    """Pixels of the video."""


def draw(command: Draw) -> int:
    from inmo.harness.store.store import open_store
    from inmo.reports.video.film import Film, write_film
    from inmo.reports.video.scenes import scene_of

    scene, frames, holes = scene_of(
        open_store(command.store), command.dataset, command.sequence, trackers=command.trackers, root=command.root
    )
    for hole in holes:
        print(f"without {hole.sequence}: {hole.reason}", file=sys.stderr)
    film = Film(scene, frames.read(0), command.width)
    written = write_film(film, frames, command.out, fps=command.fps)
    print(f"{command.out}: {written} frames of {film.size[0]} x {film.size[1]} pixels")
    return 0
