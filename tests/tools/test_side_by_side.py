"""The noisy tracker of docs/protocols.md, and that the page's table is what its command prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Annotation
from inmo.reports.tables.builders import score_table
from tests.conftest import ROOT
from tools.side_by_side import PROTOCOLS, SideBySide, noisy, scores


def test_noise_stays_around_the_target_and_goes_on_where_it_is_absent() -> None:
    boxes = np.tile([100.0, 50, 40, 20], (400, 1))
    boxes[200:] = 0
    found = noisy(Annotation(boxes), np.random.default_rng(0))
    assert found[0].tolist() == [100, 50, 40, 20]
    centre = found[1:, :2] + found[1:, 2:] / 2 - [120, 60]
    assert np.abs(centre.mean(axis=0)).max() < 0.7  # the deviation of the mean is 4.8 / 20 in x
    assert centre.std(axis=0) == pytest.approx([4.8, 2.4], rel=0.15)
    assert np.log(found[1:, 2:] / [40, 20]).std() == pytest.approx(0.12, rel=0.15)


def test_every_protocol_scores_the_same_boxes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("10,10,40,20\n" * 30)
    found = scores(SideBySide((f"folder={tmp_path}",), ("got10k", "clean")))
    assert [score.protocol for score in found] == ["pysot", "got10k", "clean"]
    assert {score.coverage for score in found} == {"2 of 2"}


@pytest.mark.slow
@pytest.mark.shared
def test_the_pages_table_is_what_its_command_prints(shared: Path) -> None:
    page = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    folder = shared / "data" / "annotations"
    data = tuple(f"{name}={folder / file}" for name, file in (("lasot", "LaSOT_test.zip"), ("tnl2k", "TNL2K_test.zip")))
    printed = score_table(scores(SideBySide(data, PROTOCOLS))).to_text().rstrip()
    assert f"```text\n{printed}\n```" in page
