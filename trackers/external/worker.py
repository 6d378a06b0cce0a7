"""The other end of an external tracker: runs in the tracker's own interpreter, takes frames and answers with boxes.

This file is started as it is and imports nothing of this project. It needs Python 3.7 and numpy, no more. What the
tracker prints goes to standard error; the wire is a copy of standard input and output that only this file knows:

    to the tracker and back    length (4 bytes, little-endian), JSON

A frame lies in memory that both processes share: BGR, uint8, row by row.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import mmap
import os
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO


class ClassTracker:
    """A class with ``init(image, box)`` and ``update(image)``, the GOT-10k toolkit's shape; see ``answered``."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.image, self.enclose = options["image"], options["polygon"] == "enclose"
        module = _module(options["module"], options["path"])
        found = getattr(module, options["name"], None)
        if found is None:
            known = [name for name, value in vars(module).items() if inspect.isclass(value)]
            raise AttributeError(f"no class {options['name']} in {options['module']}, only {known}")
        self.tracker = found(**options["arguments"])
        for name in ("init", "update"):
            if not callable(getattr(self.tracker, name, None)):
                raise AttributeError(f"{found} has no {name}(): it needs init(image, box) and update(image)")

    def init(self, image: Any, box: list[float]) -> None:
        import numpy as np

        self.tracker.init(image, np.array(box, dtype=np.float64))

    def step(self, image: Any) -> tuple[Any, Any]:
        box, score = answered(self.tracker.update(image))
        return (enclosing(box) if self.enclose else box), score


class PytrackingTracker:
    """A tracker of a pytracking checkout, called as its own evaluation calls it."""

    image = "rgb"

    def __init__(self, options: dict[str, Any]) -> None:
        sys.path.insert(0, options["checkout"])
        evaluation = importlib.import_module("pytracking.evaluation")
        factory = evaluation.Tracker(options["tracker"], options["parameter"])
        params = factory.get_parameters()
        params.visualization, params.debug = False, 0
        self.tracker = factory.create_tracker(params)
        self.takes_info = _positional(self.tracker.track) > 1
        self.previous: Any = {}

    def init(self, image: Any, box: list[float]) -> None:
        self.previous = self.tracker.initialize(image, {"init_bbox": list(box)}) or {}

    def step(self, image: Any) -> tuple[Any, Any]:
        info = ({"previous_output": self.previous},) if self.takes_info else ()
        self.previous = self.tracker.track(image, *info)
        return self.previous["target_bbox"], None


class PysotTracker:
    """A tracker of a pysot checkout or of a fork of it, built as its demo builds it."""

    image = "bgr"

    def __init__(self, options: dict[str, Any]) -> None:
        sys.path.insert(0, options["checkout"])
        import torch

        package = options["package"]
        cfg = importlib.import_module(package + ".core.config").cfg
        build_model = importlib.import_module(package + ".models.model_builder").ModelBuilder
        build_tracker = importlib.import_module(package + ".tracker.tracker_builder").build_tracker
        cfg.merge_from_file(options["config"])
        cfg.CUDA = bool(cfg.CUDA and torch.cuda.is_available())
        torch.set_grad_enabled(False)
        model = build_model()
        model.load_state_dict(_weights(options["weights"]))
        self.tracker = build_tracker(model.eval().to("cuda" if cfg.CUDA else "cpu"))

    def init(self, image: Any, box: list[float]) -> None:
        x, y, w, h = box
        self.tracker.init(image, [x + 0.5, y + 0.5, w, h])  # its test script: centre - (size - 1) / 2

    def step(self, image: Any) -> tuple[Any, Any]:
        outputs = self.tracker.track(image)
        return outputs["bbox"], outputs.get("best_score")


BOXES, SCORES = ("bbox", "target_bbox", "box"), ("best_score", "score", "confidence")  # of a dictionary, best first
KINDS: dict[str, Any] = {"class": ClassTracker, "pytracking": PytrackingTracker, "pysot": PysotTracker}


