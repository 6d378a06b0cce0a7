"""Networks: what they are, how fast they are, how they are trained and what happens inside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from inmo.errors import UserError
from inmo.harness.commands.options import ClusterOptions, Lanes, Names, NetworkOptions, Repeated
from inmo.harness.commands.shared import setups_of, workers_of

if TYPE_CHECKING:
    from inmo.harness.run.setup import Setup


@dataclass(frozen=True)
class Describe:
    """Print a tracker's parameters and multiply-adds per part, with the shares of WP, CSA and TCA.

    Example: python run_all.py describe --tracker cnninmo --interaction paper
    """

    tracker: str
    """Name of a neural tracker."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()


def describe(command: Describe) -> int:
    from inmo.trackers.inspect import describe as parts

    setup = setups_of([command.tracker], command.network, random_weights=True)[0]
    if setup.spec.network is None:
        raise UserError(f"{command.tracker} has no network to describe: name one of the neural trackers")
    network = setup.spec.network(setup.config)
    print(f"{setup.spec.title}, {_sense(setup.on('lasot'))}")
    print(parts.table(parts.describe(network)))
    return 0


def _sense(config: Any) -> str:
    """Preset and interaction of a config in words."""
    known = [str(getattr(config, name)) for name in ("preset", "interaction") if getattr(config, name, None)]
    return ", ".join(known) or "default settings"


@dataclass(frozen=True)
class Convert:
    """Turn the authors' checkpoint into safetensors, after checking that every parameter fits.

    Example: python run_all.py convert --checkpoint transt.pth --tracker transt --out transt.safetensors
    """

    checkpoint: Path
    """The file as the authors published it. Nothing in it is executed."""
    tracker: str
    """transinmo, transinmo-star, cnninmo, transt or siamcar."""
    out: Path
    """FILE.safetensors"""


def convert(command: Convert) -> int:
    from inmo.trackers.pipeline.checkpoint import convert as write

    facts = write(command.checkpoint, command.tracker, command.out)
    print(f"{command.out}: {facts['tracker']} from {facts['source']} (SHA-256 {facts['source_sha256']})")
    return 0


@dataclass(frozen=True)
class Bench:
    """Measure speed: the network alone, the tracker's call, a run from files to boxes; where the time goes, and how far
    that is from what the machine can do.

    Example: python run_all.py bench --tracker siamcar --scope run --compare lanes=1 lanes=8,precision=bf16
    """

    tracker: Annotated[Repeated, arg(metavar="NAME")]
    """Tracker to time; may be given several times. Random weights will do."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    scope: tuple[Literal["network", "tracker", "run"], ...] = ("network", "tracker", "run")
    """How much of the way."""
    lanes: tuple[int, ...] = (1,)
    """Targets in lock-step; each number is measured."""
    case: UseAppendAction[Names] = ()
    """Settings to measure, of the tracker, lanes or ahead: precision=bf16,compile=true; may be given several times."""
    compare: tuple[str, str] | None = None
    """Two cases, timed in turn in one process; prints how many times as fast the second is, with its spread."""
    frames: int = 20
    """Frames of a film (`run` has as many films as lanes), and steps of a round in the other scopes."""
    rounds: int = 3
    """Timed rounds, after one to warm up."""
    threads: int = 2
    """Processor threads."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    profile: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also print what the network's time goes to, by operation."""
    out: Path | None = None
    """Also write the numbers and the machine's description to this JSON file."""


def bench(command: Bench) -> int:
    import os

    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch starts, which is below
        os.environ[variable] = str(command.threads)
    import cv2

    from inmo.harness.bench.command import bench as start

    cv2.setNumThreads(command.threads)

    def setup_of(name: str, settings: Mapping[str, str]) -> Setup:
        words = (*command.network.set, *(f"{key}={value}" for key, value in settings.items()))
        return setups_of([name], replace(command.network, set=words), random_weights=True)[0]

    print(start(command, setup_of))
    return 0


