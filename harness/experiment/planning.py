"""What a run will take before it is run: jobs, frames, time and disk, and how well workers would share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inmo.datasets import benchmark
from inmo.datasets.base import ROOT_TABLE, Dataset, read_table
from inmo.datasets.reading import Span
from inmo.errors import UserError
from inmo.harness.constants.sweep import parse_over, variants
from inmo.harness.experiment.load import load_experiment
from inmo.harness.experiment.paper import ABLATIONS
from inmo.harness.experiment.paper_figures import SWEEPS
from inmo.harness.experiment.paper_rows import Candidate, candidates, trainings
from inmo.harness.experiment.speeds import Pace, bench_pace, measured_pace, stored_pace
from inmo.harness.run.jobs import run_of
from inmo.harness.run.setup import Setup, known_root, parse_dataset
from inmo.harness.store.store import Store, open_store
from inmo.harness.workers.makespan import efficiency, makespan
from inmo.reports.paper.blocks import MINI
from inmo.reports.paper.printed import paper_table
from inmo.terminal import aligned

SWEEP = 4  # the figure that is one
POWERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
BYTES_PER_FRAME = 80
"""Of a result: ten columns of 8 bytes, an upper bound as they are compressed."""
BYTES_PER_FILE = 7000
"""Of a result beside its rows: schema and provenance; 4.4 KB for KCF, 5.8 KB for TransInMo* nano (2026-11-25)."""


@dataclass(frozen=True)
class Footage:
    """The sequences of a dataset by their lengths in frames; ``dataset`` is None where only a table knows them."""

    label: str
    benchmark: str
    lengths: Mapping[str, int]
    dataset: Dataset | None = None


@dataclass(frozen=True)
class Wanted:
    """One tracker on one dataset, as an experiment or a command wants it.

    Attributes:
        setup, film: the tracker, and on what.
        place: folder beside the store where its results stand; empty for the store itself.
        variants: of a sweep, one for each value; they are as fast as ``setup``. Empty for ``setup`` alone.
    """

    setup: Setup
    film: Footage
    place: str = ""
    variants: tuple[Setup, ...] = ()


@dataclass(frozen=True)
class Part:
    """One tracker on one dataset: the sequences that are to be run, their frames, and the tracker's pace."""

    tracker: str
    dataset: str
    frames: Mapping[str, int]
    done: int
    pace: Pace

    @property
    def seconds(self) -> float:
        return self.pace.seconds * sum(self.frames.values())


@dataclass(frozen=True)
class Plan:
    """All parts, and what they are together."""

    parts: tuple[Part, ...]

    @property
    def costs(self) -> list[float]:
        """Seconds of every job."""
        return [part.pace.seconds * frames for part in self.parts for frames in part.frames.values()]

    @property
    def jobs(self) -> int:
        return sum(len(part.frames) for part in self.parts)

    @property
    def frames(self) -> int:
        return sum(sum(part.frames.values()) for part in self.parts)

    @property
    def disk(self) -> int:
        """Bytes of the results, at most about."""
        return self.frames * BYTES_PER_FRAME + self.jobs * BYTES_PER_FILE


def footage(word: str) -> Footage:
    """The lengths of a dataset's sequences: of its annotations where a root is known, else of the benchmark's table.

    Raises UserError for a dataset of which neither is there.
    """
    argument = parse_dataset(word)
    if not (argument.root or known_root(argument.name)):
        return Footage(argument.label, argument.name, _recorded(argument.name))
    dataset = argument.open()
    lengths = {}
    for sequence in dataset.sequences:
        own = sequence.frames() if sequence.first_only and sequence.frames is not None else sequence.annotation()
        lengths[sequence.name] = len(own)
    return Footage(argument.label, argument.name, lengths, dataset)


def _recorded(name: str) -> dict[str, int]:
    """Sequence -> frames, from the benchmark's table in ``datasets/tables``."""
    row = benchmark(name)
    counts = {}
    if row.table and not row.table.startswith(ROOT_TABLE) and not row.follows:  # or the table is another's
        counts = {line["name"]: Span.of_row(line).count for line in read_table(row.table)}
    if not counts or None in counts.values():
        raise UserError(
            f"the lengths of {name}'s sequences are not recorded here: give --dataset {name}=ROOT, annotations suffice"
        )
    return {name: int(count) for name, count in counts.items() if count is not None}


