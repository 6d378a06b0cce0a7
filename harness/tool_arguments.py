"""What can be said to the tools around tracking and scoring: tuning, watching, looking at submissions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from harness.options import Names, NetworkOptions


@dataclass(frozen=True)
class Tune:
    """Search a tracker's test-time constants on a part of a dataset and measure them on the rest.

    Needs Optuna (the extra `tune`). Continues where it stopped.

    Example: python run_all.py tune --tracker transt --preset nano --dataset mini-lasot --trials 40 --out tuning
    """

    tracker: str
    """Neural tracker."""
    dataset: str
    """NAME=ROOT, or NAME alone where the root is known."""
    trials: int
    """How many sets of constants to score, beside the tracker's own."""
    out: Path
    """Folder of the tuning: tuned.yaml, tables/*, the log and the results of all trials."""
    space: Annotated[UseAppendAction[Names], arg(metavar="NAME=FIRST:LAST")] = ()
    """What is searched, as name=first:last[:step]; may be given several times; all three constants by default."""
    batch: int = 8
    """Sets that are proposed at a time and share every frame and template."""
    holdout: float = 0.5
    """Share of the sequences that is held out, drawn by --seed."""
    sequences: Names = ()
    """Tune on these sequences and hold out all others."""
    seed: int = 0
    """Of the draw and of the proposals."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Tune on what is there of an incomplete dataset."""
    jobs: int = 1
    """Worker processes."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


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
