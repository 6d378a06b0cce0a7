"""A tuning in numbers: the chosen constants beside the tracker's own, on the sequences tuned on and on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from inmo.errors import UserError
from inmo.harness.store.store import Store
from inmo.reports.blocks.block import Block
from inmo.reports.blocks.sweeps import NAMES
from inmo.reports.scoring.statistics import Interval, bootstrap_interval, interval_words
from inmo.reports.scoring.stored import evaluate_runs
from inmo.reports.tables.table import Cell, Column, Table, percent

if TYPE_CHECKING:
    from inmo.harness.constants.tune import Tuning

DIGITS = 3  # decimals of constants, which are tuned in steps of 0.01
WHO = {"chosen": "tuned", "own": "its own", "difference": "tuned less its own"}


@dataclass(frozen=True)
class Auc:
    """Success AUC per sequence, in the order of the sequences asked for."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over sequences, each counting once; one that was lost at once counts 0 under every protocol."""
        return float(np.mean(self.values))

    @property
    def interval(self) -> Interval | None:
        """95 % bootstrap interval of the mean; None for fewer than 6 sequences."""
        return bootstrap_interval(self.values)


@dataclass(frozen=True)
class Half:
    """One part of a split: ``tuned on`` or ``held out``, and AUC of the chosen and the own constants on it."""

    name: str
    sequences: tuple[str, ...]
    chosen: Auc
    own: Auc

    @property
    def difference(self) -> Auc:
        """Per sequence the chosen constants less the own ones."""
        return Auc(tuple(a - b for a, b in zip(self.chosen.values, self.own.values, strict=True)))

    def plain(self) -> dict[str, Any]:
        """As fractions with 6 digits: who -> AUC and its interval."""
        found: dict[str, Any] = {"sequences": len(self.sequences)}
        for who in WHO:
            auc: Auc = getattr(self, who)
            ends = auc.interval
            found[who] = {"auc": _short(auc.mean), "interval": [_short(ends.low), _short(ends.high)] if ends else None}
        return found


def aucs(store: Store, label: str, folders: Sequence[str], names: Sequence[str]) -> dict[str, Auc]:
    """Folder of a run -> its success AUC on these sequences under the dataset's own protocol.

    Raises UserError where a sequence has no score: a mean over fewer would be no comparison.
    """
    data = evaluate_runs(store, label, set(folders))
    found = {}
    for run, score in zip(data.runs, data.default, strict=True):
        values = {name: m.success_auc for name, m in score.per_sequence.items() if m.success_auc is not None}
        missing = [name for name in names if name not in values]
        if missing:
            why = score.reason or next((h.reason for h in run.holes if h.sequence == missing[0]), "not scored")
            raise UserError(f"{run.name} has no score on {missing[0]} ({why}): mend it and repeat the command")
        found[run.run.folder] = Auc(tuple(values[name] for name in names))
    return found


def half(store: Store, label: str, name: str, folders: Mapping[str, str], names: Sequence[str]) -> Half:
    """Score one part of the split. ``folders``: ``chosen`` and ``own`` -> folder of the run."""
    found = aucs(store, label, list(folders.values()), names)
    return Half(name, tuple(names), found[folders["chosen"]], found[folders["own"]])


def tuning_block(tuning: Tuning) -> Block:
    """Two tables: the outcome, and all trials with the best first."""
    task = tuning.task
    title = f"{task.base.label or task.base.spec.title} on {task.dataset.benchmark.title}"
    tables = {"tuning": _outcome(tuning, f"Tuning {title}"), "trials": _trials(tuning, f"Trials of {title}")}
    notes = [
        f"Tuned on {len(task.split.tuned_on)}: {', '.join(task.split.tuned_on)}.",
        f"Held out {len(task.split.held_out)}: {', '.join(task.split.held_out)}."
        if task.split.held_out
        else "No sequence was held out, so that nothing here says what the constants are worth elsewhere.",
    ]
    return Block("tuning", f"Tuning {title}", tables=tables, notes=tuple(notes))


def _outcome(tuning: Tuning, title: str) -> Table:
    task = tuning.task
    columns = [Column("constants", "Constants")]
    columns += [Column(name, NAMES[name], "", DIGITS) for name in task.space]
    for each in tuning.halves:
        head = percent(each.name.replace(" ", "_"), f"AUC, {each.name}", f"success AUC on the sequences {each.name}")
        columns.append(
            replace(head, better=0, sub=f"{len(each.sequences)} sequences, {task.dataset.benchmark.protocol}")
        )
    constants: dict[str, Mapping[str, float]] = {"chosen": tuning.chosen.constants, "own": task.own}
    rows = []
    for who, words in WHO.items():
        cells = [Cell(words)]
        for name in task.space:
            value = constants[who][name] if who in constants else constants["chosen"][name] - task.own[name]
            cells.append(Cell(value))
        for each in tuning.halves:
            auc: Auc = getattr(each, who)
            ends = auc.interval
            cells.append(Cell(auc.mean, (ends.low, ends.high) if ends else None))
        rows.append(tuple(cells))
    caption = [
        "Mean success AUC over sequences.",
        *(f"{each.name.capitalize()}: {interval_words(len(each.sequences))}." for each in tuning.halves),
        "Only what was held out says something about other videos.",
    ]
    return Table(title, " ".join(caption), tuple(columns), tuple(rows))


def _trials(tuning: Tuning, title: str) -> Table:
    columns = (
        Column("trial", "Trial", "", 0),
        *(Column(name, NAMES[name], "", DIGITS) for name in tuning.task.space),
        percent("auc", "AUC, tuned on", "mean success AUC over the sequences tuned on", better=0),
    )
    rows = tuple(
        (Cell(trial.number), *(Cell(trial.constants[name]) for name in tuning.task.space), Cell(trial.score))
        for trial in sorted(tuning.trials, key=lambda t: (-(t.score or 0.0), t.number))
    )
    return Table(title, "Mean success AUC over the sequences tuned on.", columns, rows)


def _short(value: float) -> float:
    return round(value, 6)
