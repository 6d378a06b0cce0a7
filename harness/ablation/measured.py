"""Tracking with an ablation's trainings, and what was measured, row by row and seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from inmo.datasets.base import Dataset
from inmo.harness.ablation.members import Member
from inmo.harness.ablation.opened import Opened
from inmo.harness.ablation.spec import flat, last, words
from inmo.harness.run.jobs import Outcome, plan
from inmo.harness.run.setup import configure
from inmo.harness.store.store import Store
from inmo.harness.training.checkpoints import seen_pairs
from inmo.harness.training.config import TrainConfig
from inmo.harness.training.schedule import batch_of, steps_of
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.records import as_words
from inmo.reports.scoring.distraction import Distraction
from inmo.reports.scoring.score import Measures
from inmo.reports.scoring.stored import DatasetEvaluation, evaluate_runs
from inmo.reports.scoring.study import BEFORE, KEPT, SHARE, Study, Values
from inmo.trackers.base import file_sha256

Found = list[tuple[DatasetEvaluation, Mapping[tuple[str, int], str]]]
"""Per dataset what was scored, and (row, seed) -> the name of its run there."""


def track(opened: Opened, datasets: Sequence[Dataset], store: Store, there: Resources) -> tuple[Found, list[Outcome]]:
    """Track with every training what is not in the store yet, and score it; what was scored, and what was done now.

    Rows with one network and one set of test-time constants are one run.
    """
    setups = [member.setup(f"{opened.stem} {member.row} seed {member.seed}") for member in opened.members]
    folders = {dataset.label: [setup.folder(dataset) for setup in setups] for dataset in datasets}
    outcomes: list[Outcome] = []
    for dataset in datasets:
        own = dict(zip(reversed(folders[dataset.label]), reversed(setups), strict=True))
        jobs, _ = plan(store, [dataset], [*reversed(own.values())], device=there.device, partial=opened.partial)
        outcomes += run_jobs(jobs, there)
    found: Found = []
    for dataset in datasets:
        data = evaluate_runs(store, dataset.label, set(folders[dataset.label]))
        named = {run.run.folder: run.name for run in data.runs}
        whose = zip(opened.members, folders[dataset.label], strict=True)
        found.append((data, {(member.row, member.seed): named[folder] for member, folder in whose}))
    return found, outcomes


def study_of(opened: Opened, found: Found) -> Study:
    """What was measured, row by row and seed by seed, over all datasets."""
    rows: dict[str, dict[int, dict[str, Values]]] = {row.name: {} for row in opened.rows}
    groups: dict[str, set[str]] = {}
    names: set[str] = set()
    for data, whose in found:
        scores, label = {score.tracker: score for score in data.default}, data.dataset.label
        for (row, seed), name in whose.items():
            own = {
                f"{label}/{sequence}": _values(measures, data.distraction.get(sequence, {}).get(name))
                for sequence, measures in scores[name].per_sequence.items()
            }
            rows[row].setdefault(seed, {}).update(own)
        all_of = {f"{label}/{name}" for name in data.dataset.names}
        names |= all_of
        if len(found) > 1:
            groups[data.dataset.title] = all_of
        for code in data.dataset.attributes:
            tagged = {f"{label}/{name}" for name, own in data.attributed.items() if code in own}
            groups.setdefault(code, set()).update(tagged)
    return Study(
        rows, opened.reference, factors(opened), {name: frozenset(own) for name, own in groups.items() if own},
        trained_words(opened), frozenset(names), shared_trainings(opened.members),
    )  # fmt: skip


def shared_trainings(found: Sequence[Member]) -> dict[str, dict[int, str]]:
    """Row -> seed -> which training, by what its weights hold; empty where every row has its own."""
    digests = {path: file_sha256(path)[:12] for path in {member.weights for member in found}}
    if len(set(digests.values())) == len(found):
        return {}
    whose: dict[str, dict[int, str]] = {}
    for member in found:
        whose.setdefault(member.row, {})[member.seed] = digests[member.weights]
    return whose


def _values(measures: Measures, distraction: Distraction | None) -> Values:
    found = {key: getattr(measures, key) for key in KEPT if key not in (SHARE, BEFORE)}
    if distraction is not None:
        found |= {SHARE: distraction.share, BEFORE: float(distraction.before)}
    return {key: float(value) for key, value in found.items() if value is not None}


def measured_words(study: Study, data: DatasetEvaluation) -> str:
    """How many of a dataset's sequences every training has a score of, where not all, and of how many."""
    names = {f"{data.dataset.label}/{name}" for name in data.dataset.names}
    scored = len(names.intersection(study.shared))
    return f"{scored}{f' of {len(names)}' if scored < len(names) else ''} sequences of {data.dataset.title}"


def factors(opened: Opened) -> dict[str, dict[str, str]]:
    """Row -> the values, by the last word of their path, in which the rows' configs differ."""
    one = {member.row: member.config for member in opened.members}
    values = {row: _settings(config) for row, config in one.items()}
    paths = dict.fromkeys(path for row in opened.rows for path in row.values)
    differing = [path for path in paths if len({words(own.get(path)) for own in values.values()}) > 1]
    return {row: {last(p, paths): words(own.get(p)) for p in differing} for row, own in values.items()}


def trained_words(opened: Opened) -> str:
    """How many pairs every row was trained on; of weights that a row names, what their files say."""
    counts = {m.weights: seen_pairs(m.weights) if m.folder is None else pairs_of(m.config) for m in opened.members}
    known = [count for count in counts.values() if count]
    if not known:
        return "Rows are weights that their file names."
    most = f"{min(known):,}" if min(known) == max(known) else f"{min(known):,} to {max(known):,}"
    silent = " whose weights say so" if len(known) < len(counts) else ""
    return f"Every row{silent} was trained on {most} pairs."


def pairs_of(config: TrainConfig) -> int:
    """Pairs that a training sees."""
    return steps_of(config) * batch_of(config)


def _settings(config: TrainConfig) -> dict[str, object]:
    """A training's values by path, those of its tracker's config filled in."""
    tracker = configure(config.tracker, as_words(config.settings) | {"allow_random_weights": "true"}).config
    known = {f"settings.{name}": value for name, value in vars(tracker).items()}
    return {**flat(asdict(replace(config, settings={}))), **known, **flat({"settings": dict(config.settings)})}
