"""Tiny copies of benchmark layouts for the tests: a few grey images and hand-written annotation files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import cv2
import numpy as np


@cache
def picture(suffix: str = ".jpg", width: int = 16, height: int = 12) -> bytes:
    ok, data = cv2.imencode(suffix, np.full((height, width, 3), 90, dtype=np.uint8))
    assert ok
    return data.tobytes()


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def images(folder: Path, names: Iterable[str], width: int = 16, height: int = 12) -> None:
    for name in names:
        write(folder / name, picture(Path(name).suffix, width, height))


def numbered(folder: Path, first: int, last: int, digits: int, suffix: str = "jpg") -> None:
    images(folder, (f"{number:0{digits}d}.{suffix}" for number in range(first, last + 1)))


def rows(count: int, *, first: int = 1, sep: str = ",") -> str:
    """``count`` boxes whose x tells the row: x = first, first + 1, ..."""
    return "".join(sep.join(map(str, (first + k, 2, 5, 6))) + "\n" for k in range(count))


def video(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for shade in range(count):
        writer.write(np.full((48, 64, 3), 10 * shade, dtype=np.uint8))
    writer.release()


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path
