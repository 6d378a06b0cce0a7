"""From the authors' checkpoint file on disk, by the command line, to the authors' boxes.

The checkpoints hold the golden fill rule's values in the wrappers of the released files; the frames of the golden
traces lie in a folder as PNGs, which lose nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from inmo.harness.cli import main
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from inmo.trackers import tracker
from inmo.trackers.pipeline.family import family
from tests.parity import golden_rules as rules

WRAPPERS = {
    "transinmo-star": lambda s: {"epoch": 9, "arch": "x", "state_dict": {f"module.{k}": v for k, v in s.items()}},
    "transt": lambda s: {"net": s, "epoch": 9, "net_type": "TransT"},
    "siamcar": lambda s: {"epoch": 20, "state_dict": s, "optimizer": {}},
    "cnninmo": lambda s: s,
}
CASES = [  # tracker, its stored trace, frames run
    ("transinmo-star", "transinmo_star", "LASOTTEST", 6),
    ("transt", "transt", "default", 4),
    ("siamcar", "siamcar", "LaSOT", 4),
    ("cnninmo", "cnninmo", "LASOTTEST", 3),
]


def checkpoint(shared: Path, name: str, stem: str, path: Path) -> None:
    spec = tracker(name)
    assert spec.network is not None
    built = spec.network(replace(spec.config, interaction="released")).state_dict()
    key_map = family(name).key_map
    torch.save(WRAPPERS[name](rules.official_state(shared, stem, built, key_map)), path)


def film(root: Path, count: int) -> None:
    (root / "golden" / "img").mkdir(parents=True)
    for index, frame in enumerate(rules.frames()[:count]):
        cv2.imwrite(str(root / "golden" / "img" / f"{index:04d}.png"), frame)
    row = ",".join(f"{v:g}" for v in rules.FIRST_BOX[0])
    (root / "golden" / "groundtruth_rect.txt").write_text(f"{row}\n" * count)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("name", "stem", "hyper", "count"), CASES)
def test_the_authors_file_gives_the_authors_boxes(
    shared: Path, tmp_path: Path, name: str, stem: str, hyper: str, count: int
) -> None:
    checkpoint(shared, name, stem, tmp_path / "x.pth")
    film(tmp_path / "clips", count)
    words = ["track", "--tracker", name, "--interaction", "released", "--weights", str(tmp_path / "x.pth")]
    assert main([*words, "--dataset", f"folder={tmp_path / 'clips'}", "--store", str(tmp_path / "store")]) == 0
    store = open_store(tmp_path / "store")
    result = store.result("folder", store.runs("folder")[0], "golden")
    assert isinstance(result, Result)
    with np.load(shared / "reference" / "golden" / f"{stem}.trace.npz") as stored:
        expected = stored[f"{hyper}.boxes"][:count]
    if name in ("transinmo-star", "cnninmo"):  # SOTS keeps x and y at 0 or above when it writes
        expected = np.concatenate([np.maximum(expected[:, :2], 0), expected[:, 2:]], axis=1)
    np.testing.assert_allclose(result.boxes, expected, atol=rules.PIXELS)
    assert len(result.provenance["config"]["weights"]["sha256"]) == 64
