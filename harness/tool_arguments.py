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
    """What is searched, as name=first:last or name=first:last:step; may be given several times. When not given,
    window_influence=0:0.9, penalty_k=0:0.3 and lr=0.1:1. The step is 0.01 where none is given."""
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

    Exit status 1 when something is. Example: python run_all.py validate results.zip --dataset trackingnet=/data/TN
    """

    submission: Positional[Path]
    """FILE.zip"""
    dataset: str = "trackingnet"
    """NAME=ROOT, or NAME alone: with the frames at hand the number of rows is checked too."""
