"""Where names beside dots stand: none on another name, a dot or a line that leads to a name, and all within the plot.

A name that finds no room at its dot stands aside, and a line leads to it. The best places together are sought by moving
one name after the other to its best place among the others until none moves: no chance in it, so that the same dots
give the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Place = tuple[float, float]

GAP = 3.0  # between a dot and its name
APART = 2.0  # between a name and another's dot
ASIDE, ABOVE = 6.0, 1.0  # between names beside each other, and above each other
SHORT = 2.5  # between a name and the line that leads to it
REACHES, DIRECTIONS = (0.0, 12.0, 26.0, 44.0, 66.0, 94.0, 130.0, 175.0), 24  # how far away names are tried
MOST = 90  # places of a name
TRIALS, ROUNDS = 80, 12  # times that names give way to others, and that all are moved in one
CLOSE = 6.0  # a name nearer to a foreign dot than its own distance and this is taken for that dot's
# What is worse: names that cannot be read, lines that cross, lines through dots, names of the wrong dot, long ways.
_COVERED, _CROSSED, _STRUCK, _MISTAKEN, _LED = 9_000.0, 2_000.0, 1_500.0, 600.0, 25.0


@dataclass(frozen=True)
class Label:
    """Where a name stands.

    Attributes:
        x, y: of the end of the text that ``anchor`` says, and of its middle height.
        anchor: which end of the text faces its dot.
        leader: ends of the line from the dot's rim to the text; None where the text is at the dot.
    """

    x: float
    y: float
    anchor: Literal["start", "middle", "end"]
    leader: tuple[Place, Place] | None


def place_labels(
    dots: Sequence[Place], sizes: Sequence[Place], bounds: tuple[float, float, float, float], radius: float
) -> list[Label]:
    """Places of the names of dots.

    Args:
        dots: (x, y) of every dot, in any unit of length about as large as a pixel.
        sizes: (width, height) of every name.
        bounds: left, lower, right and upper end of the plot.
        radius: of the dots.
    """
    if not dots:
        return []
    at, size = np.asarray(dots, np.float64), np.asarray(sizes, np.float64)
    offers = [_offers(at, i, size[i], bounds, radius) for i in range(len(at))]
    crowd = (np.abs(at[:, None] - at[None]) < [90, 30]).all(axis=2).sum(axis=1)
    order = sorted(range(len(at)), key=lambda i: (-int(crowd[i]), *dots[i]))
    clashes = _clashes(offers)
    chosen = [0] * len(at)
    weights = np.ones((len(at), len(at)))
    best: tuple[float, list[int]] = (np.inf, [])
    for _ in range(TRIALS):
        _settle(chosen, order, offers, clashes, weights)
        found = np.array([clashes[i][chosen[i], range(len(at)), chosen] for i in range(len(at))])
        lengths = sum(float(offers[i].costs[chosen[i]]) for i in range(len(at)))
        best = min(best, (lengths + float(found.sum()) / 2, list(chosen)))
        if not found.any():
            break
        weights += found > 0  # what clashes and cannot move away weighs ever more, until a neighbour gives way
    return [_label(offers[i], number, at[i], radius) for i, number in enumerate(best[1])]


def _settle(
    chosen: list[int], order: Sequence[int], offers: Sequence[_Offers], clashes: Sequence[Values], weights: Values
) -> None:
    """Move one name after the other to its best place among the others until none moves."""
    for _ in range(ROUNDS):
        before = list(chosen)
        for i in order:
            chosen[i] = int(np.argmin(offers[i].costs + clashes[i][:, range(len(chosen)), chosen] @ weights[i]))
        if chosen == before:
            break


def _clashes(offers: Sequence[_Offers]) -> list[Values]:
    """For every name what its places cost beside those of the others: (places, names, places of these)."""
    most = max(len(offer.costs) for offer in offers)
    places = np.full((len(offers), most, 8), np.nan)
    for i, offer in enumerate(offers):
        places[i, : len(offer.costs)] = np.concatenate([offer.boxes, offer.lines], axis=1)
    found = []
    for i, offer in enumerate(offers):
        one, two = places[i, : len(offer.costs), None].T, places.reshape(-1, 8).T[:, None]
        costs = _between(np.moveaxis(one, 2, 1), two).reshape(len(offer.costs), len(offers), most)
        costs[:, i] = 0.0
        found.append(costs)
    return found


@cache
def _font() -> Any:
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 100)


def text_width(text: str, size: float) -> float:
    """The width of a text in DejaVu Sans, which runs wider than most fonts that a browser may take."""
    return float(_font().getlength(text)) * size / 100


@dataclass(frozen=True)
class _Offers:
    """Places of one name, the cheapest first: boxes as left, lower, right, upper; lines as x0, y0, x1, y1, NaN for
    none; what each costs without the other names."""

    boxes: Values
    lines: Values
    costs: Values


def _offers(at: Values, own: int, size: Values, bounds: tuple[float, float, float, float], radius: float) -> _Offers:
    """The places within bounds, all around the dot and ever further away; where none is within, all of them."""
    dot = at[own]
    turns = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    away = np.array(REACHES)
    away, turns = (values.ravel() for values in np.meshgrid(away, turns, indexing="ij"))
    to = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    side = np.clip(to * 1.42, -1, 1)  # sidewards by the whole half of the box, up and down too
    centres = dot + to * (radius + GAP + away)[:, None] + side * size / 2
    boxes = np.concatenate([centres - size / 2, centres + size / 2], axis=1)
    within = (boxes[:, :2] >= bounds[:2]).all(axis=1) & (boxes[:, 2:] <= bounds[2:]).all(axis=1)
    if not within.any():
        within = np.ones(len(boxes), np.bool_)
    ends = np.clip(dot, boxes[:, :2], boxes[:, 2:])
    lines = np.concatenate([np.broadcast_to(dot, ends.shape), ends], axis=1)
    lines[away == 0] = np.nan
    level = np.abs(to[:, 1])  # beside the dot rather than above or below it, to the right rather than to the left
    costs = away + 3 * level + np.where(to[:, 0] < -0.01, 1.0, 0.0) + np.where(away > 0, _LED, 0.0)
    boxes, lines, costs = boxes[within], lines[within], costs[within]
    costs += _at_dots(boxes, lines, at, own, radius)
    order = np.argsort(costs, kind="stable")[:MOST]
    return _Offers(boxes[order], lines[order], costs[order])


def _at_dots(boxes: Values, lines: Values, at: Values, own: int, radius: float) -> Values:
    """What places of a name cost for the dots of others."""
    mine, led = boxes[:, None], lines[:, None]
    foreign = np.delete(at, own, axis=0)[None]
    gaps = _distance(mine, foreign)
    costs = _COVERED * (gaps < radius + APART).sum(axis=1)
    to_own = _distance(boxes, at[own])[:, None]
    bare = np.isnan(lines[:, :1])
    costs += _MISTAKEN * (bare & (gaps < to_own + CLOSE)).sum(axis=1)
    costs += _CROSSED * (bare & (gaps <= to_own)).sum(axis=1)
    costs += _LED * (~bare & (gaps < radius + CLOSE)).sum(axis=1)
    return np.asarray(costs + _STRUCK * (_to_line(led, foreign) < radius + 1.5).sum(axis=1))


def _between(one: Values, two: Values) -> Values:
    """What two names cost each other: (8, ...) left, lower, right and upper end of a box, and the ends of its line."""
    box, line, other, another = one[:4], one[4:], two[:4], two[4:]
    beside = (box[0] >= other[2] + ASIDE) | (box[2] <= other[0] - ASIDE)
    over = (box[1] >= other[3] + ABOVE) | (box[3] <= other[1] - ABOVE)
    covered = ~(beside | over) | _through(line, other) | _through(another, box)
    return np.asarray(_COVERED * covered + _CROSSED * _meet(line, another))


def _distance(boxes: Values, dots: Values) -> Values:
    """From boxes (..., 4) to dots (..., 2); 0 within."""
    beyond = np.maximum(np.maximum(boxes[..., :2] - dots, dots - boxes[..., 2:]), 0)
    return np.asarray(np.hypot(beyond[..., 0], beyond[..., 1]))


def _to_line(lines: Values, dots: Values) -> Values:
    """From dots (..., 2) to lines (..., 4); NaN where there is no line."""
    start, step = lines[..., :2], lines[..., 2:] - lines[..., :2]
    length = np.maximum((step**2).sum(axis=-1), 1e-9)
    share = np.clip(((dots - start) * step).sum(axis=-1) / length, 0, 1)
    aside = start + share[..., None] * step - dots
    return np.asarray(np.hypot(aside[..., 0], aside[..., 1]))


def _through(line: Values, box: Values) -> NDArray[np.bool_]:
    """Whether lines (4, ...) come nearer to boxes (4, ...) than ``SHORT``; no line comes anywhere."""
    enters, leaves = [], []
    for axis in (0, 1):
        step = line[2 + axis] - line[axis]
        step = np.where(np.abs(step) < 1e-9, 1e-9, step)
        one, two = (box[axis] - SHORT - line[axis]) / step, (box[2 + axis] + SHORT - line[axis]) / step
        enters.append(np.minimum(one, two))
        leaves.append(np.maximum(one, two))
    begin, end = np.maximum(*enters), np.minimum(*leaves)
    return np.asarray((begin < end) & (end > 0) & (begin < 1))


def _meet(one: Values, two: Values) -> NDArray[np.bool_]:
    """Whether lines (4, ...) cross lines (4, ...)."""

    def side(line: Values, x: Values, y: Values) -> Values:
        return np.asarray((line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0]))

    parted = side(one, two[0], two[1]) * side(one, two[2], two[3]) < 0
    return np.asarray(parted & (side(two, one[0], one[1]) * side(two, one[2], one[3]) < 0))


def _label(offers: _Offers, number: int, dot: Values, radius: float) -> Label:
    left, lower, right, upper = (float(v) for v in offers.boxes[number])
    anchor: Literal["start", "middle", "end"] = "start" if left > dot[0] else "end" if right < dot[0] else "middle"
    x = {"start": left, "end": right, "middle": (left + right) / 2}[anchor]
    end = offers.lines[number, 2:]
    leader = None
    if not np.isnan(end).any():
        step = (end - dot) / max(1e-9, float(np.hypot(*(end - dot))))
        start, end = dot + step * radius, end - step * SHORT
        leader = ((float(start[0]), float(start[1])), (float(end[0]), float(end[1])))
    return Label(x, (lower + upper) / 2, anchor, leader)
