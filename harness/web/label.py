"""Labelling a video: a person draws, a tracker proposes the frames after it, and all is saved as it goes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inmo.harness.web.following import Follower
from inmo.harness.web.footage import Footage
from inmo.harness.web.keyframes import Box, Keyframes
from inmo.harness.web.label_files import BOXES, home_of, load, save

if TYPE_CHECKING:
    from inmo.harness.web.server import Answer

MOST = 50  # frames that are proposed at once


class Labels:
    """One video's labels and what a page may do to them.

    Args:
        path: a video file or a folder of images.
        follower: gives a tracker for the video.

    Raises:
        UserError: no video, or labels that do not fit it.
    """

    def __init__(self, path: Path, footage: Footage, follower: Follower) -> None:
        self.footage, self.follower = footage, follower
        self.home = home_of(path)
        self.keyframes: Keyframes = load(self.home, len(footage))
        self._goes_on: tuple[int, Box] | None = None  # where the follower is, and the box it left there

    @property
    def answers(self) -> dict[str, Answer]:
        """What the page may ask for."""
        return {
            "state": lambda given: self._state(),
            "draw": self._draw,
            "hide": lambda given: self._changed(self.keyframes.hide, given),
            "forget": lambda given: self._changed(self.keyframes.forget, given),
            "smooth": lambda given: self._changed(self.keyframes.smooth, given),
            "propose": self._propose,
        }

    def picture(self, video: int, index: int) -> bytes:
        """A frame as JPEG; there is one video, 0. Raises IndexError for others."""
        if video:
            raise IndexError(video)
        return self.footage.picture(index)

    def _state(self) -> Mapping[str, Any]:
        kinds, annotation = self.keyframes.filled()
        boxes = [None if np.isnan(box).any() else [round(v, 3) for v in box.tolist()] for box in annotation.boxes]
        where, title = os.path.relpath(self.home / BOXES), self.follower.title
        return {**self.footage.facts(), "kinds": kinds.tolist(), "boxes": boxes, "where": where, "tracker": title}

    def _changed(self, change: Any, given: Mapping[str, Any], *more: Any) -> Mapping[str, Any]:
        change(int(given["frame"]), *more)
        self._goes_on = None
        save(self.home, self.keyframes)
        return self._state()

    def _draw(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._changed(self.keyframes.draw, given, self.footage.check(given["box"]))

    def _propose(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow the target from ``frame`` through ``count`` frames, or up to the next that a person has said."""
        frame, count = int(given["frame"]), min(int(given["count"]), MOST)
        box = self.keyframes.boxes_at(frame)
        if box is None:
            return {**self._state(), "at": frame, "said": "draw a box in this frame first"}
        if self._goes_on != (frame, box):
            self.follower.start(frame, box)
        said = ""
        for _ in range(count):
            seen = self.follower.step()
            if seen is None:
                said = "this is the last frame"
                break
            x, y, w, h = seen.box
            if not self.keyframes.propose(seen.frame, (x, y, w, h)):
                said = "you have labelled the next frame"
                break
            frame, box = seen.frame, (x, y, w, h)
        self._goes_on = (frame, box) if self.follower.frame == frame else None
        save(self.home, self.keyframes)
        return {**self._state(), "at": frame, "said": said}
