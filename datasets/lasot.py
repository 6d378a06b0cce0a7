"""LaSOT, the 280 test sequences (Fan et al., CVPR 2019).

Own download: ``<class>/<class>-<k>/`` with ``img/%08d.jpg`` from 1, ``groundtruth.txt``, ``full_occlusion.txt`` and
``out_of_view.txt``. Evaluation toolkit: ``annos/<sequence>.txt`` with ``annos/absent/<sequence>.txt``.
Some copies of ``monkey-17`` hold more than the 2,260 frames that the toolkit scores; the rest is cut.
"""

from __future__ import annotations

from functools import partial

from inmo.datasets.base import Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.flags import find_flags, read_flagged
from inmo.datasets.layout import Wanted, locate, sequence, source_of, table_rows

_ANNOTATIONS = ("{anno_path}", "{name}/groundtruth.txt", "annos/{name}.txt", "{name}.txt")
_FOLDERS = ("{path}", "{name}/img")


def open_lasot(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """LaSOT below ``tree``: its own download, sequences without class folders, or annotations alone."""
    wanted = [Wanted(row) for row in table_rows(benchmark, tree)]
    found, holes = locate(benchmark, tree, wanted, _ANNOTATIONS, _FOLDERS)
    flags = find_flags(tree, found)
    sequences = []
    for item in found:
        source = source_of(benchmark, tree, item)
        annotation = partial(read_flagged, source, item.name, flags)
        sequences.append(sequence(benchmark, label, item.wanted, source, annotation))
    return Dataset(benchmark, label, str(tree.root), tuple(sequences), holes)


LASOT = Benchmark(
    name="lasot",
    title="LaSOT",
    open=open_lasot,
    origin=1,
    protocol="lasot-matlab",
    table="lasot_test.csv",
    attributes={
        "IV": "Illumination Variation",
        "POC": "Partial Occlusion",
        "DEF": "Deformation",
        "MB": "Motion Blur",
        "CM": "Camera Motion",
        "ROT": "Rotation",
        "BC": "Background Clutter",
        "VC": "Viewpoint Change",
        "SV": "Scale Variation",
        "FOC": "Full Occlusion",
        "FM": "Fast Motion",
        "OV": "Out-of-View",
        "LR": "Low Resolution",
        "ARC": "Aspect Ratio Change",
    },
)
