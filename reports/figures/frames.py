"""Small JPEGs of frames: with the boxes of trackers and ground truth drawn in, or bare for a page that draws them.

This is the only part of a report that opens images, and it does so only where they still are.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, shift_origin
from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.datasets.base import Sequence as VideoSequence
from inmo.datasets.images import Frame, Frames
from inmo.errors import UserError
from inmo.harness.store.records import StoredDataset
from inmo.reports.figures.style import DARK, Style

COUNT = 5  # drawn frames of a sequence
WIDTH = 480  # pixels of a drawn frame: sharp lines at the size a page shows it
THICK = 3  # pixels of a tracker's line in one: a page shows it at about half its size
QUALITY = 82
SMALL = 480  # pixels of the longer side of a bare frame, of which a sequence has dozens
SMALL_QUALITY = 72
TRUTH, TRUTH_WEIGHT = "#ffffff", 2  # no tracker is white, or twice as thick as the others
CASING = 2  # pixels of the dark line around a line, both sides together
DASH = 1.5  # times the thickness of a line: the unit of its dashes
_SHIFT = 4  # OpenCV takes coordinates in 1/16 pixel


@dataclass(frozen=True)
class Track:
    """Boxes to draw.

    Attributes:
        boxes: (n, 4) x, y, w, h in the numbers of the benchmark's files.
        colour: ``#rrggbb``.
        dashes: lengths of line and gap in turn, in units of ``DASH`` thicknesses; none for a line without gaps.
        weight: thickness in that of a tracker's line.
    """

    boxes: Boxes
    colour: str
    dashes: tuple[float, ...] = ()
    weight: int = 1


@dataclass(frozen=True)
class KeyFrame:
    """One drawn frame: its index from 0, the JPEG and its size in pixels."""

    index: int
    jpeg: bytes
    width: int
    height: int


def colour_on_image(hue: int) -> str:
    """The bright variant of a tracker's hue, which holds on most images above its dark casing."""
    return DARK[hue]


def tracker_boxes(boxes: Boxes, style: Style) -> Track:
    """A tracker's boxes in its hue and with the dashes of its curves."""
    return Track(boxes, colour_on_image(style.hue), style.dashes)


def true_boxes(boxes: Boxes) -> Track:
    """The ground truth: white and thick, so that it is seen around a tracker's box that covers it."""
    return Track(boxes, TRUTH, weight=TRUTH_WEIGHT)


def key_frames(
    dataset: Dataset, name: str, tracks: Sequence[Track], truth: Boxes, *, at: Sequence[int] = ()
) -> list[KeyFrame]:
    """Frames of a sequence with all boxes drawn, the ground truth below the trackers.

    Args:
        dataset: the dataset, opened where the images are.
        name: the sequence.
        tracks: trackers' boxes, drawn in order; may be shorter than the sequence.
        truth: (n, 4) ground truth; rows that are NaN or of no size are not drawn.
        at: the frames wanted, from 0; ``COUNT`` evenly spaced ones when empty.

    Raises:
        UserError: the sequence or its images are not there, or a frame cannot be decoded.
    """
    sequence, frames = _images(dataset, name)
    length = min(len(frames), len(truth)) if len(truth) > 1 else len(frames)
    drawn = []
    spaced = np.linspace(0, length - 1, COUNT).round().astype(int).tolist()
    for index in sorted(set(at or spaced)):
        placed = [
            replace(track, boxes=shift_origin(track.boxes[index : index + 1], -sequence.origin))
            for track in (true_boxes(truth), *tracks)
        ]
        image = draw_boxes(frames.read(index), placed, thick=THICK)
        data = _jpeg(image, QUALITY, f"frame {index} of {name}")
        drawn.append(KeyFrame(index, data, image.shape[1], image.shape[0]))
    return drawn


@dataclass(frozen=True)
class Thumbnails:
    """Bare frames on disk: their size in pixels, and the scale that takes a box of the benchmark's files there."""

    width: int
    height: int
    scale: float
    origin: int

    def place(self, boxes: Boxes) -> Boxes:
        """(..., 4) boxes in the numbers of the benchmark's files -> 0-based pixels of the small frames."""
        return shift_origin(boxes, -self.origin) * self.scale


def write_frames(dataset: Dataset, name: str, indices: Sequence[int], folder: Path) -> Thumbnails:
    """Write frames of a sequence as FOLDER/<index>.jpg, nothing drawn in; those of an earlier report are removed.

    Raises:
        UserError: the sequence or its images are not there, or a frame cannot be decoded.
        OSError: the folder cannot be written.
    """
    sequence, frames = _images(dataset, name)
    if indices[-1] >= len(frames):
        raise UserError(f"{name} has {len(frames)} images for {indices[-1] + 1} annotated frames")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{index}.jpg" for index in indices}
    for path in folder.glob("*.jpg"):
        if path.name not in wanted:
            path.unlink()
    size, scale = (0, 0), 1.0
    for index in indices:
        image = frames.read(index)
        if size == (0, 0):  # all are brought to the size of the first
            scale = min(1.0, SMALL / max(image.shape[:2]))
            size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        (folder / f"{index}.jpg").write_bytes(_jpeg(small, SMALL_QUALITY, f"frame {index} of {name}"))
    return Thumbnails(*size, scale, sequence.origin)


