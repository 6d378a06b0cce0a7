"""AUC against test-time constants: a sweep read from its store, as curves with intervals, a table and drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from inmo.harness.store.records import Swept, Values
from inmo.harness.store.store import Store
from inmo.reports.blocks.block import Block, Drawing
from inmo.reports.figures import for_papers as figures
from inmo.reports.figures import svg
from inmo.reports.figures.style import Style, SweepLine, SweepPoint
from inmo.reports.scoring.measure import mean_measures
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.spread import Estimate, Spread, spreads
from inmo.reports.scoring.statistics import FRACTIONS, bootstrap_interval, ends, interval_words
from inmo.reports.scoring.stored import DatasetEvaluation, auc_values, evaluate_runs
from inmo.reports.tables.note_marks import briefly, marks_of
from inmo.reports.tables.table import Cell, Column, Table, percent
from inmo.terminal import listed

NAMES: Mapping[str, str] = {
    "window_influence": "Hanning weight",
    "penalty_k": "Penalty k",
    "lr": "Learning rate of the size",
}
"""Constant -> its name on axes and in headings."""
SHOWN = 6  # of a long list of names


@dataclass(frozen=True)
class SweptDataset:
    """Every tracker of a sweep on one dataset.

    Attributes:
        label, title, protocol: of the dataset; the protocol is the benchmark's own, with what its scores do without.
        sequences: those that all trackers have under all values, over which every point is the mean.
        expected: how many the whole benchmark has.
        lines: one per tracker, in the order of the sweep.
        missing: sequence -> why it is left out.
        spreads: tracker -> how far its AUC moves over the values, against the first tracker; empty where some tracker
            lacks a value, or there is one value alone.
        trainings: of the tracker that has most; points and ranges are means over those of a tracker.
    """

    label: str
    title: str
    protocol: str
    sequences: tuple[str, ...]
    expected: int
    lines: tuple[SweepLine, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    trainings: int = 1

    @property
    def coverage(self) -> str:
        """``7 of 280``."""
        return f"{len(self.sequences)} of {self.expected}"


def read_sweep(store: Store, sweep: Sequence[Swept]) -> tuple[SweptDataset, ...]:
    """Score a sweep.

    Every point of a dataset is the mean over the same sequences. A value without any result is a gap with its reason.

    Raises UserError for a damaged store, or a dataset that is not in it.
    """
    return tuple(
        _dataset(store, label, [item for item in sweep if item.dataset == label])
        for label in dict.fromkeys(item.dataset for item in sweep)
    )


def sweep_block(
    found: Sequence[SweptDataset],
    over: Sequence[str],
    look: Mapping[str, Style],
    *,
    stem: str,
    title: str,
    words: str = "",
) -> Block:
    """A sweep on the page: the table and, of a sweep over one constant, a plot per dataset.

    Args:
        found: see ``read_sweep``.
        over: names of the constants.
        look: tracker -> style.
        stem, title, words: as of the block.
    """
    tables = {stem: sweep_table(found, over, title=title)} if found else {}
    if any(data.spreads for data in found):
        tables[f"{stem}_range"] = range_table(found, over, title=f"{title}: range")
    notes = [f"{data.title}: left out of every point: {_grouped(data.missing)}." for data in found if data.missing]
    drawings, drawn = [], {}
    lines = [data for data in found if any(p.auc is not None for line in data.lines for p in line.points)]
    if len(over) == 1:
        for data in lines:
            markup = svg.sweep_plot(data.lines, NAMES[over[0]], look)
            drawings.append(Drawing(data.title, f"{data.protocol}, {data.coverage} sequences", markup))
        figure = figures.sweep_figure([(d.title, d.lines) for d in lines], NAMES[over[0]], look)
        if figure is not None:
            drawn = {stem: figure}
    else:
        notes.append("A plot has one axis for constants: sweep over one of them alone for a figure.")
    return Block(stem, title, words, tables, tuple(drawings), drawn, tuple(notes))


def sweep_table(found: Sequence[SweptDataset], over: Sequence[str], *, title: str = "") -> Table:
    """A row per value (or combination of values), a column per tracker and dataset; the best of a column is marked."""
    rows = list(dict.fromkeys(point.values for data in found for line in data.lines for point in line.points))
    columns = [Column(name, NAMES[name], "", _digits([row[i] for row in rows])) for i, name in enumerate(over)]
    cells: list[list[Cell]] = [[Cell(value) for value in row] for row in rows]
    for data in found:
        short = "" if len(data.sequences) == data.expected else f", {data.coverage}"
        for line in data.lines:
            about = f"success AUC of {line.tracker} on {data.title}"
            head = percent(f"{data.label}/{line.tracker}", line.tracker, about)
            columns.append(replace(head, sub=f"{data.title}, {data.protocol}{short}"))
            best = line.best() if len(line.best()) < len(line.points) else ()  # all alike: none is better
            known = {p.values: Cell(p.auc, p.interval, p.reason, int(p in best)) for p in line.points}
            for row, values in zip(cells, rows, strict=True):
                row.append(known.get(values, Cell(None, reason="not swept")))
    counts = sorted({len(data.sequences) for data in found})
    caption = ["Success AUC per value; the best of a column is marked.", _own(found, over)]
    caption += [f"{words[0].upper()}{words[1:]}." for words in (interval_words(n) for n in counts)]
    if (most := _trainings(found)) > 1:
        caption.append(f"Means over up to {most} trainings of a tracker; the intervals are over sequences alone.")
    return Table(title, " ".join(filter(None, caption)), tuple(columns), tuple(tuple(row) for row in cells))


def range_table(found: Sequence[SweptDataset], over: Sequence[str], *, title: str = "") -> Table:
    """A row per dataset and tracker: how far AUC moves over the values, and AUC under the first of them."""
    counts = sorted({len(data.sequences) for data in found if data.spreads})
    less = "less that of the first tracker on the same sequences"
    columns = (
        Column("dataset", "Dataset"),
        Column("tracker", "Tracker"),
        percent("range", "Range of AUC", "greatest less least AUC over the values", better=-1),
        percent("range_difference", "Δ range", less, better=0),
        percent("first", "AUC under the first value", "for a Hanning weight of 0, without the window"),
        percent("first_difference", "Δ AUC there", less, better=0),
    )
    rows = []
    for data in found:
        for number, (tracker, own) in enumerate(data.spreads.items()):
            cells = [_estimate(each) for each in (own.range, own.range_difference, own.first, own.first_difference)]
            if not number:
                cells[1::2] = [Cell(None, reason="the others are compared with it")] * 2
            rows.append((Cell(data.title), Cell(tracker), *cells))
    names = ", ".join(NAMES[name] for name in over)
    caption = [
        f"How far mean success AUC moves over the values ({names}). A range is never below 0, and noise alone makes "
        "one, so that resampled ranges tend to be greater than the measured one; "
        "their intervals are percentiles of resamples.",
        *(f"{words[0].upper()}{words[1:]}; differences are paired." for words in (interval_words(n) for n in counts)),
    ]
    if (most := _trainings(found)) > 1:
        caption.append(
            f"Means over up to {most} trainings of a tracker, each with its own range; the intervals take in how "
            "trainings differ, which all trackers tell together."
        )
    return Table(title, " ".join(caption), columns, tuple(rows))


# ---- parts


def _trainings(found: Sequence[SweptDataset]) -> int:
    """Of the tracker that has most, on any dataset."""
    return max((data.trainings for data in found), default=1)


def _estimate(found: Estimate) -> Cell:
    return Cell(found.value, ends(found.interval))


def _dataset(store: Store, label: str, sweep: Sequence[Swept]) -> SweptDataset:
    data = evaluate_runs(store, label, {folder for item in sweep for folder in item.runs.values()})
    scores = {run.run.folder: score for run, score in zip(data.runs, data.default, strict=True)}
    signs = {run.run.folder: mark for run, mark in zip(data.runs, marks_of(data).values(), strict=True)}
    reasons = {run.run.folder: run.holes[0].reason for run in data.runs if run.holes}
    usable = {folder: score for folder, score in scores.items() if not score.reason}
    shared = [n for n in data.dataset.names if usable and all(n in s.per_sequence for s in usable.values())]
    trackers: dict[str, list[Swept]] = {}
    for item in sweep:
        trackers.setdefault(item.tracker, []).append(item)
    lines, curves = [], {}
    for tracker, items in trackers.items():
        values = {each: [item.runs[each] for item in items] for each in items[0].runs}
        folders = [folder for item in items for folder in item.runs.values()]
        whole = all(folder in usable for folder in folders)
        curves[tracker] = [[scores[folder] for folder in item.runs.values()] for item in items] if whole else []
        points = []
        for each, own in values.items():
            gap = next((folder for folder in own if folder not in usable), None)
            if gap is not None:
                why = reasons.get(gap) or (scores[gap].reason if gap in scores else "not run yet")
                points.append(SweepPoint(each, None, reason=why))
            else:
                points.append(_point(data, each, [scores[folder] for folder in own], shared))
        mark = "".join(dict.fromkeys(sign for folder in folders for sign in signs.get(folder, "")))
        lines.append(SweepLine(tracker, items[0].own, tuple(points), mark))
    gone = {hole.sequence: hole.reason for hole in data.dataset.holes}
    gone |= {name: _why(data, name) for name in data.dataset.names if usable and name not in shared}
    protocol = ", ".join(filter(None, (data.dataset.protocol, briefly(data.default))))
    return SweptDataset(
        label, data.dataset.title, protocol, tuple(shared), data.dataset.expected, tuple(lines), gone,
        _spreads(curves, shared), max(map(len, trackers.values())),
    )  # fmt: skip


def _spreads(curves: Mapping[str, Sequence[Sequence[Score]]], shared: Sequence[str]) -> dict[str, Spread]:
    """Tracker -> its spread, of scores (training, value) that are all there and are of two values at least."""
    lengths = {len(row) for rows in curves.values() for row in rows}
    if not shared or len(lengths) != 1 or lengths < {2} or not all(curves.values()):
        return {}
    values = [
        # None becomes NaN
        np.array([[[s.per_sequence[n].success_auc for s in row] for n in shared] for row in rows], dtype=np.float64)
        for rows in curves.values()
    ]
    return dict(zip(curves, spreads(values), strict=True)) if all(np.isfinite(v).all() for v in values) else {}


def _point(data: DatasetEvaluation, values: Values, trainings: Sequence[Score], shared: Sequence[str]) -> SweepPoint:
    """The mean over the trainings of one tracker, whose few seeds alone would say too little for an interval."""
    if not shared:
        return SweepPoint(values, None, reason="no sequence has a result under every value")
    parts = [{name: score.per_sequence[name] for name in shared} for score in trainings]
    aucs = [
        auc_values(replace(score, per_sequence=own), data.dataset.benchmark)
        for score, own in zip(trainings, parts, strict=True)
    ]
    each = [mean_measures(own.values(), data.rule).success_auc for own in parts]
    middle = None if None in each else float(np.mean([auc for auc in each if auc is not None]))
    return SweepPoint(values, middle, ends(bootstrap_interval([*np.mean(aucs, axis=0)], within=FRACTIONS)))


def _why(data: DatasetEvaluation, name: str) -> str:
    return next((hole.reason for run in data.runs for hole in run.holes if hole.sequence == name), "not scored")


def _grouped(missing: Mapping[str, str]) -> str:
    """Reasons with the sequences that they are the reason of, in words."""
    groups: dict[str, list[str]] = {}
    for name, reason in missing.items():
        groups.setdefault(reason, []).append(name)
    return "; ".join(f"{listed(names, SHOWN)} ({reason})" for reason, names in groups.items())


def _digits(values: Sequence[float]) -> int:
    """Decimals that tell the values apart, at least one."""
    return max((len(f"{v:.4f}".rstrip("0").partition(".")[2]) for v in values), default=1) or 1


def _own(found: Sequence[SweptDataset], over: Sequence[str]) -> str:
    """What the trackers use when nobody sweeps."""
    own: dict[str, list[str]] = {}
    for data in found:
        for line in data.lines:
            words = ", ".join(f"{value:g}" for value in line.own)
            own.setdefault(f"{line.tracker} {words}", []).append(data.title)
    names = ", ".join(NAMES[name] for name in over)
    every = [data.title for data in found]
    told = "; ".join(who + ("" if on == every else f" on {' and '.join(on)}") for who, on in own.items())
    return f"Without a sweep ({names}): {told}." if told else ""
