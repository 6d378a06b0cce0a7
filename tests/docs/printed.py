"""What documentation shows against what comes out."""

from __future__ import annotations

import re

import pytest

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def assert_alike(shown: str, now: str) -> None:
    """Alike but for spaces and for the third of a point by which OpenCV's trackers differ between processors."""
    words = [re.sub(r"[ ─]+", " ", NUMBER.sub("#", text)).strip() for text in (shown, now)]
    assert words[0] == words[1]
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (shown, now)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.3)
