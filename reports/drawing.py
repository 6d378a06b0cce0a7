"""Small JPEGs of frames: with the boxes of trackers and ground truth drawn in, or bare for a page that draws them.

This is the only part of a report that opens images, and it does so only where they still are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets import open_dataset
from datasets.base import Dataset
from datasets.base import Sequence as VideoSequence
from datasets.boxes import Boxes, shift_origin
from datasets.errors import UserError
from datasets.images import Frame, Frames
from reports.plots import DARK

WIDTH = 480  # pixels of a drawn frame: sharp lines at the size a page shows it
QUALITY = 82
SMALL = 480  # pixels of the longer side of a bare frame, of which a sequence has dozens
SMALL_QUALITY = 72
TRUTH = "#ffffff"
_SHIFT = 4  # OpenCV takes coordinates in 1/16 pixel


@dataclass(frozen=True)
class Track:
    """Boxes to draw: (n, 4) x, y, w, h in the numbers of the benchmark's files, and a colour ``#rrggbb``."""

    boxes: Boxes
    colour: str


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


def key_frames(
    dataset: Dataset, name: str, tracks: Sequence[Track], truth: Boxes, *, count: int = 5, width: int = WIDTH
) -> list[KeyFrame]:
    """``count`` evenly spaced frames of a sequence with all boxes drawn, the ground truth below the trackers.

    Args:
        dataset: the dataset, opened where the images are.
        name: the sequence.
        tracks: trackers' boxes, drawn in order; may be shorter than the sequence.
        truth: (n, 4) ground truth; rows that are NaN or of no size are not drawn.
        count: how many frames.
        width: pixels of the drawn frames.

    Raises:
        UserError: the sequence or its images are not there, or a frame cannot be decoded.
    """
    sequence, frames = _images(dataset, name)
    length = min(len(frames), len(truth)) if len(truth) > 1 else len(frames)
    drawn = []
    for index in sorted(set(np.linspace(0, length - 1, count).round().astype(int).tolist())):
        boxes = [Track(t.boxes[index : index + 1], t.colour) for t in (Track(truth, TRUTH), *tracks)]
        image = draw_boxes(
            frames.read(index), [Track(shift_origin(t.boxes, -sequence.origin), t.colour) for t in boxes], width=width
        )
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


def open_images(benchmark: str, root: str, label: str) -> Dataset:
    """Look for a stored dataset's images where they were. Raises UserError when the root is gone."""
    return open_dataset(benchmark, root, label=label)


def draw_boxes(frame: Frame, tracks: Sequence[Track], *, width: int = WIDTH) -> Frame:
    """A copy of a BGR frame, resized to ``width`` pixels, with 0-based boxes drawn thin over a dark casing.

    Every row of every track is drawn; rows that are not finite or of no size are left out.
    """
    scale = width / frame.shape[1]
    size = (width, max(1, round(frame.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = np.asarray(cv2.resize(frame, size, interpolation=method), dtype=np.uint8)
    for thickness, casing in ((4, True), (2, False)):
        for track in tracks:
            colour = (20, 20, 20) if casing else _bgr(track.colour)
            for box in track.boxes:
                if np.isfinite(box).all() and box[2] > 0 and box[3] > 0:
                    _rectangle(image, box * scale, colour, thickness)
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


def _rectangle(image: Frame, box: NDArray[np.float64], colour: tuple[int, int, int], thick: int) -> None:
    corners = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]]) - 0.5  # OpenCV counts from pixel centres
    bounded = np.clip(corners, -10_000, 10_000) * (1 << _SHIFT)
    x0, y0, x1, y1 = (int(v) for v in bounded.round())
    cv2.rectangle(image, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA, _SHIFT)


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return blue, green, red
