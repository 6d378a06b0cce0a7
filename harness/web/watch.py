"""Watching trackers in the browser: a video, a box, one tracker or two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inmo.errors import UserError
from inmo.harness.run.setup import Setup
from inmo.harness.web.following import Follower
from inmo.harness.web.footage import Footage

if TYPE_CHECKING:
    from inmo.harness.web.server import Answer

PANES = 2


class Watching:
    """Videos, trackers, and up to two of them at work.

    Args:
        videos: files and folders of images to choose from, opened when chosen.
        setups: trackers to choose from, built when chosen.
        benchmark: whose test-time constants are used.
        device: as everywhere.
    """

    def __init__(self, videos: Sequence[Path], setups: Sequence[Setup], benchmark: str, device: str) -> None:
        self.videos, self.setups, self.benchmark, self.device = list(videos), list(setups), benchmark, device
        self._open: dict[int, Footage] = {}
        self._panes: list[Follower | None] = [None] * PANES

    @property
    def answers(self) -> dict[str, Answer]:
        """What the page may ask for."""
        return {"state": self._state, "video": self._video, "start": self._start, "step": self._step}

    def picture(self, video: int, index: int) -> bytes:
        """A frame as JPEG. Raises IndexError for a video or frame that is not there."""
        return self._footage(video).picture(index)

    def _footage(self, number: int) -> Footage:
        if not 0 <= number < len(self.videos):
            raise IndexError(number)
        if number not in self._open:
            self._open[number] = Footage(self.videos[number])
        return self._open[number]

    def _state(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        titles = [setup.shown for setup in self.setups]
        return {"videos": [path.resolve().name for path in self.videos], "trackers": titles}

    def _video(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._footage(int(given["video"])).facts()

    def _start(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Start the tracker of a pane: ``pane``, ``tracker``, ``video``, ``frame``, ``box``."""
        pane, number = range(PANES)[int(given["pane"])], int(given["tracker"])
        footage = self._footage(int(given["video"]))
        follower = Follower(self.setups[number], footage, self.benchmark, self.device)
        self._panes[pane] = None
        follower.start(int(given["frame"]), given["box"])
        self._panes[pane] = follower
        return {"title": follower.title}

    def _step(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The next frame of a pane; ``ended`` after the last."""
        follower = self._panes[int(given["pane"])]
        if follower is None:
            raise UserError("no tracker runs here: draw a box first")
        seen = follower.step()
        return {"ended": True} if seen is None else {"ended": False, **seen.facts()}
