"""All datasets of a store as one set of sequences, every tracker compared with one reference."""

from __future__ import annotations

from collections.abc import Mapping

from inmo.reports.scoring.score import sequence_means
from inmo.reports.scoring.statistics import (
    FRACTIONS,
    Pair,
    bootstrap_interval,
    compare_all,
    compare_with_best,
    ends,
    interval_words,
)
from inmo.reports.scoring.stored import Evaluation
from inmo.reports.tables import readings
from inmo.reports.tables.note_marks import briefly, marks_of, note_footnote
from inmo.reports.tables.significance import pairs_table
from inmo.reports.tables.table import Cell, Column, Table, p_column, percent
from inmo.reports.tables.tuned_marks import footnote

COLUMNS = (
    Column("tracker", "Tracker"),
    Column("sequences", "Sequences"),
    percent("success_auc", "AUC", "success AUC, each dataset under its own protocol, mean over all sequences"),
    percent("difference", "Δ", "AUC minus the reference's on the same sequences, with its paired interval", better=0),
    p_column("randomisation test, two-sided, over all trackers together"),
    Column("fps", "FPS", "", 1, 1.0, 0, "frames per second of the tracker's step over all datasets"),
)


def pooled_scores(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    """Tracker -> dataset/sequence -> success AUC under the dataset's own protocol."""
    found: dict[str, dict[str, float]] = {}
    for data in evaluation.datasets:
        for score in data.default:
            for name, auc in sequence_means([score]).items():
                found.setdefault(score.tracker, {})[f"{data.dataset.label}/{name}"] = auc
    return found


def pooled_table(evaluation: Evaluation, reference: str = "") -> Table:
    """One row per tracker, the best first.

    A tracker that lacks sequences of the fullest one is listed last, with its count.

    Args:
        evaluation: of a store.
        reference: display name of the tracker that the others are compared with; none where empty.
    """
    values, speeds = pooled_scores(evaluation), pooled_speeds(evaluation)
    fullest = max((len(own) for own in values.values()), default=0)
    compared = compare_with_best(values, reference) if reference in values else {}
    signs = pooled_marks(evaluation)
    means = {name: sum(own.values()) / len(own) for name, own in values.items()}
    rows = []
    for name in sorted(values, key=lambda n: (len(values[n]) < fullest, -means[n])):
        interval = bootstrap_interval([*values[name].values()], within=FRACTIONS)
        alone = "the reference itself" if name == reference else "nothing to compare with"
        rows.append((
            Cell(name, mark=signs.get(name, "")), Cell(f"{len(values[name])} of {fullest}"),
            Cell(means[name], ends(interval)), *(_compared(compared.get(name), alone) if compared else ()),
            Cell(speeds[name]) if name in speeds else Cell(None, reason="nothing was timed"),
        ))  # fmt: skip
    columns = COLUMNS if compared else tuple(c for c in COLUMNS if c.key not in ("difference", "p_value"))
    sets = ", ".join(
        f"{data.dataset.label} ({', '.join(filter(None, words))})"
        for data in evaluation.datasets
        for words in [(str(len(data.dataset.names)), data.dataset.protocol, briefly(data.default))]
    )
    against_words = f"Δ against {reference}; " if compared else ""
    caption = f"{sets}; {against_words}intervals: {interval_words(fullest)}"
    return Table("All sequences together", caption, columns, tuple(rows), pooled_footnotes(evaluation))


def pooled_marks(evaluation: Evaluation) -> dict[str, str]:
    """Tracker -> the signs that its scores bear on any dataset."""
    found: dict[str, str] = {}
    for data in evaluation.datasets:
        for name, signs in marks_of(data).items():
            found[name] = "".join(dict.fromkeys(found.get(name, "") + signs))
    return found


def pooled_footnotes(evaluation: Evaluation) -> dict[str, str]:
    """Sign -> words."""
    cautions = [(f"{run.name} on {d.dataset.title}", run.caution) for d in evaluation.datasets for run in d.runs]
    scores = [score for data in evaluation.datasets for score in data.default]
    return footnote(cautions) | readings.footnote(scores) | note_footnote(scores)


def pooled_pairs(evaluation: Evaluation) -> Table:
    """Every tracker against every other, all sequences of all datasets being one set; the best by mean first."""
    values = pooled_scores(evaluation)
    order = sorted(values, key=lambda name: -sum(values[name].values()) / len(values[name]))
    return pairs_table(compare_all({name: values[name] for name in order}), title="All sequences together: all pairs")


def _compared(against: Pair | None, reason: str) -> list[Cell]:
    if against is None:
        return [Cell(None, reason=reason)] * 2
    few = Cell(None, reason="too few sequences for a test")
    return [Cell(against.difference, ends(against.interval)), few if against.p_value is None else Cell(against.p_value)]


def pooled_speeds(evaluation: Evaluation) -> Mapping[str, float]:
    """Tracker -> frames per second over all datasets: all timed frames over all their seconds."""
    frames: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for data in evaluation.datasets:
        for run in data.runs:
            if run.fps:
                frames[run.name] = frames.get(run.name, 0.0) + run.timed
                seconds[run.name] = seconds.get(run.name, 0.0) + run.timed / run.fps
    return {name: frames[name] / seconds[name] for name in frames}
