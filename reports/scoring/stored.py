"""From the store to scores: everything a report shows, read once, one sequence in memory at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.store.records import Result, Run, StoredDataset, display_names
from inmo.harness.store.store import Store
from inmo.reports.scoring.diagnosis import Pair, Watch, with_readings
from inmo.reports.scoring.distraction import Distraction, distraction
from inmo.reports.scoring.failures import Detail, Trace, detail_for, trace
from inmo.reports.scoring.protocols import Protocol, protocol
from inmo.reports.scoring.score import Score
from inmo.reports.scoring.statistics import FRACTIONS, bootstrap_interval, ends, interval_words
from inmo.reports.scoring.tally import ONE_BOX, Tally, one_box, scores_by_attribute, take_in, tallies
from inmo.reports.scoring.tuned import caution

WARM_UP = 5  # frames after the initialisation that are not timed
_OWN = frozenset({"sequence", "tracker", "hash", "rows", "before", "config"})  # provenance shown elsewhere


@dataclass(frozen=True)
class TrackerRun:
    """One tracker with one config on one dataset, as far as it is not a score.

    Attributes:
        run: the stored run.
        name: display name, unique on the dataset.
        results: sequences with a result.
        frames: frames in these results.
        timed: frames that entered the speed.
        fps: timed frames per second of the tracker's step; None when nothing was timed.
        holes: what is missing of it.
        provenance: fact -> the distinct values over all results, sorted.
        server: what an evaluation server said, or None.
        caution: that its constants were tuned on sequences of this dataset, in words; empty where they were not.
    """

    run: Run
    name: str
    results: int
    frames: int
    timed: int
    fps: float | None
    holes: tuple[Hole, ...] = ()
    provenance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    server: Mapping[str, Any] | None = None
    caution: str = ""


@dataclass(frozen=True)
class DatasetEvaluation:
    """One dataset of the store, scored.

    Attributes:
        dataset: what the store knows of it.
        runs: its trackers.
        scores: protocol -> one score per run, in the order of ``runs``; the benchmark's own protocol comes first.
        by_attribute: code -> scores on the sequences that have it, as ``default``; none of codes that none has.
        attributed: sequence -> the codes of its attributes.
        unscored: sequences that were tracked but have no public ground truth.
        traces: sequence -> every tracker's overlap over time, in the benchmark's order; none for unscored ones.
        distraction: sequence with annotated distractors -> tracker -> what they do to it.
        undisturbed: sequences whose distractors are not known, each with its reason.
    """

    dataset: StoredDataset
    runs: tuple[TrackerRun, ...]
    scores: Mapping[str, tuple[Score, ...]]
    by_attribute: Mapping[str, tuple[Score, ...]]
    unscored: tuple[str, ...] = ()
    traces: Mapping[str, Trace] = field(default_factory=dict)
    attributed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    distraction: Mapping[str, Mapping[str, Distraction]] = field(default_factory=dict)
    undisturbed: tuple[Hole, ...] = ()

    @property
    def rule(self) -> Protocol:
        """The benchmark's own protocol as it behaves there."""
        return protocol(self.dataset.protocol).on(self.dataset.benchmark)

    @property
    def default(self) -> tuple[Score, ...]:
        """Scores under the benchmark's own protocol."""
        return self.scores[self.dataset.protocol]

    @property
    def attribute_counts(self) -> dict[str, int]:
        """Code -> scored sequences that have it."""
        return {code: scores[0].expected for code, scores in self.by_attribute.items()}

    @property
    def attributes(self) -> dict[str, dict[str, float | None]]:
        """Tracker -> code -> success AUC, the best tracker first."""
        order = sorted(range(len(self.default)), key=lambda i: -(self.default[i].mean.success_auc or 0.0))
        return {
            self.default[i].tracker: {c: scores[i].mean.success_auc for c, scores in self.by_attribute.items()}
            for i in order
        }


