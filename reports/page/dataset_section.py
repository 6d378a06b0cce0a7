"""What a report says of one dataset: its tables, figures and drawn frames, before any rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.harness.store.store import Result, Store, file_name
from inmo.reports.blocks.block import anchor
from inmo.reports.figures import for_papers as figures
from inmo.reports.figures.attributes import attribute_grid, hardest_first, heading
from inmo.reports.figures.frames import KeyFrame, key_frames, open_images, tracker_boxes
from inmo.reports.figures.radar import Radar, radar
from inmo.reports.figures.ranks import rank_figure
from inmo.reports.figures.style import Style, with_marks
from inmo.reports.scoring.ranks import Ranking, rank_trackers
from inmo.reports.scoring.score import KINDS, SUCCESS, Score, sequence_means
from inmo.reports.scoring.statistics import MINIMUM, Pair, compare_all, compare_with_best, ends
from inmo.reports.scoring.stored import DatasetEvaluation, auc_interval, ranked_scalar
from inmo.reports.tables.builders import Extras, attribute_table, protocol_table, score_table, sequence_table
from inmo.reports.tables.note_marks import briefly, marks_of, noted
from inmo.reports.tables.significance import matrix_table, pairs_table, rank_table
from inmo.reports.tables.table import Cell, Column, Table, percent, rank_columns
from inmo.reports.tables.tuned_marks import marked

TABLES = ("scores", "sequences", "attributes", "significance", "pairs", "ranks", "protocols", "server")
SHOWN = (("best", 0.0), ("middle", 0.5), ("worst", 1.0))


@dataclass(frozen=True)
class Strip:
    """Key frames of one sequence.

    Attributes:
        place: which one it is: best, middle or worst.
        sequence: its name; mean: its AUC over the trackers.
        frames: drawn frames; reason: why there are none.
    """

    place: str
    sequence: str
    mean: float
    frames: tuple[KeyFrame, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Content:
    """Everything about one dataset.

    Attributes:
        data: its evaluation.
        stem: its name in file names and anchors.
        named: what a table is, one of ``TABLES`` or a further protocol -> table.
        strips: best, middle and worst sequence.
    """

    data: DatasetEvaluation
    stem: str
    named: Mapping[str, Table]
    strips: tuple[Strip, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, Table]:
        """File stem -> table."""
        return {self.stem + (f"_{name}" if name != "scores" else ""): table for name, table in self.named.items()}


def build(store: Store, data: DatasetEvaluation, look: Mapping[str, Style], images: Dataset | UserError) -> Content:
    """Tables, figures and key frames of one dataset."""
    stem = file_name(data.dataset.label)
    return Content(data, stem, _tables(data), _strips(store, data, look, images), _figures(data, stem, look))


def images_of(data: DatasetEvaluation) -> Dataset | UserError:
    """The dataset opened where its images were, or why it cannot be."""
    try:
        return open_images(data.dataset.benchmark, data.dataset.root, data.dataset.label)
    except UserError as error:
        return error


def extras(data: DatasetEvaluation, scores: tuple[Score, ...]) -> list[Extras]:
    """Intervals, comparison with the best and speed, one per run."""
    compared = _compare(scores)
    found = []
    for run, score in zip(data.runs, scores, strict=True):
        (interval, words), other = auc_interval(score, data.dataset.benchmark), compared.get(score.tracker)
        found.append(
            Extras(
                interval=interval,
                interval_note=words,
                difference=other.difference if other else None,
                difference_interval=ends(other.interval) if other else None,
                p_value=other.p_value if other else None,
                fps=run.fps,
                link=anchor(data, run),
                caution=run.caution,
            )
        )
    return found


def server_table(data: DatasetEvaluation) -> Table | None:
    """What an evaluation server said of the exports, where somebody entered it."""
    told = [(run, run.server) for run in data.runs if run.server]
    if not told:
        return None
    columns = (
        Column("tracker", "Tracker"),
        Column("protocol", "Protocol"),
        Column("coverage", "Sequences"),
        percent("success", "Success", "area under the success plot, as the server reports it"),
        percent("precision", "Precision", "area under the precision plot, as the server reports it"),
        percent("norm_precision", "Norm. precision", "area under the normalised-precision plot, as the server has it"),
        Column("source", "Source"),
    )
    rows = [
        tuple(
            Cell(run.name, link=anchor(data, run)) if c.key == "tracker"
            else Cell(said.get(c.key), reason="" if said.get(c.key) is not None else "not entered")
            for c in columns
        )
        for run, said in told
    ]  # fmt: skip
    rows.sort(key=lambda row: -float(row[3].value or 0))
    title = f"{data.dataset.title}: scores of the server"
    return rank_columns(Table(title, "Scored from submitted files, not by this report.", columns, tuple(rows)))


def ranked_values(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Tracker -> sequence -> success AUC, the best tracker first, of those that have a score."""
    return {
        s.tracker: {n: m.success_auc for n, m in s.per_sequence.items() if m.success_auc is not None}
        for s in sorted(scores, key=lambda s: -(s.mean.success_auc or 0.0))
        if s.mean.success_auc is not None
    }


