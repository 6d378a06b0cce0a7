"""TNL2K, the 700 test sequences (Wang et al., CVPR 2021).

Own download: ``[TNL2K_test_subset/]<sequence>/imgs/*`` and ``groundtruth.txt``. Frame names are not uniform, so the
sorted folder decides. Absent flags ship with the evaluation toolkit alone (``annos/absent``, beside
``annos/gt_rect``). Without them an annotation has ``absent=None``, and ``tnl2k-matlab`` then takes the zero boxes of
absent frames for broken ones: failures for success, hits for both precisions.
"""

from __future__ import annotations

from functools import partial

from inmo.datasets.base import Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.flags import find_flags, read_flagged
from inmo.datasets.layout import Wanted, locate, sequence, source_of, table_rows

_ANNOTATIONS = ("{anno_path}", "annos/gt_rect/{name}.txt", "gt_rect/{name}.txt", "{name}.txt")
_FOLDERS = ("{path}", "{name}/img")


def open_tnl2k(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """TNL2K below ``tree``: its own download, the toolkit's ``annos``, or boxes alone."""
    wanted = [Wanted(row) for row in table_rows(benchmark, tree)]
    found, holes = locate(benchmark, tree, wanted, _ANNOTATIONS, _FOLDERS)
    flags = find_flags(tree, found)
    sequences = []
    for item in found:
        source = source_of(benchmark, tree, item, suffix="")
        annotation = partial(read_flagged, source, item.name, flags)
        sequences.append(sequence(benchmark, label, item.wanted, source, annotation))
    return Dataset(benchmark, label, str(tree.root), tuple(sequences), holes)


TNL2K = Benchmark(
    name="tnl2k",
    title="TNL2K",
    open=open_tnl2k,
    origin=0,
    protocol="tnl2k-matlab",
    table="tnl2k_test.csv",
    attributes={
        "CM": "Camera Motion",
        "ROT": "Rotation",
        "DEF": "Deformation",
        "FOC": "Full Occlusion",
        "IV": "Illumination Variation",
        "OV": "Out-of-View",
        "POC": "Partial Occlusion",
        "VC": "Viewpoint Change",
        "SV": "Scale Variation",
        "BC": "Background Clutter",
        "MB": "Motion Blur",
        "ARC": "Aspect Ratio Change",
        "LR": "Low Resolution",
        "FM": "Fast Motion",
        "AS": "Adversarial Samples",
        "TC": "Thermal Crossover",
        "MS": "Modality Switch",
    },
)