def main() -> None:
    """Answer until the input ends."""
    wire_in, wire_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # prints, also those of libraries, are no answers
    del sys.path[0]  # this folder: its modules must not stand in for the tracker's
    tracker: Any = None
    shared = Shared(-1)
    while True:
        question = _read(wire_in)
        if question is None:
            return
        try:
            if question["do"] == "start":
                shared = Shared(question["shared"])
                tracker = KINDS[question["kind"]](question["options"])
                answer: dict[str, Any] = {}
            elif question["do"] == "init":
                tracker.init(converted(shared.frame(question["shape"]), tracker.image), question["box"])
                answer = {}
            else:
                image = converted(shared.frame(question["shape"]), tracker.image)
                started = time.perf_counter()
                box, score = tracker.step(image)
                answer = _numbers(box, score)
                answer["seconds"] = time.perf_counter() - started
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        data = json.dumps(answer).encode()
        wire_out.write(struct.pack("<I", len(data)) + data)
        wire_out.flush()


def _read(wire: BinaryIO) -> dict[str, Any] | None:
    head = wire.read(4)
    if len(head) < 4:
        return None
    question: dict[str, Any] = json.loads(wire.read(struct.unpack("<I", head)[0]).decode())
    return question


class Shared:
    """The memory in which the frames lie."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.memory: Any = b""

    def frame(self, shape: list[int]) -> Any:
        """(H, W, 3) uint8 in BGR, to be read before the answer is given."""
        import numpy as np

        size = shape[0] * shape[1] * shape[2]
        if size > len(self.memory):
            self.memory = mmap.mmap(self.descriptor, size, access=mmap.ACCESS_READ)
        return np.frombuffer(self.memory, np.uint8, size).reshape(shape)


def answered(found: Any) -> tuple[Any, Any]:
    """Box and score (or None) of what ``update`` gave: a box, a pair of box and score, or a dictionary of both."""
    if isinstance(found, dict):
        return _first(found, BOXES, found), _first(found, SCORES, None)
    if isinstance(found, (tuple, list)) and len(found) == 2 and _size(found[0]) >= 4:
        return found[0], found[1]
    return found, None


def enclosing(box: Any) -> Any:
    """The enclosing rectangle x, y, w, h of a polygon x1, y1, x2, y2, x3, y3 ...; anything else as it is."""
    import numpy as np

    if _size(box) < 6 or _size(box) % 2:
        return box
    points = np.asarray(plain(box), dtype=np.float64).reshape(-1, 2)
    return np.concatenate([points.min(axis=0), np.ptp(points, axis=0)])


def plain(value: Any) -> Any:
    """A tensor of torch as an array, wherever it lies; anything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _first(found: dict[str, Any], names: tuple[str, ...], default: Any) -> Any:
    return next((found[name] for name in names if name in found), default)


def _size(value: Any) -> int:
    import numpy as np

    try:
        return int(np.asarray(plain(value), dtype=np.float64).size)
    except (TypeError, ValueError):
        return 0


def _numbers(box: Any, score: Any) -> dict[str, Any]:
    """The answer as plain numbers; what is none is told as it is."""
    import numpy as np

    try:
        values = np.asarray(plain(box), dtype=np.float64)
        confidence = None if score is None else float(np.asarray(plain(score), dtype=np.float64).reshape(()))
    except (TypeError, ValueError):
        return {"nonsense": f"{box!r}"[:200]}
    if values.shape == (1, 4):
        values = values[0]
    return {"box": values.tolist() if values.size <= 64 else values.ravel()[:64].tolist(), "score": confidence}


def converted(frame: Any, kind: str) -> Any:
    """A BGR frame as a tracker wants it, ``bgr``, ``rgb`` or ``pil``: a copy, its own to keep and to write in."""
    import numpy as np

    if kind == "bgr":
        return frame.copy()
    rgb = np.empty_like(frame)
    for channel in range(3):  # four times faster than a copy of frame[:, :, ::-1]
        rgb[:, :, channel] = frame[:, :, 2 - channel]
    if kind == "rgb":
        return rgb
    from PIL import Image

    return Image.fromarray(rgb)


def _module(name: str, path: str) -> Any:
    """A module by name, or a file that ends in .py; ``path`` is where it, and what it imports, is looked for first."""
    sys.path.insert(0, path)
    if not name.endswith(".py"):
        return importlib.import_module(name)
    stem = Path(name).stem
    spec = importlib.util.spec_from_file_location(stem, name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    spec.loader.exec_module(module)
    return module


def _weights(path: str) -> Any:
    """The parameters that the harness has read from the checkpoint: arrays by name, so that no torch unpickles."""
    import numpy as np
    import torch

    with np.load(path, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _positional(function: Any) -> int:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds for p in inspect.signature(function).parameters.values())


if __name__ == "__main__":
    main()
