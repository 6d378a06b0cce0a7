"""Stored results as a video."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from inmo.harness.commands.options import Names
from inmo.harness.store.store import open_store


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


def run(command: Draw) -> int:
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
