"""Jobs: what is wanted, minus what the store already has. A job is one tracker on one sequence."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inmo.datasets.base import Annotation, Dataset, Hole
from inmo.datasets.base import Sequence as VideoSequence
from inmo.datasets.images import Frames
from inmo.errors import UserError, unknown_name
from inmo.harness.run import memory
from inmo.harness.run.engine import track_sequence, track_variants
from inmo.harness.run.odd_boxes import foreign, odd_boxes
from inmo.harness.run.setup import Setup
from inmo.harness.store import provenance
from inmo.harness.store.claims import Key, at_work
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store
from inmo.trackers import tracker
from inmo.trackers.base import CONSTANTS, Tracker, TrackerFailure, TrackerSpec, config_hash, identity

SHOWN = 8  # of a long list of names


@dataclass(frozen=True)
class Job:
    """All that a worker needs. It travels between processes.

    Attributes:
        label: the dataset's name in the store.
        run: tracker, config hash and label.
        config: the tracker's frozen config.
        frames: how many there are to do, for ordering and progress.
        also: further runs of the tracker with their configs, which differ in test-time constants alone: their targets
            follow in the same batch.
        beside: processes of the command that work at the same time on the same machine, this one among them; None where
            nobody knows, as on a cluster. They slow each other down.
    """

    store: Path
    label: str
    run: Run
    config: Any
    sequence: VideoSequence
    frames: int
    device: str = "auto"
    versions: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[Run, Any], ...] = ()
    beside: int | None = 1

    @property
    def runs(self) -> tuple[tuple[Run, Any], ...]:
        """All runs of the job with their configs."""
        return ((self.run, self.config), *self.also)

    @property
    def keys(self) -> list[Key]:
        """What is claimed in the store while the job is under way."""
        return [(self.label, run.folder, self.sequence.name) for run, _ in self.runs]

    def open(self) -> tuple[Annotation, Frames]:
        """Ground truth and images. Raises UserError when either is missing or broken."""
        if self.sequence.frames is None:
            raise UserError(f"{self.sequence.name} has no images under its root: tracking needs them, scoring does not")
        return self.sequence.annotation(), self.sequence.frames()


@dataclass(frozen=True)
class Outcome:
    """What became of a job: nothing to say, or a hole.

    ``crashed`` tells a tracker's fault from the data's; ``note`` says what befell a run that came to its end; ``state``
    whether it was done here, another has done it meanwhile, or has it under way.
    """

    job: Job
    reason: str = ""
    crashed: bool = False
    note: str = ""
    state: Literal["here", "elsewhere", "held"] = "here"

    @property
    def words(self) -> str:
        """Dataset, tracker, sequence and why it is a hole."""
        run = self.job.run
        return f"{self.job.label}, {run.label or run.title}, {self.job.sequence.name}: {self.reason}"


def plan(
    store: Store,
    datasets: Iterable[Dataset],
    setups: Sequence[Setup],
    *,
    names: Sequence[str] = (),
    label: str = "",
    device: str = "auto",
    partial: bool = False,
) -> tuple[list[Job], int]:
    """Write down what is wanted and return the jobs that are not done yet, longest first, and how many are done.

    A result is done when it stands in the store and was made with the annotation that is there now.

    Args:
        names: sequences wanted; empty for all that are present.
        label: the name for tables, in place of the tracker's title.
        partial: an annotation that cannot be read becomes a hole of the dataset instead of an error.

    Raises:
        UserError: an annotation that cannot be read, or a sequence without frames.
    """
    jobs, done = [], 0
    versions = tuple(provenance.versions().items())
    for dataset in datasets:
        configs = [(setup, setup.on_dataset(dataset)) for setup in setups]
        asked = [s for s in dataset.sequences if not names or s.name in names]
        wanted, broken = _measure(asked, partial=partial)
        sound = tuple(s for s in dataset.sequences if s.name not in {hole.sequence for hole in broken})
        dataset = replace(dataset, holes=dataset.holes + broken, sequences=sound)
        store.put_dataset(dataset, tuple(sequence.name for sequence, _, _ in wanted))
        runs = [(run_of(setup.spec, config, label or setup.label, setup.tuned), config) for setup, config in configs]
        for run, _ in runs:
            store.put_run(dataset.label, run)
        for sequence, annotation, length in wanted:
            store.put_sequence(dataset.label, sequence, annotation)
            for run, config in runs:
                facts = store.result_facts(dataset.label, run, sequence.name)
                if facts is not None and facts["annotation"] == annotation.fingerprint():
                    done += 1
                    continue
                if facts is not None:
                    store.drop_result(dataset.label, run, sequence.name)
                jobs.append(Job(store.root, dataset.label, run, config, sequence, length, device, versions))
    return sorted(jobs, key=lambda job: -job.frames), done


def demand_sequences(datasets: Sequence[Dataset], names: Sequence[str], partial: bool) -> None:
    """Refuse a run over less than what was asked for, unless the user says so.

    Raises UserError: a name that no dataset knows, or an incomplete dataset without ``partial``.
    """
    known = [s.name for d in datasets for s in d.sequences] + [h.sequence for d in datasets for h in d.holes]
    for name in names:
        if name not in known:
            raise unknown_name("sequence", name, known)
    for dataset in datasets:
        missing = [hole for hole in dataset.holes if not names or hole.sequence in names]
        if missing and not partial:
            shown = ", ".join(hole.sequence for hole in missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
            raise UserError(
                f"{dataset.root} has {len(dataset.sequences)} of {dataset.expected} sequences of "
                f"{dataset.benchmark.title}; missing: {shown}; complete the download, choose with --sequences, or add "
                "--partial to run what is there"
            )


def merge_variants(jobs: Sequence[Job], most: int = 32) -> list[Job]:
    """Jobs on one sequence whose configs differ in test-time constants alone, as one job of up to ``most`` runs."""
    groups: dict[Any, list[Job]] = {}
    for job in jobs:
        known = {item.name for item in fields(job.config)}
        if not known.issuperset(CONSTANTS):
            groups[id(job)] = [job]
            continue
        alike = replace(job.config, **dict.fromkeys(CONSTANTS))
        groups.setdefault((job.label, job.sequence.name, job.run.tracker, alike), []).append(job)
    merged = []
    for group in groups.values():
        for start in range(0, len(group), most):
            first, *others = group[start : start + most]
            merged.append(replace(first, also=tuple((other.run, other.config) for other in others)))
    return merged


def _measure(
    sequences: Sequence[VideoSequence], *, partial: bool
) -> tuple[list[tuple[VideoSequence, Annotation, int]], tuple[Hole, ...]]:
    """The sequences with their annotation and number of frames, and those that cannot be read."""
    found, broken = [], []
    for sequence in sequences:
        try:
            annotation = sequence.annotation()
            frames = sequence.frames() if sequence.first_only and sequence.frames is not None else annotation
            found.append((sequence, annotation, len(frames)))
        except UserError as error:
            if not partial:
                raise
            broken.append(Hole(sequence.name, str(error)))
    return found, tuple(broken)


def execute(job: Job) -> Outcome:
    """Do one job in this process and store its result, or the hole with its reason."""
    store = Store(job.store)
    try:
        results = _track(job)
    except Exception as error:  # a tracker may fail in any way; the others go on
        return failed(store, job, error)
    for (run, _), result in zip(job.runs, results, strict=True):
        store.put_result(job.label, run, job.sequence.name, result)
    return Outcome(job, note=results[0].provenance.get("note", ""))


def stands(job: Job) -> bool:
    """Whether all that a job is to make is in the store, made with the annotation that is there now.

    So it is when another command works on the same store, or a worker died between storing and saying so. Raises
    UserError for a file that is damaged.
    """
    store = Store(job.store)
    for run, _ in job.runs:
        facts = store.result_facts(job.label, run, job.sequence.name)
        if facts is None or facts["annotation"] != job.sequence.annotation().fingerprint():
            return False
    return True


def failed(store: Store, job: Job, error: Exception) -> Outcome:
    """Keep a hole, with the error as its reason, in place of the job's results."""
    if memory.ran_out(error):
        reason = f"{job.run.tracker}: {memory.in_words(error)}"
    elif isinstance(error, (UserError, TrackerFailure)):
        reason = str(error)
    else:
        reason = f"{job.run.tracker} failed: {type(error).__name__}: {' '.join(str(error).split())}"
    crashed = not isinstance(error, UserError)
    for run, _ in job.runs:
        store.put_hole(job.label, run, Hole(job.sequence.name, reason, failed=crashed))
    return Outcome(job, reason, crashed=crashed)


