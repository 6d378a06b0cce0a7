"""The same results under all protocols: a column each, and what makes it differ from the benchmark's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.switches import PRINTED, Part, printed
from inmo.reports.tables.note_marks import noted
from inmo.reports.tables.table import Cell, Column, Table

LEAST = 0.0005
"""Parts below half of the printed decimal are not told."""


def side_by_side_table(scores: Sequence[Score], benchmark: str, *, title: str = "") -> Table:
    """A row for AUC, P and P_norm of every tracker, a column for every protocol, the benchmark's own first.

    P_norm is what the protocol prints: at 0.20, or the area below its curve.
    """
    names = list(dict.fromkeys(score.protocol for score in scores))
    by = {(score.tracker, score.protocol): score for score in scores}
    own = {tracker: by[tracker, names[0]].mean.success_auc or 0.0 for tracker, _ in by}
    columns = (
        Column("tracker", "Tracker"),
        Column("measure", "Measure"),
        *(Column(name, name, "", 1, 100.0, 0, PROTOCOLS[name].summary) for name in names),
    )
    rows = []
    for tracker in sorted(own, key=lambda name: -own[name]):
        values = {name: printed(by[tracker, name].mean, PROTOCOLS[name].on(benchmark)) for name in names}
        for measure in PRINTED:
            cells = (_cell(values[name][measure], by[tracker, name], measure) for name in names)
            rows.append((Cell(tracker), Cell(measure), *cells))
    caption = (
        f"All numbers in percent; {names[0]} is the benchmark's own protocol. P_norm is what the protocol prints: the "
        "curve at 0.20, or the area below it."
    )
    return noted(Table(title, caption, columns, tuple(rows)), scores)


def difference_lines(parts: Mapping[str, Sequence[Part]], start: str) -> list[str]:
    """A line for every protocol: what it does that ``start`` does not, the largest parts first, means over trackers."""
    said = [f"Why they differ from {start}, in points, mean over the trackers:"] if parts else []
    for name, own in parts.items():
        told = sorted(
            (part for part in own if any(abs(value) >= LEAST for value in part.by.values())),
            key=lambda part: -max(map(abs, part.by.values())),
        )
        refused = [part.words for part in own if not part.by]
        words = [f"{part.words} ({_amounts(part)})" for part in told]
        if refused:
            words.append(f"refused, as {'; '.join(refused)}")
        if not words:
            rest = ", ".join(part.topic for part in own)
            words = [f"as {start} on these results" + (f"; what differs ({rest}) moves nothing here" if rest else "")]
        said.append(f"{name}: {'; '.join(words)}")
    return said


def _amounts(part: Part) -> str:
    moved = ((name, value) for name, value in part.by.items() if abs(value) >= LEAST)
    return ", ".join(f"{name} {100 * value:+.1f}".replace("-", "−") for name, value in moved)


def _cell(value: float | None, score: Score, measure: str) -> Cell:
    return Cell(value, reason="" if value is not None else score.reason or f"{score.protocol} has no {measure}")
