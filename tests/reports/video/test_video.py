"""The comparison video: boxes and curves where the numbers say, every frame there, nothing half-written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inmo.datasets.images import open_video
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.store.store import Store
from inmo.reports.figures.frames import bgr
from inmo.reports.figures.style import DARK
from inmo.reports.video.film import FOOT, LEFT, RIGHT, TALLEST, Film, Scene, write_film
from inmo.reports.video.scenes import scene_of
from inmo.reports.video.video_file import VideoFile
from inmo.whole_files import read_json, write_json
from tests.reports.example import FRAMES, HOSTILE, example_store

WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return example_store(tmp_path_factory.mktemp("video"))


@pytest.fixture(scope="module")
def film(store: Store) -> tuple[Film, Scene, list[NDArray[np.uint8]]]:
    """clip7 drawn at twice its size; the overlaps are known by hand."""
    scene, frames, holes = scene_of(store, "folder", "clip7")
    assert holes == []
    film = Film(scene, frames.read(0), 320)
    return film, scene, list(film.frames(frames))


def near(pixel: NDArray[np.uint8], colour: tuple[int, int, int], within: int = 40) -> bool:
    return bool(np.abs(pixel.astype(int) - np.array(colour)).max() <= within)


def test_who_is_drawn_and_in_which_colours(film: tuple[Film, Scene, list[NDArray[np.uint8]]]) -> None:
    _, scene, _ = film
    assert [f.name for f in scene.followers] == [HOSTILE, "Fair & square", "Good"]  # the best on top
    assert [f.style.hue for f in scene.followers] == [2, 1, 0]  # the page's order
    assert len(scene) == FRAMES
    # Good is off by 1 and by the clip's number, 7: boxes of 40 x 30 that are 8 apart overlap by 32 / 48
    assert scene.followers[2].overlaps[5] == pytest.approx(32 / 48)
    assert scene.followers[2].overlaps[0] == 1
    assert scene.followers[0].overlaps[12] == 0  # lost at frame 9
    assert "folder" in scene.words.lower()


def test_boxes_are_where_they_should_be(film: tuple[Film, Scene, list[NDArray[np.uint8]]]) -> None:
    drawn, scene, frames = film
    assert drawn.size == (320, frames[0].shape[0])
    assert (drawn.picture, drawn.picture_height) == (round(320 * TALLEST * 160 / 120), round(320 * TALLEST))
    left = (320 - drawn.picture) // 2
    scale = drawn.picture / 160
    for index in (3, 8, 19):
        for boxes, colour in ((scene.truth, WHITE), (scene.followers[2].boxes, bgr(DARK[0]))):
            x, y, _, h = boxes[index]
            edge = frames[index][round((y + h * 0.3) * scale), left + round(x * scale - 0.5)]
            assert near(edge, colour), (index, colour, edge)
    moved = frames[8].astype(int) - frames[3].astype(int)
    assert np.abs(moved[: drawn.picture_height]).max() > 100


def test_boxes_have_the_dashes_of_their_curves(film: tuple[Film, Scene, list[NDArray[np.uint8]]]) -> None:
    drawn, scene, frames = film
    left, scale = (320 - drawn.picture) // 2, drawn.picture / 160
    shares = []
    for each in scene.followers:  # dotted, dashed, solid
        x, y, _, h = each.boxes[5]
        column = frames[5][round((y + 2) * scale) : round((y + h - 2) * scale), left + round(x * scale - 0.5)]
        shares.append(np.mean([near(pixel, bgr(DARK[each.style.hue])) for pixel in column]))
    assert [each.style.dash for each in scene.followers] == [2, 1, 0]
    assert shares[2] == 1
    assert 0.5 < shares[1] < 0.9 and 0.15 < shares[0] < 0.7


def test_the_curve_has_the_cursor_and_a_dot_at_the_overlap(film: tuple[Film, Scene, list[NDArray[np.uint8]]]) -> None:
    drawn, scene, frames = film
    panel, scale = drawn.panel, drawn.scale
    for index in (4, 15):
        shown = frames[index][drawn.picture_height : drawn.picture_height + panel.height]
        x = LEFT * scale + (320 - (LEFT + RIGHT) * scale) * index / (FRAMES - 1)
        bottom = panel.height - round(FOOT * scale)
        for each in scene.followers:
            y = bottom - each.overlaps[index] * (bottom - panel.head)
            around = shown[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].reshape(-1, 3)
            assert any(near(pixel, bgr(DARK[each.style.hue])) for pixel in around), (index, each.name)
    early, late = (f[drawn.picture_height + panel.head :, 200:] for f in (frames[1], frames[19]))
    assert late.astype(int).sum() > early.astype(int).sum()  # what is still to come is faint


def test_an_odd_size_is_made_even_and_tall_images_are_drawn_smaller() -> None:
    scene = Scene("x", "y", np.full((3, 4), np.nan), ())
    for shape in ((101, 99, 3), (400, 90, 3), (91, 301, 3)):
        film = Film(scene, np.zeros(shape, np.uint8), 321)
        drawn = film.frame(np.zeros(shape, np.uint8), 2)
        assert drawn.shape[1::-1] == film.size
        assert film.size[0] % 2 == film.size[1] % 2 == 0
        assert film.picture_height <= round(film.width * TALLEST) + 1


@pytest.mark.parametrize("pyav", [True, False])
def test_the_file_decodes_to_what_was_drawn(
    film: tuple[Film, Scene, list[NDArray[np.uint8]]], store: Store, tmp_path: Path, pyav: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if not pyav:
        monkeypatch.setitem(sys.modules, "av", None)
    drawn, _, frames = film
    _, source, _ = scene_of(store, "folder", "clip7")
    path = tmp_path / "deep" / "x.mp4"
    assert write_film(drawn, source, path, fps=12.5) == FRAMES
    assert [p.name for p in path.parent.iterdir()] == ["x.mp4"]
    video = open_video(path)
    assert len(video) == FRAMES
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5)
    assert capture.get(cv2.CAP_PROP_FOURCC) == cv2.VideoWriter.fourcc(*("h264" if pyav else "FMP4"))
    for index in range(FRAMES):
        decoded = video.read(index)
        assert decoded.shape == frames[index].shape
        assert np.abs(decoded.astype(int) - frames[index]).mean() < 6, index
    with pytest.raises(UserError):
        video.read(FRAMES)


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), VideoFile(tmp_path / "x.mp4", (32, 32), 25) as video:
        video.write(np.zeros((32, 32, 3), np.uint8))
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), VideoFile(tmp_path / "x.mp4", (32, 32), 25) as video:
        video.write(np.zeros((32, 32, 3), np.uint8))
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["x.mp4"]  # who stops it wants what was seen
    with pytest.raises(ValueError, match="in a video of"), VideoFile(tmp_path / "y.mp4", (32, 32), 25) as video:
        video.write(np.zeros((30, 32, 3), np.uint8))
    for path, fps, message in (
        ("x.avi", 25, "only .mp4 is written"), ("x.mp4", 0, "frames per second"), ("x.mp4/y.mp4", 25, "cannot write"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=message):
            VideoFile(tmp_path / path, (32, 32), fps)


def test_draw_from_the_command_line(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["draw", "--store", str(store.root), "--width", "320", "--out", str(tmp_path / "x.mp4"), "--sequence"]
    assert main([*words, "clip1"]) == 0
    told = capsys.readouterr()
    assert f"{FRAMES} frames of 320 x " in told.out
    assert told.err == "without Fair & square: it fell over\n"
    assert len(open_video(tmp_path / "x.mp4")) == FRAMES
    for more, message in {
        ("clip99",): "unknown sequence of folder 'clip99'", ("clip1", "--trackers", "Goood"): "did you mean Good",
        ("clip1", "--dataset", "nothing"): "holds no dataset 'nothing'",
        ("clip1", "--trackers", "Fair & square"): "nothing is stored of clip1: it fell over",
        ("clip1", "--root", str(tmp_path / "gone")): "gone",
    }.items():  # fmt: skip
        assert main([*words, *more]) == 2
        assert message in capsys.readouterr().err


def test_the_dataset_is_the_one_that_has_the_sequence(tmp_path: Path) -> None:
    both = example_store(tmp_path, sequences=3)
    other = both.root / "other"
    shutil.copytree(both.root / "folder", other)
    (other / "sequences" / "clip1.parquet").rename(other / "sequences" / "elsewhere.parquet")
    facts = read_json(other / "dataset.json")
    write_json(other / "dataset.json", facts | {"names": [n.replace("clip1", "elsewhere") for n in facts["names"]]})
    with pytest.raises(UserError, match=r"several datasets: choose one with --dataset \(folder, other\)"):
        scene_of(both, "", "clip2")
    assert scene_of(both, "", "clip1")[0].title == "clip1"
    with pytest.raises(UserError, match="several datasets"):
        scene_of(both, "", "clp1")
