"""Out of memory: lanes halve and the run goes on; what does not fit alone is a hole, and the others finish."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from inmo.datasets.base import Hole
from inmo.harness.cli import main
from inmo.harness.run import memory
from inmo.harness.run.jobs import built
from inmo.harness.run.lanes import Done, Failed, follow_all
from inmo.harness.store.records import Result
from inmo.harness.store.store import Store
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.trackers.base import Step
from inmo.trackers.pipeline.neural import NeuralTracker
from tests.harness import faulty
from tests.harness.run.test_lanes import Places, Walker, Want, follow, jobs_of, results

CLIPS = 8


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    faulty.write_clips(root, CLIPS)
    return root


def run(clips: Path, store: Path, lanes: int, **settings: int) -> int:
    words = ["track", "--tracker", "faulty", "--dataset", f"folder:mine={clips}", "--store", str(store)]
    for name, value in settings.items():
        words += ["--set", f"{name}={value}"]
    return main([*words, "--lanes", str(lanes)])


def boxes(store: Path) -> dict[str, bytes]:
    return {name: r.boxes.tobytes() for name, r in results(Store(store)).items() if isinstance(r, Result)}


@pytest.mark.parametrize(("lanes", "most", "left"), [(8, 3, 2), (8, 1, 1), (3, 2, 2), (2, 1, 1), (8, 4, 4), (5, 4, 3)])
def test_lanes_halve_until_they_fit(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lanes: int, most: int, left: int
) -> None:
    assert run(clips, tmp_path / "one", 1) == 0
    capsys.readouterr()
    assert run(clips, tmp_path / "many", lanes, most=most) == 0
    assert boxes(tmp_path / "many") == boxes(tmp_path / "one")
    assert len(boxes(tmp_path / "one")) == CLIPS
    note = f"memory ran out with {lanes} lanes: {left} at the end"
    assert f"note: {CLIPS} sequences: {note}" in capsys.readouterr().err
    for result in results(Store(tmp_path / "many")).values():
        assert isinstance(result, Result)
        assert (result.provenance["lanes"], result.provenance["note"]) == (left, note)


def test_no_batch_is_larger_after_it_was_too_large() -> None:
    class Small(Walker):
        def step(self, frames: Any, state: Any) -> Step:
            if len(frames) > 3:
                self.batches.append([(len(frames), -1)])
                raise MemoryError
            return super().step(frames, state)

    tracker = Small()
    ends = follow(tracker, [Want(k, 3 + k) for k in range(1, 10)], 8)
    assert all(isinstance(end, Done) for end in ends.values())
    tried = [batch[0][0] for batch in tracker.batches if batch[0][1] == -1]
    assert tried == [8, 4]  # the first step, its halves, and then quarters for good
    for mark, end in ends.items():
        assert end.result.boxes[:, 0].tolist() == [3.0 + i for i in range(3 + mark)]


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("setting", ["heavy", "heavy_start"])
def test_what_does_not_fit_alone_is_a_hole(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, lanes: int
) -> None:
    assert run(clips, tmp_path / "one", 1) == 0
    expected = boxes(tmp_path / "one")
    del expected["c03"]
    capsys.readouterr()
    assert run(clips, tmp_path / "s", lanes, **{setting: 3}) == 3
    assert boxes(tmp_path / "s") == expected
    hole = results(Store(tmp_path / "s"))["c03"]
    assert isinstance(hole, Hole)
    assert hole.reason == (
        "faulty: memory ran out with one target at a time (CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a "
        f"total capacity of 79.19 GiB of which 1.2 GiB is free.): {memory.ADVICE}"
    )
    error = capsys.readouterr().err
    assert "hole: mine, Faulty, c03: faulty: memory ran out" in error
    assert "Traceback" not in error
    path = next((tmp_path / "s").rglob("c03.hole.json"))
    assert json.loads(path.read_text())["sequence"] == "c03"
    assert run(clips, tmp_path / "s", lanes) == 0  # with memory the same command does the rest
    assert len(boxes(tmp_path / "s")) == CLIPS


def test_a_sequence_that_finds_no_room_to_begin_waits_for_the_others() -> None:
    room = 3

    class Full(Walker):
        """A tracker whose states, not its batches, fill the memory: three targets and no more."""

        held = 0

        def init(self, frames: Any, boxes: Any) -> Places:
            if self.held == room:
                raise MemoryError("Unable to allocate 1.00 GiB")
            self.held += 1
            return super().init(frames, boxes)

    tracker = Full()
    ends = []
    for end in follow_all(tracker, [Want(k, 4) for k in range(1, 9)], 5):
        tracker.held -= 1
        ends.append(end)
    assert [type(end) for end in ends] == [Done] * 8
    assert sorted(tracker.started) == list(range(1, 9))


def test_a_fixed_batch_stays_of_one_size_until_it_halves() -> None:
    class Small(Walker):
        def step(self, frames: Any, state: Any) -> Step:
            if len(frames) > 2:
                raise torch.OutOfMemoryError("out of memory")
            return super().step(frames, state)

    tracker = Small()
    ends = follow(tracker, [Want(1, 3), Want(2, 9), Want(3, 5), Want(4, 7)], 4, fixed=True)
    assert {len(batch) for batch in tracker.batches} == {2}
    for mark, frames in {1: 3, 2: 9, 3: 5, 4: 7}.items():
        assert ends[mark].result.boxes[:, 0].tolist() == [3.0 + i for i in range(frames)]


def test_other_faults_do_not_halve() -> None:
    tracker = Walker(lambda mark, index: RuntimeError("shape mismatch") if (mark, index) == (2, 3) else None)
    ends = follow(tracker, [Want(1, 6), Want(2, 8), Want(3, 7)], 3)
    assert isinstance(ends[2], Failed)
    assert (ends[1].lanes, ends[1].note) == (3, "")


def provoked(action: Any) -> Exception:
    with pytest.raises(Exception) as caught:
        action()
    return caught.value


def test_real_failures_to_allocate_are_known() -> None:
    """Nobody has an exabyte: these are the libraries' own errors, raised by real calls."""
    assert memory.ran_out(provoked(lambda: torch.empty(1 << 60, dtype=torch.uint8)))
    assert memory.ran_out(provoked(lambda: np.empty(1 << 60, dtype=np.uint8)))
    assert memory.ran_out(provoked(lambda: bytearray(1 << 60)))
    assert memory.ran_out(faulty.out_of_memory())
    assert torch.cuda.OutOfMemoryError is torch.OutOfMemoryError
    assert not memory.ran_out(provoked(lambda: torch.zeros(2) @ torch.zeros(3)))
    assert not memory.ran_out(provoked(lambda: cv2.resize(np.zeros((0, 0), np.uint8), (4, 4))))
    assert not memory.ran_out(ValueError("the image says: out of memory"))


