"""TrackingNet, the 511 test sequences (Mueller et al., ECCV 2018).

``TEST/frames/<sequence>/%d.jpg`` from 0, not zero padded, with ``TEST/anno/<sequence>.txt``, which holds the box of the
first frame alone: the rest is known to the evaluation server. A tree of full annotation files (an answer key) is
read in full instead.
"""

from __future__ import annotations

from inmo.datasets.base import Benchmark
from inmo.datasets.layout import open_by_table

TRACKINGNET = Benchmark(
    name="trackingnet",
    title="TrackingNet",
    open=open_by_table,
    annotations=("{anno_path}", "anno/{name}.txt", "{name}.txt"),
    folders=("{path}", "frames/{name}", "{name}"),
    table="trackingnet_test.csv",
    origin=0,
    protocol="trackingnet-devkit",
    ground_truth="first",
)
