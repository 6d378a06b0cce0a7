"""Every figure that there is of a dataset, by name: made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from inmo.harness.store.store import file_name
from inmo.reports.figures.attributes import attribute_grid, hardest_first, heading
from inmo.reports.figures.for_papers import curve_figure, distribution_figure, radar_figure, speed_figure
from inmo.reports.figures.radar import Radar, radar
from inmo.reports.figures.ranks import rank_figure
from inmo.reports.figures.style import Style, with_marks
from inmo.reports.scoring.ranks import Ranking, rank_trackers
from inmo.reports.scoring.score import KINDS, PRECISION, SUCCESS, Score, sequence_means
from inmo.reports.scoring.stored import DatasetEvaluation
from inmo.reports.tables.note_marks import briefly, marks_of

Makers = Mapping[str, Callable[[], Figure | None]]
PER_ATTRIBUTE = (SUCCESS, PRECISION)


def figure_makers(
    data: DatasetEvaluation, look: Mapping[str, Style], *, least: int = 1, listed: bool = False
) -> Makers:
    """Name -> what makes the figure, or None where there is nothing to show.

    Names are ``success``, ``precision``, ``norm_precision``, ``distribution``, ``radar``, ``ranks``, ``speed``,
    ``attributes`` (a grid of success plots), ``attributes_precision``, and ``success_CODE`` and ``precision_CODE`` of
    every attribute, the hardest first.

    Args:
        data: the dataset, scored.
        look: tracker -> style.
        least: sequences that an attribute needs for figures of its own; the grid has them all.
        listed: legends of curves are in the order of ``look``; by default the best comes first.
    """
    title = f"{data.dataset.title} ({', '.join(filter(None, (data.dataset.protocol, briefly(data.default))))})"
    ranked, cautions = data.rule.norm_scalar, cautions_of(data)
    look, words = with_marks(look, marks_of(data)), data.dataset.attributes
    curve = partial(curve_figure, look=look, cautions=cautions, listed=listed)
    makers: dict[str, Callable[[], Figure | None]] = {
        kind.key: partial(curve, data.default, kind, title=title, ranked=ranked) for kind in KINDS
    }
    makers["distribution"] = lambda: distribution_figure(distribution(data), look, title=title)
    makers["radar"] = lambda: radar_figure(attribute_radar(data), look, title=title)
    makers["ranks"] = lambda: rank_figure(ranking_of(data), look, title=title)
    makers["speed"] = lambda: speed_figure(speed_points(data), look, title=title)
    for kind in PER_ATTRIBUTE:
        hardest = hardest_first(data.by_attribute)
        grid = partial(attribute_grid, hardest, words, look, kind=kind, cautions=cautions, listed=listed)
        makers["attributes" if kind is SUCCESS else f"attributes_{kind.key}"] = partial(grid, title=title)
        for code, scores in hardest.items():
            if scores[0].expected >= least:
                about = f"{heading(code, words[code], scores)} · {title}"
                makers[f"{kind.key}_{file_name(code)}"] = partial(curve, scores, kind, title=about)
    return makers


def chosen(data: DatasetEvaluation, trackers: Sequence[str]) -> DatasetEvaluation:
    """The dataset with these trackers alone, in this order; those it does not have are passed over."""
    places = {run.name: place for place, run in enumerate(data.runs)}
    kept = [places[name] for name in trackers if name in places]

    def of(scores: Sequence[Score]) -> tuple[Score, ...]:
        return tuple(scores[place] for place in kept)

    return replace(
        data,
        runs=tuple(data.runs[place] for place in kept),
        scores={protocol: of(scores) for protocol, scores in data.scores.items()},
        by_attribute={code: of(scores) for code, scores in data.by_attribute.items()} if kept else {},
    )


def cautions_of(data: DatasetEvaluation) -> dict[str, str]:
    """Tracker -> what must be known of its run, empty where there is nothing."""
    return {run.name: run.caution for run in data.runs}


def ranked_values(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Tracker -> sequence -> success AUC, the best tracker first, of those that have a score."""
    ordered = sorted(scores, key=lambda s: -(s.mean.success_auc or 0.0))
    return {s.tracker: sequence_means([s]) for s in ordered if s.mean.success_auc is not None}


def distribution(data: DatasetEvaluation) -> dict[str, list[float]]:
    """Tracker -> success AUC of every sequence, the best tracker first."""
    return {tracker: [*own.values()] for tracker, own in ranked_values(data.default).items()}


def speed_points(data: DatasetEvaluation) -> list[tuple[str, float, float]]:
    """(tracker, frames per second, AUC) of the runs that have both."""
    pairs = zip(data.runs, data.default, strict=True)
    return [(r.name, r.fps, s.mean.success_auc) for r, s in pairs if r.fps and s.mean.success_auc is not None]


def attribute_radar(data: DatasetEvaluation) -> Radar | None:
    """AUC per attribute, or None where there are too few."""
    return radar(data.dataset.attributes, data.attribute_counts, data.attributes)


def ranking_of(data: DatasetEvaluation) -> Ranking | None:
    """Mean ranks under the dataset's own protocol, or None where they would say nothing."""
    return rank_trackers(ranked_values(data.default))
