"""What a store holds, as bytes: two runs are the same when these are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inmo.datasets.base import Hole
from inmo.harness.cli import main
from inmo.harness.store.store import Store


def exported(store: Path, out: Path) -> dict[str, bytes]:
    assert main(["export", "--store", str(store), "--format", "pysot", "--out", str(out)]) == 0
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.txt")}


def edit(path: Path, **values: Any) -> None:
    """Change values of a stored JSON file as somebody does by hand, who takes its seal out."""
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in facts.items() if key != "seal"} | values))


def read_all(store: Store) -> dict[str, bytes]:
    """Sequence -> boxes of what is stored; any half-written file would raise."""
    found: dict[str, bytes] = {}
    for label in store.datasets():
        names = store.dataset(label).names
        for run in store.runs(label):
            for name in names:
                result = store.result(label, run, name)
                if isinstance(result, Hole):
                    assert result.reason == "not run yet"
                else:
                    found[name] = result.boxes.tobytes()
                    assert len(store.sequence(label, name).annotation) == len(result.boxes)
    return found
