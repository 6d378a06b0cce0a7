"""Rows of the paper's tables: which trackers stand for them in an experiment, and why some cannot be run yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from inmo.datasets.base import Dataset
from inmo.datasets.files import open_tree
from inmo.errors import UserError, unknown_name
from inmo.harness.ablation.spec import network_rows
from inmo.harness.constants.tuned_file import read_tuned, with_tuned
from inmo.harness.experiment.spec import AblationEntry, Experiment, TrackerEntry
from inmo.harness.run.setup import Setup, configure
from inmo.harness.training.config import CONFIG, WEIGHTS, load_config
from inmo.records import as_words
from inmo.reports.paper.measured import Source
from inmo.reports.paper.printed import paper_table
from inmo.trackers.pipeline.shipped import architecture
from inmo.trackers.recorded.discovery import find_results

COMPARISON = (2, 3)
"""Tables whose rows are the experiment's trackers."""

ABLATION: Mapping[int, str] = {4: "table4", 5: "table5"}
"""Tables whose rows are trainings -> the ablation whose rows they are."""


@dataclass(frozen=True)
class Candidate:
    """A tracker that an experiment asks for.

    Attributes:
        row: key of the paper's row that it stands for; empty for none.
        label: its name in tables. Candidates of one row and label are runs of one tracker.
        setup: tracker and config.
        absent: why it cannot be run, in one sentence; empty when it can.
        datasets: labels of the datasets that it can be run on; None for all.
        run: which of several runs it is, in words.
        compared: whether the tables have it.
    """

    row: str
    label: str
    setup: Setup
    absent: str = ""
    datasets: tuple[str, ...] | None = None
    run: str = ""
    compared: bool = True

    def on(self, datasets: Sequence[Dataset]) -> list[Dataset]:
        """Those of the datasets that it is run on for the tables; none when it is absent or not for them."""
        if self.absent or not self.compared:
            return []
        return [dataset for dataset in datasets if self.datasets is None or dataset.label in self.datasets]


def candidates(experiment: Experiment) -> list[Candidate]:
    """The experiment's trackers, in order.

    Raises UserError for unknown names or values. Files that are not there yet are a reason, not an error, for a tracker
    that stands for a row: the row shows it.
    """
    made = []
    for entry in experiment.trackers:
        setup = replace(configure(entry.tracker, as_words(entry.settings)), label=entry.label)
        if entry.tuned:
            setup = with_tuned(setup, read_tuned(entry.tuned), entry.tuned)
        row = row_of(entry)
        why = absence(setup) if row else ""
        made.append(Candidate(row, entry.label or setup.spec.title, setup, why, compared=entry.compared))
    return made


def row_of(entry: TrackerEntry) -> str:
    """The paper's row that an entry stands for: the one it names, else the one that its label is the name of."""
    return entry.row or (entry.label if entry.compared and entry.label in rows_of(COMPARISON) else "")


def recorded(experiment: Experiment, datasets: Sequence[Dataset]) -> list[Candidate]:
    """Raw results in the experiment's folder, for rows that no tracker of the experiment stands for.

    Several runs of a tracker (``dimp50_000``, ``dimp50_001`` ...) are a candidate each. Raises UserError for two
    folders of one tracker.
    """
    folder = Path(experiment.results).expanduser()
    if not experiment.results or not folder.is_dir() or not any(folder.iterdir()):
        return []

    tree = open_tree(str(folder))
    taken = {row_of(entry) for entry in experiment.trackers}
    missing = {spelling(key): key for key in rows_of(COMPARISON) if key not in taken}
    found: dict[tuple[str, str], list[str]] = {}
    for dataset in datasets:
        try:
            raw = find_results(tree, dataset.benchmark.name, dataset.label, dataset.sequences)
        except UserError:
            continue  # the folder has nothing for this dataset, and the table says so
        sole: dict[str, str] = {}
        for name, runs in raw.table.items():
            if row := missing.get(spelling(name.rpartition("/")[2])):
                if sole.setdefault(row, name) != name:
                    raise UserError(
                        f"{folder} has {sole[row]} and {name} on {dataset.label}, both called like the paper's {row}: "
                        "keep one"
                    )
                for run in [name] if len(runs) == 1 else [run.name for run in runs]:
                    found.setdefault((row, run), []).append(dataset.label)
    made = []
    for (row, run), labels in found.items():
        setup = replace(configure("recorded", {"results": str(folder), "tracker": run}), label=row)
        made.append(Candidate(row, row, setup, datasets=tuple(labels), run=run))
    return made


