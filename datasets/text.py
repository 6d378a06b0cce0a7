"""Numbers from text files: annotations and raw results in the many dialects people write."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from datasets.errors import UserError

_BOM = b"\xef\xbb\xbf"
_SEPARATORS = bytes.maketrans(b",;\t\r", b"    ")


def parse_rows(data: bytes, *, columns: int, where: str) -> NDArray[np.float64]:
    """Parse rows of numbers separated by commas, tabs, semicolons or blanks, in any mixture.

    Accepts CRLF, a byte-order mark, blank lines at either end, ``NaN`` in any spelling and ``inf``.

    Args:
        data: the file's bytes.
        columns: numbers wanted per row; further ones are an error.
        where: the file's name for messages.

    Returns:
        (n, columns) float64; n = 0 for an empty file.

    Raises:
        UserError: a row with another count of numbers, a word that is no number, or a blank line in the middle.
    """
    lines = data.removeprefix(_BOM).translate(_SEPARATORS).strip().split(b"\n")
    rows = [line.split() for line in lines] if lines != [b""] else []
    for number, row in enumerate(rows, 1):
        if len(row) != columns:
            raise UserError(
                f"line {number} of {where} has {len(row)} numbers instead of {columns}: mend or replace the file"
            )
    try:
        return np.array(rows, dtype=np.float64).reshape(-1, columns)
    except ValueError as error:
        word = re.sub(r".*: ", "", str(error))
        raise UserError(f"{where} holds {word}, which is no number: mend or replace the file") from error
