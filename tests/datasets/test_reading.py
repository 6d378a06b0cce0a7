"""Rows, flags and frames of one sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.datasets.files import open_tree
from inmo.datasets.reading import Source, Span, image_names, natural, one_row, read_annotation, read_boxes, read_flags
from inmo.errors import UserError
from tests.datasets.tiny import images, rows, write


def boxes(count: int) -> np.ndarray:
    return np.arange(4.0 * count).reshape(count, 4)


@pytest.mark.parametrize(
    ("span", "there", "kept"),
    [
        (Span(count=5), 5, range(5)),
        (Span(count=5), 6, None),
        (Span(count=5), 4, None),
        (Span(count=None), 7, range(7)),
        (Span(count=5, omit=2), 7, range(2, 7)),
        (Span(count=5, omit=2), 5, range(5)),
        (Span(count=5, omit=2), 6, None),
        (Span(start=3, count=5, surplus=True), 7, range(2, 7)),
        (Span(start=3, count=5, surplus=True), 9, range(2, 7)),
        (Span(start=3, count=5, surplus=True), 6, None),
        (Span(count=5, slack=1), 6, range(5)),
        (Span(count=5, slack=1), 4, range(4)),
        (Span(count=5, slack=1), 3, None),
    ],
)
def test_which_rows_are_kept(span: Span, there: int, kept: range | None) -> None:
    cut = span.cut(boxes(there))
    if kept is None:
        assert cut is None
    else:
        assert cut is not None
        assert np.array_equal(cut, boxes(there)[kept.start : kept.stop])


def test_a_span_from_a_table_row() -> None:
    row = {"start_frame": "3", "end_frame": "12", "init_omit": "2", "surplus": "1"}
    assert Span.of_row(row) == Span(start=3, count=8, omit=2, surplus=True)
    assert Span.of_row({"start_frame": "", "end_frame": "", "n_frames": "7", "slack": "1"}) == Span(count=7, slack=1)
    assert Span.of_row({"start_frame": "0", "end_frame": ""}) == Span(start=0)


@pytest.mark.parametrize(
    "text", ["0,1,1,0", "0\n1\n1\n0\n", "0 \r\n1 \r\n1 \r\n0 \r\n", "0110", "\ufeff0,1,1,0\n", "0\t1 1,0"]
)
def test_flags_in_every_dialect(tmp_path: Path, text: str) -> None:
    write(tmp_path / "f.txt", text)
    assert read_flags(open_tree(tmp_path), "f.txt").tolist() == [False, True, True, False]


@pytest.mark.parametrize("text", ["0,1,2", "0,-1", "0.5", "yes"])
def test_flags_that_are_none(tmp_path: Path, text: str) -> None:
    write(tmp_path / "f.txt", text)
    with pytest.raises(UserError, match="something else than 0 and 1"):
        read_flags(open_tree(tmp_path), "f.txt")


@pytest.mark.parametrize("text", ["0,1,,0\n", "0\n1\n\n0\n", "0, ,1", "0\r\n\r\n1\r\n"])
def test_a_flag_is_never_passed_over(tmp_path: Path, text: str) -> None:
    write(tmp_path / "f.txt", text)
    with pytest.raises(UserError, match="has an empty field"):
        read_flags(open_tree(tmp_path), "f.txt")


def test_an_empty_annotation_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "\n")
    with pytest.raises(UserError, match=r"holds no box.*cat of X"):
        read_boxes(Source(open_tree(tmp_path), "a.txt", "cat of X", None))


def test_numbers_stay_as_they_stand(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "-3.5,0,1e2,7\nNaN,NaN,NaN,NaN\n")
    found = read_annotation(Source(open_tree(tmp_path), "a.txt", "cat of X", None)).boxes
    assert found[0].tolist() == [-3.5, 0, 100, 7]
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize(
    ("text", "single"),
    [("1,2,3,4", True), ("1,2,3,4\r\n\r\n", True), (rows(2), False), (rows(999), False), ("", False)],
)
def test_one_row(tmp_path: Path, text: str, single: bool) -> None:
    write(tmp_path / "a.txt", text)
    assert one_row(open_tree(tmp_path), "a.txt") is single


def test_only_images_count_as_frames(tmp_path: Path) -> None:
    images(tmp_path, ("10.JPG", "9.jpg"))
    for clutter in ("Thumbs.db", ".9.jpg", "notes.txt"):
        write(tmp_path / clutter, "x")
    assert image_names(tmp_path) == ["9.jpg", "10.JPG"]


@given(st.lists(st.integers(0, 10**9), unique=True), st.integers(0, 3))
def test_natural_order_is_numeric_order(numbers: list[int], padding: int) -> None:
    names = [f"frame{'0' * padding}{number}.jpg" for number in numbers]
    assert sorted(names, key=natural) == [f"frame{'0' * padding}{number}.jpg" for number in sorted(numbers)]


def test_natural_order_of_names_with_several_numbers() -> None:
    names = ["s10_f1", "s2_f10", "s2_f9", "b", "10"]
    assert sorted(names, key=natural) == ["10", "b", "s2_f9", "s2_f10", "s10_f1"]
