"""What distractors do to the trackers of a store."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from inmo.errors import Exit, UserError
from inmo.harness.commands.options import Names
from inmo.harness.store.store import open_store
from inmo.reports.figures.style import styles
from inmo.reports.scoring.stored import evaluate


@dataclass(frozen=True)
class MeasureDistractors:
    """Print how often trackers of a store follow a distractor, when first, and AUC by number and likeness.

    Counted are sequences whose other targets are annotated: the rendered set distractors, sequences of one video
    (Jogging and Skating2 of OTB100), folders of your own with distractor.1.txt, distractor.2.txt beside the boxes.

    Example: python run_all.py distractors --store runs --dataset distractors --out tables
    """

    store: Path
    """Folder of results, as `track` wrote it."""
    dataset: Names = ()
    """Only these datasets of the store, by their labels."""
    out: Path | None = None
    """Also write tables and figures: OUT/tables/*, OUT/figures/*."""


def run(command: MeasureDistractors) -> int:
    from inmo.reports.blocks.block import write_block
    from inmo.reports.blocks.distractors import distractors_block

    store = open_store(command.store)
    for label in command.dataset:
        store.dataset(label)
    found = [data for data in evaluate(store, only=command.dataset).datasets if data.distraction or data.undisturbed]
    if not found:
        raise UserError(
            f"no sequence in {command.store} has annotated distractors: track the rendered set with "
            "`track --dataset distractors`, or a dataset with several targets in a video; where one was tracked by an "
            "earlier version, its `track` command adds them without running anything again"
        )
    look = styles(run.name for data in found for run in data.runs)
    for data in found:
        block = distractors_block(data, look)
        for table in block.tables.values():
            print(table.to_text())
        written = write_block(block, command.out) if command.out is not None else []
        print(*block.notes, *written, sep="\n", file=sys.stderr)
    return Exit.MEND if any(data.undisturbed for data in found) else 0
