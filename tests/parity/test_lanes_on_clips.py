"""Real clips in lanes: the boxes and the score of one sequence at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.harness.run.jobs import plan
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.reports.scoring.raw import score_tracker

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.mark.parametrize("name", ["transinmo-star", "cnninmo", "siamcar"])
def test_lanes_keep_boxes_and_auc(shared: Path, tmp_path: Path, name: str) -> None:
    (dataset,) = open_datasets([f"folder={shared / 'data' / 'clips'}"])
    setup = configure(name, {}, {"preset": "nano"})
    found = {}
    for lanes in (1, 5):
        store = open_store(tmp_path / str(lanes), write=True)
        jobs, _ = plan(store, [dataset], [setup], device="cpu")
        assert not [outcome.reason for outcome in run_jobs(jobs, Resources(lanes=lanes)) if outcome.reason]
        (run,) = store.runs(dataset.label)
        results = {s.name: store.result(dataset.label, run, s.name) for s in dataset.sequences}
        found[lanes] = {key: result.boxes for key, result in results.items() if isinstance(result, Result)}
        assert len(found[lanes]) == len(dataset.sequences) >= 10
    for key, boxes in found[1].items():
        np.testing.assert_allclose(found[5][key], boxes, rtol=0, atol=1e-2, err_msg=key)
    truth = {sequence.name: sequence.annotation() for sequence in dataset.sequences}
    alone, together = (score_tracker("clips", name, found[n], truth, "pysot").mean for n in (1, 5))
    assert alone.success_auc is not None and together.success_auc is not None
    assert abs(alone.success_auc - together.success_auc) <= 0.0005
