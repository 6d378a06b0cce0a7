"""OpenCV's trackers: real ones without weights, and two small networks when the user names their ONNX files."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import Step, TrackerSpec

C_LIBRARY = ctypes.CDLL(ctypes.util.find_library("c") if os.name != "nt" else "msvcrt")


@dataclass(frozen=True)
class OpenCVConfig:
    """Correlation filters and classical trackers run with OpenCV's own constants.

    Attributes:
        seed: of OpenCV's and the C library's random generators, set when a target is initialised: MIL draws from both.
    """

    seed: int = 0


@dataclass(frozen=True)
class NanoTrackConfig:
    """NanoTrack's two ONNX files, by ``--set backbone=FILE --set neckhead=FILE``."""

    backbone: str = field(default="", metadata={"file": True})
    neckhead: str = field(default="", metadata={"file": True})
    seed: int = 0


@dataclass(frozen=True)
class VitConfig:
    """The ViT tracker's ONNX file, by ``--weights FILE``."""

    weights: str = field(default="", metadata={"file": True})
    seed: int = 0


@dataclass
class Target:
    """What is remembered of one target: OpenCV's own object and the last box it was sure of."""

    tracker: Any
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class OpenCVTracker:
    """Any class with OpenCV's ``init(image, rect)`` and ``update(image) -> (found, rect)``.

    A target that is not found keeps its last box and gets score 0, as in the OTB runs of these trackers.

    Attributes:
        create: makes a fresh OpenCV tracker.
        whole: True where OpenCV wants integers (its networks); the classical ones take fractions.
        seed: see ``OpenCVConfig``.
    """

    create: Callable[[], Any]
    whole: bool = False
    seed: int = 0

    def init(self, frames: list[Frame], boxes: Boxes) -> list[Target]:
        targets = []
        for frame, box in zip(frames, boxes, strict=True):
            cv2.setRNGSeed(self.seed)
            C_LIBRARY.srand(self.seed)
            tracker = self.create()
            tracker.init(frame, _rect(np.rint(box) if self.whole else box, self.whole))
            targets.append(Target(tracker, _rect(box, False)))
        return targets

    def step(self, frames: list[Frame], state: list[Target]) -> Step:
        scores = np.zeros(len(state))
        for i, (frame, target) in enumerate(zip(frames, state, strict=True)):
            found, box = target.tracker.update(frame)
            if found and min(box[2:]) > 0:
                target.box = _rect(np.asarray(box), False)
                scores[i] = target.tracker.getTrackingScore() if self.whole else 1.0
        return Step(np.array([t.box for t in state], dtype=np.float64), scores, state)


def _rect(box: Any, whole: bool) -> Any:
    return tuple(int(v) if whole else float(v) for v in box)


def _classical(name: str, config: OpenCVConfig, device: str) -> OpenCVTracker:
    return OpenCVTracker(getattr(cv2.legacy, f"Tracker{name}_create"), seed=config.seed)


def _nanotrack(config: NanoTrackConfig, device: str) -> OpenCVTracker:
    params = cv2.TrackerNano.Params()
    flags, files = "--set backbone=FILE --set neckhead=FILE", f"{config.backbone}, {config.neckhead}"
    params.backbone = _onnx("NanoTrack", config.backbone, flags)
    params.neckhead = _onnx("NanoTrack", config.neckhead, flags)
    return _network(lambda: cv2.TrackerNano.create(params), "NanoTrack", files, config.seed)


def _vit(config: VitConfig, device: str) -> OpenCVTracker:
    params = cv2.TrackerVit.Params()
    params.net = _onnx("ViT", config.weights, "--weights FILE")
    return _network(lambda: cv2.TrackerVit.create(params), "ViT", config.weights, config.seed)


def _network(create: Callable[[], Any], title: str, files: str, seed: int) -> OpenCVTracker:
    try:
        create()
    except cv2.error as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"OpenCV cannot load {title} from {files} ({reason}): give the tracker's own ONNX files"
        ) from error
    return OpenCVTracker(create, whole=True, seed=seed)


def _onnx(title: str, path: str, flags: str) -> str:
    if not path:
        raise UserError(f"{title} needs its ONNX files, which this project does not carry: name them with {flags}")
    if not Path(path).is_file():
        raise UserError(f"{path} does not exist: name {title}'s ONNX files with {flags}")
    return path


KCF = TrackerSpec("kcf", "KCF", OpenCVConfig(), partial(_classical, "KCF"))
CSRT = TrackerSpec("csrt", "CSRT", OpenCVConfig(), partial(_classical, "CSRT"))
MOSSE = TrackerSpec("mosse", "MOSSE", OpenCVConfig(), partial(_classical, "MOSSE"))
MIL = TrackerSpec("mil", "MIL", OpenCVConfig(), partial(_classical, "MIL"))
MEDIANFLOW = TrackerSpec("medianflow", "MedianFlow", OpenCVConfig(), partial(_classical, "MedianFlow"))
NANOTRACK = TrackerSpec("nanotrack", "NanoTrack", NanoTrackConfig(), _nanotrack)
VIT = TrackerSpec("vit", "ViT", VitConfig(), _vit)
