"""The counts of the benchmarks' own annotation files, and real images."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.datasets.base import read_table
from inmo.datasets.check import check_dataset
from inmo.datasets.files import open_tree

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("name", "archive", "sequences", "frames", "absent", "nan"),
    [
        ("lasot", "LaSOT_test.zip", 280, 685_360, 18_346, 0),
        ("tnl2k", "TNL2K_test.zip", 700, 516_038, 65_253, 0),
        ("otb100", "OTB100.zip", 100, 59_035, None, 0),
        ("uav123", "UAV123.zip", 123, 112_578, None, 2_683),
        ("uav123_10fps", "UAV123_10fps.zip", 123, 37_607, None, 853),
    ],
)
def test_totals(
    shared: Path, name: str, archive: str, sequences: int, frames: int, absent: int | None, nan: int
) -> None:
    dataset = open_dataset(name, str(shared / "data/annotations" / archive))
    assert (len(dataset.sequences), dataset.holes) == (sequences, ())
    annotations = [s.annotation() for s in pickle.loads(pickle.dumps(dataset.sequences[:3])) + dataset.sequences[3:]]
    assert sum(map(len, annotations)) == frames
    assert sum(int(np.isnan(a.boxes).any(axis=1).sum()) for a in annotations) == nan
    if absent is None:
        assert all(a.absent is None for a in annotations)
    else:
        assert sum(int(a.absent.sum()) for a in annotations if a.absent is not None) == absent
    assert check_dataset(dataset).findings == ()


def test_ten_fps_is_every_third_row(shared: Path) -> None:
    whole = open_dataset("uav123", str(shared / "data/annotations/UAV123.zip"))
    thirds = open_dataset("uav123_10fps", str(shared / "data/annotations/UAV123_10fps.zip"))
    for long, short in zip(whole.sequences, thirds.sequences, strict=True):
        assert np.array_equal(long.annotation().boxes[::3], short.annotation().boxes, equal_nan=True)


def test_uav123_counts_pixels_from_one(shared: Path) -> None:
    dataset = open_dataset("uav123", str(shared / "data/annotations/UAV123.zip"))
    boxes = np.concatenate([s.annotation().boxes for s in dataset.sequences])
    boxes = boxes[~np.isnan(boxes[:, 0])]
    assert boxes[:, :2].min() == 1
    assert (boxes[:, 0] + boxes[:, 2]).max() == 1281
    assert (boxes[:, 1] + boxes[:, 3]).max() == 721
    assert {s.origin for s in dataset.sequences} == {1}


@pytest.mark.parametrize("above", ["OTB100", "."])
def test_a_partial_otb100_and_the_folder_above_it(shared: Path, above: str) -> None:
    dataset = open_dataset("otb100", str(shared / "data" / above))
    assert [s.name for s in dataset.sequences] == ["Couple", "Crossing", "Deer", "Football1"]
    assert (len(dataset.holes), dataset.expected) == (96, 100)
    report = check_dataset(dataset)
    # from above, the clips of other sequences lie beside it under names of OTB100
    assert len(report.findings) == (1 if above == "OTB100" else 2)
    assert any("405 images read" in line for line in report.facts)


def test_clips(shared: Path) -> None:
    dataset = open_dataset("folder", str(shared / "data/clips"))
    assert sum(len(s.annotation()) for s in dataset.sequences) == 1_280
    assert check_dataset(dataset, every=50).findings == ()


def test_totals_of_tables_without_annotation() -> None:
    nfs = read_table("nfs.csv")
    assert (len(nfs), sum(int(row["end_frame"]) for row in nfs)) == (100, 47_953)
    assert len(read_table("trackingnet_test.csv")) == 511


@pytest.mark.parametrize(
    ("table", "counts"),
    [
        ("otb100.csv", "IV 38 SV 65 OCC 49 DEF 44 MB 31 FM 43 IPR 51 OPR 64 OV 14 BC 32 LR 10"),
        ("uav123.csv", "SV 109 ARC 68 LR 48 FM 28 FOC 33 POC 73 OV 30 BC 21 IV 31 VC 60 CM 70 SOB 39"),
        (
            "lasot_test.csv",
            "IV 47 POC 187 DEF 142 MB 89 CM 86 ROT 175 BC 100 VC 33 SV 273 FOC 118 FM 53 OV 104 LR 141 ARC 249",
        ),
        (
            "tnl2k_test.csv",
            "CM 228 ROT 310 DEF 174 FOC 97 IV 82 OV 234 POC 376 VC 310 SV 406 BC 420 MB 49 ARC 241 LR 74 FM 168 "
            "AS 100 TC 24 MS 21",
        ),
    ],
)
def test_attribute_counts(table: str, counts: str) -> None:
    words = counts.split()
    for code, count in zip(words[::2], words[1::2], strict=True):
        assert sum(code in row["attributes"].split() for row in read_table(table)) == int(count), code


def test_every_published_result_file_is_one_sequence_under_a_known_spelling(shared: Path) -> None:
    dataset = open_dataset("otb100", str(shared / "data/annotations/OTB100.zip"))
    owner = {spelling: s.name for s in dataset.sequences for spelling in (s.name, *s.aliases)}
    files = [Path(name) for name in open_tree(shared / "data/results/OTB100.zip").names]
    for tracker in {file.parent for file in files}:
        assert sorted(owner[f.stem] for f in files if f.parent == tracker) == sorted(s.name for s in dataset.sequences)