def test_a_network_that_really_cannot_allocate_halves_too(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches above two ask the processor's allocator for an exabyte: the error is torch's own."""
    step = NeuralTracker.step

    def greedy(self: NeuralTracker, frames: Any, state: Any) -> Step:
        if len(frames) > 2:
            torch.empty(1 << 60, dtype=torch.uint8)
        return step(self, frames, state)

    alone, jobs = jobs_of("siamcar", tmp_path / "alone", f"folder:mine={clips}")
    run_jobs(jobs)
    monkeypatch.setattr(NeuralTracker, "step", greedy)
    store, jobs = jobs_of("siamcar", tmp_path / "lanes", f"folder:mine={clips}")
    outcomes = run_jobs(jobs, Resources(lanes=8))
    assert not [o.reason for o in outcomes if o.reason]
    one = results(alone)
    for name, found in results(store).items():
        other = one[name]
        assert isinstance(found, Result) and isinstance(other, Result)
        np.testing.assert_allclose(found.boxes, other.boxes, atol=1e-2, rtol=0)
        assert found.provenance["lanes"] == 2


def test_a_sweep_halves_too(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inmo.harness.run.jobs import execute, merge_variants

    step = NeuralTracker.step

    def small(self: NeuralTracker, frames: Any, state: Any) -> Step:
        if len(frames) > 1:
            raise faulty.out_of_memory()
        return step(self, frames, state)

    store, jobs = jobs_of("siamcar", tmp_path / "s", f"folder:mine={clips}")
    job = jobs[0]
    other = replace(job.run, hash="0" * 12), replace(job.config, lr=0.9)
    (merged,) = merge_variants([job, replace(job, run=other[0], config=other[1])])
    assert merged.also
    built(job.run.tracker, job.config, job.device)
    monkeypatch.setattr(NeuralTracker, "step", small)
    assert execute(merged).reason == ""
    for each, _ in merged.runs:
        found = store.result("mine", each, job.sequence.name)
        assert isinstance(found, Result)
        assert found.provenance["lanes"] == 1
