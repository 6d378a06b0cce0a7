"""Radar plots of AUC per attribute: the geometry, and the page's own drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from inmo.reports.figures.style import Style
from inmo.reports.figures.svg import drawing, switches

LEAST = 3  # attributes: fewer make no area
_WIDTH, _HEIGHT, _RADIUS = 520, 330, 128


@dataclass(frozen=True)
class Radar:
    """What a radar plot shows.

    Attributes:
        codes: attributes clockwise from the top, those that some scored sequence has.
        counts: scored sequences with each.
        words: what each code means.
        values: tracker -> AUC per code, None where the tracker has no result with it.
        top: AUC at the rim, a multiple of ``step``; the centre is 0.
        step: between two rings.
    """

    codes: tuple[str, ...]
    counts: tuple[int, ...]
    words: tuple[str, ...]
    values: Mapping[str, tuple[float | None, ...]]
    top: float
    step: float

    @property
    def rings(self) -> list[float]:
        """AUC at every ring, from the first outside the centre to the rim."""
        return [self.step * (i + 1) for i in range(round(self.top / self.step))]

    def angle(self, index: int) -> float:
        """Radians clockwise from the top of the ``index``-th attribute."""
        return 2 * math.pi * index / len(self.codes)

    def mean(self, tracker: str) -> float:
        """AUC over the attributes that the tracker has."""
        known = [v for v in self.values[tracker] if v is not None]
        return sum(known) / len(known)

    def pieces(self, tracker: str) -> list[list[int]]:
        """Runs of neighbouring attributes that the tracker has, around the circle; all of them are one run."""
        values, count = self.values[tracker], len(self.codes)
        if None not in values:
            return [list(range(count))]
        start = values.index(None)
        around = ((start + i) % count for i in range(count))
        return [list(piece) for known, piece in groupby(around, lambda index: values[index] is not None) if known]


def radar(
    words: Mapping[str, str], counts: Mapping[str, int], values: Mapping[str, Mapping[str, float | None]]
) -> Radar | None:
    """What ``tables.attribute_table`` is given, as a radar plot; None for fewer than three attributes or no tracker."""
    codes = tuple(code for code in words if counts.get(code))
    own = {tracker: tuple(by.get(code) for code in codes) for tracker, by in values.items()}
    own = {tracker: row for tracker, row in own.items() if any(v is not None for v in row)}
    if len(codes) < LEAST or not own:
        return None
    most = max(v for row in own.values() for v in row if v is not None)
    step = 0.1 if most < 0.4 else 0.2
    top = max(step, math.ceil(most / step - 1e-9) * step)
    return Radar(codes, tuple(counts[c] for c in codes), tuple(words[c] for c in codes), own, top, step)


def radar_plot(found: Radar | None, look: Mapping[str, Style]) -> Markup | str:
    """The drawing: rings with their AUC, a spoke per attribute with the number of its sequences, a line per tracker.

    The best tracker is drawn last, on top; the legend below switches lines. Empty without anything to show.
    """
    if found is None:
        return ""
    rings = "".join(_path([_at(found, i, ring) for i in range(len(found.codes))], closed=True) for ring in found.rings)
    spokes = "".join(_path([(_WIDTH / 2, _HEIGHT / 2), _at(found, i, found.top)]) for i in range(len(found.codes)))
    parts = [Markup('<path class="grid" d="{}"/>').format(rings + spokes)]
    for ring in found.rings:
        x, y = _at(found, 0, ring)
        parts.append(Markup('<text class="tick e" x="{:.1f}" y="{:.1f}">{:.1f}</text>').format(x - 3, y + 3.5, ring))
    for index, (code, count, words) in enumerate(zip(found.codes, found.counts, found.words, strict=True)):
        x, y = _at(found, index, found.top * (1 + 14 / _RADIUS))
        side = math.sin(found.angle(index))
        kind = "tick" if abs(side) < 0.2 else "tick s" if side > 0 else "tick e"
        parts.append(
            Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{} ({})<title>{}</title></text>').format(
                kind, x, y + 3.5, code, count, f"{words}: {count} sequences"
            )
        )
    for tracker in sorted(found.values, key=found.mean):
        style, whole = look[tracker], None not in found.values[tracker]
        path = "".join(
            _path([_at(found, i, found.values[tracker][i] or 0.0) for i in piece], closed=whole)
            for piece in found.pieces(tracker)
        )
        parts.append(
            Markup('<path class="curve h{} d{}" data-t="{}" d="{}"><title>{}</title></path>').format(
                style.hue, style.dash, style.number, path, tracker
            )
        )
    best_first = sorted(found.values, key=lambda t: -found.mean(t))
    words = f"Success AUC of {len(found.values)} trackers on {len(found.codes)} attributes"
    legend = switches([(t, look[t].mark, "") for t in best_first], look)
    return drawing(_WIDTH, _HEIGHT, parts, words) + legend


def _at(found: Radar, index: int, value: float) -> tuple[float, float]:
    """Where a value of an attribute is drawn."""
    reach, angle = _RADIUS * value / found.top, found.angle(index)
    return _WIDTH / 2 + reach * math.sin(angle), _HEIGHT / 2 - reach * math.cos(angle)


def _path(points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    places = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{places}{'Z' if closed else 'h0' if len(points) == 1 else ''}"
