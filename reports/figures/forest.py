"""Forest plots: effects with their intervals around a line of no effect, every training a dot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from matplotlib.figure import Figure

from inmo.reports.figures.canvas import one_axes, points, settings
from inmo.reports.figures.svg import TOP, Frame
from inmo.reports.tables.table import Column

ROW, _RIGHT = 26, 130  # pixels of a row, and of the column of numbers
_WHOLE, _DOT = "#2f5d8a", "#8795a5"
_POINTS = Column("difference", "", digits=1)  # numbers are printed as in the table of the same effects
_BEYOND = 1.5  # spans of the estimates and trainings that an interval may reach beyond them before it is cut


@dataclass(frozen=True)
class ForestRow:
    """One effect, in points (percent): estimate, 95 % interval and the trainings' own.

    Attributes:
        name: what it is of; empty for a gap between groups of rows.
        mark: a sign behind its number.
    """

    name: str
    value: float = 0.0
    interval: tuple[float, float] | None = None
    trainings: tuple[tuple[int, float], ...] = ()
    mark: str = ""

    @property
    def words(self) -> str:
        """The numbers as printed at the right."""
        between = f" [{', '.join(map(_POINTS.number, self.interval))}]" if self.interval else ""
        return f"{_POINTS.signed(self.value)}{between}{self.mark}".replace("-", "−") if self.name else ""


def forest_axis(rows: Sequence[ForestRow]) -> tuple[float, float, float]:
    """Ends and step of the axis: 0, every estimate and training, with a margin, at most ten ticks.

    Intervals are on it as far as they leave estimates that can be told apart: see ``cut``.
    """
    own = [row for row in rows if row.name]
    values = [0.0, *(v for row in own for v in (row.value, *(v for _, v in row.trainings)))]
    beyond = _BEYOND * max(max(values) - min(values), 2.0)
    low, high = min(values) - beyond, max(values) + beyond
    values += [min(max(v, low), high) for row in own for v in row.interval or ()]
    reach = max(max(values) - min(values), 1.0)
    step = next(s * 10.0**e for e in range(-1, 4) for s in (1, 2, 5) if reach / (s * 10.0**e) <= 8)
    return math.floor(min(values) / step - 0.1) * step, math.ceil(max(values) / step + 0.1) * step, step


def cut(interval: tuple[float, float], low: float, high: float) -> tuple[float, float, bool, bool]:
    """The part of an interval that is on the axis, and whether it goes on at the left and at the right."""
    return max(interval[0], low), min(interval[1], high), interval[0] < low, interval[1] > high


def forest_plot(rows: Sequence[ForestRow], label: str) -> Markup:
    """The page's own drawing. ``label``: of the axis."""
    left = 24 + min(230, round(6.4 * max(len(row.name) for row in rows)))
    frame = Frame(left + 330 + _RIGHT, TOP + 36 + ROW * len(rows), left, _RIGHT)
    low, high, step = forest_axis(rows)

    def x(value: float) -> str:
        return f"{frame.x((value - low) / (high - low)):.1f}"

    ticks = [low + i * step for i in range(round((high - low) / step) + 1)]
    parts = frame.axes([((t - low) / (high - low), f"{t:+g}" if t else "0") for t in ticks], [], label, "")
    parts.append(f'<path class="axis" d="M{x(0)} {TOP}V{TOP + frame.plot[1]}"/>')
    for number, row in enumerate(rows):
        if not row.name:
            continue
        middle = TOP + ROW * number + ROW / 2
        name = row.name if len(row.name) <= 38 else f"{row.name[:37]}…"
        dots = "".join(f'<circle cx="{x(v)}" cy="{middle + 5:g}" r="2.2"><title>seed {s}: {v:+.1f}</title></circle>'
                       for s, v in row.trainings)  # fmt: skip
        line = ""
        if row.interval:
            start, end, left_on, right_on = cut(row.interval, low, high)
            line = f'<path class="curve d0" d="M{x(start)} {middle - 3:g}H{x(end)}"/>'
            heads = [(x(v), side) for v, side, on in ((start, 6, left_on), (end, -6, right_on)) if on]
            line += "".join(f'<path class="arrow" d="M{at} {middle - 3:g}l{s} -4v8z"/>' for at, s in heads)
        parts.append(
            f'<text class="tick e" x="{left - 8}" y="{middle + 4:g}">{escape(name)}</text>'
            f'<g class="h0">{line}<path class="median" d="M{x(row.value)} {middle - 8:g}v10"/></g>'
            f'<g class="h7">{dots}</g>'
            f'<text class="name" x="{frame.width - _RIGHT + 8}" y="{middle + 4:g}">{escape(row.words)}</text>'
        )
    return frame.wrap(parts, f"Effects of {sum(bool(row.name) for row in rows)} rows with intervals")


def forest_figure(rows: Sequence[ForestRow], label: str) -> Figure:
    """The same for papers."""
    with settings():
        figure, axes = one_axes(6.2, 0.9 + 0.27 * len(rows))
        low, high, step = forest_axis(rows)
        axes.axvline(0, color="#555b63", linewidth=0.9)
        for number, row in enumerate(rows):
            if not row.name:
                continue
            if row.interval:
                start, end, left_on, right_on = cut(row.interval, low, high)
                axes.plot((start, end), (number - 0.1,) * 2, color=_WHOLE, linewidth=1.6, solid_capstyle="butt")
                for at, head, on in ((start, "<", left_on), (end, ">", right_on)):
                    if on:
                        axes.plot([at], [number - 0.1], head, color=_WHOLE, markersize=4.5, clip_on=False)
            axes.plot([row.value], [number - 0.1], "s", color=_WHOLE, markersize=4.5)
            single = [value for _, value in row.trainings]
            axes.plot(single, [number + 0.22] * len(single), "o", color=_DOT, markersize=2.6)
            axes.annotate(
                row.words, (1.02, number), xycoords=("axes fraction", "data"), va="center", fontsize=points(8)
            )
        named = [number for number, row in enumerate(rows) if row.name]
        axes.set_yticks(named, [rows[number].name for number in named])
        axes.set(xlim=(low, high), ylim=(len(rows) - 0.4, -0.6), xlabel=label)
        axes.set_xticks([low + i * step for i in range(round((high - low) / step) + 1)])
        axes.grid(visible=False, axis="y")
    return figure
