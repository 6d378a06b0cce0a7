"""The curves of a training, loss and validation over the steps, as a picture in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from inmo.harness.training.diary import read_log

PICTURE = "curves.png"
BESIDE = frozenset({"step", "gradient", "rate", "pairs_per_second", "clips/count"})
"""Columns of the log that are no loss and no score."""
SMOOTH = 0.9  # of a running mean, drawn over the losses of single steps


def draw_curves(folder: Path) -> Path | None:
    """Write FOLDER/curves.png from FOLDER/log.csv: the losses, and beside them a panel for each score on validation.

    Returns its path; None where nothing was logged yet.
    """
    columns = curves(read_log(folder))
    losses = {name: own for name, own in columns.items() if "/" not in name}
    scores = {name: own for name, own in columns.items() if "/" in name}
    if not losses:
        return None
    figure = Figure(figsize=(3.4 * (1 + len(scores)), 3.0), layout="constrained")
    panels = figure.subplots(1, 1 + len(scores), squeeze=False)[0]
    for name, (steps, values) in losses.items():
        (line,) = panels[0].plot(steps, values, alpha=0.3, linewidth=0.8)
        panels[0].plot(steps, smooth(values), color=line.get_color(), label=name)
    panels[0].set_title("loss")
    panels[0].set_ylim(bottom=0)
    panels[0].legend(fontsize=8)
    for panel, (name, (steps, values)) in zip(panels[1:], scores.items(), strict=True):
        panel.plot(steps, values, marker="o", markersize=3)
        panel.set_title(name)
    for panel in panels:
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
    figure.savefig(folder / PICTURE, dpi=110)
    return folder / PICTURE


def curves(rows: Sequence[Mapping[str, str]]) -> dict[str, tuple[list[int], list[float]]]:
    """Column of a log -> the steps that have a number there, and the numbers."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for row in rows:
        for name, text in row.items():
            if name not in BESIDE and text:
                steps, values = found.setdefault(name, ([], []))
                steps.append(int(row["step"]))
                values.append(float(text))
    return found


def smooth(values: Sequence[float]) -> list[float]:
    """A running mean with weights that fall by ``SMOOTH`` a value, without a pull towards its start.

    >>> smooth([1.0, 1.0, 1.0])
    [1.0, 1.0, 1.0]
    """
    mean, weight, found = 0.0, 0.0, []
    for value in values:
        mean, weight = SMOOTH * mean + (1 - SMOOTH) * value, SMOOTH * weight + 1 - SMOOTH
        found.append(mean / weight)
    return found
