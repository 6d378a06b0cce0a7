"""What can be said on the command line: one frozen dataclass per command. What each does is in ``harness.commands``.

``harness.tool_arguments`` holds those of the tools around tracking and scoring.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg, subcommand

from harness.options import Lanes, Names, NetworkOptions, Repeated
from harness.tool_arguments import Draw, Play, Tune, Validate


@dataclass(frozen=True)
class ClusterOptions:
    """Where the jobs run: docs/cluster.md."""

    backend: Literal["processes", "dask"] = "processes"
    """processes: --jobs of them on this machine; dask: a scheduler's workers, or without one, --jobs on this host."""
    scheduler: str | None = None
    """Address of a dask scheduler (tcp://HOST:8786), or the FILE.json that it wrote."""
    gpus_per_host: int = 0
    """Without --scheduler: start one worker for each of so many GPUs of this host, in place of --jobs."""
    shared_store: bool = True
    """Workers write into the store; without a disk that they share, results come back to this command."""


@dataclass(frozen=True)
class MainJob:
    """Run an experiment and render the report; without --experiment the embedded mini-suite through real trackers.

    Interrupted and repeated runs continue where they stopped.

    Example: python run_all.py main --experiment experiments/shipped.yaml --dataset folder=CLIPS --out output/clips
    """

    experiment: Path | None = None
    """YAML, see experiments/."""
    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")] = ()
    """Dataset in place of the experiment's own; may be given several times. NAME:LABEL=ROOT stores it under LABEL."""
    datasets: Names = ()
    """Only these datasets of the experiment, by label."""
    table: tuple[int, ...] = ()
    """Make these tables of the paper (2 to 5) in place of what the experiment names, and run only what they need."""
    figure: tuple[int, ...] = ()
    """Make these figures of the paper in place of what the experiment names, and run only what they need."""

    out: Path = Path("output")
    """Where the store and the report go."""
    jobs: int = os.cpu_count() or 1
    """Worker processes."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; OpenCV's trackers always use the processor."""


@dataclass(frozen=True)
class Track:
    """Run trackers over datasets and store every result; continues where it stopped.

    Trackers of others are python:FILE.py:CLASS, trax:'COMMAND', pytracking:NAME, pysot:NAME.

    Example: python run_all.py track --tracker csrt --dataset otb100=/data/OTB100 --store runs
    """

    tracker: Annotated[Repeated, arg(metavar="NAME")]
    """Tracker to run; may be given several times. `list trackers` names them."""
    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")]
    """Dataset and its root; may be given several times. NAME:LABEL=ROOT stores it under LABEL."""
    store: Path
    """Folder of results; made when missing, continued when not."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    allow_random_weights: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    sequences: Names = ()
    """Only these sequences."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run what is there of an incomplete dataset; what is missing stays a visible hole."""
    jobs: int = 1
    """Worker processes."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps; OpenCV's trackers always use the processor."""
    label: str = ""
    """Name for tables and exports, in place of the tracker's own."""


@dataclass(frozen=True)
class Workers:
    """Start workers on this host for a dask scheduler, one process per GPU; they end with the scheduler or by Ctrl-C.

    Example: python run_all.py workers --scheduler tcp://head:8786 --gpus-per-host 8
    """

    scheduler: str
    """Address of a dask scheduler (tcp://HOST:8786), or the FILE.json that it wrote."""
    gpus_per_host: int = 0
    """One worker for each of so many GPUs, which sees that GPU alone; 0: workers on the processor."""
    jobs: int = 1
    """Workers on the processor, which share its cores evenly."""


@dataclass(frozen=True)
class Plan:
    """Say what a run will take, before it is run: jobs, frames, time, disk, and how well workers would share it.

    Speeds are those of results in --store, else of --bench, else of a short measurement. A dataset that is not here is
    planned by the lengths in its table. Trainings and sweeps of an experiment are not counted.

    Example: python run_all.py plan --tracker csrt --dataset lasot --workers 64
    """

    experiment: Path | None = None
    """YAML, see experiments/; in place of --tracker."""
    tracker: Annotated[UseAppendAction[Names], arg(metavar="NAME")] = ()
    """Tracker to run; may be given several times."""
    dataset: Annotated[UseAppendAction[Names], arg(metavar="NAME[=ROOT]")] = ()
    """Dataset, in place of the experiment's own; may be given several times."""
    workers: int = 1
    """Worker processes, of all hosts together."""
    store: Path | None = None
    """Folder of results: what is there is done, and tells speeds."""
    bench: Path | None = None
    """JSON of `bench --out`."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    device: str = "auto"
    """Where a speed is measured that nothing tells: auto, cpu, cuda ..."""


@dataclass(frozen=True)
class ScoreResults:
    """Score raw results of any tracker against the ground truth.

    Example: python run_all.py score --dataset lasot --annotations annos.zip --results results.zip --format table
    """

    dataset: str
    """NAME with --annotations, or NAME=ROOT."""
    results: Path
    """Folder or zip with <tracker>/<sequence>.txt below it, whatever the nesting."""
    annotations: Path | None = None
    """Folder or zip with the ground truth; images are not needed."""
    format_in: str = "auto"
    """Who wrote the results: auto, or one of pytracking, ostrack, pysot, sots, got10k ..."""
    trackers: Names = ()
    """Only these trackers."""
    protocol: Names = ()
    """Evaluation protocols, the benchmark's default when not given. `list protocols` names them."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Score what is there and print the coverage beside every number."""
    per_sequence: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also every sequence's own numbers."""
    format: Literal["table", "json", "csv", "latex"] = "table"
    """How to print."""


