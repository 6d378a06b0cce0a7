"""Checkpoints and stored results that are damaged, lying or hostile: both are data, and nothing in them runs."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.faults.case import Case, Place, Words
from tests.faults.corpus_archives import packed
from tests.faults.corpus_names import clip
from tests.trackers.pipeline.test_pickles import GADGETS, legacy_layout, zip_layout


def safetensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape: object = (2,), dtype: str = "F32", offsets: object = (0, 8)) -> dict[str, object]:
    return {"w": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


UNFIT = "does not fit the network"
DAMAGED = "is a damaged safetensors file|is no checkpoint that"
HALF = "half a download.*: download (it|or copy it) again"
CHECKPOINTS: Mapping[str, tuple[bytes, str]] = {
    "zero bytes": (b"", "is empty: download it again"),
    "one byte": (b"\x80", HALF),
    "text": (b"version https://git-lfs.github.com/spec/v1\n", "is a git-lfs pointer, not the file: run git lfs pull"),
    "zeros": (bytes(4096), "is 4,096 bytes of nothing: download it again"),
    "another network": (safetensors(tensor(), bytes(8)), UNFIT),
    "no tensor": (safetensors({}), UNFIT),
    "a header cut short": (safetensors(tensor(), bytes(8))[:20], HALF),
    "data cut short": (safetensors(tensor(), bytes(4)), HALF),
    "data too long": (safetensors(tensor(), bytes(16)), DAMAGED),
    "a header of 2^39 bytes": (safetensors(tensor(), bytes(8), length=(1 << 39)), HALF),
    "a header of 2^63 bytes": (safetensors(tensor(), bytes(8), length=(1 << 63)), DAMAGED),
    "a header that is no JSON": (safetensors(b"{not json}"), DAMAGED),
    "a header of brackets": (safetensors(b'{"w":' + b"[" * 100_000), DAMAGED),
    "a header that is not UTF-8": (safetensors(b'{"\xff": 1}'), DAMAGED),
    "a name twice": (safetensors(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' * 1 + b'"w":{"dtype":"F32",'
                                 b'"shape":[2],"data_offsets":[0,8]}}', bytes(8)), f"{DAMAGED}|{UNFIT}"),
    "an unknown type": (safetensors(tensor(dtype="F7"), bytes(8)), DAMAGED),
    "a negative size": (safetensors(tensor((-2,)), bytes(8)), DAMAGED),
    "a size of 2^62": (safetensors(tensor((1 << 31, 1 << 31)), bytes(8)), DAMAGED),
    "a size that overflows": (safetensors(tensor((1 << 32, 1 << 32)), bytes(8)), DAMAGED),
    "a size in words": (safetensors(tensor("two"), bytes(8)), DAMAGED),
    "offsets backwards": (safetensors(tensor(offsets=(8, 0)), bytes(8)), DAMAGED),
    "offsets outside": (safetensors(tensor(offsets=(80, 88)), bytes(8)), HALF),
    "a zip without data.pkl": (packed({"archive/version": "3"}), "is a zip file but no checkpoint"),
    "a zip with two": (packed({"a/data.pkl": b"N.", "b/data.pkl": b"N."}), "is a zip file but no checkpoint"),
    "a zip bomb": (packed({"archive/data.pkl": bytes(1 << 26)}), "claims more bytes than it has"),
    "a zip cut short": (zip_layout(b"\x80\x02}.")[:-30], HALF),
    "a big-endian one": (packed({"archive/data.pkl": b"\x80\x02}.", "archive/byteorder": "big"}, 0), "big-endian"),
    "an empty dictionary": (zip_layout(b"\x80\x02}."), "holds no state dict"),
    "None": (zip_layout(b"\x80\x02N."), "holds no state dict"),
    "a list": (zip_layout(b"\x80\x02]."), "holds no state dict"),
}  # fmt: skip


def converting(data: bytes) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        file = place.write("weights.pth", data)
        return [["convert", "--checkpoint", str(file), "--tracker", "siamcar", "--out", f"{place.out}/w.safetensors"]]

    return make


def gadget(name: str, layout: Callable[[bytes], bytes]) -> Callable[[Place], Sequence[Words]]:
    """A hostile pickle that would leave a file in the input folder, where it would be seen."""
    return lambda place: converting(layout(GADGETS[name](str(place.input / "marker"))))(place)


# ---- stores

RESULT, TRUTH = "folder/runs/*/clip.parquet", "folder/sequences/clip.parquet"
DATASET, RUN = "folder/dataset.json", "folder/runs/*/run.json"
MEND = "is (missing or )?damaged .*delete it and run again"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replaced(data: bytes | str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data.encode() if isinstance(data, str) else data) and None


def altered(**values: object) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        found = {**json.loads(path.read_text()), **values}
        path.write_text(json.dumps({key: value for key, value in found.items() if value is not ...}, default=str))

    return act


def columns(drop: str = "", facts: bool = True, rows: int | None = None, text: bool = False) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        table = table.drop_columns([drop]) if drop else table
        table = table.slice(0, rows) if rows is not None else table
        if text:
            table = table.set_column(0, "x", pa.array(["a"] * len(table)))
        pq.write_table(table if facts else table.replace_schema_metadata({}), path)

    return act


def gone(path: Path) -> None:
    path.unlink()


STORES: Mapping[str, tuple[str, Callable[[Path], None], str]] = {
    "a result cut to a half": (RESULT, cut, MEND),
    "a result of zero bytes": (RESULT, replaced(b""), MEND),
    "a result of text": (RESULT, replaced("x,y\n"), MEND),
    "a result without a column": (RESULT, columns("w"), MEND),
    "a result without scores": (RESULT, columns("score"), MEND),
    "a result without provenance": (RESULT, columns(facts=False), MEND),
    "a result with words for numbers": (RESULT, columns(text=True), MEND),
    "a result without its last row": (RESULT, columns(rows=2), "has 2 rows instead of 3: delete it and run again"),
    "a result without rows": (RESULT, columns(rows=0), "has 0 rows instead of 3: delete it and run again"),
    "an annotation cut to a half": (TRUTH, cut, MEND),
    "an annotation without a column": (TRUTH, columns("x"), MEND),
    "an annotation without facts": (TRUTH, columns(facts=False), MEND),
    "an annotation gone": (TRUTH, gone, MEND),
    "dataset.json cut to a half": (DATASET, cut, MEND),
    "dataset.json of zero bytes": (DATASET, replaced(b""), MEND),
    "dataset.json of binary": (DATASET, replaced(bytes(range(256))), MEND),
    "dataset.json of a list": (DATASET, replaced("[1, 2]"), MEND),
    "dataset.json of brackets": (DATASET, replaced("[" * 200_000), MEND),
    "dataset.json without names": (DATASET, altered(names=...), MEND),
    "dataset.json with an unknown name": (DATASET, altered(owned=1), MEND),
    "dataset.json gone": (DATASET, gone, "holds no results"),
    "run.json cut to a half": (RUN, cut, MEND),
    "run.json of a number": (RUN, replaced("1"), MEND),
    "run.json with an unknown name": (RUN, altered(owned=1), MEND),
    "run.json without a hash": (RUN, altered(hash=...), MEND),
}


def damaged(pattern: str, act: Callable[[Path], None], command: str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        from inmo.harness.cli import main

        clip(place, "clip")
        store = place.input / "store"
        words = ["track", "--tracker", "constant", "--dataset", f"folder={place.input / 'data'}", "--store", str(store)]
        assert main(words) == 0
        (path,) = store.glob(pattern)
        act(path)
        more = ["--format", "pysot"] if command == "export" else []
        return [[command, "--store", str(store), "--out", str(place.out / "o"), *more]]

    return make


CASES = (
    *(Case(f"checkpoint: {name}", converting(data), 2, says) for name, (data, says) in CHECKPOINTS.items()),
    *(
        Case(f"checkpoint, {layout.__name__}: {name}", gadget(name, layout), 2, "weights.pth (is|holds|ends|describes)")
        for name in GADGETS
        for layout in (zip_layout, legacy_layout)
    ),
    *(Case(f"store: {name}", damaged(p, act, "report"), 2, says) for name, (p, act, says) in STORES.items()),
)
