"""A tuning in numbers: the chosen constants beside the tracker's own, on the sequences tuned on and on the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inmo.harness.constants.halves import WHO, Auc
from inmo.harness.constants.tune import Tuning
from inmo.reports.blocks.block import Block
from inmo.reports.blocks.sweeps import NAMES
from inmo.reports.scoring.statistics import interval_words
from inmo.reports.tables.table import Cell, Column, Table, percent
from inmo.reports.tables.tuned_marks import MARK, footnote

DIGITS = 3  # decimals of constants, which are tuned in steps of 0.01


def tuning_block(tuning: Tuning) -> Block:
    """Two tables: the outcome, and all trials with the best first."""
    task = tuning.task
    title = f"{task.base.called} on {task.dataset.benchmark.title}"
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
    chosen, own = tuning.chosen.constants, task.own
    less = {name: chosen[name] - own[name] for name in task.space}
    constants: dict[str, Mapping[str, float]] = {"chosen": chosen, "own": own, "difference": less}
    rows = []
    for who, words in WHO.items():
        cells = [Cell(words), *(Cell(constants[who][name]) for name in task.space)]
        for each in tuning.halves:
            auc: Auc = getattr(each, who)
            ends = auc.interval
            mark = MARK if each.sequences == tuple(task.split.tuned_on) and who != "own" else ""
            cells.append(Cell(auc.mean, (ends.low, ends.high) if ends else None, mark=mark))
        rows.append(tuple(cells))
    caption = [
        "Mean success AUC over sequences.",
        *(f"{each.name.capitalize()}: {interval_words(len(each.sequences))}." for each in tuning.halves),
        "Only what was held out says something about other videos.",
    ]
    notes = footnote([(WHO["chosen"], f"on these {len(task.split.tuned_on)} sequences")])
    return Table(title, " ".join(caption), tuple(columns), tuple(rows), notes)


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
