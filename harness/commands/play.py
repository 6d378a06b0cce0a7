"""One tracker over a video, a folder of frames or a camera; or several to choose from, in the browser."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inmo.errors import Exit, UserError
from inmo.harness.commands.options import Flag, NetworkOptions, Trackers
from inmo.harness.commands.shared import setups_of
from inmo.harness.live.play import play as start
from inmo.harness.run.setup import Setup
from inmo.harness.web.footage import videos_in
from inmo.harness.web.watch import Watching
from inmo.trackers.base import TrackerFailure


@dataclass(frozen=True)
class Play:
    """Follow a target through a video file or a camera, on the screen, into a video or in the browser.

    Example: python run_all.py play --tracker cnninmo --preset lite --video clip.mp4 --box 120 80 64 48 --out boxes.mp4
    """

    tracker: Trackers
    """Tracker to run; several with --browser, to choose from and to compare."""
    video: str
    """Video file, folder of frames, `camera`, or `camera:1` for the second one; with --browser a folder of videos."""
    box: tuple[float, float, float, float] | None = None
    """x, y, w, h of the target in the first frame, in pixels from 0; drawn with the mouse when not given."""
    out: Path | None = None
    """FILE.mp4 to write in place of a window. FILE.csv, beside it, holds the boxes."""
    frames: int | None = None
    """Stop after so many frames."""
    browser: Flag = False
    """Show a page at 127.0.0.1: drag a box, see boxes, scores and search regions, compare two trackers."""
    port: int = 0
    """Port of the page; any free one unless given."""
    open: Flag = False
    """Open the page in the default browser."""
    network: NetworkOptions = NetworkOptions()
    allow_random_weights: Flag = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    tuned_for: str = "folder"
    """Benchmark whose test-time constants are used; one without its own takes LaSOT's."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


def run(command: Play) -> int:
    setups = setups_of(command.tracker, command.network, command.allow_random_weights)
    if command.browser:
        return _in_browser(command, setups)
    if len(setups) > 1:
        raise UserError("a window or a video shows one tracker: name one, or say --browser to compare them")
    (setup,) = setups
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


def _in_browser(command: Play, setups: Sequence[Setup]) -> int:
    from inmo.harness.web.server import Server

    if command.box is not None or command.out is not None or command.frames is not None:
        raise UserError("--box, --out and --frames are for a window or a video: in the browser the page asks")
    watching = Watching(videos_in(Path(command.video)), setups, command.tuned_for, command.device)
    server = Server("play", watching.answers, watching.picture, command.port)
    print(f"{server.address}\nCtrl-C ends", flush=True)
    server.run(show=command.open)
    return 0
