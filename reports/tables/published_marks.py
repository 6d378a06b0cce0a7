"""Published scores in a table: beside one's own, with a mark where they are not the same and what would explain it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.reports.scoring.reference import NORM, Beside, P
from inmo.reports.tables.table import Cell, Table

MARK = "≠"
SHOWN = 2  # explanations of a tracker


def with_published(table: Table, found: Sequence[Beside], protocol: str) -> Table:
    """The table with what is published of each tracker beside its numbers, and a footnote for those that differ."""
    keys, trackers = [column.key for column in table.columns], {each.tracker: each for each in found}
    rows = []
    for row in table.rows:
        cells, each = list(row), trackers.get(str(row[0].value))
        for key, number in each.numbers.items() if each else ():
            place = keys.index(own) if (own := column_of(key, protocol)) in keys else None
            if each is not None and place is not None:
                cells[place] = _beside(cells[place], number.text, number.value, key in each.off)
        rows.append(tuple(cells))
    said = " ".join(f"{each.tracker}: {explained(each)}." for each in found if each.off)
    notes = {MARK: f"Not the published score. {said}"} if said else {}
    return replace(table, rows=tuple(rows), footnotes={**table.footnotes, **notes})


def column_of(key: str, protocol: str) -> str:
    """Key of the table's column that a published number belongs to."""
    row = PROTOCOLS[protocol]
    return {NORM: row.norm_scalar, P: "precision_20" if row.points else "precision_auc"}.get(key, key)


def explained(each: Beside) -> str:
    """What would make a tracker's numbers the published ones; that nothing that was tried does, where nothing does."""
    if not each.ways:
        return f"none of {each.tried} other ways to score its files gives it"
    best = [way for way in each.ways if way.keeps == each.ways[0].keeps][:SHOWN]
    words = " or ".join(f"{way.words} ({way.gives} of {each.among} as published then)" for way in best)
    more = len(each.ways) - len(best)
    rest = f", and {more} more" if more else ""
    alone = "; told by one number alone" if len(each.numbers) == 1 else ""
    return f"as published by {words}{rest}{alone}"


def _beside(cell: Cell, text: str, value: float, differs: bool) -> Cell:
    off = None if cell.number is None else cell.number - value
    return replace(cell, published=text, difference=off, mark=cell.mark + (MARK if differs else ""))
