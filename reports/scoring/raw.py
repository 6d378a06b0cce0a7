"""From boxes to scores: one prediction, one tracker, or a whole dataset of raw results.

A score is never a smaller average in disguise. What is missing stops the scoring with a UserError, or, with
``partial``, stays in the score as a hole; what a protocol refuses leaves the score without numbers and with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import replace

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Dataset, Hole, Sequence
from inmo.datasets.files import Tree
from inmo.errors import UserError
from inmo.reports.scoring.diagnosis import Pair, Watch, with_readings
from inmo.reports.scoring.measure import measure, prepare
from inmo.reports.scoring.protocols import Protocol, protocol
from inmo.reports.scoring.score import Measures, Score
from inmo.reports.scoring.tally import ONE_BOX, Found, Tally, one_box, take_in, tallies
from inmo.trackers.recorded.discovery import RawResults, find_results

SHOWN = 8  # names in a message
SERVER_ONLY = "only the first frame of {} is annotated in public: export the results and submit them to its server"


def score_sequence(
    prediction: Boxes, annotation: Annotation, rule: Protocol | str, benchmark_name: str = "", sequence: str = ""
) -> Measures:
    """Curves and scalars of one prediction.

    Args:
        prediction: (m, 4) x, y, w, h in the numbers of the benchmark's files.
        annotation: n frames.
        rule: protocol, or its name.
        benchmark_name: for protocols that treat benchmarks differently.
        sequence: name, for protocols that treat single sequences differently.

    Raises:
        RefusalError (a UserError): the protocol refuses the prediction or the annotation.
    """
    return measure(prediction, prepare(annotation, _rule(rule), benchmark_name, sequence), sequence)


def score_tracker(
    dataset_label: str,
    tracker: str,
    predictions: Mapping[str, Boxes | Hole],
    annotations: Mapping[str, Annotation],
    rule: Protocol | str,
    expected: int | None = None,
    partial: bool = False,
    benchmark_name: str = "",
) -> Score:
    """Score one tracker from boxes in memory.

    Args:
        dataset_label: as printed.
        tracker: as printed.
        predictions: sequence -> boxes, or the hole in their place; a sequence without an entry is a hole too.
        annotations: sequence -> ground truth, in the benchmark's order.
        rule: protocol, or its name.
        expected: sequences the whole benchmark has; the number of annotations when not given.
        partial: score what is there.
        benchmark_name: for protocols that treat benchmarks differently; the label when empty.

    Raises:
        UserError: something is missing and ``partial`` is not given.
    """
    benchmark, rules = benchmark_name or dataset_label, [_rule(rule)]
    into = tallies(dataset_label, benchmark, [tracker], rules)
    for name, annotation in annotations.items():
        found = {tracker: [predictions.get(name, Hole(name, "no result"))]}
        take_in(into, found, annotation, rules, benchmark, name)
    return _whole(into[tracker, rules[0].name], len(annotations) if expected is None else expected, partial)


def score_dataset(
    dataset: Dataset,
    results: Tree | RawResults,
    trackers: Items[str] = (),
    protocols: Items[str] = (),
    partial: bool = False,
    format_in: str = "auto",
    boxes: str = "xywh",
    diagnose: bool = False,
) -> list[Score]:
    """Score raw results against the ground truth.

    Files are read one sequence at a time, all trackers of it; curves are all that is kept. Those of a tracker whose
    first rows are odd are read once more, for ``Score.readings``.

    Args:
        dataset: its annotations; images are not touched.
        results: folder or zip of raw results, or what ``find_results`` made of it.
        trackers: names; all that are found when empty.
        protocols: names; the benchmark's own when empty.
        partial: score what is there; what is missing becomes holes.
        format_in: who wrote the results, see ``recorded.discovery.find_results``.
        boxes: what the numbers of their rows are, likewise.
        diagnose: read every tracker's files in every way, not only those that are odd.

    Returns:
        One score per tracker and protocol, trackers in order of name (or as given), protocols as given.

    Raises:
        UserError: unknown names, broken files, or something missing without ``partial``.
    """
    rules = [protocol(name) for name in protocols or (dataset.benchmark.protocol,)]
    raw = results
    if isinstance(raw, Tree):
        raw = find_results(raw, dataset.benchmark.name, dataset.label, dataset.sequences, format_in, boxes)
    chosen = tuple(dict.fromkeys(trackers)) or raw.trackers
    scores, watch = _scored(dataset, raw, chosen, rules, partial)
    pairs = {tracker: _pairs(dataset, raw, tracker) for tracker in (chosen if diagnose else watch.suspects())}
    return with_readings(scores, pairs, dataset.benchmark.name, raw.layout.name)


def score_rules(
    dataset: Dataset, results: RawResults, rules: Items[Protocol], trackers: Items[str] = (), partial: bool = False
) -> dict[tuple[str, str], Score]:
    """(tracker, name of the rule) -> score, under protocols that need not be among ``PROTOCOLS``, as ``score_dataset``
    has them, without readings. Their names tell them apart."""
    chosen = tuple(dict.fromkeys(trackers)) or results.trackers
    return {(score.tracker, score.protocol): score for score in _scored(dataset, results, chosen, rules, partial)[0]}


def _scored(
    dataset: Dataset, raw: RawResults, chosen: Items[str], rules: Items[Protocol], partial: bool
) -> tuple[list[Score], Watch]:
    """The scores, trackers as given and rules as given, and what was seen of the trackers' first rows."""
    name, watch = dataset.benchmark.name, Watch()
    counts = {tracker: raw.runs(tracker) for tracker in chosen}
    unscored = {sequence.name for sequence in dataset.sequences if sequence.first_only}
    served = dataset.benchmark.ground_truth == "first"
    if unscored and (served or len(unscored) == len(dataset.sequences)):
        reason = SERVER_ONLY.format(dataset.benchmark.title) if served else one_box(sorted(unscored))
        return [
            Score(dataset.label, tracker, rule.name, dataset.expected, Measures(), reason=reason)
            for tracker in chosen
            for rule in rules
        ], watch
    holes = [*(Hole(name, ONE_BOX) for name in sorted(unscored)), *dataset.holes]
    if holes and not partial:
        raise _missing("the annotations of", dataset.label, holes, dataset.expected)
    into = tallies(dataset.label, name, chosen, rules)
    for sequence in dataset.sequences:
        if sequence.name in unscored:
            continue
        try:
            annotation = sequence.annotation()
        except UserError as error:
            if not partial:
                raise
            for tally in into.values():
                tally.refusals.append(Hole(sequence.name, str(error)))
            continue
        found = {who: [_read(raw, who, sequence, run, partial) for run in range(counts[who])] for who in chosen}
        take_in(into, found, annotation, rules, name, sequence.name)
        for tracker, (first, *_) in found.items():
            if isinstance(first, np.ndarray):
                watch.take(tracker, annotation.split(first)[1], annotation)
    for tally in into.values():
        tally.holes.extend(holes)
    scores = [_whole(tally, dataset.expected, partial) for tally in into.values()]
    if raw.layout.name != "xywh":
        scores = [replace(score, boxes=raw.layout.words) for score in scores]
    return scores, watch


