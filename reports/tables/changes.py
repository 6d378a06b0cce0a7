"""Two stores compared, as tables: a row per tracker and dataset, and a row per sequence whose boxes changed."""

from __future__ import annotations

from inmo.reports.scoring.changes import Comparison, RunChange
from inmo.reports.scoring.statistics import ends, interval_words
from inmo.reports.tables.table import Cell, Column, Table, p_column, percent, tabled
from inmo.terminal import listed

SHOWN = 4  # names in a sentence
UNSCORED = "only the first frame is annotated, or the protocol refuses"


def run_change_table(found: Comparison, names: tuple[str, str], *, title: str = "") -> Table:
    """What changed of every tracker on every dataset; ``names`` of the two stores, before and after."""
    columns = (
        Column("tracker", "Tracker"),
        Column("dataset", "Dataset"),
        Column("sequences", "Sequences", "", 0, about="with a result in both stores and the same annotation"),
        Column("changed", "Changed", "", 0, about="sequences whose boxes are not the same to the last bit"),
        percent("before", names[0], "mean success AUC over these sequences", better=0),
        percent("after", names[1], "mean success AUC over these sequences", better=0),
        percent("difference", "Difference", "mean of the paired differences", better=0),
        p_column("randomisation test, two-sided, over all rows together"),
    )
    protocols = dict.fromkeys(run.dataset.protocol for run in found.runs)
    caption = (
        f"Success AUC, protocol {', '.join(protocols)}, over the sequences that both stores have; in brackets 95 % "
        "paired bootstrap intervals over sequences."
    )
    return Table(title, caption, columns, tuple(_row(run) for run in found.runs))


def sequence_change_table(found: Comparison, names: tuple[str, str], *, title: str = "", most: int = 0) -> Table:
    """The sequences whose boxes changed, the largest changes of AUC first; ``most`` rows at most, all for 0."""
    every = found.largest_first
    shown = every[: most or None]
    rest = f"{len(every) - len(shown)} more sequences changed less." if len(shown) < len(every) else ""
    most_changed = "the one in which the overlap with the target changed most, from 0"

    def scored(value: float | None) -> Cell:
        return Cell(value, reason="" if value is not None else UNSCORED)

    return tabled(
        title, rest, shown,
        (Column("sequence", "Sequence"), lambda each: each[1].sequence),
        (Column("tracker", "Tracker"), lambda each: each[0].tracker),
        (Column("dataset", "Dataset"), lambda each: each[0].dataset.label),
        (percent("before", names[0], better=0), lambda each: scored(each[1].before)),
        (percent("after", names[1], better=0), lambda each: scored(each[1].after)),
        (percent("difference", "Difference", better=0), lambda each: scored(each[1].difference)),
        (Column("differ", "Frames", digits=0, about="frames whose boxes differ"), lambda each: each[1].differ),
        (Column("frames", "of", digits=0), lambda each: each[1].frames),
        (Column("start", "First", digits=0, about="the first of them, from 0"), lambda each: each[1].start),
        (Column("worst", "Most", digits=0, about=most_changed), lambda each: each[1].worst),
    )  # fmt: skip


def change_notes(found: Comparison, names: tuple[str, str]) -> list[str]:
    """What the numbers do not show, a sentence each: settings, code, and what one store has alone."""
    said = []
    for run in found.runs:
        who = f"{run.tracker} on {run.dataset.label}"
        said += [f"{who}: {key} {a} in {names[0]}, {b} in {names[1]}" for key, (a, b) in run.facts.items()]
        for name, only in zip(names, run.only, strict=True):
            said += [f"{who}: only in {name}: {listed(only, SHOWN)}"] if only else []
        if run.redrawn:
            said.append(f"{who}: not compared, as their annotation is another: {listed(run.redrawn, SHOWN)}")
    for name, whole in zip(names, found.only, strict=True):
        said += [f"only in {name}: {each}" for each in whole]
    return [*said, *(f"damaged, left out: {words}" for words in found.damaged)]


def _row(run: RunChange) -> tuple[Cell, ...]:
    scored = [c for c in run.changes if c.before is not None and c.after is not None]
    reason = "" if scored else UNSCORED if run.changes else "no sequence in common"
    means = [sum(values) / len(scored) if scored else None
             for values in ([c.before or 0.0 for c in scored], [c.after or 0.0 for c in scored])]  # fmt: skip
    pair = run.pair
    few = interval_words(pair.n) if pair is not None and pair.interval is None else ""
    return (
        Cell(run.tracker), Cell(run.dataset.label), Cell(len(run.changes)), Cell(len(run.changed)),
        *(Cell(mean, reason=reason) for mean in means),
        Cell(pair.difference if pair else None, ends(pair.interval) if pair else None, reason=reason, note=few),
        Cell(pair.p_value if pair else None, reason=few or reason),
    )  # fmt: skip
