"""The page's own plots: small inline SVG whose colours follow the page's scheme and whose lines can be switched off.

Lines carry ``data-t``, the tracker's number on the page, and classes ``h0``..``h7`` (hue) and ``d0``..``d3`` (dash)
that the style sheet colours for light and dark. Without scripts the plots are complete; they print as they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from inmo.reports.figures.label_placement import place_labels, text_width
from inmo.reports.figures.style import (
    Line,
    Style,
    SweepLine,
    SweepPoint,
    band,
    limits,
    log_span,
    log_ticks,
    short_number,
    spans,
    sweep_axes,
)  # fmt: skip
from inmo.reports.scoring.score import Kind

_LEFT, TOP, _RIGHT, _BOTTOM = 40, 8, 8, 36
_NAME, _DOT = 11.5, 5.0  # size of the names in a plot, see style.css, and radius of their dots
_GOLDEN = 0.618033988749895  # fractional parts of its multiples spread points evenly, whatever their number


@dataclass(frozen=True)
class Frame:
    """The plot area inside the margins, and the axes drawn around it."""

    width: int
    height: int
    left: int = _LEFT
    right: int = _RIGHT

    @property
    def plot(self) -> tuple[int, int]:
        return self.width - self.left - self.right, self.height - TOP - _BOTTOM

    def x(self, share: float) -> float:
        return self.left + share * self.plot[0]

    def y(self, share: float) -> float:
        return TOP + (1 - share) * self.plot[1]

    def wrap(self, parts: Sequence[str], label: str) -> Markup:
        return drawing(self.width, self.height, parts, label)

    def axes(
        self, xs: Sequence[tuple[float, str]], ys: Sequence[tuple[float, str]], x_label: str, y_label: str
    ) -> list[str]:
        """Grid lines and tick labels at (share of the axis, text), and the labels of the axes."""
        bottom, right = TOP + self.plot[1], self.left + self.plot[0]
        grid = "".join(f"M{_n(self.x(s))} {TOP}V{bottom}" for s, _ in xs)
        grid += "".join(f"M{self.left} {_n(self.y(s))}H{right}" for s, _ in ys)
        parts = [f'<path class="grid" d="{grid}"/><path class="axis" d="M{self.left} {TOP}V{bottom}H{right}"/>']
        parts += [f'<text class="tick" x="{_n(self.x(s))}" y="{bottom + 14}">{escape(t)}</text>' for s, t in xs]
        parts += [
            f'<text class="tick e" x="{self.left - 5}" y="{_n(self.y(s) + 3.5)}">{escape(t)}</text>' for s, t in ys
        ]
        parts.append(f'<text class="label" x="{_n(self.x(0.5))}" y="{self.height - 4}">{escape(x_label)}</text>')
        if y_label:
            middle = _n(self.y(0.5))
            parts.append(f'<text class="label" transform="translate(10 {middle}) rotate(-90)">{escape(y_label)}</text>')
        return parts


def drawing(width: float, height: float, parts: Iterable[str], label: str, *, kind: str = "") -> Markup:
    """An SVG made of mark-up. ``label``: what it is, for those who cannot see it; ``kind``: its class."""
    of = Markup('class="{}" ').format(kind) if kind else ""
    head = Markup('<svg {}viewBox="0 0 {} {}" role="img" aria-label="{}">').format(of, width, height, label)
    return head + Markup("".join(parts)) + Markup("</svg>")


def curve_plot(lines: Sequence[Line], kind: Kind, look: Mapping[str, Style]) -> Markup:
    """A success, precision or normalised-precision plot; the best line is drawn last, on top."""
    frame = Frame(380, 330)
    xs = [(i / 5, f"{kind.x_max * i / 5:g}") for i in range(6)]
    ys = [(i / 5, f"{i / 5:g}") for i in range(6)]
    parts = frame.axes(xs, ys, kind.x_label, kind.y_label)
    for line in reversed(lines):
        points = zip(line.x / kind.x_max, np.clip(line.y, 0, 1.02), strict=True)
        path = "L".join(f"{_n(frame.x(x))} {_n(frame.y(y))}" for x, y in points)
        style = look[line.tracker]
        parts.append(f'<path class="curve h{style.hue} d{style.dash}" data-t="{style.number}" d="M{path}"/>')
    parts.append(f'<path class="cursor" d="M0 {TOP}V{TOP + frame.plot[1]}"/>')
    return frame.wrap(parts, f"{kind.title} plot of {len(lines)} trackers")


def curve_data(lines: Sequence[Line], kind: Kind, look: Mapping[str, Style]) -> Markup:
    """The numbers behind a plot, for reading values off it."""
    curves = {str(look[line.tracker].number): [round(float(v), 4) for v in line.y] for line in lines}
    return script_json({"max": kind.x_max, "left": _LEFT, "width": 380 - _LEFT - _RIGHT, "lines": curves})


def script_json(values: Mapping[str, Any]) -> Markup:
    """JSON that is safe inside a script element."""
    return Markup(json.dumps(values, separators=(",", ":")).replace("<", "\\u003c"))


def strip_plot(values: Mapping[str, Sequence[float]], look: Mapping[str, Style]) -> Markup | str:
    """AUC of every sequence: per tracker a row of points with the box of quartiles and the median."""
    rows = {tracker: sorted(v) for tracker, v in values.items() if v}
    if not rows:
        return ""
    left = 24 + min(150, round(6.4 * max(len(t + look[t].mark) for t in rows)))
    frame = Frame(520, TOP + _BOTTOM + 30 * len(rows), left)
    parts = frame.axes([(i / 5, f"{i / 5:g}") for i in range(6)], [], "Success AUC per sequence", "")
    for row, (tracker, found) in enumerate(rows.items()):
        middle = TOP + 30 * row + 15
        low, median, high = (frame.x(float(q)) for q in np.quantile(found, [0.25, 0.5, 0.75]))
        dots = "".join(
            f"M{_n(frame.x(v))} {_n(middle + (((i + 1) * _GOLDEN) % 1 - 0.5) * 15)}h0" for i, v in enumerate(found)
        )
        name = (tracker if len(tracker) <= 24 else tracker[:23] + "…") + look[tracker].mark
        parts.append(
            f'<g data-t="{look[tracker].number}" class="h{look[tracker].hue}">'
            f'<text class="tick e" x="{left - 8}" y="{middle + 4}">{escape(name)}</text>'
            f'<path class="dots" d="{dots}"/>'
            f'<rect class="box" x="{_n(low)}" y="{middle - 9}" width="{_n(max(high - low, 0.5))}" height="18" rx="2"/>'
            f'<path class="median" d="M{_n(median)} {middle - 9}v18"/></g>'
        )
    return frame.wrap(parts, f"Distribution of success AUC over sequences for {len(rows)} trackers")


def speed_plot(
    points: Sequence[tuple[str, float, float]], look: Mapping[str, Style], height: int = 300
) -> Markup | str:
    """Speed against accuracy, (tracker, frames per second, AUC) each; speed on a logarithmic axis.

    ``height``: of the drawing for up to eight trackers; more make it higher.
    """
    if not points:
        return ""
    frame = Frame(520, height + 8 * max(0, len(points) - 8))
    start = math.log10(min(p[1] for p in points)) - 0.35  # room for names left of the slowest
    end = math.log10(max(p[1] for p in points)) + 0.15
    base, top, step = limits([p[2] for p in points])
    ticks = log_ticks(start, end)
    if len(ticks) > 8:
        ticks = [(at, fps) for at, fps in ticks if math.isclose(math.log10(fps) % 1, 0, abs_tol=1e-9)]
    xs = [(at, short_number(fps)) for at, fps in ticks]
    parts = frame.axes(xs, _heights(base, top, step), "Frames per second", "Success AUC")
    ordered = sorted(points, key=lambda p: (-p[2], p[0]))
    dots = [
        (frame.x((math.log10(fps) - start) / (end - start)), frame.y((auc - base) / (top - base)))
        for _, fps, auc in ordered
    ]
    names = [f"{tracker}{look[tracker].mark}" for tracker, _, _ in ordered]
    sizes = [(text_width(name, _NAME) + 2, _NAME + 2.5) for name in names]
    bounds = (frame.left + 2, TOP, frame.width - 2, frame.height - _BOTTOM - 2)
    placed = place_labels(dots, sizes, bounds, _DOT)
    for (tracker, _, _), name, (x, y), label in zip(ordered, names, dots, placed, strict=True):
        parts.append(f'<g data-t="{look[tracker].number}" class="h{look[tracker].hue}">')
        if label.leader:
            (x0, y0), (x1, y1) = label.leader
            parts.append(f'<path class="leader" d="M{_n(x0)} {_n(y0)}L{_n(x1)} {_n(y1)}"/>')
        kind = {"start": "name", "middle": "name m", "end": "name e"}[label.anchor]
        parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_DOT:g}"><title>{escape(name)}</title></circle>'
            f'<text class="{kind}" x="{_n(label.x)}" y="{_n(label.y + 4)}">{escape(name)}</text></g>'
        )
    return frame.wrap(parts, f"Speed against accuracy of {len(points)} trackers")


def sweep_plot(lines: Sequence[SweepLine], x_label: str, look: Mapping[str, Style]) -> Markup:
    """AUC against a test-time constant with its intervals as bands, and a legend with every tracker's best value."""
    frame = Frame(520, 300)
    (start, end), (base, top, step) = sweep_axes(lines)
    places = sorted({p.values[0] for line in lines for p in line.points})
    ticks = places if len(places) <= 11 else [start + (end - start) * i / 5 for i in range(6)]
    xs = [((v - start) / (end - start), f"{v:.3g}") for v in ticks]

    def at(value: float, height: float) -> str:
        return f"{_n(frame.x((value - start) / (end - start)))} {_n(frame.y((height - base) / (top - base)))}"

    parts, legend = frame.axes(xs, _heights(base, top, step), x_label, "Success AUC"), []
    drawn = sorted(lines, key=lambda line: max((p.auc for p in line.points if p.auc is not None), default=0.0))
    for layer in ("band", "curve"):  # no band covers a curve
        for line in drawn:
            style = look[line.tracker]
            parts.append(f'<g data-t="{style.number}" class="h{style.hue}">')
            for piece in line.pieces():
                if layer == "curve":
                    path = "L".join(at(p.values[0], p.auc) for p in piece if p.auc is not None)
                    parts.append(f'<path class="curve d{style.dash}" d="M{path}"/>')
                    parts += [_dot(at(p.values[0], p.auc), line.tracker, p) for p in piece if p.auc is not None]
                elif bounds := band(piece):
                    edge = [at(v, high) for v, _, high in bounds] + [at(v, low) for v, low, _ in reversed(bounds)]
                    parts.append(f'<path class="band" d="M{"L".join(edge)}Z"/>')
            parts.append("</g>")
    for line in reversed(drawn):
        if best := line.best():
            where = spans([p.values[0] for p in best], [p.values[0] for p in line.points])
            legend.append((line.tracker, line.mark, f"{(best[0].auc or 0) * 100:.1f} at {where}"))
    words = f"Success AUC against {x_label} of {len(legend)} trackers"
    return frame.wrap(parts, words) + switches(legend, look)


