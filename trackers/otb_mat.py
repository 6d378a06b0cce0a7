"""Raw results of the OTB MATLAB toolkit: ``results{1}.res`` in a ``.mat`` file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from datasets.boxes import Boxes
from datasets.errors import UserError


def parse_mat(data: bytes, where: str) -> Boxes:
    """The boxes of the first run, (m, 4) x, y, w, h.

    Raises UserError for files that hold no such run, or one in another representation than rectangles.
    """
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
