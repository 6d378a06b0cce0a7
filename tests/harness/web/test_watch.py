"""Watching: videos and trackers to choose from, two of them side by side, search regions, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.setup import configure
from inmo.harness.web.footage import Footage, videos_in
from inmo.harness.web.watch import Watching
from tests.datasets.tiny import video

FIRST = [4.0, 6.0, 16.0, 14.0]


def watching(root: Path, *trackers: str) -> Watching:
    setups = [
        configure(name, {}, {"preset": "nano"}) if name == "siamcar" else configure(name, {}) for name in trackers
    ]
    return Watching(videos_in(root), setups, "folder", "cpu")


def test_videos_to_choose_from(clips: Path, tmp_path: Path) -> None:
    video(clips / "film.mp4", 3)
    (clips / "notes.txt").write_text("x")
    assert [path.name for path in videos_in(clips)] == ["film.mp4", "long", "middle", "short"]
    assert videos_in(clips / "long") == [clips / "long"]
    assert videos_in(clips / "film.mp4") == [clips / "film.mp4"]
    (tmp_path / "empty").mkdir()
    for path, words in ((tmp_path / "empty", "holds no video"), (tmp_path / "nowhere", "is not there")):
        with pytest.raises(UserError, match=words):
            videos_in(path)


def test_two_trackers_follow_a_target_frame_by_frame(clips: Path) -> None:
    found = watching(clips, "constant", "kcf")
    ask = found.answers
    assert ask["state"]({}) == {"videos": ["long", "middle", "short"], "trackers": ["constant box", "KCF"]}
    assert ask["video"]({"video": 2}) == {"name": "short", "frames": 6, "width": 64, "height": 48}
    for pane in (0, 1):
        ask["start"]({"pane": pane, "tracker": pane, "video": 2, "frame": 1, "box": [6, 7, 16, 14]})
    seen = [[ask["step"]({"pane": pane}) for pane in (0, 1)] for _ in range(4)]
    assert [both[0]["frame"] for both in seen] == [2, 3, 4, 5]
    assert seen[-1][0]["box"] == [6, 7, 16, 14]
    assert np.abs(np.array(seen[-1][1]["box"]) - [14, 11, 16, 14]).max() < 3
    assert seen[-1][1]["region"] is None
    assert ask["step"]({"pane": 0}) == {"ended": True}
    assert found.picture(2, 5)[:2] == b"\xff\xd8"


def test_where_a_network_looks(clips: Path) -> None:
    found = watching(clips / "short", "siamcar")
    found.answers["start"]({"pane": 0, "tracker": 0, "video": 0, "frame": 0, "box": FIRST})
    seen = found.answers["step"]({"pane": 0})
    x, y, w, h = seen["region"]
    assert w == h > 16
    assert (x + w / 2, y + h / 2) == pytest.approx((12, 13), abs=0.01)  # around the box before
    assert 0 <= seen["score"] <= 1


def test_what_no_page_asks_for(clips: Path) -> None:
    ask = watching(clips, "kcf").answers
    with pytest.raises(UserError, match="draw a box first"):
        ask["step"]({"pane": 1})
    for given in ({"pane": 2}, {"tracker": 3}, {"video": 9}, {"frame": 99}):
        with pytest.raises(IndexError):
            ask["start"]({"pane": 0, "tracker": 0, "video": 0, "frame": 0, "box": FIRST, **given})


def test_pictures_in_any_order_are_those_of_the_video(tmp_path: Path) -> None:
    video(tmp_path / "x.mp4", 9)
    footage = Footage(tmp_path / "x.mp4")
    forwards = [footage.read(index).copy() for index in range(9)]
    for index in (8, 0, 4, 4, 3):
        assert np.array_equal(Footage(tmp_path / "x.mp4").read(index), forwards[index])
        assert footage.picture(index) == footage.picture(index)
    with pytest.raises(IndexError):
        footage.picture(9)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tracker", "kcf", "mosse"], "name one, or say --browser"),
        (["--tracker", "kcf", "--browser", "--box", "1", "2", "3", "4"], "in the browser the page asks"),
        (["--tracker", "kcf", "--browser", "--port", "99999"], "port 99999 cannot be had"),
        (["--tracker", "csrt", "siamcar", "--preset", "nano", "--browser", "--port", "99999"], "99999 cannot be had"),
    ],
)
def test_words_that_do_not_go_together(
    clips: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["play", "--video", str(clips), *words]) == 2
    assert message in capsys.readouterr().err