def loglog_plot(
    lines: Mapping[str, Sequence[tuple[float, float]]], x_label: str, y_label: str, look: Mapping[str, Style]
) -> Markup:
    """Curves of positive values on two logarithmic axes, with a legend. ``lines``: name -> (x, y), left to right."""
    frame = Frame(520, 300)
    ends = [log_span([point[axis] for points in lines.values() for point in points]) for axis in (0, 1)]
    xs, ys = ([(share, short_number(value)) for share, value in log_ticks(*span)] for span in ends)

    def at(point: tuple[float, float]) -> str:
        x, y = ((math.log10(v) - low) / (high - low) for v, (low, high) in zip(point, ends, strict=True))
        return f"{_n(frame.x(x))} {_n(frame.y(y))}"

    parts = frame.axes(xs, ys, x_label, y_label)
    for name, points in lines.items():
        style = look[name]
        parts.append(f'<g class="h{style.hue}"><path class="curve d{style.dash}" d="M{"L".join(map(at, points))}"/>')
        for point in points:
            x, y = at(point).split()
            words = f"{name}, {point[0]:g}: {point[1]:.4g}"
            parts.append(f'<circle cx="{x}" cy="{y}" r="3"><title>{escape(words)}</title></circle>')
        parts.append("</g>")
    legend = _legend(Markup("{}<span>{}</span>").format(swatch(look[name]), name) for name in lines)
    return frame.wrap(parts, f"{y_label} against {x_label}") + legend


