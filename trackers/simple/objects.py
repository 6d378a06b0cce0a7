"""``object``: a Python object of this process as a tracker, for those who use the harness as a library.

What the user holds has ``init(image, box)`` and ``update(image) -> box``, the GOT-10k toolkit's shape, or is a tracker
of ours already. On the command line ``python:FILE.py:CLASS`` does the same in a process of its own.
"""

from __future__ import annotations

import traceback
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import Step, Tracker, TrackerFailure, TrackerSpec
from inmo.trackers.external.worker import answered, converted, plain


@dataclass(frozen=True)
class ObjectConfig:
    """An object.

    Attributes:
        target: the object, or a class that needs no arguments. It cannot be compared, so ``key`` stands for it.
        key: what results are stored under, beside the class's name; one of its own for every config, as nobody can
            say whether two objects give the same boxes.
        image: what ``init`` and ``update`` are given: ``rgb`` or ``bgr`` (uint8 (H, W, 3), its own to write in), or
            ``pil``, as the GOT-10k toolkit gives.
    """

    target: Any = field(default=None, compare=False, metadata={"identity": False})
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    image: Literal["rgb", "bgr", "pil"] = "rgb"

    @property
    def label(self) -> str:
        """What tables call it: the class's name."""
        return (self.target if isinstance(self.target, type) else type(self.target)).__name__


class Follower(Protocol):
    """The GOT-10k toolkit's shape."""

    def init(self, image: Any, box: Any, /) -> Any:
        """Start on an image (H, W, 3) with a box (4,) x, y, w, h."""

    def update(self, image: Any, /) -> Any:
        """The box in the next image, four numbers."""


class InitUpdate:
    """An object with ``init`` and ``update`` as a tracker of ours; one sequence after the other."""

    def __init__(self, target: Any, image: str) -> None:
        self.target = target
        self.image = image

    def init(self, frames: list[Frame], boxes: Boxes) -> None:
        self._call("init", converted(frames[0], self.image), boxes[0].copy())

    def step(self, frames: list[Frame], state: None) -> Step:
        answer = self._call("update", converted(frames[0], self.image))
        found, confidence = answered(answer)
        try:
            box = np.asarray(plain(found), dtype=np.float64).reshape(1, 4)
            score = np.nan if confidence is None else np.asarray(plain(confidence), dtype=np.float64).reshape(())
        except (TypeError, ValueError) as error:
            raise TrackerFailure(f"update() of {self._name} gave {answer!r} in place of four numbers") from error
        return Step(box, np.full(1, score), None)

    @property
    def _name(self) -> str:
        return type(self.target).__name__

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self.target, method)(*arguments)
        except Exception as error:  # the user's own code may fail in any way
            last = traceback.extract_tb(error.__traceback__)[-1]
            path = Path(last.filename)
            where = f"line {last.lineno} of {'its cell' if path.parent.name.startswith('ipykernel_') else path.name}"
            raise TrackerFailure(
                f"{method}() of {self._name} failed in {where}: {type(error).__name__}: {error}"
            ) from error


def build(config: ObjectConfig, device: str) -> Tracker:
    """The object as a tracker; ``device`` is its own business. Raises UserError for one of another shape."""
    if config.target is None:
        raise UserError(
            "object is for harness.track(object, ...) in Python: on the command line name the class, "
            "--tracker python:FILE.py:CLASS"
        )
    target = config.target() if isinstance(config.target, type) else config.target
    if is_tracker(target):
        found: Tracker = target
        return found
    if not all(callable(getattr(target, name, None)) for name in ("init", "update")):
        raise UserError(
            f"{config.label} has no init(image, box) and update(image), nor init(frames, boxes) and step(frames, state)"
        )
    return InitUpdate(target, config.image)


def is_tracker(target: Any) -> bool:
    """Whether an object has our two calls, ``init`` and ``step``."""
    return all(callable(getattr(target, name, None)) for name in ("init", "step"))


OBJECT = TrackerSpec("object", "Python object", ObjectConfig(), build)
