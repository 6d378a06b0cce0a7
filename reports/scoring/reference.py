"""Published scores beside one's own: which are not the same, and what would make them so.

Tried are the other protocols, the protocol with one of its switches turned, and the files read in other ways. What is
told is what gives every published number of a tracker to its last printed digit; where nothing does, nothing is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inmo.datasets import DATASETS
from inmo.errors import UserError
from inmo.reports.scoring.protocols import PROTOCOLS, Protocol, protocol
from inmo.reports.scoring.score import MEASURES, Score
from inmo.reports.scoring.switches import WORDS, printed, signature

P, NORM = "P", "P_norm"
"""What the protocol prints as P and P_norm, at a threshold or as an area; see ``switches.printed``."""
NAMES: Mapping[str, str] = MappingProxyType(
    {key: key for key in MEASURES}
    | {"auc": "success_auc", "success": "success_auc", "suc": "success_auc", "iou": "success_auc"}
    | {"p": P, "precision": P, "prec": P, "p20": "precision_20"}
    | {"pnorm": NORM, "normprecision": NORM, "normalisedprecision": NORM, "normalizedprecision": NORM}
    | {"pnorm02": "norm_precision_020", "pnormauc": "norm_precision_auc"}
)
"""What a measure may be called in a file, in small letters and digits -> key of ``MEASURES``, or ``P``, ``NORM``."""
ORDER = ("success_auc", P, NORM)
"""What the numbers of a list are."""
SWITCHES = (
    "first", "before", "absent", "valid", "invalid_overlap", "invalid_distance", "invalid_norm", "nan_annotation",
    "denominator", "shorter", "round_boxes", "inclusive", "area", "norm_scalar", "drop_zero",
)  # fmt: skip
"""Switches that people turn without saying so."""
SLACK = 1e-9


@dataclass(frozen=True)
class Number:
    """A published fraction, how far it may be off for its last printed digit, and how it is printed, in percent."""

    value: float
    slack: float
    text: str


@dataclass(frozen=True)
class Way:
    """A way to score: in words, how many of the published trackers it gives, and of those that agree now, how many."""

    words: str
    gives: int
    keeps: int


@dataclass(frozen=True)
class Beside:
    """A tracker's published numbers.

    Attributes:
        tracker: as scored here; numbers: key of ``MEASURES``, ``P`` or ``NORM`` -> what is published.
        off: key -> here less published, of those that are not the same.
        ways: that give all of its numbers, the likeliest first.
        tried: how many were tried; among: how many trackers have published numbers.
    """

    tracker: str
    numbers: Mapping[str, Number]
    off: Mapping[str, float]
    ways: tuple[Way, ...] = ()
    tried: int = 0
    among: int = 0


def read_reference(path: Path, names: Sequence[str]) -> dict[str, dict[str, Number]]:
    """Tracker -> its published numbers.

    Args:
        path: JSON. ``{"ECO": 69.1}`` (AUC), ``{"ECO": [69.1, 91.0]}`` (AUC, P, P_norm), ``{"ECO": {"auc": 69.1}}``; any
            of these below titles, those that name another benchmark being passed over; or what ``score --format json``
            prints. Percent, or fractions where none is above 1.
        names: what the dataset goes by.

    Raises UserError for a file that cannot be read or holds none of these.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the published scores {path}: {error}; mend the file") from error
    found = dict(_entries(values, names)) if isinstance(values, dict) else {}
    if not found:
        raise UserError(
            f'{path} holds no published scores of {names[0]}: write {{"TRACKER": 69.1}}, in percent, or {{"TRACKER": '
            '{"auc": 69.1, "precision": 91.0}}'
        )
    whole = [number for own in found.values() for number in own.values()]
    fractions = all(abs(number) <= 1 for number in whole)
    return {tracker: {key: _number(n, fractions) for key, n in own.items()} for tracker, own in found.items()}


