"""Blocks: what a page shows beside its datasets, such as a table of the paper or a sweep, with its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from inmo.errors import UserError
from inmo.harness.store.store import file_name
from inmo.reports.scoring.stored import DatasetEvaluation, TrackerRun
from inmo.reports.tables.table import Table, write_tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """One drawing of a block as it stands on the page: title, a line of words, and SVG or image mark-up."""

    title: str
    words: str
    markup: Markup


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        stem: anchor on the page; unique among blocks and datasets.
        title: heading.
        words: what it is and how it was made, plain text.
        tables: file stem -> table; all are shown, and written in every format of ``tables.table.FILES``.
        drawings: shown below the tables.
        figures: file stem -> the same drawings as figures for papers, written as SVG and PDF.
        notes: footnotes, plain text.
        folded: stems of tables that a reader has to unfold.
    """

    stem: str
    title: str
    words: str = ""
    tables: Mapping[str, Table] = field(default_factory=dict)
    drawings: tuple[Drawing, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()


def write_block(block: Block, out: Path) -> list[Path]:
    """Write OUT/tables/*.csv|tex|json and OUT/figures/*.svg|pdf of a block. Returns the paths.

    Raises UserError for a folder that cannot be written.
    """
    from inmo.reports.figures.canvas import save_figure

    written = []
    try:
        if block.tables:
            written += write_tables(block.tables, out / "tables")
        if block.figures:
            (out / "figures").mkdir(parents=True, exist_ok=True)
        for stem, figure in block.figures.items():
            written += save_figure(figure, out / "figures" / stem)
    except OSError as error:
        raise UserError(f"cannot write to {out}: {error.strerror}; choose another --out") from error
    return written


def anchor(data: DatasetEvaluation, run: TrackerRun) -> str:
    """The provenance of a run on the page."""
    return f"run-{file_name(data.dataset.label)}-{run.run.folder}"
