"""Raw results of the OTB MATLAB toolkit: ``results{1}.res`` in a ``.mat`` file of level 5.

Source of the layout: "MAT-File Format", The MathWorks. Only what such a result holds is read. scipy's reader knows all
of the format, but some damaged files end the whole process in it (SIGSEGV), and it takes whatever size a file claims;
the tests compare the two.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.files import MAX_TEXT_BYTES
from inmo.errors import UserError

HEADER = 128  # bytes: a text, the place of data that we need not, version and byte order
MATRIX, COMPRESSED = 14, 15  # element types
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}  # how characters are kept
CELL, STRUCT, CHARACTERS, NUMERIC = 1, 2, 4, range(6, 16)  # classes of an array
COMPLEX = 1 << 11  # of an array's flags


def parse_mat(data: bytes, where: str) -> Boxes:
    """The boxes of the one run of a file, (m, 4) x, y, w, h.

    Raises UserError for files that hold no such run, several, or one in another representation than rectangles.
    """
    try:
        run = _first_run(data, where)
        kind = run["type"].text() if "type" in run else "rect"
        boxes = run["res"].numbers()
    except (ValueError, struct.error, zlib.error) as error:
        raise UserError(f"{where} is no OTB result: {error}; it should hold results{{1}}.res") from error
    if kind != "rect":
        raise UserError(f"{where} holds a result of type '{kind}': convert it to rectangles x, y, w, h")
    shape = " x ".join(map(str, boxes.shape))
    if boxes.ndim > 2 and boxes.shape[-1] == 4:
        raise UserError(
            f"{where} holds {boxes.shape[0]} runs of rectangles ({shape}): write each run as a file of its own, "
            "<tracker>_000/<sequence>.mat and so on"
        )
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise UserError(f"{where} holds {shape} numbers: it should hold a row x, y, w, h per frame")
    return boxes


@dataclass(frozen=True)
class _Array:
    """An array of the file, as far as its head; ``parts`` is what follows. ``order``: of bytes, ``<`` or ``>``."""

    kind: int
    flags: int
    shape: tuple[int, ...]
    name: str
    parts: Iterator[tuple[int, memoryview]]
    order: str

    def numbers(self) -> Boxes:
        if self.kind not in NUMERIC or self.flags & COMPLEX:
            raise ValueError("res is no matrix of real numbers")
        kind, data = _next(self.parts)
        if kind not in NUMBERS:
            raise ValueError(f"its numbers are of the unknown type {kind}")
        values = np.frombuffer(data, self.order + NUMBERS[kind])
        with np.errstate(invalid="ignore"):  # of a NaN that signals when it is converted
            return values.reshape(self.shape, order="F").astype(np.float64, order="C")

    def text(self) -> str:
        kind, data = _next(self.parts)
        if self.kind != CHARACTERS or kind not in TEXTS:
            raise ValueError("type is no text")
        wide = TEXTS[kind] in ("utf-16", "utf-32")
        return bytes(data).decode(TEXTS[kind] + ({"<": "-le", ">": "-be"}[self.order] if wide else ""))

    def first_cell(self) -> _Array:
        return _array(*_next(self.parts), self.order)

    def first_fields(self) -> dict[str, _Array]:
        """Field name -> array, of the first of the structs."""
        width = max(struct.unpack(self.order + "i", _next(self.parts)[1])[0], 1)
        names = bytes(_next(self.parts)[1])
        fields = [names[i : i + width].split(b"\0")[0].decode("latin-1") for i in range(0, len(names), width)]
        found = dict(zip(fields, self.parts, strict=False))
        if "res" not in found:
            raise ValueError("its struct has no field 'res'")
        # no other field is looked into: they may be of any class
        return {name: _array(*found[name], self.order) for name in ("type", "res") if name in found}


def _first_run(data: bytes, where: str) -> dict[str, _Array]:
    if len(data) < HEADER or data[126:128] not in (b"IM", b"MI"):
        raise ValueError("it is no .mat file")
    order = "<" if data[126:128] == b"IM" else ">"
    if struct.unpack(order + "H", data[124:126])[0] != 0x100:
        raise ValueError("it is no .mat file of level 5 (save it with -v7)")
    room = MAX_TEXT_BYTES
    for kind, part in _elements(memoryview(data)[HEADER:], order):
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            whole = unpacker.decompress(part, room)
            room -= len(whole)
            if unpacker.unconsumed_tail or room < 1:
                raise UserError(f"{where} is no OTB result: it unpacks to more than {MAX_TEXT_BYTES >> 20} MiB")
            array = _array(*_next(_elements(memoryview(whole), order)), order)
        else:
            array = _array(kind, part, order)
        if array.name == "results":
            run = array.first_cell() if array.kind == CELL else array
            if run.kind != STRUCT:
                raise ValueError("results{1} is no struct")
            if (runs := math.prod(array.shape)) > 1:
                raise UserError(
                    f"{where} holds {runs} runs, as TRE and SRE have them: keep one, or write each as a file of its "
                    "own, <tracker>_000/<sequence>.mat and so on"
                )
            return run.first_fields()
    raise ValueError("it has no variable 'results'")


def _array(kind: int, data: memoryview, order: str) -> _Array:
    if kind != MATRIX:
        raise ValueError(f"an element of type {kind} stands where an array should")
    if not data:  # how an empty one may be written
        return _Array(NUMERIC[0], 0, (0, 0), "", iter(()), order)
    parts = _elements(data, order)
    flags = np.frombuffer(_next(parts)[1], order + "u4")
    shape = np.frombuffer(_next(parts)[1], order + "i4")
    if not flags.size or shape.size < 2 or shape.min() < 0:
        raise ValueError("the head of an array is damaged")
    name = bytes(_next(parts)[1]).decode("latin-1")
    return _Array(int(flags[0]) & 0xFF, int(flags[0]), tuple(int(n) for n in shape[:3]), name, parts, order)


def _next(parts: Iterator[tuple[int, memoryview]]) -> tuple[int, memoryview]:
    """Type and content of the next element. Raises ValueError when there is none."""
    for part in parts:
        return part
    raise ValueError("something is missing in it")


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Type and content of each element. Raises ValueError for one that does not fit."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack(order + "II", data[place : place + 8])
        if kind >> 16:  # up to four bytes stand in the head itself
            yield kind & 0xFFFF, data[place + 4 : place + 4 + min(kind >> 16, 4)]
            place += 8
            continue
        if size > len(data) - place - 8:
            raise ValueError("it ends early")
        yield kind, data[place + 8 : place + 8 + size]
        place += 8 + size
        if kind != COMPRESSED:
            place += -size % 8
