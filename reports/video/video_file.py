"""Writing a video file: H.264 by PyAV where it is installed (the extra ``video``), else MPEG-4 by OpenCV."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2

from inmo.datasets.images import Frame
from inmo.errors import UserError

SUFFIX = ".mp4"
QUALITY = {"crf": "18", "preset": "veryfast"}  # x264: no loss that is seen; 20 times as fast as OpenCV's VP9


class VideoFile:
    """An mp4 under its name when it is whole, and not before.

    Args:
        path: FILE.mp4; its folder is made when missing.
        size: (width, height) in pixels, both even.
        fps: frames per second.

    Attributes:
        codec: ``H.264``, which browsers play too, or ``MPEG-4``, which most players do.
        written: frames so far.

    Raises:
        UserError: another suffix, a rate that cannot be, or a file that cannot be written.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        if path.suffix.lower() != SUFFIX:
            raise UserError(f"cannot write {path}: only {SUFFIX} is written, so give --out FILE{SUFFIX}")
        if not 0 < fps <= 1000:
            raise UserError(f"{fps:g} frames per second cannot be: give a number above 0, such as 25")
        self.path, self.size, self.written = path, size, 0
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part{SUFFIX}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._part.write_bytes(b"")
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}; choose another --out") from error
        self._sink = _sink(self._part, size, fps)
        self.codec = self._sink.codec

    def write(self, frame: Frame) -> None:
        """Append a BGR frame of the video's size."""
        if frame.shape[1::-1] != self.size:
            raise ValueError(f"a frame of {frame.shape[1::-1]} pixels in a video of {self.size}")
        self._sink.write(frame)
        self.written += 1

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sink.close()
        if self.written and (kind is None or issubclass(kind, KeyboardInterrupt)):  # what was seen so far is kept
            self._part.replace(self.path)
        self._part.unlink(missing_ok=True)


def even(length: float) -> int:
    """The nearest even number of pixels, at least 2: codecs keep colours at half the resolution."""
    return max(2, 2 * round(length / 2))


def _sink(path: Path, size: tuple[int, int], fps: float) -> _H264 | _Mpeg4:
    try:
        return _H264(path, size, fps)
    except ImportError:
        return _Mpeg4(path, size, fps)


class _H264:
    codec = "H.264"

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        import av

        self._frame = av.VideoFrame.from_ndarray
        self._container = av.open(str(path), "w")
        stream: Any = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = size
        stream.pix_fmt, stream.options = "yuv420p", QUALITY
        self._stream = stream

    def write(self, frame: Frame) -> None:
        self._container.mux(self._stream.encode(self._frame(frame, format="bgr24")))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()


class _Mpeg4:
    codec = "MPEG-4"

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
        if not self._writer.isOpened():
            path.unlink(missing_ok=True)
            raise UserError("this build of OpenCV writes no mp4: pip install -c constraints.txt -e '.[video]'")

    def write(self, frame: Frame) -> None:
        self._writer.write(frame)

    def close(self) -> None:
        self._writer.release()
