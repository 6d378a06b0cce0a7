"""Frames of a sequence: image files or a video. Frames are BGR, uint8, (H, W, 3), as OpenCV reads them."""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.errors import UserError

try:
    import simplejpeg
except ImportError:  # it is quicker than OpenCV and gives the same pixels, so it may be there or not
    simplejpeg = None

Frame = NDArray[np.uint8]
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
PIXELS = "OPENCV_IO_MAX_IMAGE_PIXELS"  # set in datasets/__init__.py where the user has not
MAX_IMAGE_BYTES = 256 * 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
MOST_DEFLATED = 1032  # bytes that deflate can make of one: at best two bits stand for 258 bytes
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")


class Frames(Protocol):
    """What the engine asks of a source of frames."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Frame:
        """Frame ``index`` (from 0) as BGR uint8 (H, W, 3). Raises UserError when it cannot be decoded."""
        ...

    def names(self) -> list[str]:
        """Where each frame comes from, for the data fingerprint and for messages."""
        ...


@dataclass(frozen=True)
class ImageFrames:
    """One image file per frame, in order."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> Frame:
        return read_image(self.paths[index])

    def names(self) -> list[str]:
        return [str(p) for p in self.paths]


@dataclass
class VideoFrames:
    """Frames of one video file, decoded in order; going back seeks from the start."""

    path: Path
    length: int
    _capture: cv2.VideoCapture | None = field(default=None, repr=False)
    _next: int = 0

    def __len__(self) -> int:
        return self.length

    def read(self, index: int) -> Frame:
        if self._capture is None or index < self._next:
            self._capture, self._next = cv2.VideoCapture(str(self.path)), 0
        while self._next < index and self._capture.grab():
            self._next += 1
        ok, frame = self._capture.read()
        self._next += 1
        if not ok:
            raise UserError(f"frame {index} of {self.path} cannot be decoded: the video is cut short or damaged")
        return np.asarray(frame, dtype=np.uint8)

    def names(self) -> list[str]:
        return [f"{self.path}#{i}" for i in range(self.length)]

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "length": self.length, "_capture": None, "_next": 0}


def read_image(path: Path) -> Frame:
    """Decode one image file to BGR uint8 (H, W, 3); grey, alpha and 16-bit files are converted.

    Raises UserError for a file that is missing, empty, no image, absurdly large, or a JPEG that ends early: OpenCV
    would fill the rest of such a frame with grey and say nothing to its caller.
    """
    return decode(read_bytes(path), path)


def read_bytes(path: Path) -> NDArray[np.uint8]:
    """The content of a file. Raises UserError when it cannot be read."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_IMAGE_BYTES:  # a pipe or a device never ends
            raise UserError(f"image {path} is no file, or one of more than {MAX_IMAGE_BYTES >> 20} MiB: replace it")
        return np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise UserError(f"cannot read image {path}: {error.strerror or error}") from error


def decode(data: NDArray[np.uint8], path: Path) -> Frame:
    """The content of an image file as ``read_image`` gives it; ``path`` is for messages. Raises UserError alike."""
    if data.size > 4 and data[0] == 0xFF and data[1] == 0xD8:
        if b"\xff\xd9" not in data[-4096:].tobytes():
            raise UserError(f"image {path} is a truncated JPEG (no end marker): download or copy it again")
        quick = _decode_jpeg(data)
        if quick is not None:
            return quick
    elif data[: len(PNG)].tobytes() == PNG and not _is_whole_png(data):
        raise UserError(f"image {path} is a truncated or damaged PNG: download or copy it again")
    try:
        frame = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:  # more pixels than datasets/__init__.py lets OpenCV decode, among others
        raise UserError(f"image {path} cannot be decoded: {' '.join(str(error).split())}") from error
    if frame is None:
        raise UserError(f"image {path} cannot be decoded: it is empty, damaged or no image")
    return np.asarray(frame, dtype=np.uint8)


def _decode_jpeg(data: NDArray[np.uint8]) -> Frame | None:
    """OpenCV's pixels by simplejpeg, where that is installed; None where only OpenCV's own way is sure to give them:
    files with EXIF, whose orientation OpenCV obeys, and whatever is unusual or damaged."""
    if simplejpeg is None or _has_application_1(data):
        return None
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        if height * width > int(os.environ[PIXELS]):
            return None
        return np.asarray(simplejpeg.decode_jpeg(data, "BGR"), dtype=np.uint8)
    except ValueError:
        return None


def _is_whole_png(data: NDArray[np.uint8]) -> bool:
    """Whether a PNG's chunks fit, the last is its end, and its bytes can hold the pixels that it claims.

    OpenCV takes seconds over a file of a hundred bytes in which a chunk or the picture claims to be large.
    """
    place, name = len(PNG), b""
    while name != b"IEND" and place + 12 <= data.size:
        length, name = struct.unpack(">I4s", data[place : place + 8].tobytes())
        place += 12 + length
    if name != b"IEND" or not 33 <= place <= data.size:  # less than a head and an end
        return False
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26].tobytes())
    samples = {2: 3, 4: 2, 6: 4}.get(kind, 1)  # colour, grey and alpha, both; else grey or a palette
    return bool(width * height * depth * samples <= 8 * MOST_DEFLATED * data.size)


def _has_application_1(data: NDArray[np.uint8]) -> bool:
    """Whether a JPEG has the segment where EXIF stands; true also where the segments cannot be walked."""
    place = 2
    while place + 4 <= data.size and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in (0xDA, 0xE1):  # start of scan: no segment follows
            return bool(marker == 0xE1)
        place += 2 + (int(data[place + 2]) << 8) + int(data[place + 3])
    return True


def open_video(path: Path) -> VideoFrames:
    """Open a video file and count its frames. Raises UserError when it cannot be opened."""
    capture = cv2.VideoCapture(str(path))
    length = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    if length <= 0:
        raise UserError(f"video {path} cannot be opened or holds no frame: is its codec supported?")
    return VideoFrames(path, length)
