"""Raw results against the ground truth."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from inmo.datasets.files import open_tree
from inmo.errors import Exit, UserError
from inmo.harness.commands.options import Names
from inmo.harness.run.setup import parse_dataset
from inmo.reports.scoring.explain import explain
from inmo.reports.scoring.protocols import protocol
from inmo.reports.scoring.raw import score_dataset, scores_json
from inmo.reports.scoring.score import Score
from inmo.reports.tables.builders import score_table, sequence_table
from inmo.reports.tables.readings import readings_table
from inmo.terminal import plain
from inmo.trackers.recorded.discovery import find_results


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
    boxes: Literal["xywh", "xyxy", "cxcywh", "normalised", "normalised-xyxy", "normalised-cxcywh", "polygon"] = "xywh"
    """What the numbers of a row are; polygons are read by their enclosing rectangles."""
    trackers: Names = ()
    """Only these trackers."""
    protocol: Names = ()
    """Evaluation protocols, the benchmark's default when not given. `list protocols` names them."""
    partial: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Score what is there and print the coverage beside every number."""
    per_sequence: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also every sequence's own numbers."""
    diagnose: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also what the score would be if the files were read in other ways: corners, another origin, a frame late ..."""
    explain: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Say instead what each file was taken for, what was passed over and why, which rows were cut, which flags used."""
    format: Literal["table", "json", "csv", "latex"] = "table"
    """How to print."""


def run(command: ScoreResults) -> int:
    argument = parse_dataset(command.dataset)
    if command.annotations is not None:
        if argument.root:
            raise UserError("give the ground truth once: --dataset NAME=ROOT, or --dataset NAME --annotations PATH")
        argument = type(argument)(argument.name, argument.label, str(command.annotations))
    for name in command.protocol:
        protocol(name)
    dataset = argument.open()
    raw = find_results(
        open_tree(command.results), dataset.benchmark.name, dataset.label, dataset.sequences, command.format_in,
        command.boxes,
    )  # fmt: skip
    if command.explain:
        print("\n".join(map(plain, explain(dataset, raw, command.trackers, command.protocol))))
        return 0
    for note in (*dataset.passed, *raw.notes):
        print(f"note: {note}", file=sys.stderr)
    scores = score_dataset(
        dataset, raw, trackers=command.trackers, protocols=command.protocol, partial=command.partial,
        diagnose=command.diagnose,
    )  # fmt: skip
    if command.format == "json":
        import json

        print(json.dumps(scores_json(scores, per_sequence=command.per_sequence)))
    else:
        tables = [score_table(scores)] + ([sequence_table(scores)] if command.per_sequence else [])
        tables += [readings_table(scores)] if command.diagnose else []
        for table in tables:
            print({"table": table.to_text, "csv": table.to_csv, "latex": table.to_latex}[command.format]())
    for looks in dict.fromkeys(score.looks for score in scores if score.looks and command.format != "table"):
        print(f"note: {looks}", file=sys.stderr)  # a table has it as its footnote
    return _refused(scores)


def _refused(scores: Sequence[Score]) -> int:
    """Say who got no number, and why; status 2 when some tracker got no number at all."""
    numbered = {score.tracker for score in scores if not score.reason}
    for score in scores:
        if score.reason:
            print(
                f"{'error' if score.tracker not in numbered else 'note'}: {score.tracker}: {score.reason}",
                file=sys.stderr,
            )
    return Exit.MEND if {score.tracker for score in scores} - numbered else 0