def demand_stored(outcomes: Iterable[Outcome]) -> None:
    """Raises UserError when results that were stored are gone: somebody moved or deleted the store under the run."""
    jobs = [outcome.job for outcome in outcomes if not outcome.reason]
    known = {root: Store(root).datasets() for root in {job.store for job in jobs}}
    for root, labels in known.items():
        own = [(job, run) for job in jobs if job.store == root for run, _ in job.runs]
        gone = [
            job for job, run in own
            if job.label not in labels or Store(root).result_facts(job.label, run, job.sequence.name) is None
        ]  # fmt: skip
        if gone:
            raise UserError(
                f"{len(gone)} of {len(own)} results are no longer in {root} ({gone[0].label} {gone[0].sequence.name} "
                "...): it was moved or deleted during the run; the same command runs what is missing"
            )


def _track(job: Job) -> list[Result]:
    annotation, frames = job.open()
    running = built(job.run.tracker, job.config, job.device)
    if job.also:
        constants = np.array([[getattr(config, name) for name in CONSTANTS] for _, config in job.runs], np.float64)
        results, lanes = _variants(running, job, annotation, frames, constants)
    else:
        results, lanes = [track_sequence(running, job.sequence, annotation, frames)], 1
    odd = odd_boxes(results[0].boxes) if foreign(running) else ""
    facts = facts_of(job, running, annotation, frames, lanes)
    facts |= {"note": f"{job.run.label or job.run.title}: {odd}"} if odd else {}
    return [
        replace(result, provenance={**facts, "config": dict(run.identity), "hash": run.hash})
        for (run, _), result in zip(job.runs, results, strict=True)
    ]


