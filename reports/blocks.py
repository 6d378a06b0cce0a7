"""Blocks: what a page shows beside its datasets, such as a table of the paper or a sweep, with its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.table import Table

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
        tables: file stem -> table; all are shown, and written in every format of ``reports.table.RENDERINGS``.
        drawings: shown below the tables.
        figures: file stem -> the same drawings as figures for papers, written as SVG and PDF.
        notes: footnotes, plain text.
    """

    stem: str
    title: str
    words: str = ""
    tables: Mapping[str, Table] = field(default_factory=dict)
    drawings: tuple[Drawing, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
