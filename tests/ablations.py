"""Rows of the paper's ablations as trackers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inmo.harness.ablation.spec import network_rows
from inmo.harness.run.setup import configure
from inmo.records import as_words

TABLES = {name: network_rows(name) for name in ("table4", "table5")}


def ablation(table: str, row: str, **overrides: Any) -> tuple[str, Any]:
    """Registry name and config of a row, ``overrides`` on top."""
    name, values = TABLES[table][row]
    return name, replace(configure(name, as_words(values)).config, **overrides)
