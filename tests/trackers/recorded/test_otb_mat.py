"""Our reader of OTB's ``.mat`` results against scipy's, which is the oracle, and against bytes written by hand."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from inmo.errors import UserError
from inmo.trackers.recorded.otb_mat import parse_mat

BOXES = np.arange(1, 149).reshape(37, 4)


def saved(results: Any, *, packed: bool = False) -> bytes:
    stream = io.BytesIO()
    savemat(stream, {"before": np.ones(3), "results": results}, do_compression=packed)
    return stream.getvalue()


def run(boxes: Any) -> dict[str, Any]:
    """A run with the other fields that the toolkit writes, and one of every kind that is passed over."""
    others = {"fps": 3.2, "tmplsize": np.ones((1, 2)), "cells": np.zeros((2, 2), object), "inner": {"a": 1}}
    return {"type": "rect", **others, "res": boxes, "len": len(boxes), "note": "ü"}


def in_cells(boxes: Any) -> Any:
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = run(boxes)
    return cells


def in_structs(boxes: Any) -> Any:
    kinds = [("res", object), ("type", object)]
    return np.array([(boxes, "rect")], dtype=kinds)


def test_several_runs_in_one_file_are_no_result() -> None:
    cells = np.empty((1, 20), dtype=object)
    cells[0, :] = [run(BOXES + place) for place in range(20)]
    with pytest.raises(UserError, match=r"x\.mat holds 20 runs, as TRE and SRE have them"):
        parse_mat(saved(cells), "x.mat")
    with pytest.raises(UserError, match=r"holds 5 runs of rectangles \(5 x 37 x 4\)"):
        parse_mat(saved(run(np.stack([BOXES] * 5))), "x.mat")
    with pytest.raises(UserError, match="holds 37 x 3 numbers"):
        parse_mat(saved(run(BOXES[:, :3])), "x.mat")


@pytest.mark.parametrize("shape", [in_cells, run, in_structs])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_as_scipy_reads_it(shape: Any, packed: bool, kind: str) -> None:
    data = saved(shape((BOXES % 128).astype(kind)), packed=packed)
    stream: Any = io.BytesIO(data)
    first = np.atleast_1d(loadmat(stream, squeeze_me=True, struct_as_record=False)["results"])[0]
    found = parse_mat(data, "x.mat")
    np.testing.assert_array_equal(found, np.asarray(first.res, dtype=np.float64))
    assert found.dtype == np.float64 and found.flags.c_contiguous


def element(order: str, kind: int, data: bytes) -> bytes:
    return struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 8)


def array(order: str, kind: int, shape: tuple[int, ...], name: str, *parts: bytes, flags: int = 0) -> bytes:
    head = element(order, 6, struct.pack(order + "II", kind | flags, 0))
    head += element(order, 5, struct.pack(f"{order}{len(shape)}i", *shape)) + element(order, 1, name.encode())
    return element(order, 14, head + b"".join(parts))


def by_hand(order: str, *, word: bytes, text: int, numbers: bytes, kind: int, shape: tuple[int, ...] = (2, 4)) -> bytes:
    """One run of two boxes as MATLAB writes it: numbers in the smallest type that holds them, text in 16 bits."""
    res = array(order, 6, shape, "", element(order, kind, numbers))
    kinds = array(order, 4, (1, 4), "", element(order, text, word))
    # the length of a field's name stands in the head of its element
    width = struct.pack(order + "HHi", *((4, 5) if order == "<" else (5, 4))[::-1], 8)
    names = element(order, 1, b"res\0\0\0\0\0type\0\0\0\0")
    body = array(order, 1, (1, 1), "results", array(order, 2, (1, 1), "", width, names, res, kinds))
    mark = {"<": b"\0\1IM", ">": b"\1\0MI"}[order]
    return b"MATLAB 5.0 MAT-file, by hand".ljust(124) + mark + body


COLUMNS = bytes([1, 5, 2, 6, 3, 7, 4, 8])  # column after column
TWO = [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_either_byte_order(order: str) -> None:
    word = "rect".encode("utf-16-le" if order == "<" else "utf-16-be")
    data = by_hand(order, word=word, text=4, numbers=COLUMNS, kind=2)
    np.testing.assert_array_equal(parse_mat(data, "x.mat"), TWO)
    stream: Any = io.BytesIO(data)
    np.testing.assert_array_equal(loadmat(stream)["results"][0, 0]["res"][0, 0], TWO)


@pytest.mark.parametrize("text", [1, 2, 16])
def test_text_of_bytes(text: int) -> None:
    np.testing.assert_array_equal(
        parse_mat(by_hand("<", word=b"rect", text=text, numbers=COLUMNS, kind=2), "x.mat"), TWO
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": (2, 5)}, "cannot reshape"),
        ({"shape": (-1, 4)}, "the head of an array is damaged"),
        ({"shape": (2**31 - 1, 2**31 - 1)}, "is no OTB result"),
        ({"kind": 99}, "of the unknown type 99"),
        ({"kind": 9, "numbers": COLUMNS[:7]}, "is no OTB result"),
        ({"word": b"ivt4"}, "of type 'ivt4': convert it"),
        ({"word": b"\xff\xfe\xfd", "text": 16}, "is no OTB result"),
    ],
)
def test_what_does_not_fit_is_said(changes: dict[str, Any], words: str) -> None:
    good = {"word": b"rect", "text": 16, "numbers": COLUMNS, "kind": 2}
    with pytest.raises(UserError, match=words):
        parse_mat(by_hand("<", **(good | changes)), "x.mat")


def test_complex_numbers_and_other_classes_are_no_boxes() -> None:
    with pytest.raises(UserError, match="no matrix of real numbers"):
        parse_mat(saved(run(BOXES * 1j)), "x.mat")
    with pytest.raises(UserError, match="no matrix of real numbers"):
        parse_mat(saved(run("text")), "x.mat")
    with pytest.raises(UserError, match=r"results\{1\} is no struct"):
        parse_mat(saved(BOXES), "x.mat")
    with pytest.raises(UserError, match="no field 'res'"):
        parse_mat(saved({"a": 1}), "x.mat")


def test_many_small_bombs_are_one_bomb() -> None:
    """Each part unpacks to less than a file of boxes may have; together they do not."""
    inner = zlib.compress(array("<", 9, (1 << 20, 1), "x", element("<", 2, bytes(1 << 20))))
    part = struct.pack("<II", 15, len(inner)) + inner
    with pytest.raises(UserError, match="unpacks to more than 16 MiB"):
        parse_mat(b"MATLAB".ljust(124) + b"\0\1IM" + part * 40, "x.mat")
