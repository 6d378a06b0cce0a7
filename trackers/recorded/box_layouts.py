"""What the numbers of a raw result's row may be: x, y, w, h, or what else people write, and how it becomes that.

Nothing here is guessed: a layout is used where somebody asks for it. Which one a tracker's files seem to have is the
business of ``inmo.reports.scoring.diagnosis``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inmo.boxes import Boxes, cxcywh_to_xywh, polygon_to_xywh, xyxy_to_xywh
from inmo.datasets.text import BOX, POLYGON, parse_rows
from inmo.errors import UserError, unknown_name

AS_GIVEN_PX = 1.0  # a first row this near the annotated box is that box: rounded, or counted from the other origin
_FITTED = slice(1, 11)  # rows that tell the scale where the first row is in pixels already


def _as_it_stands(boxes: Boxes) -> Boxes:
    return boxes


@dataclass(frozen=True)
class BoxLayout:
    """One way to write a box.

    Attributes:
        name: on the command line.
        words: for people.
        to_xywh: (m, ``columns``) rows -> (m, 4) x, y, w, h.
        columns: numbers in a row.
        scaled: the numbers are fractions of the frame, or pixels of a frame of another size.
    """

    name: str
    words: str
    to_xywh: Callable[[Boxes], Boxes]
    columns: int = BOX
    scaled: bool = False

    def parse(self, data: bytes, where: str) -> Boxes:
        """The rows of a file, (m, ``columns``). Four numbers before polygons are the box that tracking began with.

        Raises UserError, also for a file of polygons where they were not asked for.
        """
        if self.columns == POLYGON:
            head, _, rest = data.lstrip().partition(b"\n")
            try:
                x, y, w, h = parse_rows(head, where=where)[0]
            except (UserError, IndexError):
                return parse_rows(data, where=where, columns=POLYGON)
            first = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            return np.concatenate([first, parse_rows(rest, where=where, columns=POLYGON)])
        try:
            return parse_rows(data, where=where)
        except UserError as error:
            try:
                parse_rows(data, where=where, columns=POLYGON)
            except UserError:
                raise error from None
            if b";" in data and b"," in data:
                raise UserError(
                    f"{where} has 8 numbers in a row, between commas and semicolons: write decimal commas as points; "
                    "for polygons, score --boxes polygon takes their enclosing rectangles"
                ) from error
            raise UserError(
                f"{where} holds polygons, 8 numbers in a row: score --boxes polygon takes their enclosing rectangles"
            ) from error

    def read(self, rows: Boxes, annotated: Boxes, where: str) -> Boxes:
        """The boxes, (m, 4) x, y, w, h, of the rows of one sequence.

        A first row that is the annotated box as it stands stays: many writers put down the box they were given, and
        only their own answers otherwise.

        Args:
            rows: (m, ``columns``).
            annotated: (n, 4) x, y, w, h; of scaled rows it tells the size of the frame.

        Raises UserError for rows of another width, and where the size of the frame cannot be told.
        """
        if rows.shape[1] != self.columns:
            raise UserError(f"{where} has {rows.shape[1]} numbers in a row: --boxes {self.name} takes {self.columns}")
        boxes = self.to_xywh(rows)
        given = bool(len(rows) and self.columns == BOX and np.abs(rows[0] - annotated[0]).max() <= AS_GIVEN_PX)
        if self.scaled and len(rows):
            scale = frame_scale(boxes, annotated, given=given, where=where)
            boxes = boxes * np.concatenate([scale, scale])
        if given:
            boxes[0] = rows[0]
        return boxes


def frame_scale(boxes: Boxes, annotated: Boxes, *, given: bool, where: str) -> Boxes:
    """What x and y, (2,), are to be multiplied by so that right and bottom of a tracker's first box are the annotated.

    Args:
        boxes: (m, 4) x, y, w, h in units of their own.
        annotated: (n, 4) x, y, w, h.
        given: the first row is in pixels already: the next ten tell, by their median.

    Raises UserError where no row tells.
    """
    rows = _FITTED if given else slice(0, 1)
    count = min(len(boxes[rows]), len(annotated[rows]))
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs, ours = (b[rows][:count, :2] + b[rows][:count, 2:] for b in (boxes, annotated))
        factor = ours / theirs
    factor = factor[(np.isfinite(factor) & (factor > 0)).all(axis=1)]
    if not len(factor):
        raise UserError(f"{where} does not tell the size of its frame: its first box cannot be scaled to the annotated")
    found: Boxes = np.median(factor, axis=0)
    return found


_SCALED = "normalised or of a frame of another size"
BOX_LAYOUTS: dict[str, BoxLayout] = {
    row.name: row
    for row in (
        BoxLayout("xywh", "x, y, w, h", _as_it_stands),
        BoxLayout("xyxy", "corners (x1, y1, x2, y2)", xyxy_to_xywh),
        BoxLayout("cxcywh", "centres (cx, cy, w, h)", cxcywh_to_xywh),
        BoxLayout("normalised", f"x, y, w, h, {_SCALED}", _as_it_stands, scaled=True),
        BoxLayout("normalised-xyxy", f"corners (x1, y1, x2, y2), {_SCALED}", xyxy_to_xywh, scaled=True),
        BoxLayout("normalised-cxcywh", f"centres (cx, cy, w, h), {_SCALED}", cxcywh_to_xywh, scaled=True),
        BoxLayout("polygon", "polygons, by their enclosing rectangles", polygon_to_xywh, columns=POLYGON),
    )
}


def box_layout(name: str) -> BoxLayout:
    """The row called ``name``. Raises UserError with a did-you-mean."""
    if name not in BOX_LAYOUTS:
        raise unknown_name("box layout", name, BOX_LAYOUTS)
    return BOX_LAYOUTS[name]