def switches(rows: Sequence[tuple[str, str, str]], look: Mapping[str, Style]) -> Markup:
    """A legend below a plot, (tracker, mark, words) a row, that switches its tracker on and off on the whole page."""
    button = Markup('<button type="button" class="switch" aria-pressed="true" data-t="{}">{}<span>{}</span>{}</button>')
    bold = Markup("<b>{}</b>")
    return _legend(
        button.format(look[n].number, swatch(look[n]), n + mark, bold.format(words) if words else "")
        for n, mark, words in rows
    )


def _legend(items: Iterable[Markup]) -> Markup:
    rows = Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup('<ul class="legend roomy">{}</ul>').format(rows)


def swatch(style: Style) -> Markup:
    """A short piece of a tracker's line for legends."""
    return Markup(
        '<svg class="swatch" viewBox="0 0 30 10" aria-hidden="true"><path class="curve h{} d{}" d="M1 5H29"/></svg>'
    ).format(style.hue, style.dash)


def box_swatch(style: Style | None) -> Markup:
    """A small box as it lies in the frames: a tracker's, or the ground truth's for None."""
    size = Markup('x="3.5" y="3.5" width="31" height="11"')
    look, line = ("truth", "line") if style is None else (f"i{style.hue}", f"line d{style.dash}")
    return Markup(
        '<svg viewBox="0 0 38 18" aria-hidden="true"><g class="{0}"><rect class="case" {2}/><rect class="{1}" {2}/></g>'
        "</svg>"
    ).format(look, line, size)


def _heights(base: float, top: float, step: float) -> list[tuple[float, str]]:
    """Ticks of an axis of AUC: their share of it, and their words."""
    return [(i * step / (top - base), f"{base + i * step:.1f}") for i in range(round((top - base) / step) + 1)]


def _dot(place: str, tracker: str, point: SweepPoint) -> str:
    x, y = place.split()
    between = f" [{point.interval[0] * 100:.1f}, {point.interval[1] * 100:.1f}]" if point.interval else ""
    words = f"{tracker}, {point.values[0]:g}: {(point.auc or 0) * 100:.1f}{between}"
    return f'<circle cx="{x}" cy="{y}" r="3"><title>{escape(words)}</title></circle>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
