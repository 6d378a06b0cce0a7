"""Raw results of the OTB MATLAB toolkit: ``results{1}.res`` in a ``.mat`` file."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np

from datasets.boxes import Boxes
from datasets.errors import UserError
from datasets.files import MAX_TEXT_BYTES


def parse_mat(data: bytes, where: str) -> Boxes:
    """The boxes of the first run, (m, 4) x, y, w, h.

    Raises UserError for files that hold no such run, or one in another representation than rectangles.
    """
    _demand_sane(data, where)
    from scipy.io import loadmat  # slow to import, and no other format needs it

    try:
        stream: Any = io.BytesIO(data)
        run = np.atleast_1d(loadmat(stream, squeeze_me=True, struct_as_record=False)["results"])[0]
        kind, boxes = str(getattr(run, "type", "rect")), np.asarray(run.res, dtype=np.float64)
    except Exception as error:
        raise UserError(f"{where} is no OTB result: {error}; it should hold results{{1}}.res") from error
    if kind != "rect" or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise UserError(f"{where} holds a result of type '{kind}': convert it to rectangles x, y, w, h")
    return boxes


def _demand_sane(data: bytes, where: str) -> None:
    """Raises UserError for a compressed element (type 15) of more bytes than any result has: scipy would unpack it."""
    place = 128
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<II", data, place)
        if kind == 15:
            unpacker = zlib.decompressobj()
            try:
                unpacker.decompress(data[place + 8 : place + 8 + length], MAX_TEXT_BYTES)
            except zlib.error:
                return  # scipy says what is wrong
            if unpacker.unconsumed_tail:
                raise UserError(f"{where} is no OTB result: it unpacks to more than {MAX_TEXT_BYTES >> 20} MiB")
        place += 8 + length
