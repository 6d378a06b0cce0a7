"""What each command does. Imports are local: a command pays only for what it uses."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datasets.errors import UserError
from harness import arguments

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harness.cluster import Cluster
    from harness.config import Setup
    from harness.jobs import Outcome
    from harness.options import NetworkOptions
    from harness.planning import Footage
    from reports.score import Score

EXIT_FINDINGS = 1
EXIT_BROKEN = 2
EXIT_HOLES = 3


def run(command: Any) -> int:
    """Carry out a parsed command; returns the exit status. Raises UserError."""
    from harness.tool_commands import TOOLS

    return {**COMMANDS, **TOOLS}[type(command)](command)


def track(command: arguments.Track) -> int:
    from harness.cluster import checked_on
    from harness.config import open_datasets
    from harness.jobs import built, demand_sequences, plan
    from harness.parallel import run_jobs
    from harness.store import open_store

    setups = _setups(command.tracker, command.network, command.allow_random_weights)
    datasets = open_datasets(command.dataset)
    demand_sequences(datasets, command.sequences, command.partial)
    with _workers(command) as workers:
        for setup in setups:
            for dataset in datasets:  # say what is wrong before any work
                built(setup.spec.name, setup.on(dataset.benchmark.name), checked_on(workers, command.device))
        store = open_store(command.store, write=True)
        jobs, done = plan(
            store, datasets, setups, names=command.sequences, label=command.label, device=command.device,
            partial=command.partial,
        )  # fmt: skip
        outcomes = run_jobs(jobs, workers=workers, lanes=command.lanes)
    print(
        f"{len(jobs)} runs of a sequence wanted, {done} were done before; results in {command.store}", file=sys.stderr
    )
    return _holes(outcomes)


def _workers(command: arguments.MainJob | arguments.Track | arguments.Sweep) -> AbstractContextManager[int | Cluster]:
    """This machine's processes or a cluster, as the command asks for it."""
    from harness.hosts import chosen_workers

    asked = command.cluster
    return chosen_workers(asked.backend, asked.scheduler, asked.gpus_per_host, asked.shared_store, command.jobs)


def workers(command: arguments.Workers) -> int:
    from harness.hosts import start_workers

    start_workers(command.scheduler, gpus=command.gpus_per_host, processes=command.jobs)
    return 0


def plan(command: arguments.Plan) -> int:
    from harness.planning import lines, make_plan, wanted_by
    from harness.store import open_store

    if command.workers < 1:
        raise UserError(f"--workers {command.workers}: give a number from 1 up")
    if (command.experiment is None) == (not command.tracker):
        raise UserError("say what is to be run: --experiment FILE, or --tracker NAME --dataset NAME")
    if command.experiment is not None:
        setups, films, without = wanted_by(command.experiment, command.dataset)
    else:
        setups, films, without = *_given(command), []
    for sentence in without:
        print(f"without {sentence}", file=sys.stderr)
    store = open_store(command.store) if command.store is not None else None
    made = make_plan(setups, films, store=store, bench=command.bench, device=command.device)
    print("\n".join(lines(made, command.workers)))
    return 0


def _given(command: arguments.Plan) -> tuple[list[Setup], list[Footage]]:
    from harness.planning import footage

    if not command.dataset:
        raise UserError("say on what: --dataset NAME, or --dataset NAME=ROOT where it is not known to the config file")
    setups = _setups(command.tracker, command.network, random_weights=True)
    return setups, [footage(word) for word in command.dataset]


def score(command: arguments.ScoreResults) -> int:
    from datasets.files import open_tree
    from harness.config import parse_dataset
    from reports.scoring import score_dataset, scores_json

    argument = parse_dataset(command.dataset)
    if command.annotations is not None:
        if argument.root:
            raise UserError("give the ground truth once: --dataset NAME=ROOT, or --dataset NAME --annotations PATH")
        argument = type(argument)(argument.name, argument.label, str(command.annotations))
    scores = score_dataset(
        argument.open(), open_tree(command.results), trackers=command.trackers, protocols=command.protocol,
        partial=command.partial, format_in=command.format_in,
    )  # fmt: skip
    if command.format == "json":
        import json

        print(json.dumps(scores_json(scores, per_sequence=command.per_sequence)))
    else:
        from reports.tables import score_table, sequence_table

        tables = [score_table(scores)] + ([sequence_table(scores)] if command.per_sequence else [])
        for table in tables:
            print({"table": table.to_text, "csv": table.to_csv, "latex": table.to_latex}[command.format]())
    return _refused(scores)


