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
            beside = {
                "interval": cell.interval and [_rounded(v) for v in cell.interval], "published": cell.published,
                "published_mark": cell.published_mark, "difference": _rounded(cell.difference), "mark": cell.mark,
            }  # fmt: skip
            values |= {f"{column.key}_{name}": value for name, value in beside.items() if value not in (None, "")}
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
