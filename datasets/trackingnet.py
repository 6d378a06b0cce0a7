"""TrackingNet, the 511 test sequences (Mueller et al., ECCV 2018).

``TEST/frames/<sequence>/%d.jpg`` from 0, not zero padded, with ``TEST/anno/<sequence>.txt``, which holds the box of the
first frame alone: the rest is known to the evaluation server. A tree of full annotation files (an answer key) is
read in full instead.
"""

from __future__ import annotations

from inmo.datasets.base import Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.layout import Wanted, locate, sequence, source_of, table_rows
from inmo.datasets.reading import one_row

_ANNOTATIONS = ("{anno_path}", "anno/{name}.txt", "{name}.txt")
_FOLDERS = ("{path}", "frames/{name}", "{name}")


def open_trackingnet(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """TrackingNet test below ``tree``: the folder of ``TEST``, ``TEST`` itself, or annotations alone."""
    wanted = [Wanted(row) for row in table_rows(benchmark, tree)]
    found, holes = locate(benchmark, tree, wanted, _ANNOTATIONS, _FOLDERS)
    sequences = [
        sequence(
            benchmark,
            label,
            item.wanted,
            source_of(benchmark, tree, item, first_only=one_row(tree, item.path)),
        )
        for item in found
    ]
    return Dataset(benchmark, label, str(tree.root), tuple(sequences), holes)


TRACKINGNET = Benchmark(
    name="trackingnet",
    title="TrackingNet",
    open=open_trackingnet,
    origin=0,
    protocol="trackingnet-devkit",
    table="trackingnet_test.csv",
    ground_truth="first",
)
