"""A submission, looked over before it is submitted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from inmo.errors import Exit
from inmo.harness.experiment.submission_check import submission_problems, wanted_frames


@dataclass(frozen=True)
class Validate:
    """Look at a zip that is to be submitted to TrackingNet's server, and list everything that is wrong with it.

    Exit status 1 when something is.

    Example: python run_all.py validate results.zip --dataset trackingnet=/data/TN
    """

    submission: Positional[Path]
    """FILE.zip"""
    dataset: str = "trackingnet"
    """NAME=ROOT, or NAME alone: with the frames at hand the number of rows is checked too."""


def run(command: Validate) -> int:
    frames = wanted_frames(command.dataset)
    problems = submission_problems(command.submission, frames)
    print("\n".join(f"{command.submission}: {problem}" for problem in problems) or f"{command.submission}: good")
    known = sum(count is not None for count in frames.values())
    rows = f"the number of rows is known of {known}"
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    print(f"{count}; {len(frames)} sequences wanted, {rows}", file=sys.stderr)
    return Exit.FINDINGS if problems else 0
