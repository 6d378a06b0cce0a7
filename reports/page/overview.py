"""The first screen of a page of several datasets: who is better, on what, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.figure import Figure

from inmo.reports.blocks.block import anchor
from inmo.reports.figures.for_papers import speed_figure
from inmo.reports.figures.ranks import rank_figure
from inmo.reports.figures.style import Style, with_marks
from inmo.reports.page.dataset_section import Content
from inmo.reports.scoring.ranks import Ranking, rank_trackers
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.statistics import LEVEL
from inmo.reports.scoring.stored import DatasetEvaluation, Evaluation, TrackerRun
from inmo.reports.tables.builders import overview_table
from inmo.reports.tables.findings import findings
from inmo.reports.tables.pooled import COLUMNS, pooled_marks, pooled_scores, pooled_speeds, pooled_table
from inmo.reports.tables.significance import MARK as APART
from inmo.reports.tables.table import Cell, Table, ranked
from inmo.reports.tables.tuned_marks import MARK, footnote

_EVERY = replace(COLUMNS[2], key="every", label="All", sub="every sequence")
_DELTA = replace(COLUMNS[3], key="every_difference", label="Δ to best", sub="paired")


@dataclass(frozen=True)
class Overview:
    """What is said of all datasets together.

    Attributes:
        findings: (what it answers, in words): the best, the fastest, the hardest.
        table: AUC on all sequences and on every dataset, with intervals, marked where one is told apart from the best.
        ranking: mean ranks over the sequences that all trackers have, or None where they would say nothing.
        points: (tracker, frames per second, AUC over all sequences) of trackers that have all of them and a speed.
        look: tracker -> style, with the signs of all datasets.
        figures: file stem -> the drawings for papers.
    """

    findings: tuple[tuple[str, str], ...]
    table: Table
    ranking: Ranking | None
    points: tuple[tuple[str, float, float], ...]
    look: Mapping[str, Style]
    figures: Mapping[str, Figure]


def told(evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    """The sentences of ``findings``: (what it answers, in words)."""
    said = findings(pooled_scores(evaluation), pooled_speeds(evaluation), pooled_marks(evaluation))
    parts = [sentence.partition(": ") for sentence in said]
    return tuple((head.capitalize(), f"{words}.") for head, _, words in parts)


def build_overview(
    evaluation: Evaluation, contents: Sequence[Content], look: Mapping[str, Style], *, drawn: bool = True
) -> Overview:
    """Everything that the first screen shows; of one dataset, which says it all itself, the sentences and the table.

    ``drawn``: with its figures for papers.
    """
    table = _table(evaluation, contents)
    if len(evaluation.datasets) < 2:
        return Overview(told(evaluation), table, None, (), look, {})
    look = with_marks(look, pooled_marks(evaluation))
    values, speeds = pooled_scores(evaluation), pooled_speeds(evaluation)
    fullest = max((len(own) for own in values.values()), default=0)
    points = tuple(
        (name, speeds[name], sum(own.values()) / len(own))
        for name, own in values.items()
        if name in speeds and len(own) == fullest
    )
    ranking = rank_trackers(values)
    title = f"all {fullest} sequences of {len(evaluation.datasets)} datasets"
    figures = {
        "overview_ranks": rank_figure(ranking, look, title=title) if drawn else None,
        "overview_speed": speed_figure(points, look, title=title) if drawn else None,
    }
    drawn_ones = {stem: figure for stem, figure in figures.items() if figure is not None}
    return Overview(told(evaluation), _with_every(table, evaluation), ranking, points, look, drawn_ones)


def _table(evaluation: Evaluation, contents: Sequence[Content]) -> Table:
    columns = []
    for data in evaluation.datasets:
        said = {run.name: run.server for run in data.runs if run.server}
        scores = [_from_server(s, said[s.tracker]) if s.tracker in said else s for s in data.default]
        columns.append((f"{data.dataset.title}; server" if said else data.dataset.title, scores))
    table = overview_table(columns, title="Overview")
    known = [({run.name: run for run in c.data.runs}, c.named["scores"].by_name()) for c in contents]
    rows = []
    for row in table.rows:
        name = str(row[0].value)
        cells = [
            _cell(cell, data, runs.get(name), scored.get(name, {}))
            for cell, data, (runs, scored) in zip(row[1:], evaluation.datasets, known, strict=True)
        ]
        rows.append((row[0], *cells))
    cautions = [(f"{run.name} on {d.dataset.title}", run.caution) for d in evaluation.datasets for run in d.runs]
    apart = {APART: f"told apart from the best of the column at the {100 * (1 - LEVEL):.0f} % level."}
    return replace(table, rows=tuple(rows), footnotes={**table.footnotes, **footnote(cautions), **apart})


def _with_every(table: Table, evaluation: Evaluation) -> Table:
    """The table with the mean over all sequences in front, by which its rows are ordered, and the difference to the
    best of it; as it is where nothing is scored here."""
    values = pooled_scores(evaluation)
    if not values:
        return table
    fullest = max(map(len, values.values()))
    complete = {name: sum(own.values()) for name, own in values.items() if len(own) == fullest}
    best = max(complete, key=lambda name: complete[name])
    pooled = pooled_table(evaluation, best).by_name()
    alone = len(values) == 1
    rows = []
    for row in table.rows:
        own = pooled.get(str(row[0].value), {})
        nothing = Cell(None, reason="nothing is scored")
        every = [replace(own["success_auc"], note=f"{own['sequences'].value} sequences") if own else nothing]
        if not alone:
            delta = Cell(None, reason="the best itself") if row[0].value == best else own.get("difference", nothing)
            every.append(replace(delta, mark=APART if _is_apart(own.get("p_value")) else ""))
        rows.append((row[0], *every, *row[1:]))
    rows.sort(key=lambda row: (row[0].value not in complete, -(row[1].number or 0.0)))
    marked = ranked(_EVERY, [row[1] for row in rows], [row[0].value in complete for row in rows])
    every_sets = f"All: mean over the {fullest} sequences that are scored here, each dataset under its own protocol."
    return replace(
        table,
        columns=(table.columns[0], _EVERY, *(() if alone else (_DELTA,)), *table.columns[1:]),
        rows=tuple((row[0], cell, *row[2:]) for row, cell in zip(rows, marked, strict=True)),
        caption=f"{table.caption} {every_sets}",
    )


def _cell(cell: Cell, data: DatasetEvaluation, run: TrackerRun | None, scored: Mapping[str, Cell]) -> Cell:
    """A cell with the interval of the dataset's table, the link to its run, and the signs of tuned constants and of
    being told apart from the best."""
    if run is None:
        return cell
    tuned = MARK if run.caution and cell.value is not None else ""
    marks = cell.mark + tuned + (APART if _is_apart(scored.get("p_value")) else "")
    interval = scored["success_auc"].interval if scored else None
    return replace(cell, link=anchor(data, run), mark=marks, interval=interval)


def _is_apart(p_value: Cell | None) -> bool:
    return p_value is not None and p_value.number is not None and p_value.number < 1 - LEVEL


def _from_server(score: Score, said: Mapping[str, Any]) -> Score:
    """A score without public ground truth, with the server's success in the place of ours."""
    return replace(score, mean=replace(score.mean, success_auc=said.get("success")), reason="")