@dataclass(frozen=True)
class Evaluation:
    """All datasets of a store, in the order of their labels."""

    datasets: tuple[DatasetEvaluation, ...]

    @property
    def trackers(self) -> tuple[str, ...]:
        """Display names over all datasets: first those on more datasets, then by mean AUC."""
        found: dict[str, list[float]] = {}
        for data in self.datasets:
            for run, score in zip(data.runs, data.default, strict=True):
                values = found.setdefault(run.name, [])
                if score.mean.success_auc is not None:
                    values.append(score.mean.success_auc)
        return tuple(sorted(found, key=lambda n: (-len(found[n]), -sum(found[n]) / max(1, len(found[n])), n)))


def evaluate(
    store: Store, *, protocols: Sequence[str] = (), partial: bool = True, only: Collection[str] = ()
) -> Evaluation:
    """Score everything in a store.

    Args:
        store: the store.
        protocols: further protocols beside each benchmark's own.
        partial: score what is there, with its coverage; False refuses a store with holes.
        only: labels of the datasets wanted; empty for all.

    Raises:
        UserError: an unknown protocol, a damaged file, or holes where ``partial`` is False.
    """
    for name in protocols:
        protocol(name)  # a typo should not cost a minute of reading
    labels = [label for label in store.datasets() if not only or label in only]
    sizes = [(len(store.dataset(label).names), len(store.runs(label))) for label in labels]
    detail = detail_for(sum(names for names, _ in sizes), sum(names * runs for names, runs in sizes))
    return Evaluation(tuple(_dataset(store, label, protocols, partial, detail) for label in labels))


def evaluate_runs(store: Store, label: str, folders: Collection[str]) -> DatasetEvaluation:
    """Score some runs on a dataset, named by their folders, under the dataset's own protocol.

    Raises UserError when the store has no such dataset, or a damaged file.
    """
    count = len(store.dataset(label).names)
    return _dataset(store, label, (), True, detail_for(count, count * len(folders)), folders)


def auc_values(score: Score, benchmark: str) -> list[float]:
    """Success AUC of the sequences that enter the mean, for its interval: all, or those the protocol keeps."""
    drop = protocol(score.protocol).on(benchmark).drop_zero
    return [
        m.success_auc
        for m in score.per_sequence.values()
        if m.success_auc is not None and not (drop and m.success is not None and not m.success.any())
    ]


def auc_interval(score: Score, benchmark: str) -> tuple[tuple[float, float] | None, str]:
    """The 95 % bootstrap interval of a score's success AUC, and how it was made or why there is none."""
    values = auc_values(score, benchmark) if score.mean.success_auc is not None else []
    return ends(bootstrap_interval(values, within=FRACTIONS)), interval_words(len(values)) if values else ""


# ---- one dataset


@dataclass
class _Facts:
    """What accumulates for one run beside its scores while the sequences go by."""

    run: Run
    name: str
    holes: list[Hole] = field(default_factory=list)
    facts: dict[str, set[str]] = field(default_factory=dict)
    results: int = 0
    frames: int = 0
    timed: int = 0
    seconds: float = 0.0

    def take(self, result: Result) -> None:
        self.results += 1
        self.frames += len(result.boxes)
        for key, value in _flat(result.provenance):
            self.facts.setdefault(key, set()).add(value)
        step = result.seconds.get("track", np.empty(0))[1 + WARM_UP :]
        step = step[np.isfinite(step)]
        self.timed += len(step)
        self.seconds += float(step.sum())

    def summary(self, server: Mapping[str, Any] | None, caution: str) -> TrackerRun:
        facts = {key: tuple(sorted(values)) for key, values in sorted(self.facts.items())}
        fps = self.timed / self.seconds if self.seconds > 0 else None
        return TrackerRun(
            self.run, self.name, self.results, self.frames, self.timed, fps, tuple(self.holes), facts, server, caution
        )