def compare_with_reference(
    scores: Sequence[Score],
    published: Mapping[str, Mapping[str, Number]],
    benchmark: str,
    score: Callable[[Sequence[Protocol]], Mapping[tuple[str, str], Score]],
) -> tuple[list[Beside], list[str]]:
    """What is published of the scored trackers, and the published names that none of them has.

    Args:
        scores: under one protocol, with their ``readings`` where files were read in other ways.
        published: see ``read_reference``.
        benchmark: that protocols are resolved for.
        score: rules -> (tracker, name of the rule) -> score; asked once, and only where something is not the same.
    """
    rule = protocol(scores[0].protocol).on(benchmark)
    known = {_plain(name): own for name, own in published.items()}
    by = {s.tracker: s for s in scores}
    numbers = {tracker: known[_plain(tracker)] for tracker in by if _plain(tracker) in known}
    missing = [name for name in published if _plain(name) not in set(map(_plain, by))]
    found = [Beside(t, own, _off(by[t], rule, own)) for t, own in numbers.items()]
    differing = {each.tracker for each in found if each.off}
    if not differing:
        return found, missing
    ways = _ways(rule, benchmark)
    told = score([way for _, way in ways])
    fits = {words: {t for t, own in numbers.items() if not _off(told[t, way.name], way, own)} for words, way in ways}
    for each in by.values():
        for reading in each.readings[1:]:
            if each.tracker in differing and _reads_as(numbers[each.tracker], reading.auc):
                fits.setdefault(f"its files read as {reading.words}", set()).add(each.tracker)
    agreeing = numbers.keys() - differing
    every = [Way(words, len(who), len(who & agreeing)) for words, who in fits.items()]
    order = sorted(every, key=lambda way: (-way.keeps, -way.gives))  # stable: protocols come before switches

    def explained(each: Beside) -> Beside:
        ways = tuple(way for way in order if each.tracker in fits[way.words])
        return replace(each, tried=len(fits), among=len(numbers), ways=ways)

    return [explained(each) if each.off else each for each in found], missing


def _ways(rule: Protocol, benchmark: str) -> list[tuple[str, Protocol]]:
    """(words, rule) of the other protocols, then of single switches turned; each rule once."""
    ways = [("", rule), *((f"protocol {name}", row.on(benchmark)) for name, row in PROTOCOLS.items())]
    for name in SWITCHES:
        for value, words in WORDS[name].items():
            switch: dict[str, Any] = {name: value, "name": f"{rule.name}, {name} {value}"}
            ways.append((f"{rule.name} if {words}", replace(rule, **switch)))
    firsts: dict[tuple[object, ...], tuple[str, Protocol]] = {}
    for way in ways:
        firsts.setdefault(signature(way[1]), way)
    return list(firsts.values())[1:]


def _off(score: Score, rule: Protocol, numbers: Mapping[str, Number]) -> dict[str, float]:
    """Key -> here less published, where they differ; infinite where there is no such number here."""
    found = {}
    for key, number in numbers.items():
        value = score.mean.value(MEASURES[key]) if key in MEASURES else printed(score.mean, rule)[key]
        if value is None or abs(value - number.value) > number.slack + SLACK:
            found[key] = float("inf") if value is None else value - number.value
    return found


def _reads_as(numbers: Mapping[str, Number], auc: float | None) -> bool:
    """Whether another reading gives the published AUC, the only number that there is of it."""
    own = numbers.get("success_auc")
    return own is not None and auc is not None and abs(auc - own.value) <= own.slack + SLACK


def _entries(values: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[str, dict[str, Decimal]]]:
    if isinstance(values.get("scores"), list):  # what `score --format json` prints
        for entry in values["scores"]:
            own = {key: entry[key] for key in MEASURES if isinstance(entry.get(key), Decimal)}
            if own and isinstance(entry.get("tracker"), str):
                yield entry["tracker"], own
        return
    for name, value in values.items():
        if own := _numbers(value):
            yield name, own
        elif isinstance(value, dict) and not _of_another(name, names):
            yield from _entries(value, names)


def _numbers(value: Any) -> dict[str, Decimal]:
    if isinstance(value, Decimal):
        return {"success_auc": value}
    if isinstance(value, list) and all(isinstance(each, Decimal) for each in value):
        return dict(zip(ORDER, value, strict=False))
    if isinstance(value, dict):
        named = {key: number for key, number in value.items() if isinstance(number, Decimal)}
        called = {NAMES[plain]: number for key, number in named.items() if (plain := _plain(key)) in NAMES}
        return called | {key: number for key, number in named.items() if key in MEASURES}
    return {}


def _of_another(title: str, names: Sequence[str]) -> bool:
    """Whether a title names a benchmark that is not the dataset: ``UAV123_10fps success AUC``."""
    words = set(re.split(r"[^a-z0-9_]+", title.lower()))
    return bool(words & DATASETS.keys()) and not words & {name.lower() for name in names}


def _number(number: Decimal, fractions: bool) -> Number:
    percent = number.scaleb(2) if fractions else number  # keeps what digits are said
    exponent = percent.as_tuple().exponent
    digits = max(1, -exponent if isinstance(exponent, int) else 1)  # 70 is 70.0
    return Number(float(percent) / 100, 0.5 * 10.0 ** -(digits + 2), f"{percent:.{min(digits, 3)}f}")


def _plain(name: str) -> str:
    """A name as people vary it: in small letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
