"""What a folder of results was taken for: trackers, runs, sequences, and the files that were passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.reports.scoring.raw import score_dataset
from inmo.reports.scoring.score import Score
from inmo.terminal import listed
from inmo.trackers.recorded.discovery import RawResults, Run
from inmo.trackers.recorded.filing import Passed

SHOWN = 12  # names on a line


def explain(
    dataset: Dataset, raw: RawResults, trackers: Sequence[str] = (), protocols: Sequence[str] = ()
) -> list[str]:
    """Lines for people. Everything is read and scored as far as it can be; broken files are named and raise nothing.

    Args:
        dataset: whose annotations they are scored against.
        raw: the results.
        trackers, protocols: as for ``score_dataset``.
    """
    scores = score_dataset(dataset, raw, trackers, protocols, partial=True)
    lines = [*_annotations(dataset), f"{raw.tree.root}: {_plural(len(raw.trackers), 'tracker')}"]
    for tracker in dict.fromkeys(score.tracker for score in scores):
        lines += _tracker(dataset, tracker, raw.runs_of(tracker), [s for s in scores if s.tracker == tracker])
    return [*lines, *_passed(raw.passed)]


def _annotations(dataset: Dataset) -> Iterator[str]:
    yield (
        f"{dataset.benchmark.title} at {dataset.root}: annotations of {len(dataset.sequences)} of {dataset.expected} "
        "sequences"
    )
    if dataset.benchmark.flagged:
        flagged, without = 0, []
        for sequence in dataset.sequences:
            try:
                annotation = sequence.annotation()
            except UserError:
                continue  # said with the scores
            if annotation.absent is None:
                without.append(sequence.name)
            else:
                flagged += 1
        lacking = f"; none for {listed(without, SHOWN)}" if without else ""
        yield f"  absent flags of {_plural(flagged, 'sequence')}{lacking}"
    yield from (f"  {words}" for words in dataset.passed)


def _tracker(dataset: Dataset, tracker: str, runs: Sequence[Run], scores: Sequence[Score]) -> Iterator[str]:
    yield f"{tracker}: {_plural(len(runs), 'run')}" if len(runs) > 1 else tracker
    for run in runs:
        found = {sequence.name: run.find(sequence) for sequence in dataset.sequences}
        files = {name: path for name, path in found.items() if path}
        lacking = [name for name, path in found.items() if not path]
        without = f", without {listed(lacking, SHOWN)}" if lacking else ""
        yield f"  {run.place or 'the root'}: {len(files)} of {_plural(len(found), 'sequence')}{without}"
        if renamed := [f"{name} from {path}" for name, path in files.items() if PurePosixPath(path).stem != name]:
            yield f"    under other names: {listed(renamed, SHOWN)}"
    for score in scores:
        yield from (f"  {score.protocol}: {words}" for words in _treated(score))


def _treated(score: Score) -> Iterator[str]:
    """What a protocol made of the files."""
    yield f"{_plural(score.sequences, 'sequence')} scored"
    kinds = {"longer": "rows cut off", "shorter": "rows lacking", "broken": "NaN, infinite or without size"}
    for key, words in kinds.items():
        counts = {name: getattr(found, key) for name, found in score.per_sequence.items()}
        if told := [f"{name} ({count})" for name, count in counts.items() if count]:
            yield f"{words}: {listed(told, SHOWN)}"
    yield from (f"not scored: {hole.sequence}: {hole.reason}" for hole in score.refused)
    if score.reason and not score.refused:
        yield f"no number: {score.reason}"


def _passed(passed: Iterable[Passed]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in passed:
        folder, _, name = item.path.rpartition("/")
        groups.setdefault((folder, item.reason), []).append(name)
    if groups:
        yield f"passed over: {_plural(sum(map(len, groups.values())), 'file')}"
    for (folder, reason), names in groups.items():
        yield f"  {folder or 'the root'}: {reason}: {listed(names, SHOWN)}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
