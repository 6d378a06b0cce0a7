"""Raw results into the store as they stand in their files: no image is opened, no box changed, and no time invented."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.run.jobs import Job, Outcome, built, shared_facts
from inmo.harness.store.records import Result
from inmo.harness.store.store import PARTS, Store
from inmo.trackers.recorded.tracker import Recorded


def import_recorded(jobs: Sequence[Job]) -> list[Outcome]:
    """Store the recorded results that the jobs want; a sequence without a readable file becomes a hole.

    Rows are not checked here: what a short or broken result counts for is the protocol's business.
    """
    return [_import(job) for job in jobs]


def _import(job: Job) -> Outcome:
    store, recorded = Store(job.store), built("recorded", job.config, job.device)
    assert isinstance(recorded, Recorded)
    annotation = job.sequence.annotation()
    try:
        boxes: Boxes | Hole = recorded.raw.boxes(recorded.tracker, job.sequence)
    except UserError as error:
        boxes = Hole(job.sequence.name, str(error))
    if isinstance(boxes, Hole):
        store.put_hole(job.label, job.run, boxes)
        return Outcome(job, boxes.reason)
    before, boxes = annotation.split(boxes)
    nothing = np.full(len(boxes), np.nan)
    facts = shared_facts(job, annotation)
    facts |= {"file": recorded.raw.path(recorded.tracker, job.sequence), "device": "recorded elsewhere"}
    facts |= {"before": before.tolist()} if len(before) else {}
    result = Result(boxes, nothing, dict.fromkeys(PARTS, nothing), facts)
    store.put_result(job.label, job.run, job.sequence.name, result)
    return Outcome(job)