@dataclass(frozen=True)
class Train:
    """Train a tracker as a config file says; under torchrun, on every process it starts.

    Example: python run_all.py train configs/nano/transinmo-star.yaml --set steps=2000 --out runs/star
    """

    config: Positional[Path]
    """YAML, see configs/."""
    set: UseAppendAction[Names] = ()
    """Any value of the config, as a.b=value; may be given several times."""
    out: Path = Path("runs")
    """Folder of the run: config.yaml, log.csv, checkpoint.pt, and at the end weights.safetensors."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Continue from the checkpoint in OUT."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    loader_seconds: Annotated[float | None, arg(metavar="SECONDS")] = None
    """Train nothing: measure for so long how many pairs a second the loader alone gives, and print it."""


def train(command: Train) -> int:
    from inmo.harness.training.command import measure_loader
    from inmo.harness.training.command import train as start

    if command.loader_seconds is not None:
        return measure_loader(command.config, command.set, seconds=command.loader_seconds, device=command.device)
    return start(command.config, command.set, out=command.out, resume=command.resume, device=command.device)


@dataclass(frozen=True)
class Ablate:
    """Train and measure every row of an ablation with the same data, steps and seeds; continues where it stopped.

    Example: python run_all.py ablate table4 --preset nano --seeds 0 1 2
    """

    table: Positional[str]
    """table4 (WP x TCA) or table5 (matching)."""
    preset: str = "nano"
    """Rows of this size: configs/PRESET/transinmo-star.yaml is their common base."""
    config: Path | None = None
    """Another common base."""
    steps: int | None = None
    """Optimisation steps per row, in place of the config's."""
    set: UseAppendAction[Names] = ()
    """Any value of the config, as a.b=value; may be given several times."""
    dataset: Annotated[UseAppendAction[Names], arg(metavar="NAME=ROOT")] = ()
    """Dataset to measure on, mini-lasot when none is given; may be given several times."""
    rows: Names = ()
    """Only these rows."""
    seeds: tuple[int, ...] = (0,)
    """One training each; three and more give a spread."""
    out: Path = Path("ablations")
    """Folder of the trainings, of their results and of the table."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    jobs: int = os.cpu_count() or 1
    """Worker processes that track; training is one process."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure on what is there of an incomplete dataset."""


def ablate(command: Ablate) -> int:
    from inmo.harness.training.ablate import ablate as start
    from inmo.paths import ROOT

    base = command.config or ROOT / "configs" / command.preset / "transinmo-star.yaml"
    steps = () if command.steps is None else (f"steps={command.steps}",)
    return start(
        command.table, base, (*steps, *command.set), out=command.out, datasets=command.dataset or ("mini-lasot",),
        rows=command.rows, seeds=command.seeds, device=command.device, workers=lambda: workers_of(command),
        lanes=command.lanes, partial=command.partial,
    )  # fmt: skip


@dataclass(frozen=True)
class ShowMaps:
    """Draw what CSA and TCA do in chosen frames: template, search region, CSA, TCA and score map of each.

    Example: python run_all.py maps --tracker transinmo-star --preset nano --dataset mini-lasot --sequence hound-1
    --frames 10 40 --out maps
    """

    tracker: Annotated[Repeated, arg(metavar="NAME")]
    """Tracker with CSA and TCA; may be given several times."""
    dataset: str
    """NAME=ROOT, or NAME alone where the root is known."""
    sequence: str
    """Name of the sequence, which is followed from its first frame."""
    frames: tuple[int, ...]
    """Frames to look into, counted from 0; the first one holds the template."""
    out: Path = Path("maps")
    """The arrays go to OUT/arrays, the drawings to OUT/figures/*.svg and *.pdf."""
    stage: int = -1
    """Which interaction, from 0 for the first; negative numbers count from the last."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    device: str = "auto"
    """auto, cpu, cuda ..."""


def show_maps(command: ShowMaps) -> int:
    from inmo.harness.experiment.activation_maps import run_maps
    from inmo.harness.run.setup import parse_dataset
    from inmo.harness.store.store import file_name
    from inmo.reports.blocks.activation import maps_block
    from inmo.reports.blocks.block import write_block

    dataset = parse_dataset(command.dataset).open()
    setups = setups_of(command.tracker, command.network, random_weights=False)
    found = [
        (item, command.stage)
        for setup in setups
        for item in run_maps(
            command.out / "arrays", setup, dataset, command.sequence, command.frames, device=command.device
        )
    ]
    block = maps_block(found, stem=f"maps_{file_name(command.sequence)}", title="Activation maps")
    for note in block.notes:
        print(note, file=sys.stderr)
    print("\n".join(str(path) for path in write_block(block, command.out)))
    return 0
