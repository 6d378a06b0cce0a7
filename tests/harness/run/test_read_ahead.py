"""Frames read ahead: in order, bounded, errors at their place, no thread left."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.lanes import follow_all
from inmo.harness.run.read_ahead import DEPTH, Ahead, reading
from inmo.trackers.base import Step
from tests.harness.run.test_lanes import Walker, Want, readers_left


@dataclass
class Watched:
    """Frames that notes which were read, by how many threads at once, and which are still held by anybody."""

    count: int
    broken: int = -1
    mark: int = 0
    held: list[weakref.ref[Frame]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    busy: threading.Lock = field(default_factory=threading.Lock)
    crowded: bool = False
    threads: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Frame:
        if not self.busy.acquire(blocking=False):
            self.crowded = True
            raise AssertionError("two threads read of one sequence")
        try:
            self.asked.append(index)
            self.threads.add(threading.current_thread().name)
            if index == self.broken:
                raise UserError(f"frame {index} cannot be decoded")
            frame = np.zeros((4, 4, 3), np.uint8)
            frame[0, 0], frame[0, 1] = self.mark, index % 256
            self.held.append(weakref.ref(frame))
            return frame
        finally:
            self.busy.release()

    def names(self) -> list[str]:
        return [str(i) for i in range(self.count)]

    def alive(self) -> int:
        return sum(reference() is not None for reference in self.held)


def settle(pool: ThreadPoolExecutor) -> None:
    """Wait until a pool of one thread has nothing left to do: each task asks for at most one more."""
    for _ in range(DEPTH + 2):
        pool.submit(lambda: None).result()


def test_frames_come_in_order_and_no_more_than_a_few_are_read_before_they_are_wanted() -> None:
    frames = Watched(100)
    with ThreadPoolExecutor(1) as pool:
        ahead = Ahead(frames, pool)
        settle(pool)
        assert frames.asked == list(range(DEPTH))
        for index in range(100):
            assert ahead.read()[0, 1, 0] == index
            settle(pool)
            assert len(frames.asked) == min(index + 1 + DEPTH, 100)
        with pytest.raises(IndexError):
            ahead.read()
    assert frames.asked == list(range(100))


def test_many_sequences_share_few_threads() -> None:
    films = [Watched(50, mark=k) for k in range(8)]
    with ThreadPoolExecutor(3) as pool:
        lanes = [Ahead(film, pool) for film in films]
        for index in range(50):
            assert [lane.read()[0, :2, 0].tolist() for lane in lanes] == [[k, index] for k in range(8)]
    assert not any(film.crowded for film in films)


@pytest.mark.parametrize("ahead", [True, False])
def test_an_unreadable_frame_is_an_error_at_its_place(ahead: bool) -> None:
    frames = Watched(10, broken=3)
    with reading(frames, ahead=ahead) as film:
        for index in range(3):
            assert film.read()[0, 1, 0] == index
        with pytest.raises(UserError, match="frame 3 cannot be decoded"):
            film.read()
    assert frames.asked == [0, 1, 2, 3]
    assert not readers_left()


def test_leaving_early_leaves_no_thread_and_reads_no_further() -> None:
    frames = Watched(1000)
    with pytest.raises(ZeroDivisionError), reading(frames, ahead=True) as ahead:
        ahead.read()
        raise ZeroDivisionError
    assert not readers_left()
    assert len(frames.asked) <= 1 + DEPTH
    with pytest.raises(IndexError):
        ahead.read()


@dataclass
class Still:
    """A tracker on a device that leaves its box where it is."""

    look: Callable[[], None]
    device: SimpleNamespace

    def init(self, frames: list[Frame], boxes: Boxes) -> Boxes:
        return boxes

    def step(self, frames: list[Frame], state: Boxes) -> Step:
        self.look()
        return Step(state, np.ones(len(state)), state)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_memory_does_not_grow_with_the_sequence(device: str) -> None:
    frames, most = Watched(600), [0]

    def look() -> None:
        most[0] = max(most[0], frames.alive())

    annotation = Annotation(np.array([[1.0, 1, 2, 2]] * 600))
    tracker = Still(look, SimpleNamespace(type=device))
    track_sequence(tracker, Sequence("otb100", "long", lambda: annotation), annotation, frames)
    assert frames.asked == list(range(600))
    ahead = {name.startswith("read-ahead") for name in frames.threads}
    assert ahead == {device == "cuda"}  # on the processor, decoding would take the tracker's time
    assert 1 <= most[0] <= DEPTH + 2  # the one in use, those ahead, and one that its thread is just letting go
    assert not readers_left()


def test_memory_of_lanes_does_not_grow_with_the_sequences() -> None:
    films = {mark: Watched(250, mark=mark) for mark in (1, 2, 3, 4, 5)}
    most = [0]

    def look(mark: int, index: int) -> None:
        most[0] = max(most[0], sum(film.alive() for film in films.values()))

    ends = list(follow_all(Walker(look), [Want(mark, 250, film=film) for mark, film in films.items()], 3))
    assert len(ends) == 5
    assert 3 <= most[0] <= 3 * (DEPTH + 2)
    assert not any(film.crowded for film in films.values())
