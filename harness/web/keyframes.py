"""The boxes of a video while it is labelled: what was drawn, what a tracker proposed, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation

Box = tuple[float, float, float, float]
Source = Literal["drawn", "tracked", "absent"]
NOTHING, DRAWN, TRACKED, BETWEEN, ABSENT, STILL_ABSENT = range(6)
"""What is known of a frame: its own key of one of three sources, or what follows from the keys around it."""
_KINDS: Mapping[Source, int] = {"drawn": DRAWN, "tracked": TRACKED, "absent": ABSENT}


@dataclass(frozen=True)
class Key:
    """What somebody or a tracker said of one frame; ``box`` x, y, w, h in pixels from 0, None of an absent target."""

    source: Source
    box: Box | None = None


@dataclass
class Keyframes:
    """The keys of a video of ``length`` frames."""

    length: int
    keys: dict[int, Key] = field(default_factory=dict)

    def draw(self, frame: int, box: Box) -> None:
        """A person's box. What a tracker proposed from here up to the next key of a person's is forgotten."""
        self._put(frame, Key("drawn", box))

    def hide(self, frame: int) -> None:
        """The target cannot be seen from here up to the next key; this frame alone where there is none."""
        self._put(frame, Key("absent"))

    def propose(self, frame: int, box: Box) -> bool:
        """A tracker's box; False where a person has said something of this frame, which stays."""
        if self.keys.get(frame, Key("tracked")).source != "tracked":
            return False
        self.keys[self._known(frame)] = Key("tracked", box)
        return True

    def forget(self, frame: int) -> None:
        """Take back what was said of a frame."""
        self.keys.pop(self._known(frame), None)

    def smooth(self, frame: int) -> None:
        """Forget the proposals between the person's keys around a frame, so that boxes move linearly between them."""
        own = [number for number, key in self.keys.items() if key.source != "tracked"]
        before = max((number for number in own if number <= frame), default=-1)
        after = min((number for number in own if number > frame), default=self.length)
        self.keys = {n: key for n, key in self.keys.items() if not before < n < after or key.source != "tracked"}

    def boxes_at(self, frame: int) -> Box | None:
        """The box in a frame, drawn, proposed or between; None where there is none."""
        kinds, annotation = self.filled()
        if kinds[self._known(frame)] not in (DRAWN, TRACKED, BETWEEN):
            return None
        x, y, w, h = annotation.boxes[frame].tolist()
        return x, y, w, h

    def filled(self) -> tuple[NDArray[np.uint8], Annotation]:
        """What is known of every frame, (length,) of the kinds above, and the annotation that follows.

        Between two boxes they move linearly. From an absent frame to the next key the target stays absent; between a
        box and an absent frame nobody knows. Boxes are NaN in frames that nobody annotated, 0 in absent ones.
        """
        kinds = np.zeros(self.length, np.uint8)
        boxes: Boxes = np.full((self.length, 4), np.nan)
        for frame, key in self.keys.items():
            kinds[frame] = _KINDS[key.source]
            boxes[frame] = (0.0, 0.0, 0.0, 0.0) if key.box is None else key.box
        for left, right in pairwise(sorted(self.keys)):
            first, last = self.keys[left].box, self.keys[right].box
            inner = slice(left + 1, right)
            if first is None:
                kinds[inner], boxes[inner] = STILL_ABSENT, 0.0
            elif last is not None:
                share = (np.arange(left + 1, right)[:, None] - left) / (right - left)
                kinds[inner], boxes[inner] = BETWEEN, np.array(first) * (1 - share) + np.array(last) * share
        return kinds, Annotation(boxes, (kinds == ABSENT) | (kinds == STILL_ABSENT))

    def _put(self, frame: int, key: Key) -> None:
        self._known(frame)
        later = sorted(number for number in self.keys if number > frame)
        for number in takewhile(lambda number: self.keys[number].source == "tracked", later):
            del self.keys[number]
        self.keys[frame] = key

    def _known(self, frame: int) -> int:
        """The frame. Raises IndexError for one that the video has not."""
        if not 0 <= frame < self.length:
            raise IndexError(frame)
        return frame