def _whole(tally: Tally, expected: int, partial: bool) -> Score:
    if tally.holes and not partial:
        raise _missing(f"{tally.tracker}'s results on", tally.dataset, tally.holes, expected)
    return tally.score(expected, forgiving=partial)


def _pairs(dataset: Dataset, raw: RawResults, tracker: str) -> list[Pair]:
    """A tracker's results with their ground truth, all of them; sequences that cannot be read are left out."""
    pairs = []
    for sequence in dataset.sequences:
        if sequence.first_only:
            continue
        try:
            annotation = sequence.annotation()
            runs = [raw.boxes(tracker, sequence, run) for run in range(raw.runs(tracker))]
        except UserError:
            continue
        whole = tuple(annotation.split(run)[1] for run in runs if not isinstance(run, Hole))
        if len(whole) == len(runs):
            pairs.append(Pair(sequence.name, whole, annotation))
    return pairs


def _read(raw: RawResults, tracker: str, sequence: Sequence, run: int, partial: bool) -> Found:
    try:
        return raw.boxes(tracker, sequence, run)
    except UserError as error:
        if not partial:
            raise
        return error


def _rule(rule: Protocol | str) -> Protocol:
    return protocol(rule) if isinstance(rule, str) else rule


def _missing(what: str, dataset: str, holes: Items[Hole], expected: int) -> UserError:
    names = ", ".join(hole.sequence for hole in holes[:SHOWN]) + (" ..." if len(holes) > SHOWN else "")
    reasons = " and ".join(dict.fromkeys(hole.reason for hole in holes[:SHOWN]))
    return UserError(
        f"{what} {dataset} lack {len(holes)} of {expected} sequences: {names} ({reasons}); "
        "add them, or score what is there with --partial"
    )
