"""What one protocol does that another does not, in words, and how much of the difference between scores each of it is.

The switches of ``Protocol`` fall into topics. From one protocol to another is a path that turns one topic after the
other, in this order: what the score moves by at each step is that topic's part, and the parts add up to the
difference. The order matters where topics meet; it is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from inmo.reports.scoring.protocols import Protocol, protocol
from inmo.reports.scoring.score import MEASURES, Measures, Score

TOPICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "first frame": ("first",),
        "frames before the benchmark's first": ("before",),
        "lengths": ("shorter", "longer", "cut_sequences", "drop_last"),
        "absent target": ("absent",),
        "annotations": (
            "valid", "distance_valid", "invalid_overlap", "invalid_distance", "invalid_norm", "nan_annotation",
        ),
        "denominator": ("denominator",),
        "broken boxes": ("nan_prediction", "negative_size", "zero_size"),
        "rounding": (
            "round_boxes", "round_distance", "clamp", "pixels", "skip_nan", "union_epsilon", "norm_floor",
            "norm_epsilon", "norm_centres_first",
        ),
        "curve": (
            "inclusive", "zero_overlap_fails", "area", "success_grid", "precision_grid", "norm_grid", "points",
            "norm_scalar", "coverage",
        ),
        "mean": ("drop_zero",),
    }
)  # fmt: skip
"""Topic -> fields of ``Protocol``, all of them but its names."""

WORDS: Mapping[str, Mapping[object, str]] = MappingProxyType(
    {
        "first": {
            "as-is": "the first frame counts as predicted", "annotation": "the first frame is a hit",
            "excluded": "the first frame is not scored",
        },
        "before": {
            "left-out": "frames before the benchmark's first are left out",
            "scored": "frames before the benchmark's first are scored",
        },
        "shorter": {
            "raise": "shorter results are refused", "zeros": "shorter results fail where they end",
            "nan": "shorter results fail where they end", "cut": "shorter results are scored as far as they go",
        },
        "longer": {"cut": "rows too many are cut", "raise": "rows too many are refused"},
        "absent": {
            "ignore": "absent flags are ignored", "failure": "frames flagged absent fail",
            "excluded": "frames flagged absent are not scored",
        },
        "valid": {
            "wh": "annotations with w, h > 0 are compared", "xywh": "annotations with x, y, w, h > 0 are compared",
            "all": "all annotations are compared",
        },
        "distance_valid": {
            "same": "", "centre": "for P and P_norm those whose centre is above 0",
            "all": "for P and P_norm all",
        },
        "invalid_overlap": {"failure": "others fail in AUC", "excluded": "others do not count in AUC"},
        "invalid_distance": {
            "failure": "others fail in P", "hit": "others are hits in P", "excluded": "others do not count in P",
        },
        "invalid_norm": {
            "failure": "others fail in P_norm", "hit": "others are hits in P_norm",
            "excluded": "others do not count in P_norm",
        },
        "nan_annotation": {
            "invalid": "NaN annotations are like other invalid ones", "excluded": "NaN annotations do not count",
            "raise": "NaN annotations are refused",
        },
        "denominator": {"all": "divided by all frames", "valid": "divided by the valid frames alone"},
        "nan_prediction": {
            "as-is": "NaN boxes fail", "failure": "NaN boxes fail", "repeat": "NaN boxes are the row before",
            "raise": "NaN boxes are refused",
        },
        "negative_size": {
            "as-is": "negative sizes stand", "failure": "negative sizes fail",
            "repeat": "negative sizes are the row before", "raise": "negative sizes are refused",
        },
        "zero_size": {
            "as-is": "boxes of size 0 stand", "failure": "boxes of size 0 fail",
            "repeat": "boxes of size 0 are the row before", "raise": "boxes of size 0 are refused",
        },
        "round_boxes": {True: "boxes are rounded to integers", False: "boxes are not rounded"},
        "norm_floor": {1.0: "P_norm divides by at least 1 px", 0.0: "P_norm divides by any size"},
        "inclusive": {True: "success is IoU >= t", False: "success is IoU > t"},
        "zero_overlap_fails": {True: "IoU 0 fails at t = 0", False: "IoU 0 is like any other"},
        "area": {"mean": "areas are means of the samples", "trapezoid": "areas are trapezoids"},
        "points": {True: "P is read at 20 px", False: "P is an area"},
        "norm_scalar": {
            "norm_precision_020": "P_norm is read at 0.20", "norm_precision_auc": "P_norm is the area below its curve",
        },
        "drop_zero": {
            True: "sequences without any success leave the mean",
            False: "sequences without any success stay in the mean",
        },
    }
)  # fmt: skip
"""Field -> value -> what it does. Fields that are not here differ in the last bits, or in which sequences are meant."""

PRINTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"AUC": ("success_auc",), "P": ("precision_20", "precision_auc"), "P_norm": ()}
)
"""What protocols print -> the measures that it can be; P_norm is the protocol's own."""


