"""What a report says of one dataset: its tables, figures and drawn frames, before any rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from matplotlib.figure import Figure

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.harness.store.records import Result
from inmo.harness.store.store import Store, file_name
from inmo.reports.blocks.block import anchor
from inmo.reports.figures.frames import KeyFrame, key_frames, tracker_boxes
from inmo.reports.figures.of_dataset import cautions_of, figure_makers, ranked_values, ranking_of
from inmo.reports.figures.style import Style
from inmo.reports.scoring.score import Score, sequence_means
from inmo.reports.scoring.statistics import MINIMUM, Pair, compare_all, compare_with_best, ends
from inmo.reports.scoring.stored import DatasetEvaluation, auc_interval
from inmo.reports.tables.builders import Extras, attribute_table, protocol_table, score_table, sequence_table
from inmo.reports.tables.note_marks import noted
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


def build(
    store: Store, data: DatasetEvaluation, look: Mapping[str, Style], images: Dataset | UserError, *, drawn: bool = True
) -> Content:
    """Tables, key frames and, where ``drawn``, figures for papers of one dataset."""
    stem = file_name(data.dataset.label)
    figures = _figures(data, stem, look) if drawn else {}
    return Content(data, stem, _tables(data), _strips(store, data, look, images), figures)


def extras(data: DatasetEvaluation, scores: tuple[Score, ...]) -> list[Extras]:
    """Intervals, comparison with the best and speed, one per run."""
    compared = _compare(scores)
    found = []
    for run, score in zip(data.runs, scores, strict=True):
        interval, words = auc_interval(score, data.dataset.benchmark)
        extra = Extras(interval, words, fps=run.fps, link=anchor(data, run), caution=run.caution)
        if pair := compared.get(score.tracker):
            between = ends(pair.interval)
            extra = replace(extra, difference=pair.difference, difference_interval=between, p_value=pair.p_value)
        found.append(extra)
    return found


def server_table(data: DatasetEvaluation) -> Table | None:
    """What an evaluation server said of the exports, where somebody entered it."""
    told = [(run, run.server) for run in data.runs if run.server]
    if not told:
        return None
    columns = (
        Column("protocol", "Protocol"),
        Column("coverage", "Sequences"),
        percent("success", "Success", "area under the success plot, as the server reports it"),
        percent("precision", "Precision", "area under the precision plot, as the server reports it"),
        percent("norm_precision", "Norm. precision", "area under the normalised-precision plot, as the server has it"),
        Column("source", "Source"),
    )
    rows = []
    for run, said in sorted(told, key=lambda each: -float(each[1].get("success") or 0)):
        values = (said.get(column.key) for column in columns)
        cells = (Cell(value, reason="" if value is not None else "not entered") for value in values)
        rows.append((Cell(run.name, link=anchor(data, run)), *cells))
    title, caption = f"{data.dataset.title}: scores of the server", "Scored from submitted files, not by this report."
    return rank_columns(Table(title, caption, (Column("tracker", "Tracker"), *columns), tuple(rows)))


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


def _figures(data: DatasetEvaluation, stem: str, look: Mapping[str, Style]) -> dict[str, Figure]:
    """All but curves of attributes beside their grids: success of those that have enough sequences to say something."""
    makers = figure_makers(data, look, least=MINIMUM)
    drawn = {f"{stem}_{name}": make() for name, make in makers.items() if not name.startswith("precision_")}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _strips(
    store: Store, data: DatasetEvaluation, look: Mapping[str, Style], images: Dataset | UserError
) -> tuple[Strip, ...]:
    """The best, the middle and the worst sequence by mean AUC over the trackers."""
    means = sequence_means(data.default)
    order = sorted(means, key=lambda n: (-means[n], n))
    chosen = {order[round(share * (len(order) - 1))]: place for place, share in reversed(SHOWN) if order}
    strips = []
    for name, place in reversed(chosen.items()):
        if isinstance(images, UserError):
            strips.append(Strip(place, name, means[name], reason=str(images)))
            continue
        tracks = []
        for run in sorted(data.runs, key=lambda run: -look[run.name].number):  # the best is drawn last, on top
            result = store.result(data.dataset.label, run.run, name)
            if isinstance(result, Result):
                tracks.append(tracker_boxes(result.boxes, look[run.name]))
        try:
            truth = store.sequence(data.dataset.label, name).annotation.boxes
            strips.append(Strip(place, name, means[name], tuple(key_frames(images, name, tracks, truth))))
        except UserError as error:
            strips.append(Strip(place, name, means[name], reason=str(error)))
    return tuple(strips)
