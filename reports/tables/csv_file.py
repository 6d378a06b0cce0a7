"""A table as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from inmo.reports.tables.table import Cell, Column, Table
from inmo.terminal import plain


def to_csv(table: Table) -> str:
    """Comma-separated, in the printed unit with two more decimals; intervals as columns ``low`` and ``high``, published
    values and the differences to them as columns ``published`` and ``difference``."""
    further = [_further(c, [row[i] for row in table.rows]) for i, c in enumerate(table.columns)]
    shown = {mark for row in table.rows for cell in row for mark in _marks(cell)}
    whole = [f"{mark} {words}" for mark, words in table.footnotes.items() if mark not in shown]
    notes = ["; ".join(dict.fromkeys([*_notes(table, row), *whole])) for row in table.rows]
    noted = any(notes)
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    heads = [[plain(c.heading), *names] for c, names in zip(table.columns, further, strict=True)]
    writer.writerow([*(h for head in heads for h in head), *(["note"] if noted else [])])
    for row, note in zip(table.rows, notes, strict=True):
        values: list[str] = []
        for column, cell, names in zip(table.columns, row, further, strict=True):
            values.append(plain(column.printed(cell, extra=2, missing="")))
            values += [text for name, text in _beside(column, cell).items() if name in names]
        writer.writerow([*values, *([note] if noted else [])])
    return sink.getvalue()


def _notes(table: Table, row: Sequence[Cell]) -> list[str]:
    """What a line of a file says besides its values: why some are missing, and what marks mean."""
    pairs, known = zip(table.columns, row, strict=True), table.footnotes
    told = [f"{column.name} {mark} {known[mark]}" for column, cell in pairs for mark in _marks(cell) if mark in known]
    return [*table.reasons(row).values(), *told]


def _marks(cell: Cell) -> tuple[str, ...]:
    return (*cell.mark, cell.published_mark)


def _beside(column: Column, cell: Cell) -> dict[str, str]:
    """What a cell of a file has beside its value: heading -> text, empty where it has none."""
    low, high = (column.number(v, 2) for v in cell.interval) if cell.interval else ("", "")
    difference = "" if cell.difference is None else column.signed(cell.difference)
    texts = {"low": low, "high": high, "published": cell.published, "difference": difference}
    unit = f" [{column.unit}]" if column.unit else ""
    return {f"{column.name} {name}{unit}": text for name, text in texts.items()}


def _further(column: Column, cells: Sequence[Cell]) -> list[str]:
    """Headings of what any cell of a column has beside its value."""
    found = [_beside(column, cell) for cell in cells]
    return [name for name in _beside(column, Cell(None)) if any(texts[name] for texts in found)]
