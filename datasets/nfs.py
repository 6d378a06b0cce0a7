"""Need for Speed at 30 fps, 100 sequences (Kiani Galoogahi et al., ICCV 2017), in both layouts people have.

Original: ``<sequence>/30/<sequence>/%05d.jpg`` with ``<sequence>/30/<sequence>.txt``. That file is the 240 fps
annotation in VATIC columns (track, xmin, ymin, xmax, ymax, frame, lost, occluded, generated, "label"): every eighth
row from the first on belongs to a frame. Repackaged with pytracking: ``sequences/<sequence>/%05d.jpg`` with
``anno/nfs_<sequence>.txt``, one x, y, w, h row per frame.
Images and rows may differ by one, as in the ten sequences with a row too few: the shorter counts.
"""

from __future__ import annotations

from dataclasses import replace

from inmo.boxes import Boxes, xyxy_to_xywh
from inmo.datasets.attributes import words_for
from inmo.datasets.base import Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.layout import Found, Wanted, distinct, open_by_table, source_of, table_rows
from inmo.datasets.reading import Source, Span, parse_xywh
from inmo.datasets.text import parse_rows
from inmo.errors import UserError

_RATE = 8  # 240 fps over 30 fps
_VATIC_COLUMNS = 9


def open_nfs(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """NFS (30 fps) below ``tree``: the original or the repackaged layout, or annotations alone."""
    rows = [
        {**row, "attributes": row.get("attributes") or ("OCC" if row.get("occlusion") == "1" else "")}
        for row in table_rows(benchmark, tree)
    ]
    aliases = distinct({row["name"]: (f"nfs_{row['name']}",) for row in rows})
    return open_by_table(benchmark, label, tree, [Wanted(row, aliases[row["name"]]) for row in rows], _source)


def _source(benchmark: Benchmark, tree: Tree, found: Found) -> Source:
    return replace(source_of(benchmark, tree, found), span=Span.of_row(found.wanted.row, slack=1), parse=parse_nfs)


def parse_nfs(data: bytes, where: str, count: int | None) -> Boxes:
    """Boxes at 30 fps, (n, 4) x, y, w, h, from x, y, w, h rows or from VATIC rows at 240 or 30 fps.

    Args:
        count: frames expected at 30 fps; tells the two rates apart (within one of eight rows per frame is 240 fps,
            as the GOT-10k toolkit has it). None is taken for 240 fps.
    """
    lines = data.removeprefix(b"\xef\xbb\xbf").strip().splitlines()
    if not lines or len(lines[0].split(None, _VATIC_COLUMNS)) < _VATIC_COLUMNS:
        return parse_xywh(data, where, count)
    rows = [line.split(None, _VATIC_COLUMNS) for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) < _VATIC_COLUMNS or not row[_VATIC_COLUMNS - 1].isdigit():  # a column less moves the others
            raise UserError(f"line {number} of {where} lacks a column of VATIC's {_VATIC_COLUMNS}: get the file again")
    corners = b"\n".join(b" ".join(row[1:5]) for row in rows)
    boxes = xyxy_to_xywh(parse_rows(corners, where=where))
    if count is None or abs(len(boxes) / count - _RATE) < 1:
        return boxes[::_RATE]
    if abs(len(boxes) - count) <= 1:
        return boxes
    raise UserError(
        f"{where} has {len(boxes)} rows for {count} frames, neither one nor {_RATE} per frame: get it again"
    )


NFS = Benchmark(
    name="nfs",
    title="NFS",
    open=open_nfs,
    annotations=("{anno_path}", "anno/{any}.txt", "{name}/30/{name}.txt", "{any}.txt"),
    folders=("{path}", "{name}/30/{name}", "{name}"),
    table="nfs.csv",
    origin=0,
    protocol="pysot",
    attributes=words_for("OCC"),
)
