"""Rows of raw results that are something else than x, y, w, h."""

from __future__ import annotations

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.errors import UserError
from inmo.trackers.recorded.box_layouts import BOX_LAYOUTS, box_layout

ANNOTATED = np.array([[10.0, 20.0, 30.0, 40.0], [12.0, 20.0, 30.0, 40.0], [14.0, 20.0, 30.0, 40.0]])
ROWS: dict[str, Boxes] = {
    "xyxy": np.array([[10.0, 20.0, 40.0, 60.0], [12.0, 20.0, 42.0, 60.0], [14.0, 20.0, 44.0, 60.0]]),
    "cxcywh": np.array([[25.0, 40.0, 30.0, 40.0], [27.0, 40.0, 30.0, 40.0], [29.0, 40.0, 30.0, 40.0]]),
    "normalised": ANNOTATED / (100, 80, 100, 80),
    "polygon": np.array([[x, 20.0, x + 30, 20, x + 30, 60, x, 60] for x in (10.0, 12.0, 14.0)]),
}
ROWS["normalised-xyxy"] = ROWS["xyxy"] / (100, 80, 100, 80)
ROWS["normalised-cxcywh"] = ROWS["cxcywh"] / (100, 80, 100, 80)


def text(rows: Boxes) -> bytes:
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()


def test_every_layout_is_tried_here() -> None:
    assert set(ROWS) | {"xywh"} == set(BOX_LAYOUTS)


@pytest.mark.parametrize("name", ROWS)
def test_a_file_becomes_the_boxes(name: str) -> None:
    layout = box_layout(name)
    rows = layout.parse(text(ROWS[name]), "a.txt")
    np.testing.assert_allclose(layout.read(rows, ANNOTATED, "a.txt"), ANNOTATED)


@pytest.mark.parametrize("name", [name for name, row in BOX_LAYOUTS.items() if row.columns == 4 and name != "xywh"])
def test_a_first_row_that_is_the_annotated_box_stays(name: str) -> None:
    rows = np.concatenate([np.rint(ANNOTATED[:1] + 0.4), ROWS[name][1:]])
    read = box_layout(name).read(rows, ANNOTATED, "a.txt")
    np.testing.assert_allclose(read, ANNOTATED)


def test_polygons_may_follow_the_box_that_tracking_began_with() -> None:
    layout = box_layout("polygon")
    rows = layout.parse(b"10,20,30,40\n" + text(ROWS["polygon"][1:]), "a.txt")
    np.testing.assert_array_equal(layout.read(rows, ANNOTATED, "a.txt"), ANNOTATED)


def test_a_polygon_on_its_corner() -> None:
    layout = box_layout("polygon")
    rows = layout.parse(b"5 0 10 5 5 10 0 5\n", "a.txt")
    np.testing.assert_array_equal(layout.read(rows, ANNOTATED, "a.txt"), [[0.0, 0.0, 10.0, 10.0]])


def test_polygons_that_nobody_asked_for() -> None:
    with pytest.raises(UserError, match=r"a\.txt holds polygons, 8 numbers in a row: score --boxes polygon takes"):
        box_layout("xywh").parse(text(ROWS["polygon"]), "a.txt")
    with pytest.raises(UserError, match=r"a\.txt has 8 numbers in a row, .*: write decimal commas as points"):
        box_layout("xywh").parse(b"1,0;2,0;3,0;4,5\n", "a.txt")
    with pytest.raises(UserError, match=r"line 1 of a\.txt has 5 numbers instead of 4"):
        box_layout("xywh").parse(b"1,2,3,4,5\n", "a.txt")


def test_boxes_where_polygons_were_asked_for() -> None:
    with pytest.raises(UserError, match="has 4 numbers instead of 8"):
        box_layout("polygon").parse(text(ANNOTATED), "a.txt")
    with pytest.raises(UserError, match="has 4 numbers in a row: --boxes polygon takes 8"):
        box_layout("polygon").read(ANNOTATED, ANNOTATED, "a.mat")


def test_a_first_box_that_tells_no_size() -> None:
    with pytest.raises(UserError, match=r"a\.txt does not tell the size of its frame"):
        box_layout("normalised").read(np.zeros((3, 4)), ANNOTATED, "a.txt")


def test_unknown_layouts_are_named() -> None:
    with pytest.raises(UserError, match="xyxy"):
        box_layout("xyxyy")
