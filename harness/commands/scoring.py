"""Data and stored results: checking, scoring, exporting, rendering, and what is known by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from inmo.errors import UserError
from inmo.harness.commands.options import Names, Repeated
from inmo.harness.commands.shared import EXIT_BROKEN, EXIT_FINDINGS

if TYPE_CHECKING:
    from inmo.reports.scoring.score import Score


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


def check(command: Check) -> int:
    from inmo.datasets.check import check_dataset
    from inmo.harness.run.setup import open_datasets

    found = 0
    for dataset in open_datasets(command.dataset):
        outcome = check_dataset(dataset, read_images=command.images, every=command.every)
        print("\n".join(outcome.lines()))
        found += len(outcome.findings)
    return EXIT_FINDINGS if found else 0


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


def score(command: ScoreResults) -> int:
    from inmo.datasets.files import open_tree
    from inmo.harness.run.setup import parse_dataset
    from inmo.reports.scoring.raw import score_dataset, scores_json

    argument = parse_dataset(command.dataset)
    if command.annotations is not None:
        if argument.root:
            raise UserError("give the ground truth once: --dataset NAME=ROOT, or --dataset NAME --annotations PATH")
        argument = type(argument)(argument.name, argument.label, str(command.annotations))
    scores = score_dataset(
        argument.open(), open_tree(command.results), trackers=command.trackers, protocols=command.protocol,
        partial=command.partial, format_in=command.format_in,
    )  # fmt: skip
    if command.format == "json":
        import json

        print(json.dumps(scores_json(scores, per_sequence=command.per_sequence)))
    else:
        from inmo.reports.tables.builders import score_table, sequence_table

        tables = [score_table(scores)] + ([sequence_table(scores)] if command.per_sequence else [])
        for table in tables:
            print({"table": table.to_text, "csv": table.to_csv, "latex": table.to_latex}[command.format]())
    return _refused(scores)


def _refused(scores: Sequence[Score]) -> int:
    """Say what was refused or broken; status 2 when some tracker got no number at all."""
    numbered = {score.tracker for score in scores if not score.reason}
    for score in scores:
        if score.reason:
            print(
                f"{'error' if score.tracker not in numbered else 'note'}: {score.tracker}: {score.reason}",
                file=sys.stderr,
            )
        elif score.mean.broken:
            print(
                f"note: {score.tracker} has {score.mean.broken} predictions that are NaN or without size; "
                f"{score.protocol} decides what they count for",
                file=sys.stderr,
            )
    return EXIT_BROKEN if {score.tracker for score in scores} - numbered else 0


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


def export(command: Export) -> int:
    from inmo.harness.store.export import export_store
    from inmo.harness.store.store import open_store

    written = export_store(open_store(command.store), command.format, command.out, partial=command.partial)
    print(f"{written} results written to {command.out}", file=sys.stderr)
    return 0


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


def validate(command: Validate) -> int:
    from inmo.harness.experiment.submission_check import submission_problems, wanted_frames

    frames = wanted_frames(command.dataset)
    problems = submission_problems(command.submission, frames)
    print("\n".join(f"{command.submission}: {problem}" for problem in problems) or f"{command.submission}: good")
    known = sum(count is not None for count in frames.values())
    rows = f"the number of rows is known of {known}"
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    print(f"{count}; {len(frames)} sequences wanted, {rows}", file=sys.stderr)
    return EXIT_FINDINGS if problems else 0


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


def report(command: MakeReport) -> int:
    from inmo.harness.store.store import open_store
    from inmo.reports.page.page import write_report

    print(write_report(open_store(command.store), command.out, protocols=command.protocol))
    return 0


@dataclass(frozen=True)
class List:
    """List what is known by name.

    Example: python run_all.py list trackers
    """

    what: Positional[Literal["trackers", "datasets", "protocols"]]
    """Which registry."""


def list_names(command: List) -> int:
    from inmo.datasets import DATASETS, benchmark
    from inmo.reports.scoring.protocols import PROTOCOLS
    from inmo.trackers import TRACKERS
    from inmo.trackers.titles import title

    if command.what == "trackers":
        rows = [(name, title(name)) for name in TRACKERS]
    elif command.what == "datasets":
        rows = [(name, f"{row.title}; scored by {row.protocol}") for name in DATASETS for row in [benchmark(name)]]
    else:
        rows = [(name, row.summary) for name, row in PROTOCOLS.items()]
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:<{width}}  {text}" for name, text in rows))
    return 0
