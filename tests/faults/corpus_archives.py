"""Archives and folders of annotations and results: cut, locked, lying, climbing, exploding, of the wrong trackers."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from tests.faults.case import Case, Place, Words

Data = bytes | Callable[[], bytes]  # large ones are made when their case comes
ROWS = "3,4,10,8\n"
GOOD = {"a.txt": ROWS * 4, "b.txt": ROWS * 3}
TABLE = (0, "2 of 2")


def packed(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def results(files: Mapping[str, bytes | str] | None = None, **more: bytes | str) -> dict[str, bytes | str]:
    return {f"Mine/{name}": data for name, data in {**(files or GOOD), **more}.items()}


def patched(data: bytes, local: int, central: int, value: bytes) -> bytes:
    """The same archive, ``value`` at these places of every entry's two headers."""
    for signature, place in ((b"PK\x03\x04", local - 4), (b"PK\x01\x02", central - 4)):
        head, *entries = data.split(signature)
        data = signature.join([head, *(e[:place] + value + e[place + len(value) :] for e in entries)])
    return data


def flagged(data: bytes) -> bytes:
    """The same archive, its entries said to be encrypted."""
    return patched(data, 6, 8, struct.pack("<H", 1))


def method(data: bytes, number: int) -> bytes:
    """The same archive, its entries said to be packed in another way."""
    return patched(data, 8, 10, struct.pack("<H", number))


def sizes(data: bytes, claimed: int) -> bytes:
    """The same archive, its entries said to unpack to another size."""
    return patched(data, 22, 24, struct.pack("<I", claimed))


@cache
def bomb(mebibytes: int, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name in ("Mine/a.txt", "Mine/b.txt"):
            with archive.open(name, "w", force_zip64=True) as entry:
                for _ in range(mebibytes):
                    entry.write(b"1,1,1,1\n" * (1 << 17))
    return stream.getvalue()


def links() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in results():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def crowded() -> bytes:
    files: dict[str, bytes | str] = {f"other/{number}.md": "" for number in range(60_000)}
    return packed({**files, **results()}, zipfile.ZIP_STORED)


def twice() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for data in ("no boxes", ROWS * 4):
            archive.writestr("Mine/a.txt", data)
        archive.writestr("Mine/b.txt", ROWS * 3)
    return stream.getvalue()


def mat(**values: object) -> bytes:
    stream = io.BytesIO()
    savemat(stream, values)
    return stream.getvalue()


def otb(boxes: object, kind: str = "rect") -> bytes:
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = {"type": kind, "res": boxes}
    return mat(results=cell)


@cache
def mat_bomb() -> bytes:
    """A .mat file whose one compressed element unpacks to 2 GiB of zeros."""
    pack = zlib.compressobj(9)
    size, zeros = 1 << 31, bytes(1 << 20)
    body = pack.compress(struct.pack("<II", 14, size - 8)) + pack.flush(zlib.Z_FULL_FLUSH)
    body += (pack.compress(zeros) + pack.flush(zlib.Z_FULL_FLUSH)) * 2048 + pack.flush()  # a full flush can be repeated
    return (
        b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x100, b"IM") + struct.pack("<II", 15, len(body)) + body
    )


BOX = np.array([[3.0, 4, 10, 8]] * 4)
WHOLE = packed(results())
NOT_ZIP = "is neither a folder nor a readable zip file"
CANNOT = "cannot read Mine/a.txt in"
NONE = "holds no raw results"