def wanted_by(path: Path, given: Sequence[str] = ()) -> tuple[list[Wanted], list[str]]:
    """What an experiment runs: trackers on datasets, trainings of its ablations, sweeps; and what cannot be planned.

    Args:
        path: the experiment's file.
        given: datasets in place of its own, as on the command line.

    Raises UserError for a file that cannot be read, or when nothing can be planned.
    """
    experiment = load_experiment(path)
    words = given or [entry.word for entry in experiment.datasets]
    found = candidates(experiment)
    without = [f"weights of {candidate.label}: {candidate.absent}" for candidate in found if candidate.absent]
    films = []
    for word in words:
        try:
            films.append(footage(word))
        except UserError as error:
            if given:
                raise
            without.append(f"{parse_dataset(word).label}: {error}")
    setups = {candidate.label: _runnable(candidate) for candidate in found}
    wanted = [Wanted(setups[candidate.label], film) for film in films for candidate in found if candidate.compared]
    for entry in (entry for entry in experiment.ablations if entry.table in experiment.tables):
        own = trainings(entry)
        without += [f"weights of table {entry.table}, {c.label}: {c.absent}" for c in own if c.absent]
        for film in films:
            if film.benchmark.removeprefix(MINI) in paper_table(entry.table).datasets:
                wanted += [Wanted(_runnable(candidate), film, ABLATIONS) for candidate in own]
    if experiment.sweep is not None and SWEEP in experiment.figures:
        over = parse_over(experiment.sweep.over)
        for film in films:
            if not experiment.sweep.datasets or film.label in experiment.sweep.datasets:
                chosen = [setups[label] for label in experiment.sweep.trackers if label in setups]
                wanted += [Wanted(setup, film, SWEEPS, tuple(variants(setup, over))) for setup in chosen]
    if not wanted:
        raise UserError(f"nothing of {path} can be planned: {without[0] if without else 'it names no dataset'}")
    return wanted, without


def _runnable(candidate: Candidate) -> Setup:
    """Its setup; of one that lacks its files with random weights: as fast, and a plan needs no boxes."""
    setup = replace(candidate.setup, label=candidate.label)
    if not candidate.absent:
        return setup
    own = {"weights": setup.spec.config.weights, "allow_random_weights": True}
    return replace(setup, config=replace(setup.config, **own))


def make_plan(wanted: Iterable[Wanted], *, store: Store | None, bench: Path | None, device: str) -> Plan:
    """What is to be done, and how fast: as stored results say, else as ``bench`` says, else as measured now.

    Args:
        store: results there, and in the folders beside it, are done; None where there is no store yet.
        bench: JSON of ``bench --out``.
        device: where to measure.
    """
    parts: dict[tuple[str, str, str], Part] = {}
    paces: dict[tuple[str, str], Pace] = {}
    for item in wanted:
        film, setup, there = item.film, item.setup, _beside(store, item.place)
        run = run_of(setup.spec, setup.on(film.benchmark), setup.label)
        key = (item.place, film.label, run.folder)
        if key in parts:  # two names of one config are one run
            continue
        if (film.label, run.folder) not in paces:
            known = stored_pace(there, setup, film.benchmark, film.label) if there is not None else None
            known = known or (bench_pace(bench, setup) if bench is not None else None)
            paces[film.label, run.folder] = known or measured_pace(setup, film.dataset, device)
        frames = {}
        for each in item.variants or (setup,):
            one = run_of(each.spec, each.on(film.benchmark), each.label)
            for name, count in film.lengths.items():
                if there is None or there.result_facts(film.label, one, name) is None:
                    frames[f"{one.folder}/{name}" if item.variants else name] = count
        title = run.label or run.title
        if item.variants:
            title = f"{title}, {len(item.variants)} values"
        elif item.place:
            title = f"{title} (ablation)"
        done = len(film.lengths) * max(len(item.variants), 1) - len(frames)
        parts[key] = Part(title, film.label, frames, done, paces[film.label, run.folder])
    return Plan(tuple(parts.values()))


def _beside(store: Store | None, place: str) -> Store | None:
    """The store in a folder beside another one; None where there is none."""
    if store is None or not place:
        return store
    return open_store(path) if (path := store.root.parent / place).is_dir() else None


def lines(plan: Plan, workers: int) -> list[str]:
    """The plan in words and two tables."""
    rows = [["tracker", "dataset", "done", "jobs", "frames", "ms/frame", "time", "speed from"]]
    for part in plan.parts:
        counts = (f"{count}" for count in (part.done, len(part.frames), sum(part.frames.values())))
        pace, time = f"{1e3 * part.pace.seconds:.2f}", duration(part.seconds)
        rows.append([part.tracker, part.dataset, *counts, pace, time, part.pace.source])
    said = aligned(rows, left=[True, True, *[False] * 5, True])
    costs = plan.costs
    said += [
        "",
        f"{plan.jobs} jobs, {plan.frames} frames, {duration(sum(costs))} of one worker; results of up to "
        f"{plan.disk / 1e6:.1f} MB",
    ]
    if not costs:
        return said
    said += [f"{workers} workers: {duration(makespan(costs, workers))}, longest job {duration(max(costs))}", ""]
    rows = [["workers", "time", "efficiency"]]
    for count in sorted({*POWERS, workers}):
        rows.append([f"{count}", duration(makespan(costs, count)), f"{efficiency(costs, count):.3f}"])
    return [*said, *aligned(rows, left=0)]


def duration(seconds: float) -> str:
    """As people say it: 12.3 s, 4.5 min, 6.7 h."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
