"""What is plotted, for both the page's own SVG and matplotlib: lines, the score in the legend, the colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType

import numpy as np

from inmo.reports.scoring.score import Curve, Kind, Measures, Score
from inmo.reports.tables.note_marks import marks

# Eight hues that stay apart under the common colour deficiencies (after Okabe and Ito 2008), darkened until thin lines
# hold on white paper; the second row is the same hues for a dark ground and for boxes in images, where white is the
# ground truth's alone. With four dashes they tell 32 trackers apart.
LIGHT = ("#0b62a8", "#c8440b", "#00805c", "#9b3f8f", "#a97400", "#2b9cc9", "#3d434a", "#d0538a")
DARK = ("#5aa9ea", "#ff8657", "#3ecf9f", "#d98fd0", "#e3b341", "#86d3f2", "#97a3b3", "#ff9cc2")
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 2.5), (1.5, 1.8), (7, 2, 1.5, 2))


@dataclass(frozen=True)
class Style:
    """The look of a tracker everywhere in a report.

    Attributes:
        number: its place among all trackers, by which a page switches it on and off.
        hue, dash: numbers in ``LIGHT`` and ``DASHES``; those of the first 32 trackers differ.
        mark: the signs behind its name, of drawings of one dataset; see ``note_marks.marks``.
        colour: on white paper in place of the hue's, as Matplotlib writes colours.
    """

    number: int
    mark: str = ""
    colour: str = ""

    @property
    def hue(self) -> int:
        return self.number % len(LIGHT)

    @property
    def dash(self) -> int:
        return (self.number + self.number // len(LIGHT)) % len(DASHES)

    @property
    def light(self) -> str:
        return self.colour or LIGHT[self.hue]

    @property
    def dashes(self) -> tuple[float, ...]:
        return DASHES[self.dash]


def styles(trackers: Iterable[str]) -> dict[str, Style]:
    """One style per tracker, in order."""
    return {name: Style(number) for number, name in enumerate(dict.fromkeys(trackers))}


def with_marks(look: Mapping[str, Style], marks: Mapping[str, str]) -> dict[str, Style]:
    """The same looks with the signs that trackers bear on a dataset."""
    return {name: replace(style, mark=marks.get(name, "")) for name, style in look.items()}


@dataclass(frozen=True)
class Line:
    """One curve with the value printed in its legend.

    Attributes:
        mark: what stands behind the tracker, see ``note_marks.marks``.
        few: its coverage, where other lines of the plot are over more sequences.
    """

    tracker: str
    x: Curve
    y: Curve
    value: float
    words: str
    mark: str = ""
    few: str = ""

    @property
    def percent(self) -> str:
        """The value as a legend prints it."""
        return f"{self.value * 100:.1f}"

    @property
    def label(self) -> str:
        """What a legend says of it."""
        return f"{self.tracker}{self.mark} [{self.percent}]" + (f" {self.few}" if self.few else "")


def lines(
    scores: Sequence[Score], kind: Kind, *, ranked: str = "", cautions: Mapping[str, str] = MappingProxyType({})
) -> list[Line]:
    """The curves of one kind, the best first; trackers whose protocol refuses or has no such curve are left out.

    ``ranked`` names the scalar the protocol ranks by where it defines more than one (P_norm at 0.20, or its AUC).
    ``cautions``: tracker -> what must be known of its run, see ``stored.TrackerRun``.
    """
    found, most = [], max((score.sequences for score in scores), default=0)
    for score in scores:
        curve = score.mean.curve(kind)
        scalar = _scalar(score.mean, kind, ranked)
        if curve is not None and scalar is not None:
            mark = marks(score, cautions.get(score.tracker, ""))
            few = score.coverage if score.sequences < most else ""
            x = np.linspace(0, kind.x_max, len(curve))
            found.append(Line(score.tracker, x, curve, *scalar, mark=mark, few=few))
    return sorted(found, key=lambda line: (-line.value, line.tracker))


@dataclass(frozen=True)
class SweepPoint:
    """One value, or combination of values, of a sweep: success AUC and its 95 % interval; None with its reason."""

    values: tuple[float, ...]
    auc: float | None
    interval: tuple[float, float] | None = None
    reason: str = ""


@dataclass(frozen=True)
class SweepLine:
    """One tracker under all values, in their order; ``own`` are those it has when nobody sweeps, and ``mark`` is what
    stands behind its name, see ``note_marks.marks``."""

    tracker: str
    own: tuple[float, ...]
    points: tuple[SweepPoint, ...]
    mark: str = ""

    def best(self) -> tuple[SweepPoint, ...]:
        """The points with the highest AUC as it prints, in percent with one decimal."""
        printed = [(point, round(point.auc * 100, 1)) for point in self.points if point.auc is not None]
        return tuple(point for point, value in printed if value == max(v for _, v in printed))

    def pieces(self) -> list[list[SweepPoint]]:
        """The points of a sweep over one constant by ascending value, cut where one is missing."""
        ascending = sorted(self.points, key=lambda p: p.values)
        return [list(piece) for known, piece in groupby(ascending, lambda p: p.auc is not None) if known]


def band(piece: Sequence[SweepPoint]) -> list[tuple[float, float, float]]:
    """(value of the constant, low, high) of the points of a piece that have an interval."""
    return [(p.values[0], *p.interval) for p in piece if p.interval]


def sweep_axes(lines: Sequence[SweepLine]) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Ends of the axis of values, and ends and step of the axis of AUC around all points and intervals."""
    points = [point for line in lines for piece in line.pieces() for point in piece]
    values = [point.values[0] for point in points]
    heights = [v for p in points for v in (p.auc, *(p.interval or ())) if v is not None]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5), limits(heights)


def spans(chosen: Sequence[float], among: Sequence[float]) -> str:
    """Values in words: ``0.3, 0.5–0.9`` where neighbours among all values are chosen together."""
    runs = [list(run) for wanted, run in groupby(sorted(among), lambda value: value in chosen) if wanted]
    return ", ".join(f"{run[0]:.3g}" + (f"–{run[-1]:.3g}" if len(run) > 1 else "") for run in runs)


def limits(values: Sequence[float]) -> tuple[float, float, float]:
    """Ends and step of an axis of fractions: whole tenths around the values, or whole fifths for a wide range."""
    step = 0.1 if max(values) - min(values) < 0.45 else 0.2
    low, high = math.floor((min(values) - 0.02) / step), math.ceil((max(values) + 0.02) / step)
    return max(0, low) * step, high * step, step


def short_number(value: float) -> str:
    """A tick of a speed axis: 20, 5k, 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _scalar(mean: Measures, kind: Kind, ranked: str) -> tuple[float, str] | None:
    for measure in sorted(kind.scalars, key=lambda m: m.key != ranked):
        value = mean.value(measure)
        if value is not None:
            return value, measure.words
    return None


def log_span(values: Sequence[float]) -> tuple[float, float]:
    """Ends of a logarithmic axis, as logarithms to 10, a little beyond the values. They must be positive."""
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = max(0.04 * (high - low), 0.02)
    return low - margin, high + margin


def log_ticks(low: float, high: float) -> list[tuple[float, float]]:
    """(share of the axis, value) of its ticks: powers of ten times 1, 2 and 5."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [((math.log10(value) - low) / (high - low), value) for value in values if low <= math.log10(value) <= high]
