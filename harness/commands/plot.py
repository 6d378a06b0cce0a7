"""Figures of a store for a paper."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import filter as matching
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from inmo.errors import UserError, unknown_name
from inmo.harness.commands.options import Names
from inmo.harness.store.store import file_name, open_store
from inmo.reports.scoring.stored import Evaluation, evaluate


@dataclass(frozen=True)
class PlotFigures:
    """Draw figures of a store for a paper: chosen curves, attributes and trackers, in its width, font and colours.

    Example: python run_all.py plot --store runs --out figures --figure success attributes 'success_*' --width 3.3
    """

    store: Path
    """Folder of results."""
    out: Path
    """OUT/DATASET_FIGURE.svg and .pdf."""
    figure: Names = ("success", "precision", "norm_precision")
    """success, precision, norm_precision, attributes, success_CODE, radar, ranks, speed; or a pattern, 'success_*'."""
    dataset: Names = ()
    """Only these datasets of the store, by their labels."""
    tracker: Names = ()
    """Only these trackers, by the names that the page has. Their order gives them their colours."""
    order: Literal["best", "listed"] = "best"
    """Legends of curves: the best first, or in the order of --tracker."""
    colour: Annotated[Names, arg(metavar="TRACKER=COLOUR ...")] = ()
    """Colours of trackers as Matplotlib writes them, 'TransT=tab:red'; may be given several times."""
    width: float | None = None
    """Width of a figure in inches, legend and all: 3.3 for a column of two."""
    font: str | None = None
    """Family of the letters, for example serif, or one that Matplotlib finds on this machine."""
    font_size: float | None = None
    """Size of the letters on axes in points; titles and legends keep their proportion."""
    style: Annotated[Names, arg(metavar="FILE.mplstyle ...")] = ()
    """Files of Matplotlib's settings, or names of its own styles; a later one wins."""
    format: tuple[Literal["svg", "pdf", "png"], ...] = ("svg", "pdf")
    """Kinds of files; png has 300 dots per inch."""


def run(command: PlotFigures) -> int:
    from inmo.reports.figures.canvas import on_paper, save_figure
    from inmo.reports.figures.of_dataset import chosen, figure_makers
    from inmo.reports.figures.paper_style import own_look, read_paper

    paper = read_paper(command.style, font=command.font, font_size=command.font_size, width=command.width)
    store = open_store(command.store)
    for label in command.dataset:
        store.dataset(label)
    found = evaluate(store, only=command.dataset)
    names = _known(found, command.tracker)
    look = own_look(names, command.colour, paper)
    listed = command.order == "listed"
    makers = {data.dataset.label: figure_makers(chosen(data, names), look, listed=listed) for data in found.datasets}
    known = {name for own in makers.values() for name in own}
    wanted = {name for pattern in command.figure for name in _wanted(pattern, known)}
    drawn = False
    with on_paper(paper):
        for label, own in makers.items():
            for name in (name for name in own if name in wanted):
                try:
                    figure = own[name]()
                    if figure is None:
                        print(f"{label}: nothing to show as {name}", file=sys.stderr)
                        continue
                    command.out.mkdir(parents=True, exist_ok=True)
                    for path in save_figure(figure, command.out / f"{file_name(label)}_{name}", command.format):
                        print(path)
                    drawn = True
                except OSError as error:
                    raise UserError(f"cannot write to {command.out}: {error.strerror}; choose another --out") from error
                except RuntimeError as error:  # a style that sets its text in LaTeX, which is not here
                    raise UserError(f"{label}, {name}: Matplotlib says: {str(error).splitlines()[0]}") from error
    if not drawn:
        raise UserError(f"nothing of {', '.join(command.figure)} can be drawn of {command.store}: see above")
    return 0


def _known(found: Evaluation, wanted: Sequence[str]) -> Sequence[str]:
    """The trackers wanted, all where none is; raises UserError for a name that no dataset has."""
    for name in wanted:
        if name not in found.trackers:
            raise unknown_name("tracker", name, found.trackers)
    return tuple(dict.fromkeys(wanted)) or found.trackers


def _wanted(pattern: str, known: set[str]) -> Sequence[str]:
    """Names of figures that a name or pattern means; raises UserError for none."""
    if found := matching(known, pattern):
        return found
    raise unknown_name("figure", pattern, known)
