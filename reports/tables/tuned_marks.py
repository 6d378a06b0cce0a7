"""What a report says of runs whose test-time constants were tuned: on what, and whose scores that touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inmo.reports.tables.table import Table

MARK = "†"


def footnote(cautions: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The footnote of a table, mark -> words: who was tuned on what. ``cautions``: (who, ``caution``)."""
    told = dict.fromkeys(f"{who}, {words}" for who, words in cautions if words)
    if not told:
        return {}
    return {MARK: f"Test-time constants were tuned on the data that is scored: {'; '.join(told)}."}


def marked(table: Table, cautions: Sequence[tuple[str, str]]) -> Table:
    """A table of a dataset with the footnote, and with the mark at the names of those that it is about."""
    notes = footnote(cautions)
    if not notes or MARK in table.footnotes:
        return table
    names = {who for who, words in cautions if words}
    rows = tuple(
        tuple(replace(cell, mark=MARK) if cell.value in names and not cell.mark else cell for cell in row)
        for row in table.rows
    )
    return replace(table, rows=rows, footnotes={**table.footnotes, **notes})
