"""Frames of a video in any order, as a page asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from inmo.datasets.files import Tree
from inmo.datasets.images import VIDEO_SUFFIXES, Frame
from inmo.datasets.own.media import media_of, open_media
from inmo.datasets.reading import natural
from inmo.errors import UserError

QUALITY = 90  # of JPEG
DECODED = 4  # frames that are kept: two trackers and the page look at the same ones
KEPT = 600  # pictures of a video that are kept: going back in a file means decoding it from its start


class Footage:
    """A video file, a folder of images, or a sequence's folder. Raises UserError where there is none."""

    def __init__(self, path: Path) -> None:
        self.path, self.frames = path, open_media(path)
        self.name = path.resolve().name
        self._decoded = lru_cache(DECODED)(self.frames.read)
        self._drawn = lru_cache(KEPT)(lambda index: _jpeg(self.read(index)))
        height, width = self.read(0).shape[:2]
        self.size = (width, height)

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, index: int) -> Frame:
        """Frame ``index`` as BGR uint8. Raises IndexError beyond the end, UserError for a damaged one."""
        if not 0 <= index < len(self.frames):
            raise IndexError(index)
        return self._decoded(index)

    def picture(self, index: int) -> bytes:
        """Frame ``index`` as JPEG. Raises as ``read`` does."""
        return self._drawn(index)

    def facts(self) -> dict[str, object]:
        """What a page has to know."""
        return {"name": self.name, "frames": len(self), "width": self.size[0], "height": self.size[1]}

    def check(self, box: Sequence[float]) -> tuple[float, float, float, float]:
        """A box x, y, w, h that a page sent. Raises UserError for one that is none in this video's frames."""
        x, y, w, h = (float(value) for value in box)
        width, height = self.size
        if not (np.isfinite([x, y, w, h]).all() and w > 0 and h > 0 and x + w > 0 and y + h > 0):
            raise UserError("a box needs a width and a height: drag the mouse over the target")
        if x >= width or y >= height:
            raise UserError(f"that box lies outside the frame of {width} x {height} pixels: drag it over the target")
        return x, y, w, h


def _jpeg(frame: Frame) -> bytes:
    ok, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not ok:
        raise UserError("a frame cannot be shown: OpenCV cannot make a JPEG of it")
    return data.tobytes()


def videos_in(path: Path) -> list[Path]:
    """The videos to choose from: a file or folder of images itself, else the videos and folders of images within it.

    Raises UserError where there is none.
    """
    if not path.is_dir() or media_of(Tree(path), "", path.resolve().name, False) is not None:
        open_media(path)
        return [path]
    inside = sorted((p for p in path.iterdir() if not p.name.startswith(".")), key=lambda p: natural(p.name))
    found = [p for p in inside if p.suffix.lower() in VIDEO_SUFFIXES or (p.is_dir() and _is_video(p))]
    if not found:
        raise UserError(f"{path} holds no video and no folder of images: give one, or a folder of them")
    return found


def _is_video(folder: Path) -> bool:
    try:
        return len(open_media(folder)) > 0
    except UserError:
        return False