def _refused(scores: Sequence[Score]) -> int:
    """Say what was refused or broken; status 2 when some tracker got no number at all."""
    numbered = {score.tracker for score in scores if not score.reason}
    for score in scores:
        if score.reason:
            print(
                f"{'error' if score.tracker not in numbered else 'note'}: {score.tracker}: {score.reason}",
                file=sys.stderr,
            )
        elif score.mean.broken:
            print(
                f"note: {score.tracker} has {score.mean.broken} predictions that are NaN or without size; "
                f"{score.protocol} decides what they count for",
                file=sys.stderr,
            )
    return EXIT_BROKEN if {score.tracker for score in scores} - numbered else 0


def export(command: arguments.Export) -> int:
    from harness.export import export_store
    from harness.store import open_store

    written = export_store(open_store(command.store), command.format, command.out, partial=command.partial)
    print(f"{written} results written to {command.out}", file=sys.stderr)
    return 0


def report(command: arguments.MakeReport) -> int:
    from harness.store import open_store
    from reports.page import write_report

    print(write_report(open_store(command.store), command.out, protocols=command.protocol))
    return 0


def check(command: arguments.Check) -> int:
    from datasets.check import check_dataset
    from harness.config import open_datasets

    found = 0
    for dataset in open_datasets(command.dataset):
        outcome = check_dataset(dataset, read_images=command.images, every=command.every)
        print("\n".join(outcome.lines()))
        found += len(outcome.findings)
    return EXIT_FINDINGS if found else 0


def describe(command: arguments.Describe) -> int:
    from trackers import describe as parts

    setup = _setups([command.tracker], command.network, random_weights=True)[0]
    if setup.spec.network is None:
        raise UserError(f"{command.tracker} has no network to describe: name one of the neural trackers")
    network = setup.spec.network(setup.config)
    print(f"{setup.spec.title}, {_sense(setup.on('lasot'))}")
    print(parts.table(parts.describe(network)))
    return 0


def convert(command: arguments.Convert) -> int:
    from trackers.checkpoint import convert as write

    facts = write(command.checkpoint, command.tracker, command.out)
    print(f"{command.out}: {facts['tracker']} from {facts['source']} (SHA-256 {facts['source_sha256']})")
    return 0


def bench(command: arguments.Bench) -> int:
    import os

    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch starts, which is below
        os.environ[variable] = str(command.threads)
    import cv2

    from harness.bench.command import bench as start

    cv2.setNumThreads(command.threads)

    def setup_of(name: str, settings: Mapping[str, str]) -> Setup:
        words = (*command.network.set, *(f"{key}={value}" for key, value in settings.items()))
        return _setups([name], replace(command.network, set=words), random_weights=True)[0]

    print(start(command, setup_of))
    return 0


def train(command: arguments.Train) -> int:
    from harness.training.command import measure_loader
    from harness.training.command import train as start

    if command.loader_seconds is not None:
        return measure_loader(command.config, command.set, seconds=command.loader_seconds, device=command.device)
    return start(command.config, command.set, out=command.out, resume=command.resume, device=command.device)


def ablate(command: arguments.Ablate) -> int:
    from harness import ROOT
    from harness.training.ablate import ablate as start

    base = command.config or ROOT / "configs" / command.preset / "transinmo-star.yaml"
    steps = () if command.steps is None else (f"steps={command.steps}",)
    return start(
        command.table, base, (*steps, *command.set), out=command.out, datasets=command.dataset or ("mini-lasot",),
        rows=command.rows, seeds=command.seeds, device=command.device, workers=command.jobs, lanes=command.lanes,
        partial=command.partial,
    )  # fmt: skip


def sweep(command: arguments.Sweep) -> int:
    from harness.config import open_datasets
    from harness.jobs import demand_sequences
    from harness.store import open_store
    from harness.sweep import parse_over, run_sweep, swept
    from reports.blocks import write_block
    from reports.plots import styles
    from reports.sweeps import read_sweep, sweep_block

    over = parse_over(command.over)
    bases = _setups(command.tracker, command.network, random_weights=False)
    datasets = open_datasets(command.dataset)
    demand_sequences(datasets, command.sequences, command.partial)
    store = open_store(command.store, write=True)
    with _workers(command) as workers:
        outcomes, wanted, done = run_sweep(
            store, bases, over, datasets, names=command.sequences, workers=workers, device=command.device,
            partial=command.partial,
        )  # fmt: skip
    print(f"{wanted} runs of a sequence wanted, {done} were done before", file=sys.stderr)
    look = styles(base.label or base.spec.title for base in bases)
    numbers = {name: number for number, name in enumerate(look)}
    block = sweep_block(
        read_sweep(store, swept(bases, over, datasets)), tuple(over), look, numbers,
        stem=f"sweep_{'_'.join(over)}", title=f"Sweep over {', '.join(over)}",
    )  # fmt: skip
    for table in block.tables.values():
        print(table.to_text())
    if command.out is not None:
        written = write_block(block, command.out)
        print("\n".join([*block.notes, *(str(path) for path in written)]), file=sys.stderr)
    return _holes(outcomes)


