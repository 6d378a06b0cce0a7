"""Frames read ahead by threads while the tracker computes: OpenCV lets go of the interpreter while it decodes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Condition

from inmo.datasets.images import Frame, Frames

DEPTH = 2
"""Frames of a sequence that are decoded or being decoded beside the one in use: one to wait and one to work on."""


class Ahead:
    """The frames of one sequence in order, each decoded before it is asked for.

    At most one thread at a time reads of a sequence, in order: a video is one stream. What is held is bounded by
    ``depth`` frames, however long the sequence.

    Args:
        frames: where they come from.
        pool: threads that read for any number of sequences, a frame of each in turn.
        depth: frames decoded or being decoded.
    """

    def __init__(self, frames: Frames, pool: ThreadPoolExecutor, depth: int = DEPTH) -> None:
        self._frames, self._pool, self._depth = frames, pool, depth
        self._count, self._next = len(frames), 0
        self._ready: deque[Frame | BaseException] = deque()
        self._reading = self._closed = False
        self._changed = Condition()
        with self._changed:
            self._ask()

    def read(self) -> Frame:
        """The next frame, BGR uint8 (H, W, 3); waits for it.

        Raises whatever reading raised, at the frame's own place: UserError for one that cannot be decoded, and
        IndexError behind the last frame and after ``close``.
        """
        with self._changed:
            while not self._ready:
                if self._closed or not self._reading:  # a task given up before it began never reports
                    raise IndexError("no frame is left to read")
                self._changed.wait()
            found = self._ready.popleft()
            self._ask()
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Read no further and forget what is there. A frame that is being decoded is dropped when it is done."""
        with self._changed:
            self._closed = True
            self._ready.clear()

    def _ask(self) -> None:
        """Have the next frame read if there is room for it. The lock is held."""
        if not self._reading and not self._closed and self._next < self._count and len(self._ready) < self._depth:
            self._reading = True
            self._pool.submit(self._read_one)

    def _read_one(self) -> None:
        found: Frame | BaseException
        try:
            found = self._frames.read(self._next)
        except BaseException as error:  # whatever it is, it belongs to the one who asks for this frame
            found = error
        with self._changed:
            self._reading = False
            if not self._closed:
                self._ready.append(found)
                self._next = self._count if isinstance(found, BaseException) else self._next + 1
                self._ask()
            self._changed.notify_all()


@contextmanager
def readers(lanes: int = 1) -> Iterator[ThreadPoolExecutor]:
    """Threads that read for ``lanes`` sequences, no more than there are cores. On leaving, none is left."""
    pool = ThreadPoolExecutor(min(lanes, os.cpu_count() or 1), thread_name_prefix="read-ahead")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class InTurn:
    """The frames of one sequence in order, each decoded when it is asked for."""

    def __init__(self, frames: Frames) -> None:
        self._frames, self._next = frames, 0

    def read(self) -> Frame:
        """As ``Ahead.read``."""
        if self._next >= len(self._frames):
            raise IndexError("no frame is left to read")
        self._next += 1
        return self._frames.read(self._next - 1)


@contextmanager
def reading(frames: Frames, *, ahead: bool) -> Iterator[Ahead | InTurn]:
    """One sequence: read ahead by a thread of its own, which is gone on leaving, or frame by frame in turn."""
    if not ahead:
        yield InTurn(frames)
        return
    with readers() as pool, closing(Ahead(frames, pool)) as film:
        yield film
