"""Square crops around a target, and how large each tracker cuts them.

Only the part of the crop that lies inside the frame is ever copied; the rest is filled with one colour, the mean of
the sequence's first frame. The pixels are those of padding the whole frame first, to the last one.
Sources: the SiamFC family's crop as SiamCAR, TransT and SOTS use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.datasets.images import Frame
from inmo.errors import UserError

Floats = NDArray[np.float64]
Colour = NDArray[np.uint8]
Side = Callable[[Floats], Floats]

MAX_SIDE = 16384  # 768 MiB of pixels; a box that asks for more is broken, and OpenCV's resize stops at 32767


def mean_colour(frame: Frame) -> Colour:
    """Mean of each channel of ``frame`` (H, W, 3), truncated to uint8 (a uint8 assignment, not rounding): (3,)."""
    total = np.array(cv2.sumElems(frame)[:3])  # exact: integers below 2**53
    colour: Colour = (total / (frame.shape[0] * frame.shape[1])).astype(np.uint8)
    return colour


def crop(frame: Frame, centre: Floats, side: float, size: int, fill: Colour) -> Frame:
    """As ``crop_into``, to a new array (size, size, 3) uint8."""
    made = np.empty((size, size, 3), np.uint8)
    crop_into(made, frame, centre, side, fill)
    return made


def crop_into(out: Frame, frame: Frame, centre: Floats, side: float, fill: Colour) -> None:
    """Cut a square of ``side`` pixels around ``centre`` and resize it to that of ``out``.

    The square's first column is floor(cx - (side + 1) / 2 + 0.5), rows alike.

    Args:
        out: (size, size, 3) uint8, contiguous; overwritten. OpenCV's bilinear resize unless ``size`` equals ``side``.
        frame: (H, W, 3) uint8.
        centre: (2,) x, y in pixels of the frame; may lie outside it.
        side: whole number of pixels, at least 1.
        fill: (3,) uint8 colour outside the frame, see ``mean_colour``.

    Raises:
        UserError: a centre or side that is not finite, or a side beyond 1..MAX_SIDE.
    """
    if not (np.isfinite(centre).all() and 1 <= side <= MAX_SIDE):
        raise UserError(
            f"cannot cut a search region of {side} px around {np.asarray(centre).tolist()}: the target's box is "
            "broken, check the first annotated box and the weights"
        )
    length = int(side)
    left, top = (int(v) for v in np.floor(centre - (length + 1) / 2 + 0.5))
    height, width = frame.shape[:2]
    x0, y0 = min(max(left, 0), width), min(max(top, 0), height)
    x1, y1 = max(min(left + length, width), x0), max(min(top + length, height), y0)
    patch = frame[y0:y1, x0:x1]
    if not patch.size:
        out[:] = fill
        return
    if patch.shape[:2] != (length, length):  # ``fill`` is whole numbers, of which copyMakeBorder rounds none
        beside = (y0 - top, top + length - y1, x0 - left, left + length - x1)
        whole = cv2.copyMakeBorder(patch, *beside, cv2.BORDER_CONSTANT, value=[int(v) for v in fill])
        patch = np.asarray(whole, np.uint8)
    if length == len(out):
        out[:] = patch
    else:
        cv2.resize(patch, out.shape[:2], dst=out)


def context_side(sizes: Floats, context: float) -> Floats:
    """sqrt((w + c p)(h + c p)) with p = (w + h) / 2, for sizes (..., 2) w, h: (...), in pixels, not rounded."""
    padding = context * sizes.sum(-1) * 0.5
    return np.asarray(np.sqrt((sizes[..., 0] + padding) * (sizes[..., 1] + padding)))


def transt_template_side(sizes: Floats) -> Floats:
    """TransT: the template's side for target sizes (..., 2), rounded up."""
    return np.ceil(context_side(sizes, 1.0))


def transinmo_template_side(sizes: Floats) -> Floats:
    """TransInMo and TransInMo* (SOTS): the template's side for target sizes (..., 2), rounded half to even."""
    return np.rint(context_side(sizes, 1.0))


def transt_search_side(sizes: Floats) -> Floats:
    """TransT, TransInMo, TransInMo*: the search region's side for target sizes (..., 2), rounded up."""
    return np.ceil(context_side(sizes, 3.0))


def siamcar_template_side(sizes: Floats) -> Floats:
    """SiamCAR and CNNInMo: the template's side for target sizes (..., 2), rounded half to even."""
    return np.maximum(np.rint(context_side(sizes, 1.0)), 1.0)


def siamcar_search_side(sizes: Floats, template_size: int = 127, search_size: int = 255) -> Floats:
    """SiamCAR: the template's unrounded side times search size / template size, rounded half to even."""
    return np.maximum(np.rint(context_side(sizes, 1.0) * (search_size / template_size)), 1.0)


def cnninmo_search_side(sizes: Floats, template_size: int = 127, search_size: int = 255) -> Floats:
    """CNNInMo (SOTS): as SiamCAR, halves rounded away from zero."""
    return np.maximum(np.floor(context_side(sizes, 1.0) * (search_size / template_size) + 0.5), 1.0)


@dataclass(frozen=True)
class Geometry:
    """Crops of one family at one size.

    Attributes:
        name: of the kind, part of the fingerprint of cached pairs.
        template_size, search_size: sides of the network's inputs in pixels.
        template_side, search_side: target sizes (n, 2) w, h to sides of the crops (n,) in pixels of the frame.
    """

    name: str
    template_size: int
    search_size: int
    template_side: Side
    search_side: Side


def transt_crops(template_size: int, search_size: int) -> Geometry:
    """TransT."""
    return Geometry("transt", template_size, search_size, transt_template_side, transt_search_side)


def transinmo_crops(template_size: int, search_size: int) -> Geometry:
    """TransInMo, TransInMo* and all small trackers with boxes relative to the template's."""
    return Geometry("transinmo", template_size, search_size, transinmo_template_side, transt_search_side)


def siamcar_crops(template_size: int, search_size: int) -> Geometry:
    """SiamCAR."""
    side = partial(siamcar_search_side, template_size=template_size, search_size=search_size)
    return Geometry("siamcar", template_size, search_size, siamcar_template_side, side)


def cnninmo_crops(template_size: int, search_size: int) -> Geometry:
    """CNNInMo."""
    side = partial(cnninmo_search_side, template_size=template_size, search_size=search_size)
    return Geometry("cnninmo", template_size, search_size, siamcar_template_side, side)
