"""What one protocol does that another does not, and how much of the difference each of it is."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from typing import Literal, get_args, get_type_hints

import numpy as np
import pytest

from inmo.datasets.base import Annotation
from inmo.reports.scoring.protocols import PROTOCOLS, Protocol, protocol
from inmo.reports.scoring.raw import score_tracker
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.switches import TOPICS, WORDS, all_parts, parts, path, printed, signature

BENCHMARKS = ("lasot", "tnl2k", "uav123", "otb100", "trackingnet")


def test_the_topics_have_every_switch_once() -> None:
    names = [name for own in TOPICS.values() for name in own]
    assert sorted(names) == sorted(f.name for f in fields(Protocol) if f.name not in ("name", "summary", "by_dataset"))


def test_words_are_for_values_that_there_are() -> None:
    hints = get_type_hints(Protocol)
    for name, words in WORDS.items():
        if getattr(hints[name], "__origin__", None) is Literal:
            assert set(words) == set(get_args(hints[name])), name


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_path_ends_at_the_other_protocol(benchmark: str) -> None:
    for a, b in itertools.permutations(PROTOCOLS, 2):
        start, end = protocol(a).on(benchmark), protocol(b).on(benchmark)
        steps = path(start, end)
        assert signature(steps[-1][1] if steps else start) == signature(end)


def scored(first_right: bool = False) -> dict[str, dict[str, np.ndarray]]:
    """Ten frames of a box 20 by 20; flagged absent in two; the prediction is 5 px aside, all but the first frame."""
    boxes = np.tile([10.0, 10.0, 20.0, 20.0], (10, 1))
    moved = boxes + np.array([5.0, 0, 0, 0])
    return {"T": {"a": moved}, "U": {"a": boxes}}


ABSENT = np.array([False] * 8 + [True] * 2)
ANNOTATION = {"a": Annotation(np.tile([10.0, 10.0, 20.0, 20.0], (10, 1)), ABSENT)}


def of(tracker: str, rule: Protocol) -> Score:
    return score_tracker("lasot", tracker, scored()[tracker], ANNOTATION, rule, benchmark_name="lasot")


def test_the_parts_are_those_of_the_frames() -> None:
    """IoU of the moved box is 15 / 25: it passes 12 of 21 thresholds in floating point, and P_norm at 0.25 fails 0.20.

    got10k has the first frame right and ignores the flags: one frame more that is a hit, two more that are scored.
    """
    start, end = protocol("pysot").on("lasot"), protocol("got10k").on("lasot")
    found = {part.topic: part for part in parts(start, end, ["T"], of)}
    each = float(np.mean([t < 15 / 25 for t in np.arange(21.0) * 0.05]))
    assert found["first frame"].words == "the first frame is a hit"
    assert found["first frame"].by["AUC"] == pytest.approx((20 / 21 - each) / 10)
    assert found["absent target"].words == "absent flags are ignored"
    assert found["absent target"].by["AUC"] == pytest.approx(2 * each / 10)
    assert found["absent target"].by["P"] == pytest.approx(0.2)


@pytest.mark.parametrize("end", [name for name in PROTOCOLS if name not in ("pysot",)])
def test_the_parts_add_up_to_the_difference(end: str) -> None:
    start, other = protocol("pysot").on("lasot"), protocol(end).on("lasot")
    found = parts(start, other, ["T", "U"], of)
    means = [
        {key: np.mean([v for t in ("T", "U") if (v := printed(of(t, rule).mean, rule)[key]) is not None])
         for key in ("AUC", *(("P", "P_norm") if rule.norm_grid else ()))}
        for rule in (start, other)
    ]  # fmt: skip
    for key in means[1]:
        assert sum(part.by.get(key, 0.0) for part in found) == pytest.approx(means[1][key] - means[0][key])


def test_rules_that_are_alike_are_scored_once() -> None:
    own = [replace(of(t, protocol(p).on("lasot")), protocol=p) for t in ("T", "U") for p in PROTOCOLS]
    asked: list[Protocol] = []

    def score(rules: list[Protocol]) -> dict[tuple[str, str], Score]:
        asked.extend(rules)
        return {(t, rule.name): of(t, rule) for t in ("T", "U") for rule in rules}

    found = all_parts(own, "lasot", score)  # type: ignore[arg-type]
    assert set(found) == set(PROTOCOLS) - {own[0].protocol}
    assert len({signature(rule) for rule in asked}) == len(asked)
    assert not {signature(rule) for rule in asked} & {signature(row.on("lasot")) for row in PROTOCOLS.values()}