def _variants(
    running: Tracker, job: Job, annotation: Annotation, frames: Frames, constants: NDArray[np.float64]
) -> tuple[list[Result], int]:
    """The results of a sweep and how many ran at once: all, or half as many where memory runs out."""
    try:
        return track_variants(running, job.sequence, annotation, frames, constants), len(constants)
    except Exception as error:
        if len(constants) == 1 or not memory.ran_out(error):
            raise
        memory.let_go(error)
    middle = (len(constants) + 1) // 2
    parts = [_variants(running, job, annotation, frames, part) for part in (constants[:middle], constants[middle:])]
    return [result for results, _ in parts for result in results], min(lanes for _, lanes in parts)


def facts_of(job: Job, running: Tracker, annotation: Annotation, frames: Frames, lanes: int) -> dict[str, Any]:
    """Provenance of the result of a job's own run, of which ``running`` tracked ``lanes`` targets in one batch."""
    return shared_facts(job, annotation) | {
        "data": data_fingerprint(annotation, frames),
        "machine": provenance.machine(),
        "device": provenance.device_of(running, job.device),
        "lanes": lanes,
        "processes": "unknown" if job.beside is None else max(job.beside, at_work(job.store)),
    }


def shared_facts(job: Job, annotation: Annotation) -> dict[str, Any]:
    """What the provenance of a recorded result has too."""
    return {
        "tracker": job.run.tracker,
        "sequence": job.sequence.name,
        "annotation": annotation.fingerprint(),
        "versions": dict(job.versions),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": dict(job.run.identity),
        "hash": job.run.hash,
    }


def data_fingerprint(annotation: Annotation, frames: Frames) -> str:
    """SHA-256 (16 hex digits) over the annotation, the names of the frames and the sizes of their files.

    Sizes tell a re-encoded or half-copied download from the original without reading every pixel.
    """
    digest = hashlib.sha256(annotation.fingerprint().encode())
    for name in frames.names():
        path = Path(name.split("#")[0])
        size = path.stat().st_size if path.exists() else -1
        digest.update(f"{path.name} {size}\n".encode())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=2)
def built(name: str, config: Any, device: str) -> Tracker:
    """One built tracker serves all sequences of a worker: loading weights once, not once per sequence."""
    return tracker(name).build(config, device)


def run_of(spec: TrackerSpec, config: Any, label: str, tuned: tuple[Mapping[str, Any], ...] = ()) -> Run:
    """A tracker with a filled-in config as the store knows it; ``label`` in place of the config's own, where given."""
    label = label or getattr(config, "label", "")
    return Run(spec.name, spec.title, config_hash(spec.name, config), label, identity(spec.name, config), tuned)
