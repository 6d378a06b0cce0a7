"""A table as one JSON object."""

from __future__ import annotations

import json
import math
from typing import Any

from inmo.reports.tables.table import Table, Value


def to_json(table: Table) -> str:
    """One object; values as fractions with 8 significant digits, null with an entry in ``reasons`` where missing.
    Published values are strings, as printed."""
    rows = []
    for row in table.rows:
        values: dict[str, Any] = {}
        for column, cell in zip(table.columns, row, strict=True):
            values[column.key] = _rounded(cell.value)
            if cell.interval:
                values[f"{column.key}_interval"] = [_rounded(v) for v in cell.interval]
            if cell.published:
                values[f"{column.key}_published"] = cell.published
            if cell.published_mark:
                values[f"{column.key}_published_mark"] = cell.published_mark
            if cell.difference is not None:
                values[f"{column.key}_difference"] = _rounded(cell.difference)
            if cell.mark:
                values[f"{column.key}_mark"] = cell.mark
        missing = table.reasons(row)
        rows.append(values | ({"reasons": missing} if missing else {}))
    columns = [
        {"key": c.key, "label": c.name, "about": c.about} | ({"sub": c.sub} if c.sub else {}) for c in table.columns
    ]
    whole: dict[str, Any] = {"title": table.title, "caption": table.caption, "columns": columns, "rows": rows}
    whole |= {"footnotes": dict(table.footnotes)} if table.footnotes else {}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(value: Value) -> Value:
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    return value
