"""One tracker over a video, a folder of frames or a camera."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes

from inmo.errors import Exit
from inmo.harness.commands.options import NetworkOptions
from inmo.harness.commands.shared import setups_of
from inmo.harness.live.play import play as start
from inmo.trackers.base import TrackerFailure


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


def run(command: Play) -> int:
    (setup,) = setups_of([command.tracker], command.network, command.allow_random_weights)
    try:
        count = start(
            setup, command.video, box=command.box, out=command.out, most=command.frames, benchmark=command.tuned_for,
            device=command.device,
        )  # fmt: skip
    except TrackerFailure as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.FAILED
    where = f"; written to {command.out}, the boxes to {command.out.with_suffix('.csv')}" if command.out else ""
    print(f"{count} frames{where}")
    return 0
