"""One's own clips as a training set: split by video, and said how."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.training import open_source
from inmo.datasets.training.folder import split
from inmo.datasets.training.videos import VideoSource
from inmo.errors import UserError
from tests.clips import write_sequence


@pytest.fixture
def own(tmp_path: Path) -> str:
    for number in range(8):
        write_sequence(tmp_path / "clips" / f"clip{number}", 6)
    return str(tmp_path / "clips")


def names(source: object) -> list[str]:
    assert isinstance(source, VideoSource)
    return [video.name for video in source.videos]


def test_parts_are_apart_and_together_all(own: str) -> None:
    learned = open_source("folder", own, {"part": "train"})
    held_out = open_source("folder", own, {"part": "validation"})
    assert names(held_out) == ["clip3", "clip7"]  # a quarter, evenly spaced
    assert sorted(names(learned) + names(held_out)) == names(open_source("folder", own))
    assert isinstance(learned, VideoSource)
    assert learned.note == f"{own}: 6 clips to learn from, 2 held out: clip3, clip7"
    assert names(open_source("folder", own, {"part": "validation", "share": 0.5})) == [
        "clip1",
        "clip3",
        "clip5",
        "clip7",
    ]
    assert learned.fingerprint() != open_source("folder", own).fingerprint()


def test_targets_of_one_video_stay_together() -> None:
    def clip(name: str, video: str = "") -> Sequence:
        return Sequence("folder", name, annotation=lambda: Annotation(None, None), video=video)  # type: ignore[arg-type]

    clips = [clip("a.1", "a"), clip("a.2", "a"), clip("b"), clip("c.1", "c"), clip("c.2", "c"), clip("c.3", "c")]
    learned, held_out = split(clips, 0.34)
    assert [s.name for s in held_out] == ["c.1", "c.2", "c.3"]
    assert [s.name for s in learned] == ["a.1", "a.2", "b"]


def test_what_cannot_be_is_said(own: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="part: one of all, train, validation"):
        open_source("folder", own, {"part": "test"})
    write_sequence(tmp_path / "one" / "clip", 6)
    with pytest.raises(UserError, match="1 clips: too few to hold out"):
        open_source("folder", str(tmp_path / "one"), {"part": "validation"})
