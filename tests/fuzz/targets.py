"""One function per parser: bytes in, nothing out. A UserError is an answer; any other exception is a finding."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inmo.datasets.files import Tree
from inmo.datasets.images import read_image
from inmo.datasets.text import parse_rows
from inmo.errors import UserError
from inmo.harness.experiment.load import load_experiment
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.recorded.discovery import find_results
from inmo.trackers.recorded.otb_mat import parse_mat
from inmo.whole_files import read_table
from inmo.yaml_values import NotPlainError, plain_yaml

SCRATCH = Path(tempfile.mkdtemp(prefix="fuzz-"))


def annotation(data: bytes) -> None:
    rows = parse_rows(data, where="a file")
    assert rows.shape[1:] == (4,) and rows.dtype == np.float64
    rows[:0] = 0  # writeable, as promised


def mat(data: bytes) -> None:
    assert parse_mat(data, "a file").shape[1:] == (4,)


def results(data: bytes) -> None:
    """A zip of raw results."""
    raw = find_results(Tree(_file("results.zip", data)))
    for tracker in raw.trackers:
        raw.fingerprint(tracker)


def config(data: bytes) -> None:
    try:
        plain_yaml(data.decode("utf-8", "replace"))
    except NotPlainError as error:
        assert "\n" not in str(error) and len(str(error)) < 300


def experiment(data: bytes) -> None:
    load_experiment(_file("experiment.yaml", data))


def checkpoint(data: bytes) -> None:
    """Whatever the file is: safetensors, the zip of torch.save, its older layout, or nothing of these."""
    load_state_dict(_file("weights.pth", data))


def safetensors(data: bytes) -> None:
    """The header: JSON of any form in a file whose length fits it."""
    load_state_dict(_file("weights.safetensors", struct.pack("<Q", len(data) + 1) + b"{" + data + bytes(16)))


def stored(data: bytes) -> None:
    read_table(_file("result.parquet", data))


def image(data: bytes) -> None:
    frame = read_image(_file("frame.jpg", data))
    assert frame.ndim == 3 and frame.shape[2] == 3 and frame.dtype == np.uint8


@dataclass(frozen=True)
class Parser:
    """A target and files that it reads, to begin from."""

    target: Callable[[bytes], None]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        try:
            self.target(data)
        except UserError as error:
            assert str(error)


def _file(name: str, data: bytes) -> Path:
    path = SCRATCH / name
    path.write_bytes(data)
    return path


def _zip(**entries: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("__", "/") + ".txt", data)
    return stream.getvalue()


def _torch(*, zipped: bool) -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save({"state_dict": {"w": torch.ones(2)}, "epoch": 3}, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def _safetensors() -> bytes:
    return json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()[1:]


def _mat() -> bytes:
    from scipy.io import savemat

    stream, cell = io.BytesIO(), np.empty((1, 1), dtype=object)
    cell[0, 0] = {"type": "rect", "res": np.ones((3, 4))}
    savemat(stream, {"results": cell})
    return stream.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(pa.table({"x": [1.0, 2.0]}).replace_schema_metadata({"facts": '{"rows": 2}'}), stream)
    return stream.getvalue()


def _image(suffix: str) -> bytes:
    import cv2

    return bytes(cv2.imencode(suffix, np.arange(192, dtype=np.uint8).reshape(8, 8, 3))[1].tobytes())


_YAML = (
    b"title: T\ndatasets:\n- {name: folder, root: /x}\ntrackers:\n- {tracker: kcf, settings: {a: 1.5}}\ntables: [2]\n"
)

PARSERS: Mapping[str, Parser] = {
    "annotation": Parser(annotation, (b"1,2,3,4\n5,6,7,8\n", b"1\t2\t3\t4\r\nNaN 1,1;1", b"\xef\xbb\xbf.5,+1,2,inf")),
    "mat": Parser(mat, (_mat(),)),
    "results": Parser(results, (_zip(Mine__a=b"1,2,3,4\n", Mine__b=b"1 2 3 4\n"),)),
    "config": Parser(config, (_YAML, b"a: &x [1, *x]\n", b"? !!int 1\n: 2020-01-01\n")),
    "experiment": Parser(experiment, (_YAML,)),
    "checkpoint": Parser(checkpoint, (_torch(zipped=True), _torch(zipped=False))),
    "safetensors": Parser(safetensors, (_safetensors(),)),
    "stored": Parser(stored, (_parquet(),)),
    "image": Parser(image, (_image(".jpg"), _image(".png"))),
}  # fmt: skip
