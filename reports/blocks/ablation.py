"""An ablation on the page: what its rows score, what they are worth, and what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inmo.reports.blocks.block import Block, Drawing
from inmo.reports.blocks.distractors import BEFORE as BEFORE_SWITCH
from inmo.reports.blocks.distractors import ON
from inmo.reports.figures.forest import ForestRow, forest_figure, forest_plot
from inmo.reports.scoring.effects import Contrast, Effect, Scores, against, factorial, holm, judge, seed_freedom
from inmo.reports.scoring.statistics import LEVEL, MINIMUM, RESAMPLES, ends
from inmo.reports.scoring.study import AUC, BEFORE, SHARE, KeptStudy, Study
from inmo.reports.tables.table import Cell, Column, Table, p_column, percent

MARK = "*"
AXIS = "Difference of success AUC [points]"
_TOLD = "told from 0 at the 5 % level, corrected."
_CORRECTED = "p after Holm's correction over all effects of the table"


def ablation_block(study: Study, *, stem: str, title: str) -> Block:
    """Tables of rows, effects, trainings and parts of the sequences, and the forest plot."""
    scores = study.scores(AUC, study.shared)
    contrasts = (*against(study.reference, list(study.rows)), *factorial(study.factors))
    effects = holm(judge(scores, contrasts))
    how = f"{study.words} {interval_words(scores, len(study.shared))}".strip()
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
    note = f"Left out, as some training has no score there: {', '.join(study.left_out)}."
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
    made = ablation_block(kept.study, stem=f"{kept.stem}-{name}", title=f"{kept.title}: {on}")
    said = f"Kept scores, measured on {kept.measured} on {on} by: {kept.command}. {made.words}"
    return replace(made, words=said, folded=tuple(made.tables)[1:])


def rows_table(study: Study, effects: Sequence[Effect], how: str) -> Table:
    """Per row: mean AUC with its interval, P_norm@0.2 and P, the spread of its seeds, and the reference taken off."""
    names = study.shared
    means = judge(study.scores(AUC, names), [Contrast(row, {row: 1.0}, "mean") for row in study.rows]) if names else ()
    gains = {effect.contrast.name: effect for effect in effects if effect.contrast.kind == "difference"}
    rows = []
    for row, mean in zip(study.rows, means, strict=False):
        seeds = [value for _, value in mean.trainings]
        gain = gains.get(row)
        rows.append(
            (
                Cell(row),
                Cell(mean.value, ends(mean.interval)),
                Cell(_mean(study, row, "norm_precision_020")),
                Cell(_mean(study, row, "precision_20")),
                Cell(len(seeds)),
                Cell(
                    float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
                    reason="" if len(seeds) > 1 else "one seed",
                ),
                Cell(gain.value, ends(gain.interval)) if gain else Cell(0.0),
            )
        )
    columns = (
        Column("row", "Row"),
        percent("auc", "AUC"),
        percent("norm_precision", "P_norm"),
        percent("precision", "P"),
        Column("seeds", "Seeds", digits=0),
        percent("seed_deviation", "Deviation of seeds", "of the AUC over the row's seeds", better=0),
        percent("to_reference", f"Less {study.reference}", better=0),
    )
    return Table("Rows", how, columns, tuple(rows))


def effects_table(study: Study, effects: Sequence[Effect], how: str) -> Table:
    """Per effect: the difference with its interval, p alone and corrected, and the smallest that would have shown."""
    columns = (
        Column("effect", "Effect"),
        Column("kind", "Kind"),
        percent("difference", "Δ AUC", better=0),
        p_column("two-sided, of the draws that the interval is made of"),
        replace(p_column(_CORRECTED), key="p_corrected", label="p corrected"),
        percent(
            "detectable", "Smallest shown", "an effect of this size, either way, would have been told from none in 80 "
            "of 100 such ablations, corrected for the number of effects", better=0,
        ),
    )  # fmt: skip
    few = f"fewer than {MINIMUM} sequences"
    rows = tuple(
        (
            Cell(_name(effect, study)),
            Cell(effect.contrast.kind),
            Cell(effect.value, ends(effect.interval), mark=_mark(effect)),
            Cell(effect.p_value, reason="" if effect.p_value is not None else few),
            Cell(effect.corrected, reason="" if effect.corrected is not None else few),
            Cell(effect.detectable, reason="" if effect.detectable is not None else few),
        )
        for effect in effects
    )
    return Table("Effects", how, columns, rows, {MARK: _TOLD})


def trainings_table(scores: Scores) -> Table:
    """AUC of every training."""
    rows = tuple(
        (Cell(row), Cell(seed), Cell(float(np.mean([*own.values()])) if own else None))
        for row, seeds in scores.items()
        for seed, own in seeds.items()
    )
    columns = (Column("row", "Row"), Column("seed", "Seed", digits=0), percent("auc", "AUC"))
    return Table("Trainings", "Mean over the sequences that all trainings have.", columns, rows)


def switches_table(study: Study) -> Table | None:
    """How often every row is on a distractor and when it first switches to one, and the effects on both; None where
    no sequence has annotated distractors."""
    names = study.having(SHARE)
    if not names:
        return None
    means = [Contrast(row, {row: 1.0}, "mean") for row in study.rows]
    contrasts = (*against(study.reference, list(study.rows)), *factorial(study.factors))
    found = {key: study.scores(key, names) for key in (SHARE, BEFORE)}
    mean = {key: judge(scores, means) for key, scores in found.items()}
    judged = iter(holm([effect for scores in found.values() for effect in judge(scores, contrasts)]))
    effects = {key: [next(judged) for _ in contrasts] for key in found}
    rows = []
    for index, contrast in enumerate((*means, *contrasts)):
        own = [(*mean[key], *effects[key])[index] for key in found]
        cells = [
            cell
            for e in own
            for cell in (
                Cell(e.value, ends(e.interval), mark=_mark(e)),
                Cell(e.corrected, reason="" if e.corrected is not None else "a mean has no p"),
            )
        ]
        rows.append((Cell(_name(own[0], study)), Cell(contrast.kind), *cells))
    p = replace(p_column(_CORRECTED), label="p corrected")
    columns = (
        Column("effect", "Row or effect"),
        Column("kind", "Kind"),
        *(replace(ON, better=0), replace(p, key="on_p_corrected")),
        *(replace(BEFORE_SWITCH, better=0), replace(p, key="switch_p_corrected")),
    )
    caption = f"On {len(names)} sequences whose distractors are annotated. {interval_words(found[SHARE], len(names))}"
    return Table("Following the wrong one", caption, columns, tuple(rows), {MARK: _TOLD})


def gains_table(study: Study) -> Table | None:
    """Rows less the reference on parts of the sequences; None where there are no parts or nothing to compare."""
    shared, contrasts = set(study.shared), against(study.reference, list(study.rows))
    parts = {name: sorted(shared & own) for name, own in study.groups.items() if shared & own}
    if not parts or not contrasts:
        return None
    family = len(parts) * len(contrasts)
    judged = {name: judge(study.scores(AUC, own), contrasts, family=family) for name, own in parts.items()}
    flat = iter(holm([effect for effects in judged.values() for effect in effects]))
    rows = []
    for name, own in parts.items():
        cells = []
        for contrast in contrasts:
            effect = next(flat)
            told = "" if effect.corrected is None else f"p corrected {effect.corrected:.4f}"
            cells.append(
                Cell(effect.value, ends(effect.interval), note=f"{contrast.name} on {name} {told}", mark=_mark(effect))
            )
        rows.append((Cell(name), Cell(len(own)), *cells))
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
    own = judge(scores, [Contrast(study.reference, {study.reference: 1.0}, "mean")], resamples=1)[0]
    off = tuple((seed, 100 * (value - own.value)) for seed, value in own.trainings)
    rows = [ForestRow(study.reference, 0.0, None, off)]
    for effect in effects:
        if effect.contrast.kind == "main" and len(rows) and not any(not row.name for row in rows):
            rows.append(ForestRow(""))
        low_high = ends(effect.interval)
        rows.append(
            ForestRow(
                effect.contrast.name,
                100 * effect.value,
                (100 * low_high[0], 100 * low_high[1]) if low_high else None,
                tuple((seed, 100 * value) for seed, value in effect.trainings),
                _mark(effect),
            )
        )
    return rows


def interval_words(scores: Scores, count: int) -> str:
    """How the intervals were made, and what they do not take in."""
    if count < MINIMUM:
        return f"{count} sequence{'s are' if count != 1 else ' is'} too few for intervals (at least {MINIMUM})."
    made = f"95 % hierarchical bootstrap, {RESAMPLES:,} resamples"
    if not seed_freedom(scores):
        return (
            f"Intervals: {made}, over {count} sequences alone: with one seed a row nobody can tell what another "
            "training would give."
        )
    trainings = sum(len(own) for own in scores.values())
    return f"Intervals: {made}, over {count} sequences and the seeds of {trainings} trainings."


def _name(effect: Effect, study: Study) -> str:
    return (
        f"{effect.contrast.name} less {study.reference}"
        if effect.contrast.kind == "difference"
        else effect.contrast.name
    )


def _mark(effect: Effect) -> str:
    return MARK if effect.corrected is not None and effect.corrected < 1 - LEVEL else ""


def _mean(study: Study, row: str, key: str) -> float | None:
    """Over seeds and the shared sequences that have the measure; None when none has."""
    values = [own[name][key] for own in study.rows[row].values() for name in study.shared if key in own[name]]
    return float(np.mean(values)) if values else None
