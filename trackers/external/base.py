"""What external trackers share: limits, one process per target, answers that are checked, and what enters a key."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import Step, TrackerFailure, file_sha256
from inmo.trackers.external.process import Running


@dataclass(frozen=True)
class Limits:
    """Settings of every external tracker.

    Attributes:
        start_timeout: seconds for starting (imports, weights), and again for the first frame of every target.
        step_timeout: seconds for any other frame.
        version: free text that enters the key, for a change that no file shows.
    """

    start_timeout: float = field(default=180.0, metadata={"identity": False})
    step_timeout: float = field(default=60.0, metadata={"identity": False})
    version: str = ""

    def __post_init__(self) -> None:
        if not (self.start_timeout > 0 and self.step_timeout > 0):
            raise UserError("start_timeout and step_timeout are seconds, more than 0")


class Answer(NamedTuple):
    """What came back for a frame: numbers of any shape that should be x, y, w, h counted from 0; score; seconds."""

    box: NDArray[np.float64]
    score: float = float("nan")
    seconds: float = float("nan")


class Child(ABC):
    """One running process that follows one target at a time."""

    _process: Running

    @property
    def alive(self) -> bool:
        return self._process.alive

    @abstractmethod
    def init(self, frame: Frame, box: NDArray[np.float64]) -> None:
        """Begin a target, forgetting the one before. Raises TrackerFailure, with the process ended."""

    @abstractmethod
    def step(self, frame: Frame, doing: str) -> Answer:
        """Find it in the next frame; ``doing`` says where, for failures. Raises TrackerFailure likewise."""

    def failure(self, what: str) -> TrackerFailure:
        """End the process and say what was wrong with it."""
        return self._process.failure(what)

    def close(self) -> None:
        """End the process."""
        self._process.close()


@dataclass
class Target:
    """A target and the process that follows it, which goes back to the idle ones when this is forgotten."""

    child: Child
    box: NDArray[np.float64]
    frame: int = 0


class ExternalTracker:
    """A tracker whose targets are followed by processes, one each; an idle process is used again.

    Args:
        start: starts one. Raises TrackerFailure, or UserError for what the user can mend.

    Raises:
        UserError: it does not start. One process is started at once, so that this is said before any work.
    """

    def __init__(self, start: Callable[[], Child]) -> None:
        self._start = start
        try:
            self._idle = [start()]
        except TrackerFailure as error:
            raise UserError(str(error)) from error
        weakref.finalize(self, _close, self._idle)

    def init(self, frames: list[Frame], boxes: Boxes) -> list[Target]:
        """Start B targets. Raises TrackerFailure."""
        return [self._begin(frame, box) for frame, box in zip(frames, boxes, strict=True)]

    def step(self, frames: list[Frame], state: list[Target]) -> Step:
        """Find B targets. Raises TrackerFailure for an answer that is no box, and for no answer."""
        answers = [_ask(target, frame) for frame, target in zip(frames, state, strict=True)]
        seconds = {"network": sum(answer.seconds for answer in answers)}
        return Step(np.array([t.box for t in state]), np.array([answer.score for answer in answers]), state, seconds)

    def _begin(self, frame: Frame, box: NDArray[np.float64]) -> Target:
        child = self._idle.pop() if self._idle else self._start()
        child.init(frame, box)
        target = Target(child, box.astype(np.float64))
        weakref.finalize(target, _give_back, child, self._idle)
        return target


def _ask(target: Target, frame: Frame) -> Answer:
    target.frame += 1
    where = f"at frame {target.frame} of its target"
    if not target.child.alive:
        raise target.child.failure(f"cannot go on {where}: its process has ended")
    answer = target.child.step(frame, where)
    box = answer.box
    if box.shape != (4,) or not np.isfinite(box).all():
        said = np.array2string(box, threshold=8, separator=", ").replace("\n", "")
        rotated = "; --set polygon=enclose takes the enclosing rectangle of a rotated box" if box.size == 8 else ""
        raise target.child.failure(
            f"answered {said} {where}, which is no box x, y, w, h of four finite numbers{rotated}"
        )
    if np.isinf(answer.score):
        raise target.child.failure(f"answered the score {answer.score} {where}")
    target.box = box
    return answer


def _give_back(child: Child, idle: list[Child]) -> None:
    if child.alive:
        idle.append(child)


def _close(idle: list[Child]) -> None:
    while idle:
        idle.pop().close()


def devices(device: str) -> dict[str, str]:
    """The environment that shows a process the device of ``--device``: its CUDA devices, where they were asked for."""
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": ""}
    if device.startswith("cuda:"):
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        index = int(device.removeprefix("cuda:"))
        listed = seen.split(",") if seen else []
        return {"CUDA_VISIBLE_DEVICES": listed[index] if index < len(listed) else str(index)}
    return {}


def content_key(value: Any) -> Any:
    """A value for the key: every word in it that is the path of a file is replaced by the content of that file."""
    if isinstance(value, dict):
        return {str(name): content_key(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [content_key(inner) for inner in value]
    if isinstance(value, str) and value and _is_file(value):
        return {"sha256": file_sha256(Path(value))}
    return value


def source_key(folder: str) -> Any:
    """A checkout for the key: the names and contents of its Python files.

    ``local.py`` stays out, which holds paths of the machine; so do hidden folders and virtual environments.
    """
    if not folder:
        return ""
    lines: list[str] = []
    for place, folders, names in os.walk(folder):
        environments = {name for name in folders if Path(place, name, "pyvenv.cfg").is_file()}
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and name not in environments)
        files = (Path(place, name) for name in sorted(names) if name.endswith(".py") and name != "local.py")
        lines += [f"{file.relative_to(folder).as_posix()} {file_sha256(file)}" for file in files]
    return {"sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def interpreter(given: str, title: str) -> str:
    """The interpreter to start: a path, a name on the PATH, or the folder of a virtual environment; empty = this one.

    Raises UserError when there is none.
    """
    if not given:
        return sys.executable
    path = Path(given)
    if path.is_dir():
        path = path / "bin" / "python"
    found = shutil.which(str(path))
    if found is None:
        raise UserError(f"{title}: {given} is no Python interpreter: give its path with --python, as ENV/bin/python")
    return found if os.sep not in found else str(Path(found).absolute())  # a virtual environment is known by its link


def _is_file(word: str) -> bool:
    try:
        return Path(word).is_file()
    except (OSError, ValueError):
        return False
