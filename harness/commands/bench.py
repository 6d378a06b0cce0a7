"""Speed, and where the time goes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from inmo.harness.commands.options import Flag, Names, NetworkOptions, Trackers
from inmo.harness.commands.shared import setups_of
from inmo.harness.run.setup import Setup


@dataclass(frozen=True)
class Bench:
    """Measure speed: the network alone, the tracker's call, a run from files to boxes; where the time goes, and how far
    that is from what the machine can do.

    Example: python run_all.py bench --tracker siamcar --scope run --compare lanes=1 lanes=8,precision=bf16
    """

    tracker: Trackers
    """Tracker to time; may be given several times. Where a preset comes with no weights, random ones will do."""
    network: NetworkOptions = NetworkOptions()
    scope: tuple[Literal["network", "tracker", "run"], ...] = ("network", "tracker", "run")
    """How much of the way."""
    lanes: tuple[int, ...] = (1,)
    """Targets in lock-step; each number is measured."""
    case: Names = ()
    """Settings to measure, of the tracker, lanes or ahead: precision=bf16,compile=true; may be given several times."""
    compare: tuple[str, str] | None = None
    """Two cases, as runtime=torch runtime=openvino, timed in turn; prints how many times as fast the second is."""
    over: str = ""
    """Cost of CSA and TCA alone by size of the search region, search_size=128:384:64; then `out` is a folder."""
    against: tuple[Path, ...] = ()
    """Checkouts of the authors' code (SOTS, TransT, SiamCAR): their network and ours in turn, with random weights."""
    frames: int = 20
    """Frames of a film (`run` has as many films as lanes), and steps of a round in the other scopes."""
    rounds: int = 3
    """Timed rounds, after one to warm up."""
    threads: int = 2
    """Processor threads."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    profile: Flag = False
    """Also print what the network's time goes to, by operation."""
    out: Path | None = None
    """Also write the numbers and the machine's description to this JSON file."""


def run(command: Bench) -> int:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch starts, which is below
        os.environ[variable] = str(command.threads)
    import cv2

    from inmo.harness.bench.command import Asked
    from inmo.harness.bench.command import bench as start

    cv2.setNumThreads(command.threads)

    def setup_of(name: str, settings: Mapping[str, str]) -> Setup:
        words = (*command.network.set, *(f"{key}={value}" for key, value in settings.items()))
        every = setups_of(command.tracker, replace(command.network, set=words), random_weights=False)
        setup = every[command.tracker.index(name)]  # an option goes to those of the trackers that have it
        if getattr(setup.on("lasot"), "weights", None) == "":
            setup = replace(setup, config=replace(setup.config, allow_random_weights=True))
        return setup

    print(start(Asked(**{item.name: getattr(command, item.name) for item in fields(Asked)}), setup_of))
    return 0
