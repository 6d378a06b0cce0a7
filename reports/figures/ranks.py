"""Critical-difference diagrams: mean ranks on an axis, bars over trackers that are not told apart (Demsar 2006)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape
from matplotlib.figure import Figure

from inmo.reports.figures.canvas import broken, one_axes, points, settings
from inmo.reports.figures.style import Style
from inmo.reports.figures.svg import drawing
from inmo.reports.scoring.ranks import Ranking, bars

_NAMES, _AXIS = 170, 260  # widths in pixels: of the names on either side, and of the axis
_SCALE, _LEVEL, _ROW = 46, 9, 21  # heights: above the axis, of a level of bars, and of a row of names
_LETTERS = 22  # of a name


@dataclass(frozen=True)
class Place:
    """One tracker in a diagram.

    Attributes:
        tracker: its name.
        rank: its mean rank.
        row: of its name, from 0 below the bars; the ends of the axis come first.
        left: whether its name stands at the left, as those of the better half do.
        mark: the signs behind it.
    """

    tracker: str
    rank: float
    row: int
    left: bool
    mark: str = ""

    @property
    def words(self) -> str:
        """Name and mean rank as written beside the line."""
        name = self.tracker if len(self.tracker) <= _LETTERS else f"{self.tracker[: _LETTERS - 1]}…"
        return f"{self.rank:.2f}  {name}{self.mark}" if not self.left else f"{name}{self.mark}  {self.rank:.2f}"


def places(found: Ranking, look: Mapping[str, Style]) -> list[Place]:
    """Where every tracker's name stands: the better half from the top at the left, the others at the right, the worst
    on top, so that no two lines cross."""
    count, half = len(found.trackers), math.ceil(len(found.trackers) / 2)
    return [
        Place(name, rank, i if i < half else count - 1 - i, i < half, look[name].mark)
        for i, (name, rank) in enumerate(zip(found.trackers, found.ranks, strict=True))
    ]


def rank_plot(found: Ranking | None, look: Mapping[str, Style]) -> Markup | str:
    """The page's own drawing; empty without a ranking."""
    if found is None:
        return ""
    count, levels = len(found.trackers), bars(found.cliques)
    first_row = _SCALE + 12 + _LEVEL * (max(levels, default=-1) + 1) + 10
    width, height = 2 * _NAMES + _AXIS, first_row + _ROW * math.ceil(count / 2)

    def x(rank: float) -> str:
        return f"{_NAMES + (rank - 1) / (count - 1) * _AXIS:.1f}"

    ticks = _ticks(count)
    marks = "".join(f"M{x(t)} {_SCALE - 5}V{_SCALE}" for t in ticks)
    parts = [f'<path class="axis" d="M{x(1)} {_SCALE}H{x(count)}{marks}"/>']
    parts += [f'<text class="tick" x="{x(t)}" y="{_SCALE - 9}">{t}</text>' for t in ticks]
    end = 1 + found.difference
    middle = min(end, count) / 2 + 0.5
    parts.append(f'<path class="axis" d="M{x(1)} 10v8m0-4H{x(end)}m0-4v8"/>')
    parts.append(f'<text class="label" x="{x(middle)}" y="9">CD {found.difference:.2f}</text>')
    for place in places(found, look):
        y = first_row + _ROW * place.row
        edge, side = (_NAMES - 12, "name e") if place.left else (_NAMES + _AXIS + 12, "name")
        at = edge - 5 if place.left else edge + 5
        parts.append(
            f'<g data-t="{look[place.tracker].number}" class="h{look[place.tracker].hue}">'
            f'<path class="curve d0" d="M{x(place.rank)} {_SCALE}V{y}H{edge}"/>'
            f'<text class="{side}" x="{at}" y="{y + 4}">{escape(place.words)}'
            f"<title>{escape(place.tracker)}</title></text></g>"
        )
    for (first, last), level in zip(found.cliques, levels, strict=True):
        y = _SCALE + 12 + _LEVEL * level
        parts.append(f'<path class="clique" d="M{x(found.ranks[first])} {y}h-4H{x(found.ranks[last])}h4"/>')
    words = (
        f"Mean ranks of {count} trackers over {found.sequences} sequences, critical difference {found.difference:.2f}"
    )
    return drawing(width, height, parts, words)


def _ticks(count: int) -> range:
    return range(1, count + 1, max(1, math.ceil(count / 12)))


def rank_figure(found: Ranking | None, look: Mapping[str, Style], *, title: str) -> Figure | None:
    """The same for papers; None without a ranking."""
    if found is None:
        return None
    count, levels = len(found.trackers), bars(found.cliques)
    deepest = 0.55 + 0.3 * (max(levels, default=-1) + 1) + 0.35
    rows = math.ceil(count / 2)
    with settings():
        figure, axes = one_axes(6.4, 1.0 + 0.21 * rows + 0.1 * len(set(levels)), rows=True)
        axes.axis("off")
        margin = 0.6 * (count - 1)
        axes.set(xlim=(1 - margin, count + margin), ylim=(deepest + 0.75 * rows, -2.6))
        axes.set_title(broken(f"Mean ranks · {title}", 6.4))
        axes.plot([1, count], [0, 0], color="#22262b", linewidth=0.9)
        for tick in _ticks(count):
            axes.plot([tick, tick], [-0.25, 0], color="#22262b", linewidth=0.9)
            axes.text(tick, -0.4, str(tick), ha="center", va="bottom", fontsize=points(8))
        axes.errorbar(
            1 + found.difference / 2, -1.7, xerr=found.difference / 2, color="#22262b", linewidth=0.9, capsize=3
        )
        axes.text(1 + min(found.difference, count - 1) / 2, -1.9, f"CD {found.difference:.2f}", ha="center",
                  va="bottom", fontsize=points(8))  # fmt: skip
        for place in places(found, look):
            y, edge = deepest + 0.75 * place.row, 0.04 * (count - 1)
            edge = 1 - edge if place.left else count + edge
            style = look[place.tracker].light
            axes.plot([place.rank, place.rank, edge], [0, y, y], color=style, linewidth=1.2)
            axes.annotate(
                place.words, (edge, y), (-3 if place.left else 3, 0), textcoords="offset points",
                ha="right" if place.left else "left", va="center", fontsize=points(8), color=style,
            )  # fmt: skip
        for (first, last), level in zip(found.cliques, levels, strict=True):
            ends = found.ranks[first] - 0.012 * count, found.ranks[last] + 0.012 * count
            axes.plot(ends, [0.55 + 0.3 * level] * 2, color="#22262b", linewidth=3, solid_capstyle="butt")
    return figure
