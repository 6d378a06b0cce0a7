"""Trackers behind ``worker.py``: Python classes, pytracking and pysot, each in its own interpreter."""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.datasets.images import Frame
from inmo.trackers.external.base import Answer, Child, ExternalTracker, Limits, devices, interpreter
from inmo.trackers.external.process import Running

WORKER = Path(__file__).with_name("worker.py")
MAX_JSON = 1 << 20


class Shared:
    """Memory that this process and one child share, a file without a name: it is gone when both are."""

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("frame")
        else:
            with tempfile.TemporaryFile() as file:
                self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)
        self._map = mmap.mmap(-1, 1)

    def put(self, frame: Frame) -> tuple[int, ...]:
        """Lay a frame there, (H, W, 3) uint8 row by row; returns its shape."""
        if frame.nbytes > len(self._map):
            os.truncate(self.descriptor, frame.nbytes)
            self._map = mmap.mmap(self.descriptor, frame.nbytes)
        np.frombuffer(self._map, np.uint8, frame.nbytes).reshape(frame.shape)[...] = frame
        return frame.shape


class Worker(Child):
    """One ``worker.py`` in some interpreter, started and holding its tracker.

    Args:
        command: the interpreter.
        kind: a key of the worker's ``KINDS``; ``options``: what it is built with.

    Raises:
        UserError: no such interpreter.
        TrackerFailure: it does not start.
    """

    def __init__(
        self,
        title: str,
        command: str,
        kind: str,
        options: dict[str, Any],
        *,
        limits: Limits,
        environment: Mapping[str, str],
        folder: str | None,
    ) -> None:
        self._limits = limits
        self._shared = Shared()
        self._process = Running(
            [command, "-u", str(WORKER)], title, environment=environment, folder=folder, files=[self._shared.descriptor]
        )
        question = {"do": "start", "kind": kind, "options": options, "shared": self._shared.descriptor}
        self._ask(question, limits.start_timeout, "start_timeout", "while it started")

    def init(self, frame: Frame, box: NDArray[np.float64]) -> None:
        question = {"do": "init", "shape": self._shared.put(frame), "box": box.tolist()}
        self._ask(question, self._limits.start_timeout, "start_timeout", "at the first frame of its target")

    def step(self, frame: Frame, doing: str) -> Answer:
        question = {"do": "step", "shape": self._shared.put(frame)}
        answer = self._ask(question, self._limits.step_timeout, "step_timeout", doing)
        if "nonsense" in answer:
            raise self.failure(f"answered {answer['nonsense']} {doing}, which is no box x, y, w, h")
        score = answer["score"]
        return Answer(np.array(answer["box"]), np.nan if score is None else float(score), answer["seconds"])

    def _ask(self, question: dict[str, Any], seconds: float, setting: str, doing: str) -> dict[str, Any]:
        text = json.dumps(question).encode()
        with self._process.turn(seconds, setting, doing) as end:
            self._process.write(struct.pack("<I", len(text)) + text, end=end)
            (length,) = struct.unpack("<I", self._process.read(4, end=end))
            if length > MAX_JSON:
                raise self.failure(f"wrote something else than an answer {doing}")
            answer: dict[str, Any] = json.loads(self._process.read(length, end=end))
        if "error" in answer:
            raise self.failure(f"raised {' '.join(answer['error'].split())[:500]} {doing}")
        return answer


def build(
    title: str,
    kind: str,
    options: dict[str, Any],
    *,
    python: str,
    limits: Limits,
    device: str,
    folder: str | None = None,
) -> ExternalTracker:
    """An external tracker behind ``worker.py``. Raises UserError when it does not start."""
    command, environment = interpreter(python, title), devices(device)
    start = partial(Worker, title, command, kind, options, limits=limits, environment=environment, folder=folder)
    return ExternalTracker(start)
