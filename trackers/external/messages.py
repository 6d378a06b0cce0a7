"""The TraX protocol's text: messages, regions and images, for both its ends.

Written from the public description of the protocol (Cehovin, "TraX: The visual Tracking eXchange protocol and library",
Neurocomputing 2017, and its documentation). A message is a line ``@@TRAX:type "argument" ... "key=value" ...``; other
lines are the tracker's own talk.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import polygon_to_xywh
from inmo.datasets.images import Frame, read_image
from inmo.errors import UserError

PREFIX = "@@TRAX:"
VERSION = 4
KINDS = ("hello", "initialize", "frame", "state", "quit")
MAX_PIXELS = 1 << 28

_WORD = re.compile(r'(?:"([^"\\]*(?:\\.[^"\\]*)*)"(?=\s|$)|((?:[^\s"\\]|\\.)[^\s\\]*(?:\\.[^\s\\]*)*))\s*')
_KEY = re.compile(r"([A-Za-z0-9._]{1,64})=")


@dataclass(frozen=True)
class Message:
    """One message: ``kind`` is hello, initialize, frame, state or quit."""

    kind: str
    arguments: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


def parse(line: str) -> Message | None:
    """Read a line; None where it holds no message. Something before the prefix is skipped.

    Raises ValueError for a message that cannot be read.
    """
    _, found, rest = line.partition(PREFIX)
    if not found:
        return None
    kind, _, words = rest.strip().partition(" ")
    kind = {"status": "state"}.get(kind.lower(), kind.lower())
    if kind not in KINDS:
        raise ValueError(f"no message is called '{kind[:20]}'")
    arguments, properties, position = [], {}, 0
    words = words.strip()
    while position < len(words):
        match = _WORD.match(words, position)
        if match is None:
            raise ValueError(f"cannot read {words[position : position + 40]!r}")
        text = match.group(1) if match.group(1) is not None else match.group(2)
        key = _KEY.match(text)
        if key:
            properties[key.group(1)] = _unescaped(text[key.end() :])
        else:
            arguments.append(_unescaped(text))
        position = match.end()
    return Message(kind, tuple(arguments), properties)


def line(message: Message) -> bytes:
    """A message as its line."""
    words = [*message.arguments, *(f"{key}={value}" for key, value in message.properties.items())]
    escaped = ('"' + w.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' for w in words)
    return f"{PREFIX}{message.kind} {' '.join(escaped)}\n".encode()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found.group(1) == "n" else found.group(1), text)


def parse_region(text: str) -> NDArray[np.float64] | None:
    """The axis-aligned box (4,) x, y, w, h of a rectangle, polygon or mask; None for one that says "no target".

    That is a special region (one number) or an empty mask. Raises ValueError for anything else.
    """
    prefix, found, rest = text.partition(":")
    try:
        numbers = np.array([float(word) for word in (rest if found else text).split(",")])
    except ValueError as error:
        raise ValueError(f"cannot read the region {text[:60]!r}") from error
    if not np.isfinite(numbers).all():
        raise ValueError(f"the region {text[:60]!r} is not finite")
    kind = prefix if found else {1: "special", 4: "rect"}.get(len(numbers), "poly")
    if kind == "special" and len(numbers) == 1:
        return None
    if kind.startswith("rect") and len(numbers) == 4:
        return numbers
    if kind.startswith("poly") and len(numbers) >= 6 and len(numbers) % 2 == 0:
        return polygon_to_xywh(numbers)
    if kind == "mask" and len(numbers) >= 4:
        return _mask_box(numbers)
    raise ValueError(f"cannot read the region {text[:60]!r}")


def _mask_box(numbers: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Bounding box of a mask: x, y, w, h of its frame and lengths of its runs, row by row, outside first."""
    x, y, width, height = (int(v) for v in numbers[:4])
    runs = numbers[4:].astype(np.int64)
    if min(width, height) < 0 or width * height > MAX_PIXELS or (runs < 0).any() or runs.sum() > width * height:
        raise ValueError(f"a mask of {width} x {height} does not fit its runs")
    ends = runs.cumsum()
    first, last = ends[0:-1:2], ends[1::2] - 1  # first and last pixel of each run inside
    inside = last >= first
    if not inside.any():
        return None
    first, last = first[inside], last[inside]
    rows = np.array([first.min() // width, last.max() // width])
    wraps = first // width != last // width  # a run over the end of a row touches both sides
    left = 0 if wraps.any() else (first % width).min()
    right = width - 1 if wraps.any() else (last % width).max()
    return np.array([x + left, y + rows[0], right - left + 1, rows[1] - rows[0] + 1], dtype=np.float64)


def region(box: NDArray[np.float64], formats: Sequence[str] = ("rectangle",)) -> str:
    """A box as the first of rectangle, polygon and mask that ``formats`` names. Raises ValueError for none."""
    x, y, w, h = (float(v) for v in box)
    if "rectangle" in formats:
        return ",".join(repr(v) for v in (x, y, w, h))
    if "polygon" in formats:
        return ",".join(repr(v) for v in (x, y, x + w, y, x + w, y + h, x, y + h))
    if "mask" in formats:
        left, top, right, bottom = round(x), round(y), round(x + w), round(y + h)
        width, height = max(1, right - left), max(1, bottom - top)
        return f"mask:{left},{top},{width},{height},0,{width * height}"
    raise ValueError(f"of the region formats {', '.join(formats) or 'none'} none is known")


def memory_image(frame: Frame) -> str:
    """A BGR frame as raw RGB bytes."""
    height, width = frame.shape[:2]
    return f"image:{width};{height};rgb;" + base64.b64encode(np.ascontiguousarray(frame[:, :, ::-1]).data).decode()


def buffer_image(frame: Frame) -> str:
    """A BGR frame as a PNG file's bytes."""
    return "data:image/png;" + base64.b64encode(cv2.imencode(".png", frame)[1].data).decode()


def parse_image(text: str) -> Frame:
    """The BGR frame (H, W, 3) that a path, raw or encoded image stands for. Raises UserError when it cannot be had."""
    scheme, found, rest = text.partition(":")
    if scheme == "image":
        return _raw_image(rest)
    if scheme == "data":
        data = _decoded(rest.partition(";")[2])
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if frame is None:
            raise UserError(f"the TraX client sent an image that cannot be decoded: {text[:40]}")
        return np.asarray(frame, dtype=np.uint8)
    if found and scheme != "file" and re.fullmatch(r"[a-z+.-]{2,15}", scheme):
        raise UserError(f"the TraX client sent a URL, {text[:80]}: only paths and image data are taken")
    return read_image(Path(rest.removeprefix("//") if scheme == "file" else text))


def _raw_image(text: str) -> Frame:
    words = text.split(";", 3)
    channels = {"rgb": 3, "gray8": 1}.get(words[2] if len(words) == 4 else "", 0)
    if not (channels and words[0].isdigit() and words[1].isdigit()):
        raise UserError(f"the TraX client sent an image of an unknown kind, image:{text[:40]}: rgb and gray8 are known")
    width, height, data = int(words[0]), int(words[1]), _decoded(words[3])
    if len(data) != width * height * channels:
        raise UserError(f"the TraX client sent {len(data)} bytes for an image of {width} x {height} in {words[2]}")
    pixels = np.frombuffer(data, np.uint8).reshape(height, width, channels)
    return np.ascontiguousarray(np.broadcast_to(pixels[:, :, ::-1], (height, width, 3)))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UserError("the TraX client sent an image that is no base64") from error
