"""Benchmarks and sequences. A new one is a file here and a row in ``DATASETS``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from inmo.datasets.files import open_tree
from inmo.registry import resolve

if TYPE_CHECKING:
    from inmo.datasets.base import Benchmark, Dataset

# OpenCV reads this when it is loaded. An image file of a few kilobytes may claim 2^30 pixels, which take gigabytes;
# 2^26 are 8192 x 8192, 200 MB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))

DATASETS: dict[str, str] = {
    "lasot": "inmo.datasets.lasot:LASOT",
    "tnl2k": "inmo.datasets.tnl2k:TNL2K",
    "uav123": "inmo.datasets.uav123:UAV123",
    "uav123_10fps": "inmo.datasets.uav123:UAV123_10FPS",
    "nfs": "inmo.datasets.nfs:NFS",
    "otb100": "inmo.datasets.otb:OTB100",
    "trackingnet": "inmo.datasets.trackingnet:TRACKINGNET",
    "folder": "inmo.datasets.own.folder:FOLDER",
    "distractors": "inmo.datasets.mini.distractors:DISTRACTORS",
    "mini-lasot": "inmo.datasets.mini.suite:MINI_LASOT",
    "mini-tnl2k": "inmo.datasets.mini.suite:MINI_TNL2K",
    "mini-uav123": "inmo.datasets.mini.suite:MINI_UAV123",
    "mini-nfs": "inmo.datasets.mini.suite:MINI_NFS",
    "mini-otb100": "inmo.datasets.mini.suite:MINI_OTB100",
    "mini-trackingnet": "inmo.datasets.mini.suite:MINI_TRACKINGNET",
}


def benchmark(name: str) -> Benchmark:
    """The row of facts for ``name``. Raises UserError with a did-you-mean."""
    found: Benchmark = resolve(DATASETS, name, "dataset")
    return found


def family(name: str) -> str:
    """The benchmark whose protocols, constants and names in other toolkits hold for ``name``.

    ``uav123`` for ``uav123_10fps`` and ``mini-uav123``; a benchmark that follows none, or is not known, is its own.
    """
    return (benchmark(name).follows or name) if name in DATASETS else name


def flagged(name: str) -> bool:
    """Whether the benchmark flags frames without its target; False for one that is not known."""
    return name in DATASETS and benchmark(name).flagged


def gaps(name: str) -> bool:
    """Whether frames that nobody annotated are NaN in the benchmark; False for one that is not known."""
    return name in DATASETS and benchmark(name).gaps


def videos(name: str) -> str:
    """One name for all benchmarks that show the same videos: UAV123 and UAV123@10fps, but no rendered likeness."""
    return benchmark(name).videos if name in DATASETS else name


def open_dataset(name: str, root: str, *, label: str = "") -> Dataset:
    """Look at ``root`` (a folder or a zip) for the benchmark ``name``.

    Returns a Dataset that names what is missing in ``holes``. Raises UserError when the root does not exist or
    holds nothing of the benchmark.
    """
    from inmo.datasets.others import with_shared

    row = benchmark(name)
    return with_shared(row.open(row, label or name, open_tree(root)))