def open_images(data: StoredDataset) -> Dataset | UserError:
    """A stored dataset opened where its images were, or why it cannot be."""
    try:
        return open_dataset(data.benchmark, data.root, label=data.label)
    except UserError as error:
        return error


def draw_boxes(frame: Frame, tracks: Sequence[Track], *, width: int = WIDTH, thick: int = 2) -> Frame:
    """A copy of a BGR frame, resized to ``width`` pixels, with 0-based boxes over dark casings.

    Every row of every track is drawn; rows that are not finite or of no size are left out. Lines are ``thick`` pixels
    times their track's weight. All casings lie below all lines: where boxes coincide, the gaps of a dashed one show the
    next, and the thick ground truth shows on both sides.
    """
    scale = width / frame.shape[1]
    size = (width, max(1, round(frame.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = np.asarray(cv2.resize(frame, size, interpolation=method), dtype=np.uint8)
    for casing in (True, False):
        for track in tracks:
            colour = (20, 20, 20) if casing else bgr(track.colour)
            thickness = thick * track.weight
            dashes = [] if casing else [d * DASH * thickness for d in track.dashes]
            for box in track.boxes:
                if np.isfinite(box).all() and box[2] > 0 and box[3] > 0:
                    _rectangle(image, box * scale, colour, thickness + CASING * casing, dashes)
    return image


def _images(dataset: Dataset, name: str) -> tuple[VideoSequence, Frames]:
    sequence = next((s for s in dataset.sequences if s.name == name), None)
    if sequence is None or sequence.frames is None:
        raise UserError(f"{dataset.root} holds no images of {name}")
    return sequence, sequence.frames()


def _jpeg(image: Frame, quality: int, what: str) -> bytes:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise UserError(f"{what} cannot be written as JPEG: it has {image.shape} pixels")
    return data.tobytes()


def _rectangle(
    image: Frame, box: NDArray[np.float64], colour: tuple[int, int, int], thick: int, dashes: Sequence[float]
) -> None:
    corners = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]]) - 0.5  # OpenCV counts from pixel centres
    bounded = np.clip(corners, -10_000, 10_000)
    if dashes:
        for start, end in dashed(bounded, dashes, image.shape[1], image.shape[0], thick):
            cv2.line(image, _sixteenths(start), _sixteenths(end), colour, thick, cv2.LINE_AA, _SHIFT)
    else:
        cv2.rectangle(image, _sixteenths(bounded[:2]), _sixteenths(bounded[2:]), colour, thick, cv2.LINE_AA, _SHIFT)


def dashed(
    corners: NDArray[np.float64], dashes: Sequence[float], width: int, height: int, thick: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The pieces of a dashed rectangle, clockwise from its upper left corner, as an SVG has them.

    Args:
        corners: x0, y0, x1, y1.
        dashes: pixels of line and gap in turn, around all four sides in one go.
        width, height: of the image: pieces of a side that lies beside it are left out.
        thick: of the line. OpenCV rounds its ends off and so makes it longer by half of that at either end, which is
            taken off here, but not at the corners.
    """
    x0, y0, x1, y1 = corners
    path = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
    period, marks = sum(dashes), np.concatenate([[0.0], np.cumsum(dashes)])
    before = 0.0  # how far around the rectangle the side starts
    for start, end in itertools.pairwise(path):
        along = float(np.abs(end - start).sum())
        axis = int(start[0] == end[0])  # 0 for a side across, 1 for one down
        low, high = -2.0 * thick, (width, height)[axis] + 2.0 * thick
        beside = not -thick <= start[1 - axis] <= (width, height)[1 - axis] + thick
        sign = 1.0 if end[axis] >= start[axis] else -1.0
        shown = sorted((low - start[axis], high - start[axis]) if sign > 0 else (start[axis] - low, start[axis] - high))
        first, last = max(0.0, shown[0]), min(along, shown[1])
        if not beside and first < last:
            turn = math.floor((before + first) / period)
            while turn * period < before + last:
                for on, off in zip(marks[:-1:2], marks[1::2], strict=True):
                    a, b = turn * period + on - before, turn * period + off - before
                    if a < last and b > first:
                        a = 0.0 if a <= 0 else min(a + thick / 2, along)
                        b = along if b >= along else max(b - thick / 2, a)
                        step = np.array([sign, 0.0] if axis == 0 else [0.0, sign])
                        yield start + step * a, start + step * b
                turn += 1
        before += along


def _sixteenths(place: NDArray[np.float64]) -> tuple[int, int]:
    x, y = (place * (1 << _SHIFT)).round()
    return int(x), int(y)


def bgr(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as OpenCV takes it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return blue, green, red