def _dataset(
    store: Store,
    label: str,
    protocols: Sequence[str],
    partial: bool,
    detail: Detail,
    folders: Collection[str] | None = None,
) -> DatasetEvaluation:
    data, runs = store.dataset(label), store.runs(label)
    if folders is not None:
        runs = tuple(run for run in runs if run.folder in folders)
    rules = [protocol(name).on(data.benchmark) for name in dict.fromkeys([data.protocol, *protocols])]
    names = display_names(runs)
    tracked = [_Facts(run, names[run.folder]) for run in runs]
    into = tallies(label, data.benchmark, [facts.name for facts in tracked], rules)
    unscored, undisturbed, attributes, traces, watch = [], [], {}, {}, Watch()
    distracted: dict[str, dict[str, Distraction]] = {}
    fingerprints: dict[str, str] = {}
    for name in data.names:
        sequence = store.sequence(label, name)
        attributes[name] = sequence.attributes
        if any(run.tuned for run in runs):
            fingerprints[name] = sequence.annotation.fingerprint()
        if sequence.first_only:
            unscored.append(name)
        results = _results(store, label, name, tracked)
        if results and not sequence.first_only:
            found = {who: [boxes] for who, boxes in results.items()}
            take_in(into, found, sequence.annotation, rules, data.benchmark, name)
            shown = {tracker: sequence.annotation.split(boxes)[1] for tracker, boxes in results.items()}
            for tracker, boxes in shown.items():
                watch.take(tracker, boxes, sequence.annotation)
            traces[name] = trace(name, sequence.annotation, shown, detail)
            if sequence.others_reason:
                undisturbed.append(Hole(name, sequence.others_reason))
            records = {who: distraction(boxes, sequence.annotation, sequence.others) for who, boxes in shown.items()}
            if own := {who: record for who, record in records.items() if record is not None}:
                distracted[name] = own
    if data.ground_truth != "first" and len(unscored) < len(data.names):
        for facts in tracked:
            facts.holes.extend(Hole(name, ONE_BOX) for name in unscored)
    if not partial:
        _demand_whole(data, tracked)
    reason = ""
    if unscored and data.ground_truth == "first":
        reason = f"only the first frames of {data.title} are public: its server scores the export"
    elif unscored and len(unscored) == len(data.names):
        reason = one_box(unscored)
    odd = set(watch.suspects())
    pairs = {facts.name: _pairs(store, data, facts.run) for facts in tracked if facts.name in odd}
    scores = {}
    for rule in rules:
        plain = [_score(data, into[facts.name, rule.name], facts.holes, reason) for facts in tracked]
        scores[rule.name] = tuple(with_readings(plain, pairs, data.benchmark))
    tagged = scores_by_attribute(scores[data.protocol], attributes, rules[0], data.attributes)
    summaries = tuple(t.summary(store.server_score(label, t.run), caution(t.run, data, fingerprints)) for t in tracked)
    return DatasetEvaluation(
        data, summaries, scores, tagged, tuple(unscored), traces, attributes, distracted, tuple(undisturbed)
    )


def _results(store: Store, label: str, sequence: str, tracked: Iterable[_Facts]) -> dict[str, Boxes]:
    """Read every run's result on one sequence, once; the boxes by tracker."""
    found: dict[str, Boxes] = {}
    for facts in tracked:
        result = store.result(label, facts.run, sequence)
        if isinstance(result, Hole):
            facts.holes.append(result)
        else:
            facts.take(result)
            found[facts.name] = result.whole
    return found


def _pairs(store: Store, data: StoredDataset, run: Run) -> list[Pair]:
    """A run's results with their ground truth."""
    found = ((name, store.result(data.label, run, name)) for name in data.names)
    return [
        Pair(name, (result.boxes,), store.sequence(data.label, name).annotation)
        for name, result in found
        if not isinstance(result, Hole)
    ]


def _score(data: StoredDataset, tally: Tally, holes: Iterable[Hole], reason: str) -> Score:
    tally.holes.extend((*data.holes, *holes))
    return tally.score(data.expected, reason=reason or ("" if tally.done else "no result to score"))


def _demand_whole(data: StoredDataset, tracked: Sequence[_Facts]) -> None:
    if holes := [*(("all trackers", h) for h in data.holes), *((t.name, h) for t in tracked for h in t.holes)]:
        who, first = holes[0]
        raise UserError(
            f"{data.label} has {len(holes)} holes, the first in {first.sequence} of {who} ({first.reason}): run "
            "what is missing, or score what is there with --partial"
        )


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        if not prefix and key in _OWN:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key} ")
        else:
            yield prefix + key, "none" if value is None else str(value)
