"""What distractors do to trackers: frames on one, time to the first switch and AUC, by number, likeness and event."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inmo.datasets.mini.distractors import GRADES
from inmo.reports.blocks.block import Block
from inmo.reports.figures import for_papers as figures
from inmo.reports.figures.style import Style, SweepLine, SweepPoint
from inmo.reports.scoring.distraction import LEAST, RUN
from inmo.reports.scoring.score import sequence_means
from inmo.reports.scoring.statistics import (
    FRACTIONS,
    RESAMPLES,
    bootstrap_interval,
    compare_all,
    ends,
    interval_words,
)
from inmo.reports.scoring.stored import DatasetEvaluation
from inmo.reports.tables.note_marks import marks_of
from inmo.reports.tables.significance import pairs_table
from inmo.reports.tables.table import Cell, Column, Table, percent, rank_columns

AUC = percent("success_auc", "AUC", "mean success AUC of the sequences")
ON = percent(
    "on_distractor", "On a distractor", "share of the frames after the first in which the box overlaps a distractor "
    f"by {LEAST} or more, and more than the target", better=-1,
)  # fmt: skip
SWITCHED = percent("switched", "Switched", f"share of the sequences with {RUN} frames on distractors on end", better=-1)
BEFORE = Column(
    "first_switch", "First switch", "frames", 1, 1.0, 1,
    "mean of the frames before the first switch; a sequence without one counts with all of its frames",
)  # fmt: skip

LIMITS = {AUC: FRACTIONS, ON: FRACTIONS, SWITCHED: FRACTIONS, BEFORE: (0.0, math.inf)}  # what a mean can be at all

Values = Mapping[str, Mapping[str, float]]  # tracker -> sequence -> value


@dataclass(frozen=True)
class Part:
    """Sequences that have something in common: of one number of distractors, or one grade."""

    group: str
    key: str
    about: str
    sequences: frozenset[str]


def distractors_block(data: DatasetEvaluation, look: Mapping[str, Style]) -> Block:
    """Tables and figures of one dataset whose sequences have annotated distractors.

    Args:
        data: with ``distraction``, from which sequences without distractors are absent.
        look: tracker -> style.
    """
    found = measured(data)
    parts = parts_of(data)
    label, title = data.dataset.label, data.dataset.title
    stem = f"switches_{label}"
    tables = {stem: overall_table(data, found, title=f"{title}: following the wrong one")}
    for column in (AUC, ON, BEFORE):
        words = f"{title}: {column.label} by grade"
        values = {name: found[column][name] for name in _ordered(found)}
        if len(parts) > 1:
            tables[f"{stem}_{column.key}"] = grade_table(values, parts, column, title=words)
        most = LIMITS[column][1]
        if pairs := compare_all(values, within=(-most, most)):
            words = f"{title}: {column.label}, all pairs"
            tables[f"{stem}_{column.key}_pairs"] = pairs_table(pairs, title=words, column=column)
    drawn = {}
    for column in (AUC, ON):
        panels = _panels(found[column], parts, column, marks_of(data))
        panels = [(words, lines) for words, lines in panels if lines[0].points]
        figure = figures.sweep_figure(panels, "Distractors", look, f"{column.label}: mean over sequences")
        if figure is not None:
            drawn[f"{stem}_{column.key}"] = figure
    notes = [f"{hole.sequence} is left out: {hole.reason}." for hole in data.undisturbed]
    return Block(stem, f"{title}: following the wrong one", "", tables, (), drawn, tuple(notes))


def measured(data: DatasetEvaluation) -> dict[Column, Values]:
    """Column -> tracker -> sequence -> value, on the sequences that have distractors and a score."""
    found: dict[Column, dict[str, dict[str, float]]] = {c: {run.name: {} for run in data.runs} for c in LIMITS}
    for run, score in zip(data.runs, data.default, strict=True):
        aucs = sequence_means([score])
        for sequence, records in data.distraction.items():
            record = records.get(run.name)
            if record is None or sequence not in aucs:
                continue
            values = (aucs[sequence], record.share, float(record.switch is not None), float(record.before))
            for column, value in zip((AUC, ON, SWITCHED, BEFORE), values, strict=True):
                found[column][run.name][sequence] = value
    return dict(found)


def parts_of(data: DatasetEvaluation) -> tuple[Part, ...]:
    """The parts of a dataset by number of distractors, and by the other grades that its attributes tell of."""
    numbers: dict[int, set[str]] = {}
    for sequence, records in data.distraction.items():
        numbers.setdefault(next(iter(records.values())).distractors, set()).add(sequence)
    parts = [
        Part("Number", str(n), f"sequences with {n} distractor{'s' if n > 1 else ''}", frozenset(numbers[n]))
        for n in sorted(numbers)
    ]
    for grade, codes in GRADES.items():
        if grade == "number":  # counted above, for data of any kind
            continue
        for code, words in codes.items():
            own = frozenset(name for name in data.distraction if code in data.attributed[name])
            if own and data.dataset.attributes.get(code) == words:  # other benchmarks have codes of the same letters
                parts.append(Part(grade.capitalize(), code, words, own))
    return tuple(parts)


def overall_table(data: DatasetEvaluation, found: Mapping[Column, Values], *, title: str = "") -> Table:
    """A row per tracker, the best AUC first."""
    names = _ordered(found)
    count = len(data.distraction)
    columns = (
        Column("tracker", "Tracker"),
        Column("sequences", "n", "", 0, 1.0, 0, "sequences with distractors that it has a result on"),
        *found,
    )
    rows = []
    for name in names:
        means = (_mean([*values[name].values()], column) for column, values in found.items())
        rows.append((Cell(name), Cell(len(found[AUC][name])), *means))
    caption = (
        f"{count} sequences with annotated distractors, protocol {data.dataset.protocol}. A box is on a distractor "
        f"where it overlaps one by {LEAST} or more, and more than the target; a switch is {RUN} such frames on end. "
        f"Intervals: {interval_words(count)}."
    )
    return rank_columns(Table(title, caption, columns, tuple(rows)), [len(found[AUC][name]) == count for name in names])


def grade_table(values: Values, parts: Sequence[Part], column: Column, *, title: str = "") -> Table:
    """A row per tracker, a column per part: the mean with its interval; the best of a part is marked."""
    columns = [
        replace(
            column, key=part.key, label=part.key, group=part.group, about=part.about, sub=f"n {len(part.sequences)}"
        )
        for part in parts
    ]
    rows = tuple(
        (Cell(name), *(_mean([v for s, v in own.items() if s in part.sequences], column) for part in parts))
        for name, own in values.items()
    )
    whole = [all(part.sequences <= own.keys() for part in parts) for own in values.values()]
    how = f"Intervals: 95 % studentised bootstrap over sequences, {RESAMPLES:,} resamples."
    caption = f"{column.label}: {column.about}. {how}"
    legend = "; ".join(f"{part.key}: {part.about}" for part in parts)
    return rank_columns(Table(title, f"{caption} {legend}.", (Column("tracker", "Tracker"), *columns), rows), whole)


def _panels(
    values: Values, parts: Sequence[Part], column: Column, signs: Mapping[str, str]
) -> list[tuple[str, list[SweepLine]]]:
    """For every likeness, or all sequences where there is none: a line per tracker over the number of distractors."""
    numbers = [part for part in parts if part.group == "Number"]
    alike = [part for part in parts if part.group == "Likeness"]
    among = [(part.about, part.sequences) for part in alike] or [
        ("All sequences", frozenset().union(*(part.sequences for part in numbers)))
    ]
    return [
        (words, [SweepLine(n, (), _points(own, numbers, chosen, column), signs[n]) for n, own in values.items()])
        for words, chosen in among
    ]


def _points(
    own: Mapping[str, float], numbers: Sequence[Part], chosen: frozenset[str], column: Column
) -> tuple[SweepPoint, ...]:
    means = {part.key: _mean([v for s, v in own.items() if s in part.sequences & chosen], column) for part in numbers}
    return tuple(SweepPoint((float(n),), mean.number, mean.interval, mean.reason) for n, mean in means.items())


def _mean(values: Sequence[float], column: Column) -> Cell:
    if not values:
        return Cell(None, reason="no sequence with a result")
    return Cell(sum(values) / len(values), ends(bootstrap_interval(values, within=LIMITS[column])))


def _ordered(found: Mapping[Column, Values]) -> list[str]:
    """Trackers by falling AUC."""
    return sorted(found[AUC], key=lambda name: (-(_mean([*found[AUC][name].values()], AUC).number or 0.0), name))
