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

_COLUMNS = 4  # x, y, w, h, or two corners
_BOM = b"\xef\xbb\xbf"
_NUMBER = b"0123456789.-+eE"
_BLANKS = b" \t\r\n,;"
_SEPARATORS = re.compile(rb"[ \t\r,;]+")


def parse_rows(data: bytes, *, where: str) -> Boxes:
    """Parse rows of four numbers separated by commas, tabs, semicolons or blanks, in any mixture.

    Accepts CRLF, a byte-order mark, blank lines at either end, ``NaN`` in any spelling and ``inf``.

    Args:
        data: the file's bytes.
        where: the file's name for messages.

    Returns:
        (n, 4) float64, correctly rounded and writeable; n = 0 for an empty file.

    Raises:
        UserError: a row with another count of numbers, a word that is no number, or a blank line in the middle.
    """
    text = data.removeprefix(_BOM).strip(_BLANKS)
    if not text:
        return np.empty((0, _COLUMNS))
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    found = _parse_regular(text)
    if found is None:
        text = _SEPARATORS.sub(b",", text).replace(b",\n", b"\n").replace(b"\n,", b"\n")
        found = _parse_regular(text)
    if found is None:
        lead = data[: len(data) - len(data.lstrip(_BOM + _BLANKS))]
        found = _parse_carefully(text, where, skipped=lead.count(b"\n"))
    return found


def _parse_regular(text: bytes) -> Boxes | None:
    """Rows of plain numbers with one separator, comma or tab, throughout; None when the text is anything else."""
    separator = b"\t" if b"\t" in text[:200] else b","
    skeleton = text.translate(None, _NUMBER)  # what is left of a regular file is separators in strict rhythm
    rows, rest = divmod(len(skeleton) + 1, _COLUMNS)
    if rest or skeleton + b"\n" != (separator * (_COLUMNS - 1) + b"\n") * rows:
        return None
    flat = text.replace(b"\n", b",")
    if separator != b",":
        flat = flat.replace(separator, b",")
    try:
        array: Any = simdjson.Parser().parse(b"[" + flat + b"]")
        numbers = array.as_buffer(of_type="d")
    except (ValueError, RuntimeError):
        return None  # a number in another spelling than JSON's, or one of more digits than simdjson takes
    return np.frombuffer(numbers, dtype=np.float64).reshape(rows, _COLUMNS)


def _parse_carefully(text: bytes, where: str, skipped: int) -> Boxes:
    rows = [line.split(b",") if line else [] for line in text.split(b"\n")]
    for number, row in enumerate(rows, 1 + skipped):
        if len(row) != _COLUMNS:
            raise UserError(
                f"line {number} of {where} has {len(row)} numbers instead of {_COLUMNS}: mend or replace the file"
            )
        for word in row:
            if not _is_number(word):
                shown = word.decode("utf-8", "replace")[:40]
                raise UserError(f"line {number} of {where} holds '{shown}', which is no number: mend the file")
    return np.array(list(map(float, chain.from_iterable(rows))), dtype=np.float64).reshape(-1, _COLUMNS)


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return b"_" not in word  # Python would read 1_000