def _compare(scores: tuple[Score, ...]) -> dict[str, Pair]:
    values = ranked_values(scores)
    if len(values) < 2:
        return {}
    fullest = max(len(v) for v in values.values())
    ranked = {s.tracker: s.mean.success_auc or 0.0 for s in scores if len(values.get(s.tracker, ())) == fullest}
    return compare_with_best(values, max(sorted(ranked), key=lambda t: ranked[t]))


def _tables(data: DatasetEvaluation) -> dict[str, Table]:
    title, protocol = data.dataset.title, data.dataset.protocol
    found = {
        "scores": score_table(data.default, extras(data, data.default), title=title),
        "sequences": sequence_table(data.default, title=f"{title}: sequences", names=data.dataset.names),
    }
    if any(data.attribute_counts.values()):
        found["attributes"] = attribute_table(
            data.dataset.attributes, data.attribute_counts, data.attributes, protocol=protocol,
            title=f"{title}: attributes",
        )  # fmt: skip
    if pairs := compare_all(ranked_values(data.default)):
        found["significance"] = matrix_table(pairs, title=f"{title}: who is better", protocol=protocol)
        found["pairs"] = pairs_table(pairs, title=f"{title}: all pairs", protocol=protocol)
    if ranking := ranking_of(data):
        found["ranks"] = rank_table(ranking, title=f"{title}: mean ranks", protocol=protocol)
    if len(data.scores) > 1:
        found["protocols"] = protocol_table(data.scores, protocol, title=f"{title}: protocols")
        for name, scores in data.scores.items():
            if name != protocol:
                found[name] = score_table(scores, extras(data, scores), title=f"{title}: {name}")
    if server := server_table(data):
        found["server"] = server
    for name in found.keys() & {"attributes", "significance", "pairs", "ranks"}:
        found[name] = noted(found[name], data.default)
    cautions = [*cautions_of(data).items()]
    return {name: marked(table, cautions) for name, table in found.items()}


def cautions_of(data: DatasetEvaluation) -> dict[str, str]:
    """Tracker -> what must be known of its run, empty where there is nothing."""
    return {run.name: run.caution for run in data.runs}


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


def _figures(data: DatasetEvaluation, stem: str, look: Mapping[str, Style]) -> dict[str, Figure]:
    title = f"{data.dataset.title} ({', '.join(filter(None, (data.dataset.protocol, briefly(data.default))))})"
    ranked = ranked_scalar(data.dataset.protocol, data.dataset.benchmark)
    look = with_marks(look, marks_of(data))
    drawn = {
        f"{stem}_{kind.key}": figures.curve_figure(
            data.default, kind, look, title=title, ranked=ranked, cautions=cautions_of(data)
        )
        for kind in KINDS
    }
    drawn[f"{stem}_distribution"] = figures.distribution_figure(distribution(data), look, title=title)
    drawn[f"{stem}_radar"] = figures.radar_figure(attribute_radar(data), look, title=title)
    drawn[f"{stem}_ranks"] = rank_figure(ranking_of(data), look, title=title)
    drawn[f"{stem}_speed"] = figures.speed_figure(speed_points(data), look, title=title)
    hardest, words = hardest_first(data.by_attribute), data.dataset.attributes
    drawn[f"{stem}_attributes"] = attribute_grid(hardest, words, look, title=title)
    for code, scores in hardest.items():
        if scores[0].expected < MINIMUM:
            continue  # the grid has it: a figure of its own would say more than so few sequences can
        about = f"{heading(code, words[code], scores)} · {title}"
        drawn[f"{stem}_success_{file_name(code)}"] = figures.curve_figure(scores, SUCCESS, look, title=about)
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _strips(
    store: Store, data: DatasetEvaluation, look: Mapping[str, Style], images: Dataset | UserError
) -> tuple[Strip, ...]:
    """The best, the middle and the worst sequence by mean AUC over the trackers."""
    means = sequence_means(data.default)
    order = sorted(means, key=lambda n: (-means[n], n))
    chosen = {order[round(share * (len(order) - 1))]: place for place, share in reversed(SHOWN) if order}
    places = [(place, name) for name, place in reversed(chosen.items())]
    if isinstance(images, UserError):
        return tuple(Strip(place, name, means[name], reason=str(images)) for place, name in places)
    return tuple(_strip(store, data, look, images, place, name, means[name]) for place, name in places)


def _strip(
    store: Store,
    data: DatasetEvaluation,
    look: Mapping[str, Style],
    images: Dataset,
    place: str,
    name: str,
    mean: float,
) -> Strip:
    tracks = []
    order = list(look)
    for run in sorted(data.runs, key=lambda r: -order.index(r.name)):  # the best is drawn last, on top
        result = store.result(data.dataset.label, run.run, name)
        if isinstance(result, Result):
            tracks.append(tracker_boxes(result.boxes, look[run.name]))
    try:
        truth = store.sequence(data.dataset.label, name).annotation.boxes
        return Strip(place, name, mean, tuple(key_frames(images, name, tracks, truth)))
    except UserError as error:
        return Strip(place, name, mean, reason=str(error))
