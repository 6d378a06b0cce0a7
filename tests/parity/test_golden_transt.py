"""TransT, released: every stored output, intermediate and trace box of the official module."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from pathlib import Path

import pytest

from inmo.trackers.families.transt import TransTConfig, around, build_network, key_map
from inmo.trackers.pipeline.assembly import MatchingNetwork
from tests.parity import golden_rules as rules

pytestmark = pytest.mark.shared


@lru_cache
def filled(shared: Path) -> MatchingNetwork:
    network = build_network(TransTConfig())
    rules.fill(network, shared, "transt", key_map)
    return network


def test_intermediates_and_outputs(shared: Path) -> None:
    stored = rules.golden(shared, "transt")
    rules.assert_matching(filled(shared), stored, key_map, 24, ("final.pred_logits", "final.pred_boxes"))


def test_trace(shared: Path) -> None:
    tracker = around(deepcopy(filled(shared)), TransTConfig(), "cpu")
    rules.assert_trace(tracker, rules.golden(shared, "transt.trace"), "default")