def show_maps(command: arguments.ShowMaps) -> int:
    from harness.config import parse_dataset
    from harness.maps import run_maps
    from harness.store import file_name
    from reports.blocks import write_block
    from reports.maps import maps_block

    dataset = parse_dataset(command.dataset).open()
    setups = _setups(command.tracker, command.network, random_weights=False)
    found = [
        (item, command.stage)
        for setup in setups
        for item in run_maps(
            command.out / "arrays", setup, dataset, command.sequence, command.frames, device=command.device
        )
    ]
    block = maps_block(found, stem=f"maps_{file_name(command.sequence)}", title="Activation maps")
    print("\n".join(str(path) for path in write_block(block, command.out)))
    return 0


def serve(command: arguments.Serve) -> int:
    from harness.serve import serve as start

    setup = _setups([command.tracker], command.network, command.allow_random_weights)[0]
    failure = start(setup, command.tuned_for, command.device)
    if failure:
        print(f"error: {failure}", file=sys.stderr)
    return EXIT_HOLES if failure else 0


def _setups(names: Sequence[str], options: NetworkOptions, random_weights: bool) -> list[Setup]:
    """The trackers as the flags ask for them; ``random_weights`` is dropped for trackers that know none."""
    from harness.config import configure, parse_overrides
    from harness.tuned import with_files
    from trackers import tracker

    shared = {
        "weights": options.weights,
        "interaction": options.interaction,
        "preset": options.preset,
        "precision": options.precision,
        "compile": options.compile or None,
    }
    overrides, setups = parse_overrides(options.set), []
    known = [tracker(name.partition(":")[0]).config for name in names]
    if options.python and not any(hasattr(config, "python") for config in known):
        raise UserError("--python is for external trackers, python:, pytracking: and pysot:, and none was asked for")
    for name, config in zip(names, known, strict=True):
        own = {
            "allow_random_weights": True if random_weights and hasattr(config, "allow_random_weights") else None,
            "python": options.python if hasattr(config, "python") else None,
        }
        setups.append(configure(name, overrides, {**shared, **own}))
    return with_files(setups, options.tuned)


def _sense(config: Any) -> str:
    """Preset and interaction of a config in words."""
    known = [str(getattr(config, name)) for name in ("preset", "interaction") if getattr(config, name, None)]
    return ", ".join(known) or "default settings"


def list_names(command: arguments.List) -> int:
    from datasets import DATASETS, benchmark
    from reports.protocols import PROTOCOLS
    from trackers import TRACKERS
    from trackers.titles import title

    if command.what == "trackers":
        rows = [(name, title(name)) for name in TRACKERS]
    elif command.what == "datasets":
        rows = [(name, f"{row.title}; scored by {row.protocol}") for name in DATASETS for row in [benchmark(name)]]
    else:
        rows = [(name, row.summary) for name, row in PROTOCOLS.items()]
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:<{width}}  {text}" for name, text in rows))
    return 0


def main_job(command: arguments.MainJob) -> int:
    from harness.main_job import EMBEDDED, Choice, run_main_job

    choice = Choice(command.table, command.figure, command.datasets)
    with _workers(command) as workers:
        outcomes, page = run_main_job(
            command.out, workers, path=command.experiment or EMBEDDED, given=command.dataset, device=command.device,
            lanes=command.lanes, choice=choice,
        )  # fmt: skip
    print(f"report: {page.resolve()}")
    return _holes(outcomes)


def _holes(outcomes: Sequence[Outcome]) -> int:
    """One line per hole and note; the exit status tells broken data (2) from a tracker that failed (3).

    Raises UserError when results that were stored are gone.
    """
    from harness.jobs import demand_stored

    demand_stored(outcomes)
    holes = [o for o in outcomes if o.reason]
    for outcome in holes:
        print(
            f"hole: {outcome.job.label} {outcome.job.run.tracker} {outcome.job.sequence.name}: {outcome.reason}",
            file=sys.stderr,
        )
    for note, count in Counter(outcome.note for outcome in outcomes if outcome.note).items():
        print(f"note: {count} sequences: {note}", file=sys.stderr)
    if any(o.crashed for o in holes):
        return EXIT_HOLES
    return EXIT_BROKEN if holes else 0


COMMANDS: dict[type, Callable[[Any], int]] = {
    arguments.MainJob: main_job,
    arguments.Track: track,
    arguments.Workers: workers,
    arguments.Plan: plan,
    arguments.ScoreResults: score,
    arguments.Export: export,
    arguments.MakeReport: report,
    arguments.Check: check,
    arguments.Describe: describe,
    arguments.Convert: convert,
    arguments.Bench: bench,
    arguments.Train: train,
    arguments.Ablate: ablate,
    arguments.Sweep: sweep,
    arguments.ShowMaps: show_maps,
    arguments.Serve: serve,
    arguments.List: list_names,
}
