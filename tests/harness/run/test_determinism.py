"""The same command gives the same boxes: to the last bit on the same device, to 1e-2 px across jobs and lanes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from inmo.harness.cli import main
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from tests.harness.run.test_lanes import films, results  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow


def run(films: Path, store: Path, tracker: str, *more: str) -> dict[str, Result]:  # noqa: F811
    words = ["track", "--tracker", tracker, "--preset", "nano", "--device", "cpu"]
    assert main([*words, "--dataset", f"folder:mine={films}", "--store", str(store), *more]) == 0
    found = results(open_store(store))
    return {name: result for name, result in found.items() if isinstance(result, Result)}


def hashes(found: dict[str, Result]) -> dict[str, str]:
    return {name: hashlib.sha256(r.boxes.tobytes() + r.scores.tobytes()).hexdigest() for name, r in found.items()}


@pytest.mark.parametrize("tracker", ["siamcar", "transinmo-star"])
def test_run_to_run_jobs_and_lanes(films: Path, tmp_path: Path, tracker: str) -> None:  # noqa: F811
    first = run(films, tmp_path / "first", tracker)
    assert len(first) == 4
    assert hashes(run(films, tmp_path / "again", tracker)) == hashes(first)
    lanes = run(films, tmp_path / "lanes", tracker, "--lanes", "3")
    assert hashes(run(films, tmp_path / "lanes again", tracker, "--lanes", "3")) == hashes(lanes)
    jobs = run(films, tmp_path / "jobs", tracker, "--jobs", "2")
    for other in (lanes, jobs):
        for name, result in other.items():
            np.testing.assert_allclose(result.boxes, first[name].boxes, atol=1e-2, rtol=0)
