"""Benchmarks and sequences. A new one is a file here and a row in ``DATASETS``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from datasets.errors import resolve

if TYPE_CHECKING:
    from datasets.base import Benchmark, Dataset

# OpenCV reads this when it is loaded. An image file of a few kilobytes may claim 2^30 pixels, which take gigabytes;
# 2^26 are 8192 x 8192, 200 MB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))

DATASETS: dict[str, str] = {
    "lasot": "datasets.lasot:LASOT",
    "tnl2k": "datasets.tnl2k:TNL2K",
    "uav123": "datasets.uav123:UAV123",
    "uav123_10fps": "datasets.uav123:UAV123_10FPS",
    "nfs": "datasets.nfs:NFS",
    "otb100": "datasets.otb:OTB100",
    "trackingnet": "datasets.trackingnet:TRACKINGNET",
    "folder": "datasets.folder:FOLDER",
    "mini-lasot": "datasets.synthetic:MINI_LASOT",
    "mini-tnl2k": "datasets.synthetic:MINI_TNL2K",
    "mini-uav123": "datasets.synthetic:MINI_UAV123",
    "mini-nfs": "datasets.synthetic:MINI_NFS",
    "mini-otb100": "datasets.synthetic:MINI_OTB100",
    "mini-trackingnet": "datasets.synthetic:MINI_TRACKINGNET",
}


def benchmark(name: str) -> Benchmark:
    """The row of facts for ``name``. Raises UserError with a did-you-mean."""
    found: Benchmark = resolve(DATASETS, name, "dataset")
    return found


def open_dataset(name: str, root: str, *, label: str = "") -> Dataset:
    """Look at ``root`` (a folder or a zip) for the benchmark ``name``.

    Returns a Dataset that names what is missing in ``holes``. Raises UserError when the root does not exist or
    holds nothing of the benchmark.
    """
    from datasets.files import open_tree

    row = benchmark(name)
    return row.open(row, label or name, open_tree(root))
