"""Where TCA adds, counted by hand on small maps."""

from __future__ import annotations

import numpy as np
import pytest

from tools.tca_focus import TcaFocus, focus, rows


def test_by_hand() -> None:
    change = np.array([[4.0, 1.0], [2.0, 4.0]])  # the left column is the target
    ratio, more, variation = focus(change, np.array([0, 0, 0.5, 1])) or (0, 0, 0)
    assert ratio == pytest.approx(3 / 2.5)
    assert more == pytest.approx((1 + 0.5 + 1 + 0) / 4)  # 4 > 1, 4 = 4, 2 > 1, 2 < 4
    assert variation == pytest.approx(np.sqrt((1.25**2 * 2 + 1.75**2 + 0.75**2) / 4) / 2.75)


def test_a_flat_map_tells_nothing() -> None:
    assert focus(np.full((3, 3), 2.0), np.array([0, 0, 0.4, 0.4])) == (1.0, 0.5, 0.0)


def test_a_box_between_the_cells_or_over_all_of_them_has_no_answer() -> None:
    assert focus(np.ones((2, 2)), np.array([0.4, 0.4, 0.2, 0.2])) is None
    assert focus(np.ones((2, 2)), np.array([0, 0, 1, 1])) is None


def test_every_tca_of_every_training_is_counted() -> None:
    head, *found = rows(TcaFocus("table4-depthwise", "distractors", every=112))
    assert head[:3] == ["row", "seed", "TCA"] and {line[0] for line in found} == {"tca", "both"}
    assert len(found) % 4 == 0 and all(int(line[-1]) <= 3 for line in found)