@dataclass(frozen=True)
class Export:
    """Write the results of a store as raw files in the format of another toolkit.

    Example: python run_all.py export --store runs --format pysot --out raw
    """

    store: Path
    """Folder of results."""
    format: str
    """pysot, pytracking, ostrack, got10k, lasot, trackingnet ..."""
    out: Path
    """Where the files go: OUT/<dataset>/<tracker>/<sequence>.txt for pysot."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write what is there although some wanted sequences have no result."""


@dataclass(frozen=True)
class MakeReport:
    """Render a store as one page with its tables and figures.

    Example: python run_all.py report --store runs --out page --protocol clean
    """

    store: Path
    """Folder of results."""
    out: Path
    """OUT/index.html, OUT/tables/*, OUT/figures/*, OUT/frames/*."""
    protocol: Names = ()
    """Further protocols, side by side with each benchmark's default."""


@dataclass(frozen=True)
class Check:
    """Look at a dataset on disk and say what is wrong with it; exit status 1 when something is.

    Example: python run_all.py check --dataset lasot=/data/LaSOT --every 100
    """

    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")]
    """Dataset and its root; may be given several times."""
    images: bool = True
    """Decode the images too (slow, and the only way to find a broken one)."""
    every: int = 1
    """Decode every n-th image only."""


@dataclass(frozen=True)
class Describe:
    """Print a tracker's parameters and multiply-adds per part, with the shares of WP, CSA and TCA.

    Example: python run_all.py describe --tracker cnninmo --interaction paper
    """

    tracker: str
    """Name of a neural tracker."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()


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
    lanes: Lanes = 1
    """Sequences of one tracker that run in lock-step in each worker; auto fits the device. Speed is measured with 1."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure on what is there of an incomplete dataset."""


@dataclass(frozen=True)
class Sweep:
    """Run trackers under many test-time constants at once and print AUC for each.

    Frames and templates are shared by all values of a sequence. Continues where it stopped.

    Example: python run_all.py sweep --tracker transt --preset nano --over lr=0:0.9:0.1 --dataset mini-lasot --out lr
    """

    tracker: Annotated[Repeated, arg(metavar="NAME")]
    """Neural tracker; may be given several times."""
    dataset: Annotated[Repeated, arg(metavar="NAME=ROOT")]
    """Dataset and its root; may be given several times."""
    over: Annotated[Repeated, arg(metavar="NAME=VALUES")]
    """window_influence, penalty_k or lr, as name=0,0.1,0.2 or name=first:last:step; several give every combination."""
    store: Path = Path("sweeps")
    """Folder of results; made when missing, continued when not."""
    out: Path | None = None
    """Also write the table and the figure: OUT/tables/*, OUT/figures/*."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    sequences: Names = ()
    """Only these sequences."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run what is there of an incomplete dataset."""
    jobs: int = 1
    """Worker processes."""
    cluster: OmitArgPrefixes[ClusterOptions] = ClusterOptions()
    device: str = "auto"
    """auto, cpu, cuda ..."""


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


@dataclass(frozen=True)
class Serve:
    """Be a TraX tracker for the VOT toolkit or any other TraX client, on standard input and output.

    Example: python run_all.py serve --tracker transinmo --weights transinmo.pth
    """

    tracker: str
    """Tracker to serve."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()
    allow_random_weights: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    tuned_for: str = "vot2019"
    """Benchmark whose test-time constants are used; one without its own takes LaSOT's."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


@dataclass(frozen=True)
class List:
    """List what is known by name.

    Example: python run_all.py list trackers
    """

    what: Positional[Literal["trackers", "datasets", "protocols"]]
    """Which registry."""


Command = (
    Annotated[MainJob, subcommand("main")]
    | Annotated[Track, subcommand("track")]
    | Annotated[Workers, subcommand("workers")]
    | Annotated[Plan, subcommand("plan")]
    | Annotated[ScoreResults, subcommand("score")]
    | Annotated[Export, subcommand("export")]
    | Annotated[MakeReport, subcommand("report")]
    | Annotated[Check, subcommand("check")]
    | Annotated[Describe, subcommand("describe")]
    | Annotated[Convert, subcommand("convert")]
    | Annotated[Bench, subcommand("bench")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Ablate, subcommand("ablate")]
    | Annotated[Sweep, subcommand("sweep")]
    | Annotated[ShowMaps, subcommand("maps")]
    | Annotated[Serve, subcommand("serve")]
    | Annotated[Tune, subcommand("tune")]
    | Annotated[Play, subcommand("play")]
    | Annotated[Draw, subcommand("draw")]
    | Annotated[Validate, subcommand("validate")]
    | Annotated[List, subcommand("list")]
)
