"""The notebooks of docs/: they run, and the outputs that are kept in them are what comes out."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.docs.printed import assert_alike

NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))
LAST_OF_LINE = re.compile(r"\d+\.\d+$", re.M)  # the FPS column, the only one that is another each time


def execute(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("execute", ROOT / "docs" / "execute.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.executed(path)


def shown(notebook: Any) -> tuple[list[str], list[list[str]]]:
    """What the cells printed as text, streams joined; and the kinds of their outputs."""
    texts, kinds = [], []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        text = "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs)
        texts.append(LAST_OF_LINE.sub("0", text) if "FPS" in text else text)
        kinds.append(sorted({kind for o in outputs for kind in o.get("data", {})}))
    return texts, kinds


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_comes_out(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat

    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where it leaves its clips
    kept, fresh = shown(nbformat.read(path, as_version=4)), shown(execute(path))
    assert kept[1] == fresh[1]
    for before, now in zip(kept[0], fresh[0], strict=True):
        assert_alike(before, now)


def test_there_is_one_and_it_was_executed() -> None:
    import nbformat

    assert [path.name for path in NOTEBOOKS] == ["library.ipynb"]
    cells = [c for c in nbformat.read(NOTEBOOKS[0], as_version=4).cells if c.cell_type == "code"]
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    assert any("image/svg+xml" in o.get("data", {}) for c in cells for o in c.outputs)
