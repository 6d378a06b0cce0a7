"""The InMo paper's ablations as named rows: table -> row -> (tracker name, config values that it changes).

Every row is the paper's architecture (``interaction="paper"``); combine it with ``preset="nano"`` for a machine
without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from inmo.errors import unknown_name
from inmo.trackers import tracker

Row = tuple[str, Mapping[str, Any]]


def _star(**values: Any) -> Row:
    return "transinmo-star", {"interaction": "paper", **values}


TABLE_4: Mapping[str, Row] = MappingProxyType(
    {
        "no-wp-no-tca": _star(wp=False, tca=False),
        "wp": _star(wp=True, tca=False),
        "tca": _star(wp=False, tca=True),
        "wp-tca": _star(wp=True, tca=True),
    }
)
"""Window process and target-aware cross-attention in TransInMo*."""

TABLE_5: Mapping[str, Row] = MappingProxyType(
    {
        "dw": ("transinmo", {"interaction": "paper", "matching": "dw"}),
        **{f"transt-{layers}": _star(matching="transt", encoder_layers=layers) for layers in range(5)},
    }
)
"""Matching: depth-wise correlation, and TransT's with 0 to 4 encoder layers and one decoder layer."""

TABLES: Mapping[str, Mapping[str, Row]] = MappingProxyType({"table4": TABLE_4, "table5": TABLE_5})


def ablation(table: str, row: str, **overrides: Any) -> tuple[str, Any]:
    """The tracker name and config of a row, ``overrides`` (``preset="nano"`` ...) on top.

    Raises UserError with a did-you-mean for an unknown table or row.
    """
    if table not in TABLES:
        raise unknown_name("ablation table", table, TABLES)
    if row not in TABLES[table]:
        raise unknown_name(f"row of {table}", row, TABLES[table])
    name, values = TABLES[table][row]
    return name, replace(tracker(name).config, **{**values, **overrides})
