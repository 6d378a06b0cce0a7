"""UAV123 and UAV123@10fps (Mueller et al., ECCV 2016).

``data_seq/UAV123/<folder>/%06d.jpg`` with ``anno/UAV123/<sequence>.txt``; 19 folders hold several sequences, told
apart by start and end frames. ``NaN`` rows are frames in which the target is out of view or fully occluded.
UAV123@10fps keeps every third frame, renumbered from 1, under ``UAV123_10fps``.

Pixels are counted from 1. Clipped targets show it: boxes touch x = 1 and y = 1 and never 0, and x + w, y + h reach
1281 and 721 on 1280 x 720 frames and never more, which is a last pixel of 1280 and 720.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inmo.datasets.attributes import words_for
from inmo.datasets.base import Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.layout import Wanted, distinct, open_by_table, table_rows

_STEP = 3  # UAV123@10fps keeps frames 1, 4, 7, ... of each folder


def open_uav123(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """UAV123 below ``tree``: the folder of ``data_seq`` and ``anno``, or annotations alone."""
    return _open(benchmark, label, tree, list(table_rows(benchmark, tree)), "UAV123")


def open_uav123_10fps(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """UAV123@10fps, whose table follows from UAV123's."""
    rows = [_every_third(row) for row in table_rows(benchmark, tree)]
    return _open(benchmark, label, tree, rows, "UAV123_10fps")


def _every_third(row: Mapping[str, str]) -> Mapping[str, str]:
    numbers = {key: str((int(row[key]) - 1) // _STEP + 1) for key in ("start_frame", "end_frame")}
    paths = {key: row[key].replace("UAV123/", "UAV123_10fps/") for key in ("path", "anno_path")}
    return {**row, **numbers, **paths}


def _open(benchmark: Benchmark, label: str, tree: Tree, rows: list[Mapping[str, str]], folder: str) -> Dataset:
    aliases = distinct({row["name"]: (f"uav_{row['name']}",) for row in rows})
    wanted = [
        Wanted({**row, "set": folder, "folder": row["path"].rpartition("/")[2]}, aliases[row["name"]]) for row in rows
    ]
    return open_by_table(benchmark, label, tree, wanted)


UAV123 = Benchmark(
    name="uav123",
    title="UAV123",
    open=open_uav123,
    annotations=("{anno_path}", "anno/{any}.txt", "{set}/{any}.txt", "{any}.txt"),
    folders=("{path}", "{set}/{folder}", "{folder}"),
    table="uav123.csv",
    origin=1,
    protocol="pysot",
    nan_rows=True,
    attributes=words_for("SV ARC LR FM FOC POC OV BC IV VC CM SOB"),
)
UAV123_10FPS = replace(UAV123, name="uav123_10fps", title="UAV123@10fps", open=open_uav123_10fps, follows="uav123")
