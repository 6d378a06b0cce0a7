"""Success plots of the sequences with an attribute, for papers: one figure each, and all of them in a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from inmo.reports.figures.for_papers import RC, draw_curves, grid_of_axes, legend_width
from inmo.reports.figures.style import Style, lines
from inmo.reports.scoring.score import SUCCESS, Score

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
    by_attribute: Mapping[str, tuple[Score, ...]], words: Mapping[str, str], look: Mapping[str, Style], *, title: str
) -> Figure | None:
    """A success plot per attribute with its ranked legend below, in the order given. None for less than two.

    Args:
        by_attribute: code -> scores on the sequences that have it.
        words: code -> what it means.
        look: tracker -> style.
        title: dataset and protocol.
    """
    panels = {code: found for code, scores in by_attribute.items() if (found := lines(scores, SUCCESS))}
    if len(panels) < 2:
        return None
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // across)
    most = max(map(len, panels.values()))
    columns = 1 if most <= _ONE_COLUMN else 2
    with mpl.rc_context(RC):
        height = 2.2 + _ROW * -(-most // columns)
        words_of = [line.label for found in panels.values() for line in found]
        width = max(2.7, 0.2 + _SMALL * columns * legend_width(words_of))
        figure, grid = grid_of_axes(width * across, 0.3 + height * down, down, across)
        for axes, (code, found) in zip(grid, panels.items(), strict=False):
            draw_curves(axes, found, SUCCESS, look)
            axes.set_xlabel(SUCCESS.x_label, fontsize=7)
            axes.set_ylabel("")
            axes.tick_params(labelsize=7)
            axes.set_title(heading(code, words[code], by_attribute[code]), fontsize=8)
            axes.legend(
                loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=columns, fontsize=6.5, frameon=False,
                handlelength=2.8, labelspacing=0.2, columnspacing=1.0,
            )  # fmt: skip
        for axes in grid[len(panels) :]:
            axes.remove()
        figure.suptitle(f"Success per attribute, AUC in brackets · {title}", fontsize=10)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, not for every file: of many panels that takes longest
    return figure
