"""A table in a terminal."""

from __future__ import annotations

from inmo.reports.tables.table import Cell, Column, Table
from inmo.terminal import aligned, plain

MARKS = {1: "¹", 2: "²", 3: "³"}


def to_text(table: Table) -> str:
    """Aligned for a terminal; reasons for missing values follow as notes."""
    notes: dict[str, int] = {}
    body = [[_cell(c, cell, notes) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    grid = [[plain(c.heading) for c in table.columns], *body]
    lines = aligned(grid, [column.digits is None for column in table.columns], ruled=True)
    head = [plain(table.title), ""] if table.title else []
    tail = [f"[{number}] {plain(reason)}" for reason, number in notes.items()]
    caption = [plain(table.words)] if table.words else []
    return "\n".join([*head, *lines, *([""] if tail or caption else []), *tail, *caption]) + "\n"


def _cell(column: Column, cell: Cell, notes: dict[str, int]) -> str:
    text = plain(column.printed(cell))
    if cell.interval:
        text += f" {column.bounds(cell)}"
    if cell.published:
        text = f"{text} (paper: {column.against(cell)})" if cell.value is not None else f"paper: {cell.published_words}"
    text += cell.mark
    if cell.reason:
        text += f" [{notes.setdefault(cell.reason, len(notes) + 1)}]"
    if column.better:
        text += MARKS.get(cell.rank, " ")
    return text
