"""What figures for papers stand on: Matplotlib's settings, the paper's own in their place, axes, and files.

Matplotlib without pyplot: a figure is a value, nothing global is touched, and the same scores give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same figure on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.linewidth": 0.8,
    "axes.edgecolor": "#555b63",
    "axes.labelcolor": "#22262b",
    "axes.axisbelow": True,
    "grid.color": "#dfe3e8",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.7,
    "xtick.color": "#555b63",
    "ytick.color": "#555b63",
    "legend.fontsize": 8,
    "legend.framealpha": 0.92,
    "legend.edgecolor": "#dfe3e8",
    "legend.fancybox": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "inmo-harness",
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a tracker may be called $x$
}
_DATES: Mapping[str, Any] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


@dataclass(frozen=True)
class Paper:
    """What a paper asks of its figures.

    Attributes:
        rc: Matplotlib's settings in place of ``RC``.
        width: of a figure in inches; None for the figure's own.
    """

    rc: Mapping[str, Any] = field(default_factory=dict)
    width: float | None = None


_PLAIN = Paper()
_PAPER: ContextVar[Paper] = ContextVar("paper", default=_PLAIN)


@contextmanager
def on_paper(paper: Paper) -> Iterator[None]:
    """Figures that are made and saved within are for this paper."""
    token = _PAPER.set(paper)
    try:
        yield
    finally:
        _PAPER.reset(token)


def settings() -> AbstractContextManager[None]:
    """Matplotlib's settings while a figure is made or saved."""
    rc: Any = {**RC, **_PAPER.get().rc}
    return mpl.rc_context(rc)


def points(size: float) -> float:
    """A size of letters that is ``size`` beside letters of 9 points, in those that the settings have."""
    return size * float(mpl.rcParams["font.size"]) / float(RC["font.size"])


def paper_width() -> float | None:
    """Inches that a figure may be wide; None for its own width."""
    return _PAPER.get().width


def broken(title: str, width: float) -> str:
    """A title of a figure so many inches wide, or of the paper's width, in as many lines as it needs there."""
    letters = max(12, int((paper_width() or width) / points(0.078)))
    if len(title) <= letters:
        return title
    return "\n".join(line for part in title.split(" · ") for line in wrap(part, letters))


def one_axes(width: float, height: float, *, rows: bool = False) -> tuple[Figure, Axes]:
    """A figure with one pair of axes; arguments as for ``grid_of_axes``."""
    figure, grid = grid_of_axes(width, height, 1, 1, rows=rows)
    return figure, grid[0]


def grid_of_axes(
    width: float, height: float, down: int, across: int, *, rows: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure with rows of axes, in reading order.

    Args:
        width, height: in inches; in the paper's width the height keeps its proportion.
        down, across: how many axes.
        rows: the height is that of rows of text, and stays what it is.
    """
    figure = new_figure(width, height, rows=rows)
    grid = [figure.add_subplot(down, across, number + 1) for number in range(down * across)]
    for axes in grid:
        axes.grid(visible=True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=3)
    return figure, grid


def new_figure(width: float, height: float, *, rows: bool = False) -> Figure:
    """An empty figure; arguments as for ``grid_of_axes``."""
    share = (paper_width() or width) / width
    figure = Figure(figsize=(width * share, height if rows else height * share), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, stem: Path, formats: Sequence[str] = ("svg", "pdf")) -> tuple[Path, ...]:
    """Write STEM.svg, STEM.pdf or STEM.png without dates: the same figure gives the same bytes. Returns the paths."""
    written = tuple(stem.with_name(f"{stem.name}.{kind}") for kind in formats)
    with settings():
        for path, kind in zip(written, formats, strict=True):
            figure.savefig(path, format=kind, dpi=300, metadata=_DATES[kind])
    return written


def svg_text(figure: Figure) -> str:
    """The figure as SVG, without a date."""
    text = io.StringIO()
    with settings():
        figure.savefig(text, format="svg", dpi=300, metadata=_DATES["svg"])
    return text.getvalue()
