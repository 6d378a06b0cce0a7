"""Numbers from text files: annotations and raw results in the many dialects people write.

Most files are strictly regular: one separator, the same count on every line, plain decimal numbers. Such a file is
one JSON array in disguise, and simdjson reads it an order of magnitude faster than any CSV reader. Everything else
(mixed separators, ``NaN``, ``+1``, ``.5``) takes the careful path, which is also the one that explains what is wrong.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import numpy as np
import simdjson

from inmo.boxes import Boxes
from inmo.errors import UserError

BOX, POLYGON = 4, 8  # numbers in a row: x, y, w, h, or the corners of a rotated box
_BOM = b"\xef\xbb\xbf"
_NUMBER = b"0123456789.-+eE"
_BLANKS = b" \t\r\n,;"
_SEPARATORS = re.compile(rb"[ \t\r,;]+")
_WORDS = re.compile(rb"[^ \t\r]+")  # vertical tabs and form feeds, at which bytes.split() splits, separate nothing
_EMPTY_AT_START = re.compile(rb"\n(?:[ \r]*[,;\t]|   (?:\n|\Z))")  # three blanks alone are four empty fields


def parse_rows(data: bytes, *, where: str, columns: int = BOX) -> Boxes:
    """Parse rows of four numbers, or of ``columns``, separated by commas, tabs, semicolons or blanks, in any mixture.

    Accepts CRLF, a byte-order mark, blank lines at either end, ``NaN`` in any spelling and ``inf``. An empty field is
    a NaN, as spreadsheets and pandas write it: ``1,,3,4`` lacks its y, ``,,,`` lacks all four. Where blanks alone
    separate, several of them are one separator.

    Args:
        data: the file's bytes.
        where: the file's name for messages.
        columns: numbers in a row.

    Returns:
        (n, columns) float64, correctly rounded and writeable; n = 0 for an empty file.

    Raises:
        UserError: a row with another count of fields, a word that is no number, or a blank line in the middle.
    """
    text = data.removeprefix(_BOM)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    found = _parse_regular(text.strip(b" \n"), columns)
    if found is None and not _has_gaps(text):
        plain = _SEPARATORS.sub(b",", text.strip(_BLANKS)).replace(b",\n", b"\n").replace(b"\n,", b"\n")
        found = _parse_regular(plain, columns)
    return _parse_carefully(text, where, columns) if found is None else found


def _has_gaps(text: bytes) -> bool:
    """Whether a row of four numbers may have an empty field before its last number, or a line consist of empty ones.

    Separators behind the last number are not asked about: they are none, or the row is too short to be regular.
    """
    close = text.translate(None, b" \t").replace(b";", b",")
    return bool(b",," in close or b"\t\t" in text or _EMPTY_AT_START.search(b"\n" + text))


def _parse_regular(text: bytes, columns: int) -> Boxes | None:
    """Rows of plain numbers with one separator, comma or tab, throughout; None when the text is anything else."""
    separator = b"\t" if b"\t" in text[:200] else b","
    skeleton = text.translate(None, _NUMBER)  # what is left of a regular file is separators in strict rhythm
    rows, rest = divmod(len(skeleton) + 1, columns)
    if rest or skeleton + b"\n" != (separator * (columns - 1) + b"\n") * rows:
        return None
    flat = text.replace(b"\n", b",")
    if separator != b",":
        flat = flat.replace(separator, b",")
    try:
        array: Any = simdjson.Parser().parse(b"[" + flat + b"]")
        numbers = array.as_buffer(of_type="d")
    except (ValueError, RuntimeError):
        return None  # a number in another spelling than JSON's, or one of more digits than simdjson takes
    return np.frombuffer(numbers, dtype=np.float64).reshape(rows, columns)


def _parse_carefully(text: bytes, where: str, columns: int) -> Boxes:
    lines = text.split(b"\n")
    spaced = not re.search(rb"[,;\t]", text)
    rows = [_fields(line, spaced, columns) for line in lines]
    while rows and not rows[-1]:
        rows.pop()
    first = next((number for number, row in enumerate(rows) if row), len(rows))
    for number, row in enumerate(rows[first:], 1 + first):
        if len(row) != columns:
            gaps = row.count(b"")
            what = f"{len(row)} fields, {gaps} of them empty," if gaps else f"{len(row)} numbers"
            raise UserError(f"line {number} of {where} has {what} instead of {columns}: mend or replace the file")
        for word in row:
            if word and not _is_number(word):
                shown = word.decode("utf-8", "replace")[:40]
                raise UserError(f"line {number} of {where} holds '{shown}', which is no number: mend the file")
    words = (word or b"nan" for word in chain.from_iterable(rows))
    return np.array(list(map(float, words)), dtype=np.float64).reshape(-1, columns)


def _fields(line: bytes, spaced: bool, columns: int) -> list[bytes]:
    """The fields of a line, empty ones as ``b""``; none for a blank line. ``spaced``: only spaces separate in the file.

    A separator behind the last field is no field of its own, however often it stands there.
    """
    if not line.strip():
        empty = line.strip(b"\r") == b"   " if spaced else line.count(b"\t") >= columns - 1
        return [b""] * columns if empty else []
    separator = rb"[,;]" if b"," in line or b";" in line else rb"\t"
    fields = list(chain.from_iterable(_WORDS.findall(part) or [b""] for part in re.split(separator, line)))
    while len(fields) > columns and not fields[-1]:
        fields.pop()
    return fields


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return b"_" not in word  # Python would read 1_000