def trainings(entry: AblationEntry) -> list[Candidate]:
    """The trainings of Table 4 or 5, row by row, one per seed. Raises UserError for unknown rows or settings."""
    rows = network_rows(ABLATION[entry.table])
    for row in entry.weights:
        if row not in rows:
            raise unknown_name(f"row of table {entry.table}", str(row), rows)
    made = []
    for row, (name, values) in rows.items():
        each: list[dict[str, Any]] = [{"seed": seed} for seed in entry.seeds]
        if row in entry.weights:
            each = [{"weights": path} for path in _files(entry, row)]
        elif entry.trainings:
            each = _trained(entry, row, name, values)
        for own in each:
            setup = configure(name, as_words({**entry.settings, **values, **own}))
            run = str(own.get("weights", f"seed {own.get('seed')}"))
            made.append(Candidate(row, row, setup, absence(setup), run=run))
    return made


def _trained(entry: AblationEntry, row: str, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Weights of a row's trainings in the folder that ``ablate`` filled, by seed; a file that is not there for none.

    Raises UserError for two trainings with one seed, of which nobody could say which is meant.
    """
    folder, wanted = Path(entry.trainings).expanduser(), _network(name, {**entry.settings, **values})
    by_seed: dict[int, Path] = {}
    for path in sorted(folder.glob(f"{name}-*/{CONFIG}")):
        config, weights = load_config(path), path.with_name(WEIGHTS)
        if not weights.is_file() or _network(config.tracker, config.settings) != wanted:
            continue
        if config.seed in by_seed:
            raise UserError(
                f"{by_seed[config.seed]} and {weights} are both row {row} of table {entry.table} with seed "
                f"{config.seed}: name the one that is meant under weights"
            )
        by_seed[config.seed] = weights
    if not by_seed:
        return [{"weights": str(folder / f"(row {row}: ablate {ABLATION[entry.table]})" / WEIGHTS)}]
    return [{"weights": str(weights)} for _, weights in sorted(by_seed.items())]


def _network(name: str, settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What decides a network, the preset's values in the place of what is not said."""
    return name, architecture(configure(name, as_words(settings)).on("lasot"))


def sources(found: Iterable[Candidate], datasets: Sequence[Dataset]) -> dict[str, list[Source]]:
    """Row -> what stands for it in a store that holds these candidates' runs."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in found:
        if candidate.row:
            groups.setdefault((candidate.row, candidate.label), []).append(candidate)
    made: dict[str, list[Source]] = {}
    for (row, label), members in groups.items():
        here = [member for member in members if not member.absent]
        runs = tuple(
            {dataset.label: member.setup.folder(dataset) for dataset in member.on(datasets)} for member in here
        )
        missing = tuple(member.absent for member in members if member.absent)
        made.setdefault(row, []).append(Source(label, runs, missing, tuple(member.run for member in here)))
    return made


def absence(setup: Setup, benchmark_name: str = "lasot") -> str:
    """Why a tracker cannot be run: a file of its config is not there, or no weights are known; empty when it can."""
    config = setup.on(benchmark_name) if setup.spec.name != "recorded" else setup.config
    for item in fields(config):
        value = getattr(config, item.name)
        if item.metadata.get("file") and value and not Path(value).expanduser().is_file():
            return f"{value} is not there"
    if getattr(config, "allow_random_weights", True) or config.weights:
        return ""
    seed = f" and seed {config.seed}" if config.seed else ""
    return f"no weights come with the project for this architecture{seed}"


def rows_of(tables: Iterable[int]) -> tuple[str, ...]:
    """Keys of the rows of these tables of the paper."""
    return tuple(dict.fromkeys(row.key for table in tables for row in paper_table(table).rows))


def spelling(name: str) -> str:
    """A tracker's name as folders may write it: without case, ``pp`` for ``++`` and ``-star`` for ``*``."""
    return name.casefold().replace("++", "pp").replace("_star", "-star").replace("*", "-star")


def _files(entry: AblationEntry, row: str) -> list[str]:
    files = entry.weights[row]
    if isinstance(files, str):
        return [files]
    if not isinstance(files, list) or not all(isinstance(path, str) for path in files):
        raise UserError(f"ablations: weights of {row} must be a file or a list of files, one per training")
    return files
