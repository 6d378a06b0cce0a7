"""Broken inputs by the hundred through the real commands: each gives its documented error or result, and nothing else.

None may end in a traceback, hang over 10 s, take a gigabyte of memory, or write outside its output folder.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.faults.case import run_family

pytestmark = pytest.mark.slow

FAMILIES = ("text", "images", "names", "archives", "yaml", "files")


def test_there_are_at_least_300() -> None:
    assert sum(len(importlib.import_module(f"tests.faults.corpus_{name}").CASES) for name in FAMILIES) >= 300


@pytest.mark.parametrize("family", FAMILIES)
def test_broken_inputs(family: str, tmp_path: Path) -> None:
    trouble = run_family(f"tests.faults.corpus_{family}", tmp_path)
    assert not trouble, "\n".join(trouble)
