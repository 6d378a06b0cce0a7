"""Watching a tracker: what is written, what a window is asked for, and what stands in its place without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inmo.datasets.images import open_video
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.live import play
from inmo.harness.run.setup import configure
from inmo.reports.figures.frames import bgr
from inmo.reports.figures.style import DARK
from tests.clips import LENGTHS


def start(clips: Path, *more: str, tracker: str = "kcf", video: str = "") -> int:
    return main(["play", "--tracker", tracker, "--video", video or str(clips / "long" / "img"), *more])


def test_a_video_and_its_boxes_are_written(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.mp4"
    assert start(clips, "--box", "4", "6", "16", "14", "--out", str(out)) == 0
    assert "12 frames; written to" in capsys.readouterr().out
    rows = [line.split(",") for line in out.with_suffix(".csv").read_text().splitlines()]
    assert rows[0] == ["frame", "x", "y", "w", "h", "score"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(LENGTHS["long"])]
    assert rows[1][1:5] == ["4.000", "6.000", "16.000", "14.000"]
    video = open_video(out)
    assert len(video) == LENGTHS["long"]
    frame = video.read(5)
    assert frame.shape == (360 + play.STRIP, 480, 3)  # 64 x 48 pixels, shown no smaller than 480 wide
    x, y, _, h = (float(v) * 7.5 for v in rows[6][1:5])
    assert x > 4 * 7.5  # it followed
    edge = frame[round(y + h / 2), round(x - 0.5)]
    assert np.abs(edge.astype(int) - bgr(DARK[0])).max() < 70
    whole = tmp_path / "whole.mp4"
    assert start(clips, "--box", "4", "6", "16", "14", "--out", str(whole), video=str(clips / "long")) == 0
    assert whole.with_suffix(".csv").read_text() == out.with_suffix(".csv").read_text()  # a sequence's folder as well
    again = tmp_path / "again.mp4"
    words = ("--box", "30", "45", "120", "105", "--out", str(again), "--frames", "4")
    assert start(clips, *words, video=str(out), tracker="constant") == 0  # a video file as well
    assert len(again.with_suffix(".csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("more", "video", "message"),
    [
        (["--out", "OUT/x.mp4"], "", "--box X Y W H, in pixels from 0"),
        (["--box", "70", "0", "5", "5", "--out", "OUT/x.mp4"], "", "is no box in a frame of 64 x 48 pixels"),
        (["--box", "1", "1", "0", "5", "--out", "OUT/x.mp4"], "", "is no box in a frame"),
        (["--box", "4", "6", "16", "14", "--out", "OUT/x.gif"], "", "only .mp4 is written"),
        (["--box", "4", "6", "16", "14", "--out", "OUT/x.mp4"], "absent.mp4", "absent.mp4 is not there"),
        (["--box", "4", "6", "16", "14", "--out", "OUT/x.mp4"], "OUT", "holds no images"),
        (["--box", "4", "6", "16", "14", "--out", "OUT/x.mp4"], "camera:97", "is a camera connected?"),
    ],
)
def test_what_cannot_be_played_is_one_sentence(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], video: str, message: str
) -> None:
    (tmp_path / "out").mkdir()
    place = str(tmp_path / "out")
    assert start(clips, *[w.replace("OUT", place) for w in more], video=video.replace("OUT", place)) == 2
    told = capsys.readouterr().err
    assert message in told and "Traceback" not in told
    assert list((tmp_path / "out").iterdir()) == []


def test_a_tracker_that_looks_results_up_is_refused(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="name a tracker that looks at frames"):
        play.play(configure("oracle", {}), str(clips / "long" / "img"), box=(4, 6, 16, 14), out=Path("x.mp4"))


def test_without_a_window_the_error_says_what_to_do(
    clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           NONE\n")
    assert start(clips, "--box", "4", "6", "16", "14") == 2
    assert "the headless one): give --out FILE.mp4" in capsys.readouterr().err
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           GTK3\n")
    monkeypatch.setattr(play.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert start(clips, "--box", "4", "6", "16", "14") == 2
    assert "there is no display here: give --out" in capsys.readouterr().err
    monkeypatch.setenv("DISPLAY", ":0")
    assert play.no_window() == ""


def test_on_a_screen_the_mouse_gives_the_box_and_q_stops(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV's window functions are stood in for; ``test_window`` opens one."""
    shown: list[Any] = []
    monkeypatch.setattr(play, "no_window", lambda: "")
    monkeypatch.setattr(play, "silent_display", lambda: "")
    monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: (4, 6, 16, 14))
    monkeypatch.setattr(cv2, "imshow", lambda _, frame: shown.append(frame.copy()))
    monkeypatch.setattr(cv2, "waitKey", lambda _: ord("q") if len(shown) == 4 else -1)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: shown.append("closed"))
    assert start(clips, tracker="mosse") == 0
    assert len(shown) == 5 and shown[-1] == "closed"
    assert {frame.shape for frame in shown[:-1]} == {(360 + play.STRIP, 480, 3)}
    monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: (0, 0, 0, 0))
    with pytest.raises(UserError, match="no box was drawn"):
        play.play(configure("mosse", {}), str(clips / "long" / "img"))
