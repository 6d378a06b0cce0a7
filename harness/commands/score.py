"""Raw results against the ground truth."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from inmo.datasets.files import open_tree
from inmo.errors import Exit, UserError
from inmo.harness.commands.options import Flag, Names
from inmo.harness.run.setup import parse_dataset
from inmo.reports.scoring.as_json import scores_json
from inmo.reports.scoring.explain import explain
from inmo.reports.scoring.protocols import PROTOCOLS, protocol
from inmo.reports.scoring.raw import score_dataset, score_rules
from inmo.reports.scoring.reference import compare_with_reference, read_reference
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.switches import all_parts
from inmo.reports.tables.builders import score_table, sequence_table
from inmo.reports.tables.published_marks import with_published
from inmo.reports.tables.readings import readings_table
from inmo.reports.tables.side_by_side import difference_lines, side_by_side_table
from inmo.terminal import plain
from inmo.trackers.recorded.discovery import find_results

ALL = "all"


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
    """Evaluation protocols, the benchmark's default when not given; `list protocols` names them. all: in one table."""
    reference: Path | None = None
    """JSON of published scores, {"ECO": 69.1}: which tracker's are not the same, and what would explain it."""
    partial: Flag = False
    """Score what is there and print the coverage beside every number."""
    per_sequence: Flag = False
    """Also every sequence's own numbers."""
    diagnose: Flag = False
    """Also what the score would be if the files were read in other ways: corners, another origin, a frame late ..."""
    explain: Flag = False
    """Say instead what each file was taken for, what was passed over and why, which rows were cut, which flags used."""
    format: Literal["table", "json", "csv", "latex"] = "table"
    """How to print."""


def run(command: ScoreResults) -> int:
    argument = parse_dataset(command.dataset)
    if command.annotations is not None:
        if argument.root:
            raise UserError("give the ground truth once: --dataset NAME=ROOT, or --dataset NAME --annotations PATH")
        argument = replace(argument, root=str(command.annotations))
    everything = ALL in command.protocol
    for name in command.protocol:
        protocol(name) if name != ALL else None
    dataset = argument.open()
    protocols = tuple(dict.fromkeys((dataset.benchmark.protocol, *PROTOCOLS))) if everything else command.protocol
    raw = find_results(
        open_tree(command.results), dataset.benchmark.name, dataset.label, dataset.sequences, command.format_in,
        command.boxes,
    )  # fmt: skip
    if command.explain:
        print("\n".join(map(plain, explain(dataset, raw, command.trackers, protocols))))
        return 0
    benchmark, asked = dataset.benchmark, command.reference
    published = read_reference(asked, (dataset.label, benchmark.name, benchmark.title)) if asked is not None else {}
    for note in (*dataset.passed, *raw.notes):
        print(f"note: {note}", file=sys.stderr)
    scores = score_dataset(
        dataset, raw, trackers=command.trackers, protocols=protocols, partial=command.partial,
        diagnose=command.diagnose,
    )  # fmt: skip
    score = partial(score_rules, dataset, raw, trackers=command.trackers, partial=command.partial)
    parts = all_parts(scores, benchmark.name, score) if everything else {}
    first = [each for each in scores if each.protocol == scores[0].protocol]
    beside, unknown = compare_with_reference(first, published, benchmark.name, score) if published else ([], [])
    if command.format == "json":
        import json

        told: dict[str, Any] = scores_json(scores, per_sequence=command.per_sequence)
        told |= {"differences": {n: [asdict(part) for part in own] for n, own in parts.items()}} if everything else {}
        told |= {"published": [asdict(each) for each in beside]} if published else {}
        print(json.dumps(told))
    else:
        tables = [side_by_side_table(scores, benchmark.name)] if everything else []
        tables += [with_published(score_table(first), beside, first[0].protocol)] if published else []
        tables += [] if everything or (len(first) == len(scores) and published) else [score_table(scores)]
        tables += [sequence_table(scores)] if command.per_sequence else []
        tables += [readings_table(scores)] if command.diagnose else []
        for table in tables:
            print({"table": table.to_text, "csv": table.to_csv, "latex": table.to_latex}[command.format]())
        for line in difference_lines(parts, benchmark.protocol):
            print(plain(line), file=sys.stdout if command.format == "table" else sys.stderr)
    if unknown:
        print(f"note: published, but not among the results: {plain(', '.join(unknown))}", file=sys.stderr)
    for looks in dict.fromkeys(score.looks for score in scores if score.looks and command.format != "table"):
        print(f"note: {looks}", file=sys.stderr)  # a table has it as its footnote
    return _refused(scores)


def _refused(scores: Sequence[Score]) -> int:
    """Say who got no number, and why; status 2 when some tracker got no number at all."""
    numbered = {score.tracker for score in scores if not score.reason}
    for score in scores:
        if score.reason:
            kind = "note" if score.tracker in numbered else "error"
            print(f"{kind}: {score.tracker}: {score.reason}", file=sys.stderr)
    return Exit.MEND if {score.tracker for score in scores} - numbered else 0
