"""What the failure browser embeds and writes, decoded again and compared with numbers worked by hand."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.reports.figures.frames import SMALL, Thumbnails, open_images, write_frames
from inmo.reports.figures.style import styles
from inmo.reports.page.failure_browser import Entry, build_browser, in_parts, sequence_anchor
from inmo.reports.scoring.failures import LEVELS
from inmo.reports.scoring.stored import DatasetEvaluation, evaluate
from tests.reports.example import FRAMES, HOSTILE, example_store

LOOK = styles((HOSTILE, "Good", "Fair & square"))  # the page's order, which is not the store's


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DatasetEvaluation:
    return evaluate(example_store(tmp_path_factory.mktemp("example"))).datasets[0]


@pytest.fixture(scope="module")
def images(data: DatasetEvaluation) -> Dataset:
    found = open_images(data.dataset)
    assert isinstance(found, Dataset)
    return found


@pytest.fixture(scope="module")
def entries(data: DatasetEvaluation, images: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entry]:
    folder = tmp_path_factory.mktemp("frames")
    return {e.sequence: e for e in build_browser(data, LOOK, images, folder, "frames/folder")}


def _values(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(entry.data)
    return found


def _array(text: str, kind: str, *shape: int) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def test_sequences_are_in_the_order_of_their_table(data: DatasetEvaluation, entries: dict[str, Entry]) -> None:
    order = list(entries)
    assert order[0] == "b&w"  # the first of the list is the easiest
    assert order[-1] == "clip7"
    found = [s.per_sequence["clip7"].success_auc for s in data.default]
    assert entries["clip7"].mean == pytest.approx(np.mean([v for v in found if v is not None]))
    assert [e.mean for e in entries.values()] == sorted((e.mean or 0 for e in entries.values()), reverse=True)


def test_a_page_in_one_file_has_frames_of_the_hardest(data: DatasetEvaluation, images: Dataset, tmp_path: Path) -> None:
    entries = build_browser(data, LOOK, images, tmp_path, "frames/folder", 30)
    found = [_values(entry) for entry in entries]
    assert ["images" in values for values in found] == [False] * 6 + [True] * 2  # 12 frames a sequence at least
    assert found[0]["reason"] == "this page is one file, with frames of the 2 hardest sequences alone"
    hardest = found[-1]
    assert len(hardest["keys"]) == len(hardest["images"]["inline"]) == 15  # half of 30
    assert (hardest["keys"][0], hardest["keys"][-1]) == (0, FRAMES - 1)
    at = _array(hardest["at"], "u1", 3, 15)
    whole = data.traces["clip7"]
    row = whole.trackers.index("Good")
    assert at[1].tolist() == [int(whole.at[row, key]) for key in hardest["keys"]]  # of 20 frames all are key frames
    assert _array(hardest["images"]["boxes"], "<i2", 4, 15, 4)[0, 0, 2] > 0


def test_anchors_hold_no_markup(data: DatasetEvaluation) -> None:
    assert sequence_anchor(data, "b&w") == "watch-folder-b%26w"
    assert sequence_anchor(data, '"><b') == "watch-folder-%22%3E%3Cb"


def test_numbers_of_a_sequence(data: DatasetEvaluation, entries: dict[str, Entry]) -> None:
    values = _values(entries["clip7"])
    assert (values["frames"], values["step"], values["keys"]) == (FRAMES, 1, list(range(FRAMES)))
    assert values["trackers"] == [0, 1, 2]
    points = _array(values["points"], "u1", 3, FRAMES)
    # on boxes 40 wide, 21, 8 and 13 pixels aside; the first is 200 further away from frame 9 on
    assert points[:, 1].tolist() == [round(LEVELS * v) for v in (19 / 61, 32 / 48, 27 / 53)]
    assert points[:, 9].tolist() == [0, *points[1:, 1]]
    assert points[:, 0].tolist() == [LEVELS] * 3
    assert _array(values["at"], "u1", 3, FRAMES)[:, 1].tolist() == [31, 67, 51]
    printed = [f"{100 * (s.per_sequence['clip7'].success_auc or 0):.1f}" for s in data.default]
    assert [f"{auc:.1f}" for auc in values["auc"]] == [printed[2], printed[0], printed[1]]
    assert values["lost"] == [[[9, None]], [], []]
    assert _values(entries["clip6"])["lost"] == [[[3, 13]], [], []]


def test_holes_say_why(entries: dict[str, Entry]) -> None:
    values = _values(entries["clip1"])
    assert values["trackers"] == [0, 1]
    assert values["missing"] == {"2": "it fell over"}


def test_boxes_lie_on_the_small_frames(entries: dict[str, Entry]) -> None:
    images = _values(entries["clip7"])["images"]
    assert (images["width"], images["height"], images["link"]) == (160, 120, "frames/folder/clip7")
    boxes = _array(images["boxes"], "<i2", 4, FRAMES, 4) / images["parts"]
    assert boxes[0, 5].tolist() == [30, 37, 40, 30]  # the ground truth, then the trackers in the page's order
    assert boxes[1:, 5, 0].tolist() == [30 + 21, 30 + 8, 30 + 13]
    assert _values(entries["b&w"])["images"]["link"] == "frames/folder/b%2526w"


def test_names_cannot_end_the_script_element(data: DatasetEvaluation, tmp_path: Path) -> None:
    (entry, *_) = build_browser(data, LOOK, UserError("</script><b>"), tmp_path, "x")
    assert "<" not in entry.data
    assert _values(entry)["reason"] == "</script><b>"
    assert "images" not in _values(entry)
    assert not list(tmp_path.iterdir())


def test_boxes_in_sixteenths() -> None:
    boxes = np.array([[10.5, 2, 4, 8], [np.nan] * 4, [3, 3, 0, 5], [-5000, 0, 1e9, 0.001], [3, np.inf, 1, 1]])
    assert in_parts(boxes).tolist() == [
        [168, 32, 64, 128], [0] * 4, [0] * 4, [-16000, 0, 32000, 1], [0] * 4,
    ]  # fmt: skip


def test_frames_are_written_small_and_stale_ones_go(images: Dataset, tmp_path: Path) -> None:
    (tmp_path / "7.jpg").write_bytes(b"of an earlier report")
    found = write_frames(images, "clip2", (0, 3, 19), tmp_path)
    assert found == Thumbnails(160, 120, 1.0, 0)
    assert {p.name for p in tmp_path.iterdir()} == {"0.jpg", "3.jpg", "19.jpg"}
    written = cv2.imread(str(tmp_path / "3.jpg"))
    assert written is not None
    sequence = next(s for s in images.sequences if s.name == "clip2")
    assert sequence.frames is not None
    assert np.abs(written.astype(int) - sequence.frames().read(3)).mean() < 3


def test_large_frames_and_boxes_shrink_together(images: Dataset, tmp_path: Path) -> None:
    class Wide:
        def __len__(self) -> int:
            return 1

        def read(self, index: int) -> np.ndarray[Any, Any]:
            return np.zeros((300, 2 * SMALL, 3), np.uint8)

    wide = replace(images.sequences[0], name="wide", frames=Wide, origin=1)  # type: ignore[arg-type]
    found = write_frames(replace(images, sequences=(wide,)), "wide", (0,), tmp_path)
    assert (found.width, found.height) == (SMALL, 150)
    assert found.place(np.array([11.0, 21, 30, 40])).tolist() == [5, 10, 15, 20]


def test_fewer_images_than_annotations_is_a_reason(images: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"clip2 has 20 images for 31 annotated frames"):
        write_frames(images, "clip2", (0, 30), tmp_path)