ARCHIVES: Mapping[str, tuple[Data, tuple[int, str]]] = {
    "as it should be": (WHOLE, TABLE),
    "stored": (packed(results(), zipfile.ZIP_STORED), TABLE),
    "bzip2": (packed(results(), zipfile.ZIP_BZIP2), TABLE),
    "lzma": (packed(results(), zipfile.ZIP_LZMA), TABLE),
    "zero bytes": (b"", (2, NOT_ZIP)),
    "text": (b"not a zip", (2, NOT_ZIP)),
    "tar": (b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(2000), (2, NOT_ZIP)),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), (2, NOT_ZIP)),
    "RAR": (b"Rar!\x1a\x07\x01\x00" + bytes(100), (2, NOT_ZIP)),
    "cut to a half": (WHOLE[: len(WHOLE) // 2], (2, NOT_ZIP)),
    "without its last byte": (WHOLE[:-1], (2, NOT_ZIP)),
    "no entries": (packed({}), (2, NONE)),
    "folders alone": (packed({"Mine/": ""}), (2, NONE)),
    "text in front": (b"#!/bin/sh\n" + WHOLE, TABLE),
    "text behind": (WHOLE + b"\n<!-- -->", TABLE),
    "a wrong checksum": (packed(results(), zipfile.ZIP_STORED).replace(b"3,4,10,8", b"9,4,10,8", 1), (2, "Bad CRC-32")),
    "damaged data": (WHOLE[:40] + b"\xff\xff\xff\xff" + WHOLE[44:], (2, CANNOT)),
    "encrypted": (flagged(WHOLE), (2, f"{CANNOT}.*encrypted")),
    "an unknown method": (method(WHOLE, 99), (2, CANNOT)),
    "deflate64": (method(WHOLE, 9), (2, CANNOT)),
    "said to be a gigabyte": (sizes(WHOLE, 1 << 30), (2, "more than 16 MiB")),
    "said to be one byte": (sizes(WHOLE, 1), (2, CANNOT)),
    "a bomb of 32 MiB": (lambda: bomb(32), (2, "more than 16 MiB")),
    "a bomb that does not say so": (lambda: sizes(bomb(32), 100), (2, CANNOT)),
    "a bomb of bzip2": (lambda: bomb(17, zipfile.ZIP_BZIP2), (2, "more than 16 MiB")),
    "links to /etc/passwd": (links(), (2, "which is no number|numbers instead of 4")),
    "a name twice": (twice(), TABLE),
    "60,000 other entries": (crowded, TABLE),
    "an archive in it": (packed({"Mine.zip": WHOLE}), (2, NONE)),
    "Mac clutter": (packed({**results(), "__MACOSX/Mine/._a.txt": "junk", "Mine/.DS_Store": "junk"}), TABLE),
    "climbing names": (packed({f"../../../../Mine/{n}": d for n, d in GOOD.items()}), (2, NONE)),
    "climbing beside good ones": (packed({**results(), "../../owned/a.txt": ROWS * 4}), TABLE),
    "absolute names": (packed({**results(), "/owned/a.txt": ROWS * 4}), (2, "owned's results on folder lack 1 of 2")),
    "backslashes": (packed({f"Mine\\{n}": d for n, d in GOOD.items()}), TABLE),
    "drive letters": (packed({f"C:\\Mine\\{n}": d for n, d in GOOD.items()}), TABLE),
    "newlines in names": (packed({f"Mi\nne/{n}": d for n, d in GOOD.items()}), TABLE),
    "markup in names": (packed({f"<b>Mine</b>/{n}": d for n, d in GOOD.items()}), (0, "2 of 2|b")),
    "upper-case names": (packed({f"Mine/{n.upper()[0]}.txt": d for n, d in GOOD.items()}), TABLE),
}

FILES: Mapping[str, tuple[Mapping[str, Any], tuple[int, str]]] = {
    "as they should be": (results(), TABLE),
    "one of two": ({"Mine/a.txt": ROWS * 4}, (2, "lack 1 of 2 sequences: b")),
    "unknown sequences beside": ({**results(), "Mine/zebra.txt": ROWS}, TABLE),
    "unknown sequences alone": ({"Mine/zebra.txt": ROWS, "Mine/lion.txt": ROWS}, (2, NONE)),
    "nothing": ({"readme.md": ""}, (2, NONE)),
    "other files": ({"Mine/a.json": "[]", "Mine/b.bin": ""}, (2, NONE)),
    "an empty one": ({"Mine/a.txt": "", "Mine/b.txt": ROWS * 3}, (2, "refuses a result of 0 rows for an annotation of 4")),
    "a short one": ({"Mine/a.txt": ROWS * 3, "Mine/b.txt": ROWS * 3}, (2, "refuses a result of 3 rows")),
    "a long one": ({"Mine/a.txt": ROWS * 5, "Mine/b.txt": ROWS * 3}, (2, "refuses a result of 5 rows")),
    "a broken tracker beside a good one": ({**results(), "Other/a.txt": "x,1,1,1", "Other/b.txt": ROWS}, (2, "'x', which is no number")),
    "times and scores beside": ({**results(), "Mine/a_time.txt": "0.1\n", "Mine/a_all_scores.txt": "1\n"}, TABLE),
    "runs with a gap": ({f"Mine_{n:03}/{k}": d for n in (0, 2) for k, d in GOOD.items()}, TABLE),
    "runs of different length": (
        {**{f"Mine_000/{k}": d for k, d in GOOD.items()}, "Mine_001/a.txt": ROWS * 4}, (2, "no result in run Mine_001")),
    "a .mat of rectangles": ({"Mine/a.mat": otb(BOX), "Mine/b.mat": otb(BOX[:3])}, TABLE),
    "a .mat of corners": ({"Mine/a.mat": otb(BOX, "4corner"), "Mine/b.mat": otb(BOX[:3])}, (2, "of type '4corner'")),
    "a .mat of six columns": ({"Mine/a.mat": otb(np.ones((4, 6))), "Mine/b.mat": otb(BOX[:3])}, (2, "holds 4 x 6 numbers")),
    "a .mat without results": ({"Mine/a.mat": mat(other=1), "Mine/b.mat": otb(BOX[:3])}, (2, "is no OTB result")),
    "a .mat of text": ({"Mine/a.mat": b"hello", "Mine/b.mat": otb(BOX[:3])}, (2, "is no OTB result")),
    "a .mat of zero bytes": ({"Mine/a.mat": b"", "Mine/b.mat": otb(BOX[:3])}, (2, "is no OTB result")),
    "a .mat cut short": ({"Mine/a.mat": otb(BOX)[:200], "Mine/b.mat": otb(BOX[:3])}, (2, "is no OTB result")),
    "a .mat of HDF5": ({"Mine/a.mat": b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM\x89HDF", "Mine/b.mat": otb(BOX[:3])}, (2, "is no OTB result")),
    "a .mat bomb": ({"Mine/a.mat": mat_bomb, "Mine/b.mat": otb(BOX[:3])}, (2, "unpacks to more than 16 MiB")),
}  # fmt: skip


def truth(place: Place) -> str:
    for name, rows in GOOD.items():
        place.write(f"data/{name.removesuffix('.txt')}/groundtruth_rect.txt", rows)
    return f"folder={place.input / 'data'}"


def archive(data: Data) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        return [
            [
                "score",
                "--dataset",
                truth(place),
                "--results",
                str(place.write("results.zip", data() if callable(data) else data)),
            ]
        ]

    return make


def files(found: Mapping[str, Any]) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        for name, data in found.items():
            place.write(f"results/{name}", data() if callable(data) else data)
        return [["score", "--dataset", truth(place), "--results", str(place.input / "results")]]

    return make


def annotations(data: bytes) -> Callable[[Place], Sequence[Words]]:
    """The archive as ground truth, scored by good results."""

    def make(place: Place) -> Sequence[Words]:
        for name, rows in GOOD.items():
            place.write(f"results/Mine/{name}", rows)
        words = ["score", "--dataset", "folder", "--annotations", str(place.write("annos.zip", data))]
        return [[*words, "--results", str(place.input / "results")]]

    return make


def nowhere(place: Place) -> Sequence[Words]:
    return [["score", "--dataset", truth(place), "--results", str(place.input / "nowhere")]]


def circles(place: Place) -> Sequence[Words]:
    files(results())(place)
    Path(place.input / "results" / "loop").symlink_to(place.input)
    Path(place.input / "results" / "self").symlink_to("self")
    return [["score", "--dataset", truth(place), "--results", str(place.input / "results")]]


GROUND: Mapping[str, tuple[bytes, tuple[int, str]]] = {
    "as it should be": (packed({f"annos/{n.removesuffix('.txt')}/groundtruth.txt": d for n, d in GOOD.items()}), TABLE),
    "flat": (packed(GOOD), TABLE),
    "zero bytes": (b"", (2, NOT_ZIP)),
    "cut to a half": (packed(GOOD)[:60], (2, NOT_ZIP)),
    "no entries": (packed({}), (2, "holds no sequence")),
    "encrypted": (flagged(packed(GOOD)), (2, "encrypted")),
    "a bomb": (packed({"a.txt": b"1,1,1,1\n" * (1 << 23), "b.txt": ROWS * 3}), (2, "more than 16 MiB")),
    "climbing names": (
        packed({f"../../{n}": d for n, d in GOOD.items()}),
        (2, "holds no sequence|no raw results|lack"),
    ),
    "empty files": (packed({"a.txt": "", "b.txt": ""}), (2, "holds no box")),
    "one in words": (packed({"a.txt": "x,y,w,h\n" * 4, "b.txt": ROWS * 3}), (2, "'x', which is no number")),
}

CASES = (
    *(Case(f"results.zip: {name}", archive(data), *expected) for name, (data, expected) in ARCHIVES.items()),
    *(Case(f"results: {name}", files(found), *expected) for name, (found, expected) in FILES.items()),
    *(Case(f"annotations.zip: {name}", annotations(data), *expected) for name, (data, expected) in GROUND.items()),
    Case("results: nowhere", nowhere, 2, "does not exist: give the path of a folder or of a zip file"),
    Case("results: links that run in circles", circles, *TABLE),
)
