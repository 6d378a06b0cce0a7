"""Lock-step lanes: the same boxes as one by one, whatever ends, breaks or stops in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Hole, Sequence
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.jobs import Job, plan
from inmo.harness.run.lane_batches import LaneBatch, in_lanes
from inmo.harness.run.lanes import AUTO_OTHER, Done, Failed, follow_all
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Result
from inmo.harness.store.store import Store, open_store
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.trackers.base import Step
from tests.harness.experiment.test_experiment import STAR

TINY = {"siamcar": {"preset": "nano", "allow_random_weights": "true"}, "transinmo-star": STAR}
FILMS = {"a": (5, (48, 64)), "b": (11, (60, 44)), "c": (8, (90, 120)), "d": (3, (48, 64))}  # frames, height and width


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Clips of different lengths and sizes; on every one the target moves in another way."""
    root = tmp_path / "films"
    for k, (name, (frames, (height, width))) in enumerate(FILMS.items()):
        (root / name / "img").mkdir(parents=True)
        rng = np.random.default_rng(k)
        background = rng.integers(0, 90, (height, width, 3), dtype=np.uint8)
        target = rng.integers(120, 255, (14, 16, 3), dtype=np.uint8)
        rows = []
        for i in range(frames):
            frame, x, y = background.copy(), 4 + (k + 1) * i // 2, 6 + i
            frame[y : y + 14, x : x + 16] = target
            cv2.imwrite(str(root / name / "img" / f"{i + 1:04d}.png"), frame)
            rows.append(f"{x},{y},16,14")
        (root / name / "groundtruth_rect.txt").write_text("\n".join(rows) + "\n")
    return root


def jobs_of(name: str, store: Path, *datasets: str) -> tuple[Store, list[Job]]:
    opened = open_store(store, write=True)
    return opened, plan(opened, open_datasets(datasets), [configure(name, TINY[name])], device="cpu")[0]


def results(store: Store, label: str = "mine") -> dict[str, Result | Hole]:
    run = store.runs(label)[0]
    return {name: store.result(label, run, name) for name in store.dataset(label).names}


def readers_left() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


@pytest.mark.parametrize("name", TINY)
def test_lanes_give_what_one_by_one_gives(name: str, films: Path, tmp_path: Path) -> None:
    alone, jobs = jobs_of(name, tmp_path / "alone", f"folder:mine={films}")
    assert not [o for o in run_jobs(jobs) if o.reason]
    expected = results(alone)
    for lanes in (1, 2, 3, 5):
        store, jobs = jobs_of(name, tmp_path / str(lanes), f"folder:mine={films}")
        outcomes = run_jobs(jobs, Resources(lanes=lanes))
        assert {o.job.sequence.name for o in outcomes} == set(FILMS)
        assert not [o for o in outcomes if o.reason]
        for sequence, found in results(store).items():
            one = expected[sequence]
            assert isinstance(found, Result) and isinstance(one, Result)
            np.testing.assert_allclose(found.boxes, one.boxes, atol=1e-2, rtol=0)
            np.testing.assert_allclose(found.scores, one.scores, atol=1e-4, rtol=0)
            assert found.provenance["lanes"] == min(lanes, len(FILMS))
            assert found.provenance["hash"] == one.provenance["hash"]
            assert found.provenance["data"] == one.provenance["data"]
            assert np.isfinite(found.seconds["read"]).all()
            for part in ("track", "pre", "network", "post"):
                assert np.isnan(found.seconds[part][1:]).all() == (lanes > 1)
            assert np.ptp(one.boxes, axis=0).max() > 0.1  # the box moves, or this test could not fail
        assert not readers_left()
        assert plan(store, open_datasets([f"folder:mine={films}"]), [configure(name, TINY[name])])[0] == []


def test_a_batch_of_fixed_size_gives_the_same(films: Path, tmp_path: Path) -> None:
    from inmo.harness.run.jobs import built

    _, jobs = jobs_of("transinmo-star", tmp_path / "s", f"folder:mine={films}")
    tracker = built(jobs[0].run.tracker, jobs[0].config, "cpu")
    free, fixed = ({e.wanted.sequence.name: e for e in follow_all(tracker, jobs, 3, fixed=f)} for f in (False, True))
    assert set(free) == set(fixed) == set(FILMS)
    for name, end in free.items():
        other = fixed[name]
        assert isinstance(end, Done) and isinstance(other, Done)
        np.testing.assert_allclose(end.result.boxes, other.result.boxes, atol=1e-2, rtol=0)


