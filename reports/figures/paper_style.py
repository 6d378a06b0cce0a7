"""What a paper wants of its figures, from the words of a user: Matplotlib's style files, fonts, width, colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.colors import is_color_like, to_hex
from matplotlib.style import library

from inmo.errors import UserError, unknown_name
from inmo.reports.figures.canvas import RC, Paper
from inmo.reports.figures.style import Style, styles

WIDTHS = (1.0, 30.0)  # inches


def read_paper(
    style: Sequence[str] = (), *, font: str | None = None, font_size: float | None = None, width: float | None = None
) -> Paper:
    """A paper's settings. Of several styles a later one wins; font and size win over all of them.

    Args:
        style: files of Matplotlib's settings (``FILE.mplstyle``), or names of those it has (``grayscale``).
        font: family, as Matplotlib knows it.
        font_size: points of the letters on axes; titles and legends keep their proportion.
        width: of a figure, in inches.

    Raises:
        UserError: no such style or font, a value that Matplotlib does not take, or a width that no page has.
    """
    rc: dict[str, Any] = {}
    for name in style:
        rc |= _style(name)
    if font is not None:
        rc["font.family"] = [_font(font)]
    if font_size is not None:
        if not font_size > 0:
            raise UserError(f"a font size of {font_size:g} points is none: say how large letters are, --font-size 8")
        names = ("font.size", "axes.titlesize", "legend.fontsize")
        rc |= {name: RC[name] * font_size / RC["font.size"] for name in names}
    if width is not None and not WIDTHS[0] <= width <= WIDTHS[1]:
        raise UserError(f"no figure is {width:g} inches wide: say one of {WIDTHS[0]:g} to {WIDTHS[1]:g}, --width 3.3")
    return Paper(rc, width)


def own_look(trackers: Sequence[str], colours: Sequence[str] = (), paper: Paper | None = None) -> dict[str, Style]:
    """Looks of trackers in their order: given colours, else those of the paper's style, else the report's own.

    Args:
        trackers: names.
        colours: ``TRACKER=COLOUR`` each, the colour as Matplotlib writes it (``#1f77b4``, ``tab:red``, ``0.5``).
        paper: with the colours of ``axes.prop_cycle`` in its settings.

    Raises:
        UserError: a tracker that is not among them, or no colour.
    """
    given: dict[str, str] = {}
    for word in colours:
        name, equals, colour = word.rpartition("=")
        if not equals:
            raise UserError(f"'{word}' is no colour of a tracker: write --colour 'TRACKER=COLOUR'")
        if name not in trackers:
            raise unknown_name("tracker", name, trackers)
        if not is_color_like(colour):
            raise UserError(f"'{colour}' is no colour: write one as Matplotlib does, #1f77b4, tab:red or 0.5")
        given[name] = to_hex(colour)
    cycle = paper.rc.get("axes.prop_cycle") if paper else None
    turn = [to_hex(colour) for colour in cycle.by_key().get("color", ())] if cycle is not None else []
    return {
        name: replace(style, colour=given.get(name, turn[number % len(turn)] if turn else ""))
        for number, (name, style) in enumerate(styles(trackers).items())
    }


def _style(name: str) -> Mapping[str, Any]:
    """The settings that a style names, and no others."""
    found: Any  # Matplotlib's own mapping, whose keys the stubs list one by one
    if name in library:
        found = library[name]
        return dict(found)
    if not Path(name).is_file():
        if Path(name).suffix:
            raise UserError(f"no style file {name}: give the path of a FILE.mplstyle")
        raise unknown_name("style", name, library)
    known = set(mpl.rcParams)
    for number, line in enumerate(Path(name).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        key, _, value = line.partition("#")[0].partition(":")
        if key.strip() and (key.strip() not in known or not value.strip()):
            raise UserError(f"{name}, line {number}: '{line.strip()}' is no setting of Matplotlib's: write KEY: VALUE")
    try:
        found = mpl.rc_params_from_file(name, fail_on_error=True, use_default_template=False)
    except ValueError as error:
        raise UserError(f"{name}: {error}; mend this value") from error
    return dict(found)


def _font(name: str) -> str:
    if name.lower() in font_manager.font_family_aliases:
        return name.lower()
    known = {font.name for font in font_manager.fontManager.ttflist}
    if name not in known:
        raise unknown_name("font", name, known)
    return name
