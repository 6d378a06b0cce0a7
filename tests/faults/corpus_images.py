"""Frames that are cut, mislabelled, of odd kinds, missing or no files at all, and videos: checked and tracked."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from tests.datasets.tiny import video
from tests.faults.case import Case, Place, Words

SIZE = (48, 64)
FRAMES = 5
CUT = "is a truncated JPEG"
UNREADABLE = "cannot be decoded"
CUT_PNG = "is a truncated or damaged PNG"
COUNT = "complete the one or the other"


@cache
def picture(suffix: str, size: tuple[int, int] = SIZE, channels: int = 3, kind: str = "uint8") -> bytes:
    rng = np.random.default_rng(7)
    shape = (*size, channels) if channels > 1 else size
    ok, data = cv2.imencode(suffix, rng.integers(0, np.iinfo(kind).max, shape).astype(kind))
    assert ok
    return data.tobytes()


@cache
def pillow(mode: str, suffix: str) -> bytes:
    stream = BytesIO()
    Image.new(mode, SIZE[::-1], 1).save(stream, suffix)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds a few zeros."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@cache
def bomb(side: int) -> bytes:
    """A whole PNG of ``side`` x ``side`` white pixels in a few kilobytes."""
    pixels = zlib.compressobj(9)
    data = b"".join(pixels.compress(bytes(1 + side)) for _ in range(side)) + pixels.flush()

    def chunk(name: bytes, inner: bytes) -> bytes:
        return struct.pack(">I", len(inner)) + name + inner + struct.pack(">I", zlib.crc32(name + inner))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


JPEG, PNG = picture(".jpg"), picture(".png")


@dataclass(frozen=True)
class Frame:
    """Something in the place of the third of five frames: ``works``, or the words of the error."""

    name: str
    data: bytes | Callable[[Place, str], None]
    file: str = "0003.jpg"
    words: str = ""
    sizes: bool = False  # readable, but of another size


def link(target: str) -> Callable[[Place, str], None]:
    return lambda place, file: (place.input / file).symlink_to(target)


def pipe(place: Place, file: str) -> None:
    os.mkfifo(place.input / file)


def folder(place: Place, file: str) -> None:
    (place.input / file).mkdir()


def sparse(place: Place, file: str) -> None:
    with (place.input / file).open("wb") as stream:
        stream.write(JPEG)
        stream.truncate(3 << 30)


FRAMES_IN_THE_MIDDLE: Sequence[Frame] = (
    Frame("JPEG cut to a tenth", JPEG[: len(JPEG) // 10], words=CUT),
    Frame("JPEG cut to a half", JPEG[: len(JPEG) // 2], words=CUT),
    Frame("JPEG without its last byte", JPEG[:-1], words=CUT),
    Frame("JPEG that ends in zeros", JPEG[: len(JPEG) // 2] + bytes(5000), words=CUT),
    Frame("JPEG of a start marker", b"\xff\xd8", words=UNREADABLE),
    Frame("JPEG of a start and an end marker", b"\xff\xd8\xff\xe0\xff\xd9", words=UNREADABLE),
    Frame("JPEG without a header", b"\xff\xd8" + JPEG[200:], words=UNREADABLE),
    Frame("JPEG with text behind it", JPEG + b"<!-- served by -->"),
    Frame("JPEG called .png", JPEG, "0003.png"),
    Frame("JPEG called .bmp", JPEG, "0003.bmp"),
    Frame("PNG called .jpg", PNG),
    Frame("PNG cut to a half", PNG[: len(PNG) // 2], "0003.png", CUT_PNG),
    Frame("PNG of a signature", PNG[:8], "0003.png", CUT_PNG),
    Frame("PNG with a wrong checksum", PNG[:29] + bytes([PNG[29] ^ 255]) + PNG[30:], "0003.png", UNREADABLE),
    Frame("zero bytes", b"", words=UNREADABLE),
    Frame("one byte", b"\xff", words=UNREADABLE),
    Frame("zeros", bytes(4096), words=UNREADABLE),
    Frame("text called .jpg", b"404 Not Found\n", words=UNREADABLE),
    Frame("an error page called .jpg", b"<html><body>Forbidden</body></html>", words=UNREADABLE),
    Frame("an SVG called .png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "0003.png", UNREADABLE),
    Frame("a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", words=UNREADABLE),
    Frame("16-bit PNG", picture(".png", kind="uint16"), "0003.png"),
    Frame("grey PNG", picture(".png", channels=1), "0003.png"),
    Frame("grey 16-bit PNG", picture(".png", channels=1, kind="uint16"), "0003.png"),
    Frame("PNG with alpha", picture(".png", channels=4), "0003.png"),
    Frame("16-bit PNG with alpha", picture(".png", channels=4, kind="uint16"), "0003.png"),
    Frame("PNG with a palette", pillow("P", "png"), "0003.png"),
    Frame("PNG of one bit", pillow("1", "png"), "0003.png"),
    Frame("grey JPEG", picture(".jpg", channels=1)),
    Frame("CMYK JPEG", pillow("CMYK", "jpeg")),
    Frame("16-bit TIFF", picture(".tif", kind="uint16"), "0003.tif"),
    Frame("float TIFF cut short", picture(".tif")[:300], "0003.tif", UNREADABLE),
    Frame("WebP", picture(".webp"), "0003.webp"),
    Frame("WebP cut to a half", picture(".webp")[:200], "0003.webp", UNREADABLE),
    Frame("another size", picture(".jpg", (96, 40)), sizes=True),
    Frame("a size with one more row", picture(".jpg", (49, 64)), sizes=True),
    Frame("one pixel", picture(".png", (1, 1)), "0003.png", sizes=True),
    Frame("a PNG that claims 2^31 pixels", png_header(1 << 16, 1 << 15), "0003.png", CUT_PNG),
    Frame("a PNG that claims 2^26 pixels", png_header(1 << 13, 1 << 13), "0003.png", CUT_PNG),
    Frame("a PNG of which a chunk claims 2 GB", PNG[:33] + b"\x7f" + PNG[34:], "0003.png", CUT_PNG),
    Frame("a PNG of its end alone", PNG[:8] + PNG[-12:], "0003.png", CUT_PNG),
    Frame("a PNG that claims no pixel", png_header(0, 0), "0003.png", UNREADABLE),
    Frame("a PNG of 400 million pixels in 400 KB", bomb(20_000), "0003.png", UNREADABLE),
    Frame("3 GiB of nothing", sparse, words="more than 256 MiB"),
    Frame("a folder", folder, words="is no file"),
    Frame("a pipe", pipe, words="is no file"),
    Frame("a link to nothing", link("nowhere.jpg"), words="cannot read image"),
    Frame("a link to itself", link("0003.jpg"), words="cannot read image .*symbolic links"),
    Frame("a link to /dev/zero", link("/dev/zero"), words="is no file"),
    Frame("a link to the frame before", link("0002.jpg")),
)


def clip(place: Place, put: Callable[[Place, str], None] | bytes | None, file: str, rows: int = FRAMES) -> None:
    for number in (n for n in range(1, FRAMES + 1) if n != 3):
        place.write(f"data/clip/img/{number:04}.jpg", JPEG)
    place.write("data/clip/groundtruth_rect.txt", "10,12,20,16\n" * rows)
    name = f"data/clip/img/{file}"
    if isinstance(put, bytes):
        place.write(name, put)
    elif put is not None:
        put(place, name)


def check(place: Place) -> Words:
    return ["check", "--dataset", f"folder={place.input / 'data'}"]


def track(place: Place, tracker: str) -> Words:
    return ["track", "--tracker", tracker, "--dataset", f"folder={place.input / 'data'}", "--store", place.store]


def of_frame(frame: Frame) -> Sequence[Case]:
    def checked(place: Place) -> Sequence[Words]:
        clip(place, frame.data, frame.file)
        return [check(place)]

    def tracked(place: Place) -> Sequence[Words]:
        clip(place, frame.data, frame.file)
        return [track(place, "kcf")]

    finding = frame.words or ("the image size changes within the sequence" if frame.sizes else "")
    hole = f"hole: folder, KCF, clip: .*{frame.words}" if frame.words else ""
    return (
        Case(f"checked: {frame.name}", checked, 1 if finding else 0, finding or "sound"),
        Case(f"tracked: {frame.name}", tracked, 2 if hole else 0, hole or "1 runs of a sequence wanted"),
    )


def whole(name: str, make: Callable[[Place], None], found: tuple[int, str], run: tuple[int, str]) -> Sequence[Case]:
    def checked(place: Place) -> Sequence[Words]:
        make(place)
        return [check(place)]

    def tracked(place: Place) -> Sequence[Words]:
        make(place)
        return [track(place, "constant")]

    return Case(f"checked: {name}", checked, *found), Case(f"tracked: {name}", tracked, *run)


def missing(place: Place) -> None:
    clip(place, None, "")


def no_images(place: Place) -> None:
    place.write("data/clip/groundtruth_rect.txt", "10,12,20,16\n")
    place.write("data/clip/img/readme.txt", "nothing here")


def one_frame(place: Place) -> None:
    place.write("data/clip/img/1.jpg", JPEG)
    place.write("data/clip/groundtruth_rect.txt", "10,12,20,16\n")


def loop(place: Place) -> None:
    clip(place, JPEG, "0003.jpg")
    (place.input / "data" / "clip" / "img" / "again").symlink_to(place.input / "data")
    (place.input / "data" / "loop").symlink_to(place.input / "data")
    (place.input / "data" / "self").symlink_to("self")


def clutter(place: Place) -> None:
    clip(place, JPEG, "0003.jpg")
    for name in ("Thumbs.db", ".DS_Store", "._0001.jpg", ".0002.jpg.swp", "0002.jpg~", "notes.txt"):
        place.write(f"data/clip/img/{name}", b"junk")


def not_padded(place: Place) -> None:
    for number in range(1, 13):
        place.write(f"data/clip/img/{number}.jpg", JPEG)
    place.write("data/clip/groundtruth_rect.txt", "10,12,20,16\n" * 12)


def upper_case(place: Place) -> None:
    for number in range(FRAMES):
        place.write(f"data/clip/img/{number}.JPG", JPEG)
    place.write("data/clip/groundtruth_rect.txt", "10,12,20,16\n" * FRAMES)


def film(data: bytes | None, cut: float = 1.0, rows: int = 6) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        path = place.write("data/clip.mp4", data or b"")
        if data is None:
            video(path, 6)
            path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
        place.write("data/clip.txt", "10,12,20,16\n" * rows)

    return make


RUN = (0, "1 runs of a sequence wanted")
NO_VIDEO = "cannot be opened or holds no frame"
CASES = (
    *(case for frame in FRAMES_IN_THE_MIDDLE for case in of_frame(frame)),
    *whole("a frame missing in the middle", missing, (1, COUNT), (2, COUNT)),
    *whole("no image at all", no_images, (1, "holds no image"), (2, "holds no image")),
    *whole("a sequence of one frame", one_frame, (0, "sound"), RUN),
    *whole("links that run in circles", loop, (0, "sound"), RUN),
    *whole("other files between the frames", clutter, (0, "sound"), RUN),
    *whole("numbers that are not padded", not_padded, (0, "sound"), RUN),
    *whole("upper-case suffixes", upper_case, (0, "sound"), RUN),
    *whole("a video", film(None), (0, "sound"), RUN),
    *whole("a video of other length", film(None, rows=9), (1, COUNT), (2, COUNT)),
    *whole("a video cut to a half", film(None, 0.5), (1, NO_VIDEO), (2, NO_VIDEO)),
    *whole("a video of zero bytes", film(b"\0" * 0), (1, NO_VIDEO), (2, NO_VIDEO)),
    *whole("a video of text", film(b"#EXTM3U\nhttp://localhost/x\n"), (1, NO_VIDEO), (2, NO_VIDEO)),
)
