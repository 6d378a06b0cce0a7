"""Curves over the sequences with an attribute, for papers: their order and headings, and all of them in a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matplotlib.figure import Figure

from inmo.reports.figures.canvas import broken, grid_of_axes, paper_width, points, settings
from inmo.reports.figures.for_papers import draw_curves, in_order, legend_width
from inmo.reports.figures.style import Style, lines
from inmo.reports.scoring.score import SUCCESS, Kind, Score

ACROSS = 4  # panels beside each other
_ROW = 0.125  # inches of a line of a panel's legend
_SMALL = 0.85  # size of its letters against those of other legends
_ONE_COLUMN = 6  # trackers up to which a panel's legend has one column


def heading(code: str, words: str, scores: Sequence[Score]) -> str:
    """``Fast motion, FM (12 sequences)``."""
    count = scores[0].expected
    return f"{words}, {code} ({count} sequence{'s' if count != 1 else ''})"


def hardest_first(by_attribute: Mapping[str, tuple[Score, ...]]) -> dict[str, tuple[Score, ...]]:
    """Attributes by the mean AUC over trackers, the lowest first; those without any AUC are left out."""
    means = {}
    for code, scores in by_attribute.items():
        known = [score.mean.success_auc for score in scores if score.mean.success_auc is not None]
        if known:
            means[code] = sum(known) / len(known)
    return {code: by_attribute[code] for code in sorted(means, key=lambda c: means[c])}


def attribute_grid(
    by_attribute: Mapping[str, tuple[Score, ...]],
    words: Mapping[str, str],
    look: Mapping[str, Style],
    *,
    title: str,
    kind: Kind = SUCCESS,
    cautions: Mapping[str, str] = MappingProxyType({}),
    listed: bool = False,
) -> Figure | None:
    """A plot per attribute with its ranked legend below, in the order given. None for less than two.

    Args:
        by_attribute: code -> scores on the sequences that have it.
        words: code -> what it means.
        look: tracker -> style.
        title: dataset and protocol.
        kind: which curve.
        cautions, listed: see ``for_papers.curve_figure``.
    """
    drawn = {code: lines(scores, kind, cautions=cautions) for code, scores in by_attribute.items()}
    panels = {code: in_order(found, look, listed=listed) for code, found in drawn.items() if found}
    if len(panels) < 2:
        return None
    most = max(map(len, panels.values()))
    columns = 1 if most <= _ONE_COLUMN else 2
    with settings():
        height = 2.2 + points(_ROW) * -(-most // columns)
        words_of = [line.label for found in panels.values() for line in found]
        width = max(2.7, 0.2 + points(_SMALL) * columns * legend_width(words_of))
        fitting = ACROSS if (paper := paper_width()) is None else max(1, int(paper / width))
        across = min(len(panels), fitting)
        down = -(-len(panels) // across)
        figure, grid = grid_of_axes(width * across, 0.3 + height * down, down, across)
        for axes, (code, found) in zip(grid, panels.items(), strict=False):
            draw_curves(axes, found, kind, look)
            axes.set_xlabel(kind.x_label, fontsize=points(7))
            axes.set_ylabel("")
            axes.tick_params(labelsize=points(7))
            axes.set_title(heading(code, words[code], by_attribute[code]), fontsize=points(8))
            axes.legend(
                loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=columns, fontsize=points(6.5), frameon=False,
                handlelength=2.8, labelspacing=0.2, columnspacing=1.0,
            )  # fmt: skip
        for axes in grid[len(panels) :]:
            axes.remove()
        measure = next(iter(panels.values()))[0].words
        head = broken(f"{kind.title} per attribute · {measure} in brackets · {title}", width * across)
        figure.suptitle(head, fontsize=points(10))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, not for every file: of many panels that takes longest
    return figure
