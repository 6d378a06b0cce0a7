"""An ablation on the page: what its rows score, what they are worth, and what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inmo.reports.blocks.block import Block, Drawing
from inmo.reports.blocks.distractors import BEFORE as BEFORE_SWITCH
from inmo.reports.blocks.distractors import ON
from inmo.reports.figures.forest import ForestRow, forest_figure, forest_plot
from inmo.reports.scoring.effects import Contrast, Effect, Scores, against, factorial, holm, judge, means_of
from inmo.reports.scoring.seeds import seed_freedom
from inmo.reports.scoring.statistics import LEVEL, MINIMUM, RESAMPLES, ends
from inmo.reports.scoring.study import AUC, BEFORE, SHARE, KeptStudy, Study
from inmo.reports.tables.table import Cell, Column, Table, p_column, percent, tabled

MARK = "*"
AXIS = "Difference of success AUC [points]"
_TOLD = "told from 0 at the 5 % level, corrected."
P_CORRECTED = replace(p_column("p after Holm's correction over all effects of the table"), label="p corrected")


def ablation_block(study: Study, *, stem: str, title: str) -> Block:
    """Tables of rows, effects, trainings and parts of the sequences, and the forest plot."""
    scores = study.scores(AUC, study.shared)
    contrasts = (*against(study.reference, study.rows), *factorial(study.factors))
    effects = holm(judge(scores, contrasts, trainings=study.whose))
    how = f"{study.words} {interval_words(study, len(study.shared))}".strip()
    tables = {
        stem: rows_table(study, effects, how),
        f"{stem}-effects": effects_table(study, effects, how),
        f"{stem}-trainings": trainings_table(scores),
    }
    for kind, table in (("switches", switches_table(study)), ("gains", gains_table(study))):
        if table is not None:
            tables[f"{stem}-{kind}"] = table
    rows = forest_rows(study, effects)
    title_drawn = f"Effects, {study.reference} = 0"
    drawings = (Drawing(title_drawn, "A dot is one training.", forest_plot(rows, AXIS)),) if effects else ()
    note = f"Left out, as not every training has a score there: {', '.join(study.left_out)}."
    return Block(
        stem, title, how, tables, drawings, {stem: forest_figure(rows, AXIS)} if effects else {},
        notes=(note,) if study.left_out else (), folded=(f"{stem}-trainings", f"{stem}-gains", f"{stem}-switches"),
    )  # fmt: skip


def kept_block(kept: KeptStudy, name: str) -> Block:
    """The block of an ablation that was measured before and kept as its scores.

    Args:
        name: of its file, which tells it from other measurements of the ablation.
    """
    on = " and ".join(kept.on)
    short = (
        on if len(kept.on) < 3 else f"{sum(int(w.split()[0]) for w in kept.on)} sequences of {len(kept.on)} datasets"
    )
    made = ablation_block(kept.study, stem=f"{kept.stem}-{name}", title=f"{kept.title}: {short}")
    said = f"Kept scores, measured on {kept.measured} on {on} by: {kept.command}. {made.words}"
    return replace(made, words=said, folded=tuple(made.tables)[1:])


def rows_table(study: Study, effects: Sequence[Effect], how: str) -> Table:
    """Per row: mean AUC with its interval, P_norm@0.2 and P, the spread of its seeds, and the reference taken off."""
    names = study.shared
    means = judge(study.scores(AUC, names), means_of(study.rows), trainings=study.whose) if names else ()
    gains = {effect.contrast.name: effect for effect in effects if effect.contrast.kind == "difference"}

    def deviation(mean: Effect) -> Cell:
        seeds = [value for _, value in mean.trainings]
        return Cell(float(np.std(seeds, ddof=1))) if len(seeds) > 1 else Cell(None, reason="one seed")

    def gain(mean: Effect) -> Cell:
        effect = gains.get(mean.contrast.name)
        return Cell(effect.value, ends(effect.interval)) if effect else Cell(0.0)

    return tabled(
        "Rows", how, means,
        (Column("row", "Row"), lambda mean: mean.contrast.name),
        (percent("auc", "AUC"), _value),
        (percent("norm_precision", "P_norm"), lambda mean: _mean(study, mean.contrast.name, "norm_precision_020")),
        (percent("precision", "P"), lambda mean: _mean(study, mean.contrast.name, "precision_20")),
        (Column("seeds", "Seeds", digits=0), lambda mean: len(mean.trainings)),
        (percent("seed_deviation", "Deviation of seeds", "of the AUC over the row's seeds", better=0), deviation),
        (percent("to_reference", f"Less {study.reference}", better=0), gain),
    )  # fmt: skip


def effects_table(study: Study, effects: Sequence[Effect], how: str) -> Table:
    """Per effect: the difference with its interval, p alone and corrected, and the smallest that would have shown."""
    shown = (
        "an effect of this size, either way, would have been told from none in 80 of 100 such ablations, corrected for "
        "the number of effects"
    )

    def told(value: float | None) -> Cell:
        return Cell(value, reason="" if value is not None else f"fewer than {MINIMUM} sequences")

    return tabled(
        "Effects", how, effects,
        (Column("effect", "Effect"), lambda effect: _name(effect, study)),
        (Column("kind", "Kind"), lambda effect: effect.contrast.kind),
        (percent("difference", "Δ AUC", better=0), _value),
        (p_column("two-sided, of the draws that the interval is made of"), lambda effect: told(effect.p_value)),
        (replace(P_CORRECTED, key="p_corrected"), lambda effect: told(effect.corrected)),
        (percent("detectable", "Smallest shown", shown, better=0), lambda effect: told(effect.detectable)),
        footnotes={MARK: _TOLD},
    )  # fmt: skip


def trainings_table(scores: Scores) -> Table:
    """AUC of every training."""
    return tabled(
        "Trainings", "Mean over the sequences that all trainings have.",
        [(row, seed, own) for row, seeds in scores.items() for seed, own in seeds.items()],
        (Column("row", "Row"), lambda each: each[0]),
        (Column("seed", "Seed", digits=0), lambda each: each[1]),
        (percent("auc", "AUC"), lambda each: float(np.mean([*each[2].values()])) if each[2] else None),
    )  # fmt: skip


def switches_table(study: Study) -> Table | None:
    """How often every row is on a distractor and when it first switches to one, and the effects on both; None where
    no sequence has annotated distractors."""
    names = study.having(SHARE)
    if not names:
        return None
    contrasts = (*against(study.reference, study.rows), *factorial(study.factors))
    share, before = (study.scores(key, names) for key in (SHARE, BEFORE))

    def all_of(scores: Scores, what: Sequence[Contrast]) -> tuple[Effect, ...]:
        return judge(scores, what, trainings=study.whose)

    judged = holm([*all_of(share, contrasts), *all_of(before, contrasts)])
    on = (*all_of(share, means_of(study.rows)), *judged[: len(contrasts)])
    switch = (*all_of(before, means_of(study.rows)), *judged[len(contrasts) :])

    def corrected(effect: Effect) -> Cell:
        return Cell(effect.corrected, reason="" if effect.corrected is not None else "a mean has no p")

    return tabled(
        "Following the wrong one",
        f"On {len(names)} sequences whose distractors are annotated. {interval_words(study, len(names))}",
        zip(on, switch, strict=True),
        (Column("effect", "Row or effect"), lambda both: _name(both[0], study)),
        (Column("kind", "Kind"), lambda both: both[0].contrast.kind),
        (replace(ON, better=0), lambda both: _value(both[0])),
        (replace(P_CORRECTED, key="on_p_corrected"), lambda both: corrected(both[0])),
        (replace(BEFORE_SWITCH, better=0), lambda both: _value(both[1])),
        (replace(P_CORRECTED, key="switch_p_corrected"), lambda both: corrected(both[1])),
        footnotes={MARK: _TOLD},
    )  # fmt: skip


def gains_table(study: Study) -> Table | None:
    """Rows less the reference on parts of the sequences; None where there are no parts or nothing to compare."""
    shared, contrasts = set(study.shared), against(study.reference, study.rows)
    parts = {name: sorted(shared & own) for name, own in study.groups.items() if shared & own}
    if not parts or not contrasts:
        return None
    family = len(parts) * len(contrasts)
    judged = {
        name: judge(study.scores(AUC, own), contrasts, trainings=study.whose, family=family)
        for name, own in parts.items()
    }
    flat = iter(holm([effect for effects in judged.values() for effect in effects]))

    def gain(part: str, effect: Effect) -> Cell:
        told = "" if effect.corrected is None else f"p corrected {effect.corrected:.4f}"
        return replace(_value(effect), note=f"{effect.contrast.name} on {part} {told}")

    rows = [(Cell(name), Cell(len(own)), *(gain(name, next(flat)) for _ in contrasts)) for name, own in parts.items()]
    columns = (
        Column("part", "Sequences with"),
        Column("sequences", "n", digits=0),
        *(percent(c.name, f"{c.name} less {study.reference}", better=0) for c in contrasts),
    )
    caption = f"Gains of AUC on parts of the sequences, paired, p corrected over all {family} of them."
    return Table("Gains by attribute", caption, columns, tuple(rows), {MARK: _TOLD})


def forest_rows(study: Study, effects: Sequence[Effect]) -> list[ForestRow]:
    """The reference with its own trainings, the rows, then what a design of factors adds, a gap between."""
    scores = study.scores(AUC, study.shared)
    own = judge(scores, means_of([study.reference]), resamples=1)[0]
    off = tuple((seed, 100 * (value - own.value)) for seed, value in own.trainings)
    rows = [ForestRow(study.reference, 0.0, None, off)]
    for effect in effects:
        if effect.contrast.kind == "main" and all(row.name for row in rows):
            rows.append(ForestRow(""))
        interval = (100 * effect.interval.low, 100 * effect.interval.high) if effect.interval else None
        trainings = tuple((seed, 100 * value) for seed, value in effect.trainings)
        rows.append(ForestRow(effect.contrast.name, 100 * effect.value, interval, trainings, _mark(effect)))
    return rows


def interval_words(study: Study, count: int) -> str:
    """How the intervals were made, and what they do not take in."""
    if count < MINIMUM:
        return f"{count} sequence{'s are' if count != 1 else ' is'} too few for intervals (at least {MINIMUM})."
    made = f"95 % hierarchical bootstrap, {RESAMPLES:,} resamples"
    if not seed_freedom(study.whose):
        return (
            f"Intervals: {made}, over {count} sequences alone: with one seed a row nobody can tell what another "
            "training would give."
        )
    trainings = {name for own in study.whose.values() for name in own.values()}
    return f"Intervals: {made}, over {count} sequences and the seeds of {len(trainings)} trainings."


def _name(effect: Effect, study: Study) -> str:
    return effect.contrast.name + (f" less {study.reference}" if effect.contrast.kind == "difference" else "")


def _value(effect: Effect) -> Cell:
    return Cell(effect.value, ends(effect.interval), mark=_mark(effect))


def _mark(effect: Effect) -> str:
    return MARK if effect.corrected is not None and effect.corrected < 1 - LEVEL else ""


def _mean(study: Study, row: str, key: str) -> float | None:
    """Over seeds and the shared sequences that have the measure; None when none has."""
    values = [own[name][key] for own in study.rows[row].values() for name in study.shared if key in own[name]]
    return float(np.mean(values)) if values else None
