"""Activation maps as pictures: template, search region, CSA, TCA and score of chosen frames, a row each."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from markupsafe import Markup

from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.harness.store.stored_maps import Maps
from inmo.reports.blocks.block import Block, Drawing
from inmo.reports.figures import for_papers as figures
from inmo.reports.figures.panel import COLOURS, Panel
from inmo.reports.figures.svg import drawing

_CELL, _TOP, _FOOT = 136, 22, 20  # of a panel on the page: side of the picture, room above and below
_BAR, _WORD = 180, 50  # of the bar of colours, and of the words at its ends


def panels(maps: Maps, stage: int = -1) -> list[Panel]:
    """Template, search region, activation behind CSA and behind TCA, what TCA adds, and score.

    Args:
        maps: of one frame.
        stage: which interaction, from 0 for the first; negative numbers count from the last.

    Raises:
        UserError: a stage that is not there.
    """
    pairs = maps.interactions()
    if not -len(pairs) <= stage < len(pairs):
        raise UserError(f"{maps.tracker} has {len(pairs)} interactions of CSA and TCA, and none of number {stage}")
    csa, tca = pairs[stage]
    x, y, w, h = maps.box.tolist()
    box = (x, y, w, h)
    return [
        Panel("Template", maps.template[..., ::-1]),
        Panel("Search region", maps.search[..., ::-1], box),
        Panel("CSA", csa.response, box),
        Panel("TCA", tca.response, box),
        Panel("Added by TCA", tca.change, box),
        Panel("Score", maps.score, box),
    ]


def maps_block(found: Sequence[tuple[Maps, int]], *, stem: str, title: str, notes: Sequence[str] = ()) -> Block:
    """Activation maps on the page, a drawing per tracker, sequence and stage, and each as a figure for papers.

    Args:
        found: frames of one or several trackers, each with the stage to show, see ``panels``.
        stem, title, notes: as of the block.
    """
    groups: dict[tuple[str, str, str, int], list[Maps]] = {}
    for item, stage in found:
        groups.setdefault((item.tracker, item.dataset, item.sequence, stage), []).append(item)
    drawings, drawn, remarks = [], {}, [*notes]
    for number, ((tracker, dataset, sequence, stage), items) in enumerate(groups.items()):
        rows = [(f"frame {item.frame}", panels(item, stage)) for item in sorted(items, key=lambda m: m.frame)]
        pairs = items[0].interactions()
        which = f"interaction {stage % len(pairs) + 1} of {len(pairs)}"
        keys = pairs[stage][1].keys
        if keys is not None and (alone := keys.without_choice()):
            remarks.append(
                f"{tracker}, {which}: {alone} of {sum(keys.cells.values())} cells have at most one template token to "
                "ask, padding not counted: TCA has no choice there, whatever the search region shows."
            )
        drawings.append(Drawing(tracker, f"{dataset}, {sequence}; {which}", _drawing(rows, tracker)))
        name = stem if len(groups) == 1 else f"{stem}_{number + 1}"
        drawn[name] = figures.maps_figure(rows, f"{tracker}, {sequence}, {which}", COLOURS)
    words = (
        "What the network sees; the activation behind CSA and behind TCA (how far a cell's normalised features lie "
        "from their mean over the search region: what stands out is bright); the norm of what TCA adds to them; and "
        "the foreground probability. Each map is coloured from its least to its greatest value, which stand below it; "
        "one that is the same everywhere is dark. The white frame is the target as found."
    )
    return Block(stem, title, words, {}, tuple(drawings), drawn, tuple(remarks))


def _drawing(rows: Sequence[tuple[str, Sequence[Panel]]], tracker: str) -> Markup:
    """A grid of panels per frame and the bar of colours below: panels keep their size, a narrow page has fewer beside
    each other."""
    across = max(len(panels) for _, panels in rows)
    words = f"Activation maps of {tracker}: {len(rows)} frames, {across} panels each"
    parts = [Markup('<div class="maps" role="group" aria-label="{}">').format(words)]
    for name, panels in rows:
        drawn = Markup("").join(_panel(panel, f"{panel.title}, {name}") for panel in panels)
        parts.append(Markup('<p>{}</p><div class="panels">{}</div>').format(name, drawn))
    bar = Panel("", np.linspace(0, 1, 256)[None, :]).rgb()
    scale = [
        _text(_WORD - 6, 12, "least", "tick e"), _image(_WORD, 3, _BAR, 10, bar[:1]),
        _text(_WORD + _BAR + 6, 12, "greatest", "tick s"),
    ]  # fmt: skip
    about = "Colours from the least to the greatest value"
    return Markup("").join([*parts, drawing(_BAR + 2 * _WORD, 16, scale, about, kind="scale"), Markup("</div>")])


def _panel(panel: Panel, words: str) -> Markup:
    """One picture with its title above and its range below."""
    parts = [_text(_CELL / 2, _TOP - 8, panel.title, "label"), _image(0, _TOP, _CELL, _CELL, panel.rgb())]
    if panel.box is not None:
        parts.append(_rectangle(panel.box))
    if panel.words:
        parts.append(_text(_CELL / 2, _TOP + _CELL + 14, panel.words, "tick"))
    return drawing(_CELL, _TOP + _CELL + _FOOT, parts, words)


def _image(x: float, y: float, width: float, height: float, rgb: Frame) -> Markup:
    ok, data = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    if not ok:
        raise UserError(f"a panel of {rgb.shape} pixels cannot be written as PNG")
    source = "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()
    return Markup('<image x="{:g}" y="{:g}" width="{:g}" height="{:g}" preserveAspectRatio="none" href="{}"/>').format(
        x, y, width, height, source
    )


def _rectangle(box: tuple[float, float, float, float]) -> Markup:
    """The part of a box that lies within its panel."""
    x0, y0 = max(0.0, box[0]), max(0.0, box[1])
    x1, y1 = min(1.0, box[0] + box[2]), min(1.0, box[1] + box[3])
    if x1 <= x0 or y1 <= y0:
        return Markup("")
    numbers = (x0 * _CELL, _TOP + y0 * _CELL, (x1 - x0) * _CELL, (y1 - y0) * _CELL)
    shape = Markup('x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"').format(*numbers)
    return Markup('<rect class="casing" {0}/><rect class="found" {0}/>').format(shape)


def _text(x: float, y: float, words: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{:g}" y="{:g}">{}</text>').format(kind, x, y, words)
