"""What was measured of an ablation, and the small file that keeps it: scores, no boxes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inmo import seals
from inmo.errors import UserError
from inmo.records import structure
from inmo.reports.scoring.effects import Scores, own_trainings
from inmo.reports.scoring.seeds import Trainings
from inmo.whole_files import fitting, place, read_json

AUC = "success_auc"
SHARE = "on_distractor"
BEFORE = "first_switch"
KEPT: Mapping[str, int] = {AUC: 5, "norm_precision_020": 5, "precision_20": 5, SHARE: 5, BEFORE: 0}
"""Measures of a sequence that a study has -> digits behind the point in a kept file."""

Values = Mapping[str, float]
"""Measure -> value of one sequence; one that it does not have is left out."""


@dataclass(frozen=True)
class Study:
    """What was measured of an ablation.

    Attributes:
        rows: row -> seed -> dataset/sequence -> measures of ``KEPT``, fractions 0..1 and frames, in the order of the
            rows.
        reference: the row that the others are compared with.
        factors: row -> factor -> level, where the rows differ.
        groups: name of a part of the sequences (an attribute, a dataset) -> the sequences.
        words: what was trained and how, for captions.
        names: dataset/sequence of all that was to be measured, with a score or without.
        trainings: row -> seed -> which training that is, for rows that share some.
    """

    rows: Mapping[str, Mapping[int, Mapping[str, Values]]]
    reference: str
    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: str = ""
    names: frozenset[str] = frozenset()
    trainings: Trainings = field(default_factory=dict)

    @property
    def whose(self) -> Trainings:
        """Which training a row's seed is; where nothing says so, one that no other row has."""
        return {row: {**own, **self.trainings.get(row, {})} for row, own in own_trainings(self.rows).items()}

    @property
    def shared(self) -> tuple[str, ...]:
        """Sequences that every training has a score of: a row that lacks some would be compared on easier ones."""
        return self.having(AUC)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sequences that some training, or every one, has no score of."""
        return tuple(sorted(self.sequences - set(self.shared)))

    @property
    def sequences(self) -> frozenset[str]:
        """All of them, with a score or without."""
        return self.names.union(*(own for seeds in self.rows.values() for own in seeds.values()))

    def having(self, measure: str) -> tuple[str, ...]:
        """Sequences of which every training has this measure."""
        found = [{n for n, v in own.items() if measure in v} for seeds in self.rows.values() for own in seeds.values()]
        return tuple(sorted(set.intersection(*found))) if found else ()

    def scores(self, measure: str, names: Sequence[str]) -> Scores:
        """A measure of these sequences. Raises KeyError where a training lacks one."""
        return {
            row: {seed: {name: own[name][measure] for name in names} for seed, own in seeds.items()}
            for row, seeds in self.rows.items()
        }


@dataclass(frozen=True)
class KeptStudy:
    """A study as its file has it.

    Attributes:
        stem: name of the ablation's file; title: what it asks.
        measured: the day; command: the words that measured it; on: per dataset how many sequences, and its title.
        study: what came out.
    """

    stem: str
    title: str
    measured: str
    command: str
    on: tuple[str, ...]
    study: Study


@dataclass(frozen=True)
class _File:
    """The names in a kept file. ``groups`` hold places in ``sequences``, counted from 0."""

    stem: str
    title: str
    measured: str
    command: str
    on: tuple[str, ...]
    reference: str
    words: str
    factors: Mapping[str, Any]
    sequences: tuple[str, ...]
    groups: Mapping[str, Any]
    rows: Mapping[str, Any]
    trainings: Mapping[str, Any] = field(default_factory=dict)


def write_study(kept: KeptStudy, path: Path) -> Path:
    """A sealed JSON file, a line per measure of a training. Raises UserError for a place that cannot be written."""
    study = kept.study
    names = sorted(study.sequences)
    number = {name: index for index, name in enumerate(names)}
    head: dict[str, Any] = {
        "stem": kept.stem, "title": kept.title, "measured": kept.measured, "command": kept.command, "on": kept.on,
        "reference": study.reference, "words": study.words, "factors": study.factors, "sequences": names,
        "groups": {group: sorted(number[n] for n in own if n in number) for group, own in study.groups.items()},
    }  # fmt: skip
    if study.trainings:
        head["trainings"] = {row: {str(s): name for s, name in own.items()} for row, own in study.trainings.items()}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    rows = []
    for row, seeds in study.rows.items():
        trainings = []
        for seed, own in seeds.items():
            measures = [
                f"   {json.dumps(key)}: {json.dumps([_rounded(own.get(n, {}).get(key), digits) for n in names])}"
                for key, digits in KEPT.items()
                if any(key in values for values in own.values())
            ]
            trainings.append(f"  {json.dumps(str(seed))}: {{\n" + ",\n".join(measures) + "}")
        rows.append(f" {json.dumps(row)}: {{\n" + ",\n".join(trainings) + "}")
    lines += ['"rows": {\n' + ",\n".join(rows) + "}", f'"{seals.KEY}": "{seals.BLANK}"']
    place(path, seals.sealed(("{\n" + ",\n".join(lines) + "\n}\n").encode()))
    return path


def read_study(path: Path) -> KeptStudy:
    """What ``write_study`` wrote. Raises UserError for a file that is not of this kind, or not whole."""
    raw = structure(_File, read_json(path), str(path))
    with fitting(path):
        rows = {row: {int(s): _sequences(raw, own) for s, own in seeds.items()} for row, seeds in raw.rows.items()}
        groups = {group: frozenset(_named(raw, places)) for group, places in raw.groups.items()}
        trainings = {row: {int(s): str(name) for s, name in own.items()} for row, own in raw.trainings.items()}
        _demand(raw, rows)
    if raw.reference not in rows:
        raise UserError(f"{path} has no row '{raw.reference}', which its others are compared with; write it again")
    study = Study(rows, raw.reference, raw.factors, groups, raw.words, frozenset(raw.sequences), trainings)
    return KeptStudy(raw.stem, raw.title, raw.measured, raw.command, raw.on, study)


def _sequences(raw: _File, measures: Mapping[str, Sequence[float | None]]) -> Mapping[str, Values]:
    found: dict[str, dict[str, float]] = {name: {} for name in raw.sequences}
    for key, values in measures.items():
        if key not in KEPT:
            raise ValueError(f"it has '{key}', which is no measure")
        most = 1.0 if KEPT[key] else sys.float_info.max
        for name, value in zip(raw.sequences, values, strict=True):
            if value is None:
                continue
            number = float(value)
            if not 0.0 <= number <= most:  # as NaN is not, either
                raise ValueError(f"{key} of {name} is {value}")
            found[name][key] = number
    if (SHARE in measures) != (BEFORE in measures):
        raise ValueError(f"{SHARE} and {BEFORE} belong together")
    return {name: own for name, own in found.items() if own}


def _named(raw: _File, places: Sequence[int]) -> list[str]:
    if not all(type(place) is int and 0 <= place < len(raw.sequences) for place in places):
        raise ValueError(f"groups hold {places!r:.80}, which are not places among {len(raw.sequences)} sequences")
    return [raw.sequences[place] for place in places]


def _demand(raw: _File, rows: Mapping[str, Mapping[int, Any]]) -> None:
    """Raises ValueError for what the tables could not be made of."""
    if empty := [row for row, seeds in rows.items() if not seeds]:
        raise ValueError(f"row {empty[0]} has no training")
    if not all(isinstance(own, dict) for own in raw.factors.values()):
        raise ValueError("factors must hold the values of every row")
    if strange := [words for words in raw.on if not words.partition(" ")[0].isdigit()]:
        raise ValueError(f"'{strange[0]}' does not begin with a number of sequences")


def _rounded(value: float | None, digits: int) -> float | int | None:
    return None if value is None else round(value, digits) if digits else round(value)
