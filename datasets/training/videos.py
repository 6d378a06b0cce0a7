"""Pairs from annotated videos: two frames of one target, not too far apart. An image is a video of one frame."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.images import Frames
from inmo.datasets.training.base import Dice, Pair, View
from inmo.errors import UserError

SMALLEST = 4.0  # px; a target with a shorter side teaches nothing
TRIES = 20  # videos asked for two usable frames before the set is called broken


@dataclass(frozen=True)
class Track:
    """The annotation of one training video.

    Attributes:
        boxes: (n, 4) x, y, w, h in pixels counted from 0.
        visible: (n,) frames in which the target can be learned.
    """

    boxes: Boxes
    visible: NDArray[np.bool_]

    def usable(self) -> NDArray[np.int64]:
        """Indices of frames with a visible box of finite and sufficient size."""
        with np.errstate(invalid="ignore"):
            sized = np.isfinite(self.boxes).all(axis=1) & (self.boxes[:, 2:] >= SMALLEST).all(axis=1)
        return np.flatnonzero(sized & self.visible)


@dataclass(frozen=True)
class Video:
    """One video: its name and what reads annotation and frames when asked. It travels to worker processes."""

    name: str
    track: Callable[[], Track]
    frames: Callable[[], Frames]


@dataclass(frozen=True)
class VideoSource:
    """A training set of videos.

    Attributes:
        name: registry name.
        root: where it lies, for messages.
        videos: what to draw from, each as likely as any other.
        gap: largest distance in frames between template and search region.
        note: what whoever trains on it should be told; not in the fingerprint.
    """

    name: str
    root: str
    videos: tuple[Video, ...]
    gap: int
    note: str = ""

    def __post_init__(self) -> None:
        if not self.videos:
            raise UserError(f"{self.root} holds no video of the training set {self.name}: check the root")
        if self.gap < 0:
            raise UserError(f"gap of the training set {self.name} is {self.gap}: choose 0 or more frames")

    def __len__(self) -> int:
        return len(self.videos)

    def draw(self, dice: Dice, index: int) -> Pair:
        """Two visible frames, at most ``gap`` apart, of a video drawn at random. Raises UserError, see Source."""
        for _ in range(TRIES):
            video = self.videos[dice.integers(len(self.videos))]
            track, usable = _annotation(video)
            if not len(usable):
                continue
            first = usable[dice.integers(len(usable))]
            near = usable[
                np.searchsorted(usable, first - self.gap) : np.searchsorted(usable, first + self.gap, "right")
            ]
            second = near[dice.integers(len(near))]
            frames = video.frames()
            if len(frames) < len(track.boxes):
                raise UserError(
                    f"{video.name} of {self.root} has {len(frames)} frames but {len(track.boxes)} annotated rows: "
                    "complete the download"
                )
            template = View(frames.read(int(first)), track.boxes[first])
            return Pair(template, View(frames.read(int(second)), track.boxes[second]) if second != first else template)
        raise UserError(f"{TRIES} videos in a row of {self.root} show no visible target: check its annotations")

    def fingerprint(self) -> str:
        """Over the names of the videos and the gap; annotations of a large set are not read for it."""
        words = "\n".join([self.name, str(self.gap), *(video.name for video in self.videos)])
        return hashlib.sha256(words.encode()).hexdigest()[:16]


@lru_cache(maxsize=4096)
def _annotation(video: Video) -> tuple[Track, NDArray[np.int64]]:
    track = video.track()
    if len(track.boxes) != len(track.visible):
        raise UserError(
            f"{video.name} has {len(track.boxes)} boxes but {len(track.visible)} visibility flags: download it again"
        )
    return track, track.usable()


def folder_of(root: str, name: str, *, needs: str = "", give: str = "its folder") -> Path:
    """The folder of a training set. Raises UserError when it is not there or ``needs`` (a glob) matches nothing."""
    path = Path(root).expanduser()
    if not root or not path.is_dir():
        raise UserError(f"the training set {name} is not at '{root}': give {give} as root")
    if needs and next(iter(path.glob(needs)), None) is None:
        raise UserError(f"{path} holds no {needs}: this is not the training set {name} in its own layout")
    return path