@dataclass(frozen=True)
class Part:
    """What a topic does under the other protocol, in words, and by how much: AUC, P, P_norm -> fraction."""

    topic: str
    words: str
    by: Mapping[str, float]


def printed(measures: Measures, rule: Protocol) -> dict[str, float | None]:
    """AUC, P and P_norm as a protocol prints them."""
    found: dict[str, float | None] = {}
    for name, keys in PRINTED.items():
        values = (measures.value(MEASURES[key]) for key in keys or (rule.norm_scalar,))
        found[name] = next((value for value in values if value is not None), None)
    return found


def path(start: Protocol, end: Protocol) -> list[tuple[str, Protocol]]:
    """(topic, protocol with it and all before it turned), of the topics in which the two differ; the last is ``end``'s
    rule. Both are resolved for the benchmark (``Protocol.on``)."""
    steps, rule = [], start
    for topic, names in TOPICS.items():
        turned = {name: getattr(end, name) for name in names if getattr(end, name) != getattr(start, name)}
        if turned:
            rule = replace(rule, **turned, name=f"{start.name} > {end.name}: {topic}")
            steps.append((topic, rule))
    return steps


def words(topic: str, start: Protocol, end: Protocol) -> str:
    """What ``end`` does in a topic that ``start`` does not; the topic where that has no words."""
    said = []
    for name in TOPICS[topic]:
        value = getattr(end, name)
        if name.startswith("invalid_") and end.valid == end.distance_valid == "all":
            continue  # no annotation is
        if value != getattr(start, name) and name in WORDS:
            said.append(WORDS[name].get(value, ""))
    return "; ".join(dict.fromkeys(filter(None, said))) or f"{topic} in detail"


def parts(
    start: Protocol, end: Protocol, trackers: Sequence[str], scored: Callable[[str, Protocol], Score]
) -> list[Part]:
    """The difference between two protocols, mean over the trackers, topic by topic.

    Args:
        scored: (tracker, rule) -> its score. Where a rule on the way refuses, its part goes to the next that does not.
    """
    has = {"AUC": True, "P": end.precision_grid is not None, "P_norm": end.norm_grid is not None}
    found, before, waiting = [], _means(start, trackers, scored), list[str]()
    for topic, rule in path(start, end):
        waiting.append(words(topic, start, end))
        after = _means(rule, trackers, scored)
        if not after:
            continue
        by = {
            name: sum(after[t][name] - before[t][name] for t in both) / len(both)
            for name in PRINTED
            if has[name] and (both := [t for t in trackers if name in after.get(t, {}) and name in before.get(t, {})])
        }
        found.append(Part(topic, "; ".join(waiting), by))
        before, waiting = after, []
    return [*found, *([Part("", "; ".join(waiting), {})] if waiting else [])]


def _means(
    rule: Protocol, trackers: Sequence[str], scored: Callable[[str, Protocol], Score]
) -> dict[str, dict[str, float]]:
    """Tracker -> what is printed of it; none that the rule refuses."""
    found = {}
    for tracker in trackers:
        values = {k: v for k, v in printed(scored(tracker, rule).mean, rule).items() if v is not None}
        if values:
            found[tracker] = values
    return found


def signature(rule: Protocol) -> tuple[object, ...]:
    """What a rule does, without its names: rules with the same one give the same scores."""
    return tuple(getattr(rule, name) for names in TOPICS.values() for name in names)


def all_parts(
    scores: Sequence[Score], benchmark: str, score: Callable[[Sequence[Protocol]], Mapping[tuple[str, str], Score]]
) -> dict[str, list[Part]]:
    """Protocol -> what makes it differ from the first one among the scores.

    Args:
        scores: of all trackers under all protocols.
        benchmark: that the protocols are resolved for.
        score: rules -> (tracker, name of the rule) -> score; asked once, for the rules on the way.
    """
    trackers = list(dict.fromkeys(each.tracker for each in scores))
    start, *others = [protocol(name).on(benchmark) for name in dict.fromkeys(each.protocol for each in scores)]
    known = {signature(rule): rule.name for rule in (start, *others)}
    between: dict[tuple[object, ...], Protocol] = {}
    for rule in (rule for other in others for _, rule in path(start, other)):
        if signature(rule) not in known:
            between.setdefault(signature(rule), rule)
    known |= {key: rule.name for key, rule in between.items()}
    found = {(each.tracker, each.protocol): each for each in scores} | dict(score(list(between.values())))
    return {
        other.name: parts(start, other, trackers, lambda tracker, rule: found[tracker, known[signature(rule)]])
        for other in others
    }
