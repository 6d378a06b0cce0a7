"""Figures for papers: success, precision and normalised-precision plots, distributions, speed against accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullLocator

from inmo.reports.figures.canvas import broken, grid_of_axes, new_figure, one_axes, paper_width, points, settings
from inmo.reports.figures.label_placement import place_labels
from inmo.reports.figures.panel import Panel
from inmo.reports.figures.radar import Radar
from inmo.reports.figures.style import Line, Style, SweepLine, band, lines, short_number, sweep_axes
from inmo.reports.scoring.score import Kind, Score

_RASTER = 1000  # more points than this are kept as pixels: as paths they would make a file of megabytes
_CORNERS: tuple[tuple[Literal["lower left", "upper right", "lower right", "upper left"], bool, bool], ...] = (
    ("lower left", False, False),
    ("upper right", True, True),
    ("lower right", True, False),
    ("upper left", False, True),
)


def curve_figure(
    scores: Sequence[Score],
    kind: Kind,
    look: Mapping[str, Style],
    *,
    title: str,
    ranked: str = "",
    cautions: Mapping[str, str] = MappingProxyType({}),
    listed: bool = False,
) -> Figure | None:
    """A plot as the OTB toolkit draws it: square, ranked legend with the score in brackets. None without a curve.

    Args:
        scores: trackers on one dataset under one protocol.
        kind: which curve.
        look: tracker -> style.
        title: dataset and protocol; the kind is put before it.
        ranked, cautions: see ``style.lines``.
        listed: the legend is in the order of ``look``; by default the best comes first.
    """
    found = in_order(lines(scores, kind, ranked=ranked, cautions=cautions), look, listed=listed)
    if not found:
        return None
    with settings():
        size = points(4.2) / (paper_width() or 4.2)
        corner = free_corner(found, kind, size)
        columns, width = _beside([line.label for line in found])
        below = not corner and paper_width() is not None  # beside the axes it would take their width
        if below:
            columns, width = max(1, int(4.2 / size / legend_width(line.label for line in found))), 0.0
        figure, axes = one_axes(4.2 if corner else 4.2 + width, 4.0)
        draw_curves(axes, found, kind, look)
        axes.set_title(broken(f"{kind.title} · {title}", figure.get_figwidth()))
        axes.set_anchor("C" if corner else "W")  # what the legend leaves over is to its right
        words = found[0].words
        if corner:
            legend = axes.legend(loc=corner, title=words, handlelength=2.8, borderaxespad=0.6)
        elif below:
            legend = figure.legend(loc="outside lower center", title=words, handlelength=2.8, ncols=columns)
            rows = -(-len(found) // columns) + 1
            figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + points(0.17) * rows)
        else:
            legend = axes.legend(
                loc="center left", bbox_to_anchor=(1.02, 0.5), title=words, handlelength=2.8, ncols=columns
            )
        legend.get_title().set_color("#555b63")
    return figure


def in_order(found: list[Line], look: Mapping[str, Style], *, listed: bool) -> list[Line]:
    """Lines as they are, the best first, or in the order of ``look``."""
    order = list(look)
    return sorted(found, key=lambda line: order.index(line.tracker)) if listed else found


def draw_curves(axes: Axes, found: Sequence[Line], kind: Kind, look: Mapping[str, Style]) -> None:
    """Curves into axes as the OTB toolkit has them, the best on top."""
    for rank, line in enumerate(found):
        style = look[line.tracker]
        axes.plot(
            line.x, line.y, color=style.light, dashes=style.dashes or (None, None),
            solid_capstyle="round", zorder=3 - rank / 100, label=line.label,
        )  # fmt: skip
    axes.set(xlim=(0, kind.x_max), ylim=(0, 1), xlabel=kind.x_label, ylabel=kind.y_label)
    axes.xaxis.set_major_locator(MultipleLocator(kind.x_max / 5))
    axes.yaxis.set_major_locator(MultipleLocator(0.2))
    axes.set_box_aspect(0.92)


def _beside(words: Sequence[str]) -> tuple[int, float]:
    """Columns of a legend beside axes of a figure 4 inches high, and their width in inches.

    Estimated from its text as above: the layout takes the width of a legend from the axes until nothing is left.
    """
    columns = -(-len(words) // 22)
    return columns, columns * legend_width(words)


def legend_width(words: Iterable[str]) -> float:
    """Inches of a column of a legend, estimated: a piece of line, gaps, and the longest of its words."""
    return 0.6 + 0.062 * max(map(len, words))


def free_corner(
    found: Sequence[Line], kind: Kind, size: float = 1.0
) -> Literal["lower left", "upper right", "lower right", "upper left"] | None:
    """A corner of the axes where the legend covers no curve; None when there is none and it goes beside the axes.

    The legend's size is estimated from its text, which spares drawing the figure once for every corner; ``size`` is
    that of its letters beside the axes, against letters of 8 points in a figure 4.2 inches wide.
    """
    width = size * (0.26 + 0.0185 * max(max(len(line.label), len(line.tracker) + 7) for line in found))
    height = size * (0.06 + 0.056 * (len(found) + 1))
    fine = np.linspace(0, 1, 201)
    curves = [np.interp(fine, line.x / kind.x_max, line.y) for line in found]
    for name, right, top in _CORNERS:
        under = fine >= 1 - width if right else fine <= width
        covered = (c[under] >= 1 - height if top else c[under] <= height for c in curves)
        if width < 0.9 and height < 0.9 and not any(c.any() for c in covered):
            return name
    return None


def distribution_figure(
    values: Mapping[str, Sequence[float]], look: Mapping[str, Style], *, title: str
) -> Figure | None:
    """AUC of every sequence, one row per tracker: box (quartiles, whiskers 1.5 IQR) and points. None without data."""
    every = [v for all_ in values.values() for v in all_]
    data = {"auc": every, "tracker": [t + look[t].mark for t, all_ in values.items() for _ in all_]}
    if not every:
        return None
    palette = {t + look[t].mark: look[t].light for t in values}
    with settings():
        figure, axes = one_axes(5.6, 0.9 + 0.42 * len(values), rows=True)
        common = {"data": data, "x": "auc", "y": "tracker", "order": list(palette), "ax": axes}
        sns.boxplot(
            **common, hue="tracker", palette=palette, fill=False, width=0.55, linewidth=1.0, fliersize=0, legend=False
        )
        size = 3.2 if len(every) <= 60 * len(values) else 1.6
        sns.stripplot(
            **common, hue="tracker", palette=palette, size=size, alpha=0.55, jitter=False, legend=False, linewidth=0,
            rasterized=len(every) > _RASTER,
        )  # fmt: skip
        axes.set(xlim=(0, 1), xlabel="Success AUC per sequence", ylabel="")
        axes.set_title(broken(f"Distribution · {title}", 5.6))
        axes.xaxis.set_major_locator(MultipleLocator(0.2))
    return figure


def speed_figure(runs: Sequence[tuple[str, float, float]], look: Mapping[str, Style], *, title: str) -> Figure | None:
    """Speed against accuracy.

    Args:
        runs: (tracker, frames per second, success AUC).
        look: tracker -> style.
        title: dataset and protocol.
    """
    if not runs:
        return None
    with settings():
        figure, axes = one_axes(4.6, 3.6 + 0.09 * max(0, len(runs) - 8))
        axes.set_xscale("log")
        low, high = min(p[1] for p in runs), max(p[1] for p in runs)
        axes.set(xlim=(low / 2, high * 2), xlabel="Frames per second", ylabel="Success AUC")
        top = max(p[2] for p in runs)
        axes.set_ylim(max(0, min(p[2] for p in runs) - 0.08), min(1, top + 0.08))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_title(broken(f"Speed and accuracy · {title}", 4.6))
        for tracker, fps, auc in runs:
            axes.plot(fps, auc, "o", color=look[tracker].light, markersize=7, markeredgecolor="white", zorder=3)
        _names([(t + look[t].mark, look[t].light, (fps, auc)) for t, fps, auc in runs], figure, axes)
    return figure


def _names(dots: Sequence[tuple[str, str, tuple[float, float]]], figure: Figure, axes: Axes) -> None:
    """Write the names of dots, (name, colour, place), beside them. The figure is laid out before, and stays so."""
    figure.draw_without_rendering()
    texts = [
        axes.text(x, y, name, fontsize=points(8), color=colour, va="center", zorder=4) for name, colour, (x, y) in dots
    ]
    for text in texts:
        text.set_in_layout(False)
    extents = [text.get_window_extent() for text in texts]
    places = [(float(x), float(y)) for x, y in axes.transData.transform([at for _, _, at in dots])]
    radius = 3.5 * figure.dpi / 72
    inside = axes.get_window_extent()
    bounds = (inside.x0 + 2, inside.y0 + 2, inside.x1, inside.y1)
    placed = place_labels(places, [(e.width + 2, e.height) for e in extents], bounds, radius)
    back = axes.transData.inverted()
    sides: dict[str, Literal["left", "center", "right"]] = {"start": "left", "middle": "center", "end": "right"}
    for text, label in zip(texts, placed, strict=True):
        text.set_position(tuple(back.transform((label.x, label.y))))
        text.set_horizontalalignment(sides[label.anchor])
        if label.leader:
            (line,) = axes.plot(*back.transform(label.leader).T, color=text.get_color(), linewidth=0.8, zorder=2)
            line.set_in_layout(False)


def radar_figure(found: Radar | None, look: Mapping[str, Style], *, title: str) -> Figure | None:
    """AUC per attribute around a circle, with the number of sequences behind each attribute. None without any."""
    if found is None:
        return None
    with settings():
        columns, width = _beside([tracker + look[tracker].mark for tracker in found.values])
        figure = new_figure(4.8 + width, 4.2)
        axes: Any = figure.add_subplot(projection="polar")  # PolarAxes, whose methods the stubs do not know
        axes.set_theta_zero_location("N")
        axes.set_theta_direction(-1)
        for tracker, row in found.values.items():
            style, whole = look[tracker], None not in row
            for number, piece in enumerate(found.pieces(tracker)):
                order = [*piece, piece[0]] if whole else piece
                axes.plot(
                    [found.angle(i) for i in order], [row[i] for i in order], color=style.light, linewidth=1.5,
                    dashes=style.dashes or (None, None), marker="o", markersize=2.2,
                    label=tracker + style.mark if not number else "_",
                )  # fmt: skip
        axes.set_ylim(0, found.top)
        axes.set_rgrids(
            found.rings, [f"{ring:.1f}" for ring in found.rings], angle=0, fontsize=points(7), color="#555b63"
        )
        spokes = [math.degrees(found.angle(i)) for i in range(len(found.codes))]
        axes.set_thetagrids(
            spokes, [f"{c} ({n})" for c, n in zip(found.codes, found.counts, strict=True)], fontsize=points(8)
        )
        axes.spines["polar"].set_visible(False)
        axes.set_anchor("W")
        axes.set_title(broken(f"Attributes · {title}", 4.8))
        axes.legend(loc="center left", bbox_to_anchor=(1.18, 0.5), handlelength=2.8, ncols=columns)
    return figure


def sweep_figure(
    panels: Sequence[tuple[str, Sequence[SweepLine]]],
    x_label: str,
    look: Mapping[str, Style],
    y_label: str = "Success AUC",
) -> Figure | None:
    """AUC against a test-time constant with 95 % bands: a panel per dataset, side by side. None without a point.

    Args:
        panels: (title, of the dataset say, one line per tracker).
        x_label: name of the constant, or of whatever else there is a point for each of.
        look: tracker -> style.
        y_label: what the points are.
    """
    panels = [(title, lines) for title, lines in panels if any(line.pieces() for line in lines)]
    if not panels:
        return None
    across = min(len(panels), 3)
    down = -(-len(panels) // across)
    with settings():
        trackers = {line.tracker + line.mark for _, lines in panels for line in lines}
        columns = min(max(int(3.3 * across / legend_width(trackers)), 1), 4, len(trackers))
        below = -(-len(trackers) // columns)
        figure, grid = grid_of_axes(3.3 * across, 2.9 * down + 0.175 * (below - 1), down, across)
        for axes, (title, lines) in zip(grid, panels, strict=False):
            (start, end), (base, top, step) = sweep_axes(lines)
            for line in lines:
                style = look[line.tracker]
                for number, piece in enumerate(line.pieces()):
                    x, y = np.array([(p.values[0], p.auc) for p in piece], np.float64).T
                    axes.plot(
                        x, y, color=style.light, dashes=style.dashes or (None, None), marker="o", markersize=3.2,
                        linewidth=1.5, zorder=3, label=line.tracker + line.mark if not number else "_",
                    )  # fmt: skip
                    if bounds := band(piece):
                        at, low, high = zip(*bounds, strict=True)
                        axes.fill_between(at, low, high, color=style.light, alpha=0.13, linewidth=0, zorder=2)
            margin = (end - start) * 0.02
            axes.set(xlim=(start - margin, end + margin), ylim=(base, top), xlabel=x_label)
            axes.set_title(title)
            axes.yaxis.set_major_locator(MultipleLocator(step))
        for axes in grid[::across]:
            axes.set_ylabel(y_label)
        for axes in grid[len(panels) :]:
            axes.remove()
        named = {text: handle for axes in grid for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=columns, handlelength=2.8)
    return figure


def maps_figure(rows: Sequence[tuple[str, Sequence[Panel]]], title: str, colours: str) -> Figure:
    """Rows of pictures and maps with the target found framed in them, the range below each map, and a bar of colours.

    Args:
        rows: (words for the row, its panels); all rows have as many.
        title: of the figure.
        colours: name of the colour map.
    """
    across = max(len(panels) for _, panels in rows)
    with settings():
        figure, grid = grid_of_axes(1.35 * across + 0.5, 1.6 * len(rows) + 0.8, len(rows), across)
        for number, axes in enumerate(grid):
            (words, panels), column = rows[number // across], number % across
            panel = panels[column]
            axes.grid(visible=False)
            axes.imshow(panel.rgb(), extent=(0, 1, 1, 0), interpolation="nearest", aspect="equal")
            axes.set(xticks=[], yticks=[], xlabel=panel.words)
            for side in axes.spines.values():
                side.set_visible(False)
            if number < across:
                axes.set_title(panel.title, fontsize=points(9))
            if column == 0:
                axes.set_ylabel(words)
            if panel.box is not None:
                for colour, width in (("#141414", 2.2), ("white", 1.0)):
                    frame = Rectangle(panel.box[:2], *panel.box[2:], fill=False, edgecolor=colour, linewidth=width)
                    axes.add_patch(frame)
            axes.set(xlim=(0, 1), ylim=(1, 0))
        scale = ScalarMappable(Normalize(0, 1), colours)
        bar = figure.colorbar(scale, ax=grid, location="bottom", shrink=0.4, aspect=40, pad=0.02, ticks=[0, 1])
        bar.ax.set_xticklabels(["least", "greatest"])
        bar.outline.set_visible(False)
        figure.suptitle(title, fontsize=points(10))
    return figure


def loglog_figure(
    lines: Mapping[str, Sequence[tuple[float, float]]], x_label: str, y_label: str, look: Mapping[str, Style]
) -> Figure:
    """Curves of positive values on two logarithmic axes. ``lines``: name -> (x, y) from left to right."""
    with settings():
        figure, axes = one_axes(3.3, 2.9)
        for name, points in lines.items():
            style = look[name]
            axes.loglog(
                *zip(*points, strict=True), color=style.light, dashes=style.dashes or (None, None), marker="o",
                markersize=3.2, linewidth=1.5, label=name,
            )  # fmt: skip
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.legend()
    return figure