def test_a_broken_frame_is_a_hole_in_its_lane_alone(films: Path, tmp_path: Path) -> None:
    alone, jobs = jobs_of("siamcar", tmp_path / "alone", f"folder:mine={films}")
    run_jobs(jobs)
    (films / "c" / "img" / "0004.png").write_bytes(b"no image")
    store, jobs = jobs_of("siamcar", tmp_path / "lanes", f"folder:mine={films}")
    outcomes = run_jobs(jobs, Resources(lanes=3))
    assert [(o.job.sequence.name, o.crashed) for o in outcomes if o.reason] == [("c", False)]
    found, expected = results(store), results(alone)
    hole = found.pop("c")
    assert isinstance(hole, Hole)
    assert "0004.png cannot be decoded" in hole.reason
    for name, result in found.items():
        one = expected[name]
        assert isinstance(result, Result) and isinstance(one, Result)
        np.testing.assert_allclose(result.boxes, one.boxes, atol=1e-2, rtol=0)


def test_what_ended_before_an_interruption_is_stored_and_the_rest_continues(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inmo.trackers.pipeline.neural import NeuralTracker

    store, jobs = jobs_of("siamcar", tmp_path / "s", f"folder:mine={films}")
    assert [job.sequence.name for job in jobs] == ["b", "c", "a", "d"]
    step, calls = NeuralTracker.step, [0]

    def interrupted(self: NeuralTracker, frames: list[Frame], state: Any) -> Step:
        calls[0] += 1
        if calls[0] == 9:  # with two lanes c ended after 7 steps, a is under way beside b
            raise KeyboardInterrupt
        return step(self, frames, state)

    with monkeypatch.context() as patch:
        patch.setattr(NeuralTracker, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_jobs(jobs, Resources(lanes=2))
    assert [name for name, found in results(store).items() if isinstance(found, Result)] == ["c"]
    assert not list(store.root.rglob("*.tmp"))
    assert not readers_left()
    _, rest = jobs_of("siamcar", tmp_path / "s", f"folder:mine={films}")
    assert [job.sequence.name for job in rest] == ["b", "a", "d"]
    run_jobs(rest, Resources(lanes=2))
    assert all(isinstance(found, Result) for found in results(store).values())


def test_jobs_of_one_config_share_a_batch_whatever_their_dataset(films: Path, tmp_path: Path) -> None:
    words = (f"folder:mine={films}", f"folder:other={films}")
    store, jobs = jobs_of("siamcar", tmp_path / "s", *words)
    assert in_lanes(jobs, 1) == jobs
    (batch,) = in_lanes(jobs, 3)
    assert isinstance(batch, LaneBatch)
    assert batch.lanes == 3
    assert {(job.label, job.sequence.name) for job in batch.jobs} == {(d, n) for d in ("mine", "other") for n in FILMS}
    run_jobs(jobs, Resources(lanes=3))
    mine, other = results(store), results(store, "other")
    for name, found in mine.items():
        twin = other[name]
        assert isinstance(found, Result) and isinstance(twin, Result)
        np.testing.assert_allclose(found.boxes, twin.boxes, atol=1e-2, rtol=0)


def test_workers_share_a_group_evenly_once_lanes_are_filled(films: Path, tmp_path: Path) -> None:
    _, jobs = jobs_of("siamcar", tmp_path / "s", f"folder:mine={films}")
    two = in_lanes(jobs, 2, workers=4)
    assert [[job.frames for job in unit.jobs] for unit in two if isinstance(unit, LaneBatch)] == [[11, 3], [8, 5]]
    assert [unit.frames for unit in in_lanes(jobs, 8, workers=4)] == [27]
    one = in_lanes(jobs[:1], 8)
    assert one == jobs[:1]  # nothing to share a batch with: its speed may be measured


@pytest.mark.slow
def test_workers_with_lanes_store_what_one_process_stores(films: Path, tmp_path: Path) -> None:
    words = ["track", "--tracker", "siamcar", "--preset", "nano", "--allow-random-weights", "--device", "cpu"]
    words += ["--dataset", f"folder:mine={films}"]
    assert main([*words, "--store", str(tmp_path / "one")]) == 0
    assert main([*words, "--store", str(tmp_path / "two"), "--jobs", "2", "--lanes", "2"]) == 0
    one, two = (results(open_store(tmp_path / name)) for name in ("one", "two"))
    for name, found in two.items():
        other = one[name]
        assert isinstance(found, Result) and isinstance(other, Result)
        assert found.provenance["lanes"] == 2
        np.testing.assert_allclose(found.boxes, other.boxes, atol=1e-2, rtol=0)


def test_auto_is_one_for_trackers_that_know_no_batches(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["track", "--tracker", "kcf", "--dataset", f"folder:mine={films}"]
    assert main([*words, "--store", str(tmp_path / "one")]) == 0
    assert main([*words, "--store", str(tmp_path / "auto"), "--lanes", "auto"]) == 0
    one, auto = (results(open_store(tmp_path / name)) for name in ("one", "auto"))
    for name, found in auto.items():
        other = one[name]
        assert isinstance(found, Result) and isinstance(other, Result)
        assert found.boxes.tobytes() == other.boxes.tobytes()
        assert found.provenance["lanes"] == 1
        assert np.isfinite(found.seconds["track"]).all()
    words[2] = "siamcar"
    words += ["--preset", "nano", "--allow-random-weights", "--device", "cpu"]
    assert main([*words, "--store", str(tmp_path / "net"), "--lanes", "auto"]) == 0
    for found in results(open_store(tmp_path / "net")).values():
        assert isinstance(found, Result)
        assert found.provenance["lanes"] == min(AUTO_OTHER, len(FILMS))
    capsys.readouterr()
    assert main([*words, "--store", str(tmp_path / "none"), "--lanes", "0"]) == 2
    assert "--lanes 0: give a number from 1 up" in capsys.readouterr().err


# ---- with a tracker that shows what it is given


@dataclass(frozen=True)
class Film:
    """Frames whose first pixel is the sequence's mark and whose second is the frame's number."""

    mark: int
    count: int

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Frame:
        frame = np.zeros((20, 30, 3), np.uint8)
        frame[0, 0], frame[0, 1] = self.mark, index
        return frame

    def names(self) -> list[str]:
        return [f"{i}.png" for i in range(self.count)]


@dataclass(frozen=True)
class Want:
    """A sequence to follow, its ground truth counted from 1."""

    mark: int
    frames: int
    box: tuple[float, ...] = (3.0, 4.0, 5.0, 6.0)
    film: Any = None

    @property
    def sequence(self) -> Sequence:
        annotation = Annotation(np.array([self.box] * self.frames))
        return Sequence("otb100", f"s{self.mark}", lambda: annotation, origin=1)

    def open(self) -> tuple[Annotation, Any]:
        return self.sequence.annotation(), self.film or Film(self.mark, self.frames)


@dataclass(frozen=True)
class Places:
    """The state of ``Walker``: (B, 4) boxes and the marks of the sequences they began in."""

    boxes: Boxes
    marks: tuple[int, ...]

    def take(self, lanes: Any) -> Places:
        return Places(self.boxes[list(lanes)], tuple(self.marks[i] for i in lanes))

    @staticmethod
    def join(states: Any) -> Places:
        return Places(np.concatenate([s.boxes for s in states]), tuple(m for s in states for m in s.marks))


@dataclass
class Walker:
    """One pixel to the right a frame. It notes its batches, and refuses frames that are not of the target's film."""

    fault: Callable[[int, int], Exception | float | None] = lambda mark, index: None
    batches: list[list[tuple[int, int]]] = field(default_factory=list)
    started: list[int] = field(default_factory=list)

    def init(self, frames: list[Frame], boxes: Boxes) -> Places:
        self.started += [int(frame[0, 0, 0]) for frame in frames]
        return Places(np.asarray(boxes, float), tuple(int(frame[0, 0, 0]) for frame in frames))

    def step(self, frames: list[Frame], state: Places) -> Step:
        shown = [(int(frame[0, 0, 0]), int(frame[0, 1, 0])) for frame in frames]
        self.batches.append(shown)
        assert tuple(mark for mark, _ in shown) == state.marks
        boxes = state.boxes + np.array([1, 0, 0, 0])
        given = boxes.copy()
        for row, (mark, index) in enumerate(shown):
            fault = self.fault(mark, index)
            if isinstance(fault, Exception):
                raise fault
            given[row] = given[row] if fault is None else fault
        return Step(given, np.full(len(given), 0.5), Places(boxes, state.marks))


def follow(tracker: Walker, wanted: list[Want], lanes: int, *, fixed: bool = False) -> dict[int, Any]:
    return {end.wanted.mark: end for end in follow_all(tracker, wanted, lanes, fixed=fixed)}


def test_the_longest_come_first_and_a_finished_lane_takes_the_next() -> None:
    tracker = Walker()
    ends = list(follow_all(tracker, [Want(1, 3), Want(2, 9), Want(3, 5), Want(4, 1), Want(5, 4)], 2))
    assert tracker.started == [2, 3, 5, 1, 4]
    assert [end.wanted.mark for end in ends] == [3, 5, 2, 1, 4]
    assert [len(batch) for batch in tracker.batches] == [2] * 8 + [1]
    for end in ends:
        assert isinstance(end, Done)
        assert end.result.boxes[:, 0].tolist() == [3.0 + i for i in range(end.wanted.frames)]  # counted from 1 again
        assert end.result.boxes[:, 1].tolist() == [4.0] * end.wanted.frames
        assert np.isnan(end.result.scores[0])
        assert (end.result.scores[1:] == 0.5).all()


@pytest.mark.parametrize("fault", [None, RuntimeError("no")])
def test_batches_keep_their_size_where_it_is_fixed(fault: Exception | None) -> None:
    tracker = Walker(lambda mark, index: fault if (mark, index) == (3, 2) else None)
    ends = follow(tracker, [Want(1, 3), Want(2, 9), Want(3, 5), Want(4, 7)], 3, fixed=True)
    assert {len(batch) for batch in tracker.batches} == {3}
    for mark, frames in {1: 3, 2: 9, 4: 7}.items():
        assert ends[mark].result.boxes[:, 0].tolist() == [3.0 + i for i in range(frames)]
    assert isinstance(ends[3], Failed if fault else Done)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (np.nan, "s2, frame 3: the tracker's box is not finite"),
        (UserError("the search region is broken"), "the search region is broken"),
        (ZeroDivisionError("by zero"), "by zero"),
    ],
)
def test_a_target_that_fails_leaves_the_others_unharmed(fault: Exception | float, message: str) -> None:
    tracker = Walker(lambda mark, index: fault if (mark, index) == (2, 3) else None)
    ends = follow(tracker, [Want(1, 6), Want(2, 8), Want(3, 7), Want(4, 5)], 3)
    assert isinstance(ends[2], Failed)
    assert message in str(ends[2].error)
    for mark, frames in {1: 6, 3: 7, 4: 5}.items():
        assert ends[mark].result.boxes[:, 0].tolist() == [3.0 + i for i in range(frames)]


def test_what_does_not_fit_is_refused_as_one_by_one() -> None:
    short, sizeless = Want(2, 5, film=Film(2, 4)), Want(3, 5, box=(1.0, 2.0, 0.0, 4.0))
    ends = follow(Walker(), [Want(1, 6), short, sizeless], 2)
    assert isinstance(ends[1], Done)
    for want in (short, sizeless):
        with pytest.raises(UserError) as alone:
            track_sequence(Walker(), want.sequence, *want.open())
        assert str(ends[want.mark].error) == str(alone.value)


def test_closing_early_and_faults_leave_no_thread() -> None:
    ends = follow_all(Walker(), [Want(k, 40) for k in range(1, 6)] + [Want(9, 2)], 6)
    assert next(ends).wanted.mark == 9
    assert readers_left()
    ends.close()
    assert not readers_left()

    def stop(mark: int, index: int) -> None:
        if index == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(Walker(stop), [Want(k, 40) for k in range(1, 6)], 3)
    assert not readers_left()
