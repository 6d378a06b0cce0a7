"""A table on the page: plain values for the template."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from inmo.reports.tables.table import Cell, Column, Table


def to_html(table: Table) -> dict[str, Any]:
    """The table as plain values for the page's template, which does the escaping."""
    columns = [
        {"label": c.label, "group": c.group, "sub": c.sub, "unit": c.unit,
         "about": c.about, "numeric": c.digits is not None, "link": "",
         "hash": "", "starts": False} for c in table.columns
    ]  # fmt: skip
    rows = [[_cell(c, cell) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    for before, column in pairwise(columns):
        column["starts"] = bool(column["group"]) and column["group"] != before["group"]
    groups = [{"name": name, "span": span} for name, span in table.groups]
    return {
        "title": table.title, "caption": table.caption, "footnotes": dict(table.footnotes), "groups": groups,
        "columns": columns, "rows": rows, "explained": table.explained,
    }  # fmt: skip


def _cell(column: Column, cell: Cell) -> dict[str, Any]:
    number = cell.number
    text = cell.published_text if cell.value is None and cell.published else column.printed(cell)
    return {
        "text": text.replace("-", "−") if number is not None else text,
        "sort": number,
        "interval": column.bounds(cell).replace("-", "−"),
        "rank": cell.rank,
        "mark": cell.mark,
        "about": cell.reason or cell.note,
        "missing": cell.value is None and not cell.published,
        "published": cell.published,
        "published_mark": cell.published_mark,
        "against": cell.published_text if cell.published and cell.value is not None else "",
        "difference": column.difference(cell),
        "link": cell.link,
        "numeric": column.digits is not None,
        "tint": min(9, max(0, int(number * 10))) if number is not None and column.scale == 100.0 else None,
    }
