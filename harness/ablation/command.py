"""``run_all.py ablate``: train every row of an ablation, track with each, and say what the rows are worth."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from inmo.datasets.base import Dataset
from inmo.errors import Exit, UserError, unknown_name
from inmo.harness.ablation.spec import FOLDER, Row, flat, last, load_ablation, raw_config, row_config, rows_of, words
from inmo.harness.ablation.trainings import Member, members, missing, run_trainings
from inmo.harness.run.jobs import demand_sequences, plan
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.store import Store, open_store
from inmo.harness.training.checkpoints import seen_pairs
from inmo.harness.training.config import TrainConfig, roots_of
from inmo.harness.training.distributed import joined, processes
from inmo.harness.training.schedule import batch_of, steps_of
from inmo.harness.workers.cluster import Cluster
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.paths import ROOT
from inmo.records import as_words
from inmo.reports.blocks.ablation import ablation_block
from inmo.reports.page.page import write_report
from inmo.reports.scoring.distraction import Distraction
from inmo.reports.scoring.score import Measures
from inmo.reports.scoring.stored import DatasetEvaluation, Evaluation, evaluate_runs
from inmo.reports.scoring.study import BEFORE, KEPT, SHARE, KeptStudy, Study, Values, write_study

KEPT_FILE = "scores.json"
"""In the folder of an ablation's page: what its tables are made of."""


@dataclass(frozen=True)
class Asked:
    """What a command asks of an ablation, over what its file says.

    Attributes:
        file: the ablation's file.
        config: base config in place of the file's; overrides: ``a.b=value`` words over the base of every row.
        rows, seeds, datasets: in place of the file's, where given.
        partial: measure on what is there of an incomplete dataset.
        roots: ``NAME=ROOT`` words, where the training sets lie.
    """

    file: Path
    config: Path | None = None
    overrides: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    datasets: tuple[str, ...] = ()
    partial: bool = False
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """An ablation ready to be done: its rows and trainings, and its datasets as on the command line."""

    stem: str
    title: str
    rows: tuple[Row, ...]
    reference: str
    members: tuple[Member, ...]
    datasets: tuple[str, ...]
    partial: bool


def open_ablation(asked: Asked, home: Path) -> Opened:
    """Read the file and make the rows' configs. Raises UserError for whatever the user can mend."""
    ablation = load_ablation(asked.file)
    known = {row.name: row for row in rows_of(ablation)}
    for name in asked.rows:
        if name not in known:
            raise unknown_name(f"row of {asked.file.stem}", name, known)
    rows = tuple(row for row in known.values() if not asked.rows or row.name in asked.rows)
    raw = raw_config(ablation, asked.file, config=asked.config, overrides=asked.overrides)
    seeds = tuple(dict.fromkeys(asked.seeds or ablation.seeds))
    datasets = asked.datasets or ablation.datasets
    if not seeds or not datasets:
        raise UserError("an ablation wants a seed and a dataset to measure on, as --dataset name=root")
    reference = ablation.reference or [*known][-1]
    if reference not in [row.name for row in rows]:
        reference = rows[-1].name
    roots = roots_of(asked.roots, [row_config(raw, row, seeds[0]) for row in rows], "--roots") if asked.roots else {}
    only = frozenset(asked.seeds if all(row.weights for row in rows) else ())
    found = members(rows, raw, seeds, home / "trainings", asked.file, roots=roots, only=only)
    return Opened(
        asked.file.stem, ablation.title, rows, reference, tuple(found), datasets, asked.partial or ablation.partial
    )


def ablate(
    asked: Asked,
    *,
    out: Path = Path("ablations"),
    device: str = "auto",
    at_once: int = 1,
    resources: Callable[[], AbstractContextManager[Resources]] = lambda: nullcontext(Resources()),
) -> int:
    """Train and measure every row; continues where it stopped. The exit status.

    Trainings lie in ``OUT/trainings``, under a key of all that decides them: rows of any ablations that are the same
    training share it. Results are in ``OUT/store``; the page with its tables and figures is ``OUT/<file's name>``.
    Under torchrun all processes train, and the first one tracks and prints.

    Args:
        device: on which trainings run.
        at_once: trainings at a time on this machine.
        resources: opens what tracks, processes or a cluster; a cluster trains, too.

    Raises:
        UserError: whatever the user can mend.
    """
    opened = open_ablation(asked, out)
    datasets = open_datasets(opened.datasets)  # say what is wrong before hours of training
    demand_sequences(datasets, (), opened.partial)
    todo = missing(opened.members)
    if processes() > 1:
        whole, first = _together(todo, device, at_once)
        if not (whole and first):
            return 0 if whole else Exit.INTERRUPTED
        todo = {}
    with resources() as there:
        cluster = there.workers if isinstance(there.workers, Cluster) else None
        if not run_trainings(todo, device=device, at_once=at_once, cluster=cluster):
            return Exit.INTERRUPTED
        found = track(opened, datasets, open_store(out / "store", write=True), there)
    study = study_of(opened, found)
    if not study.shared:
        raise UserError("no sequence has a score of every training: see the holes in OUT/store, or choose other rows")
    block = ablation_block(study, stem=opened.stem, title=opened.title)
    on = tuple(f"{len(data.dataset.names)} sequences of {data.dataset.title}" for data, _ in found)
    kept = KeptStudy(opened.stem, opened.title, date.today().isoformat(), command_of(asked, opened), on, study)
    file = write_study(kept, out / opened.stem / KEPT_FILE)
    page = write_report(
        Store(out / "store"), out / opened.stem, title=opened.title,
        evaluation=Evaluation(tuple(data for data, _ in found)), blocks=[block],
    )  # fmt: skip
    for table in block.tables.values():
        sys.stdout.write(f"## {table.title}\n\n{table.render('md')}\n")
    sys.stdout.write(f"page: {page}\nscores alone, for a page of other results: {file}\n")
    return 0


def _together(todo: Mapping[Path, TrainConfig], device: str, at_once: int) -> tuple[bool, bool]:
    """Train in all processes of torchrun, which are one group from the first training to the last; whether all came to
    their ends, and whether this is the process that goes on alone."""
    if at_once > 1:
        raise UserError("torchrun's processes do every training together: leave out --trainings")
    with joined(device) as group:
        group.wait()  # until all have seen what is done: the first one writes weights
        return run_trainings(todo, device=device, group=group), group.first


Found = list[tuple[DatasetEvaluation, Mapping[tuple[str, int], str]]]
"""Per dataset what was scored, and (row, seed) -> the name of its run there."""


def track(opened: Opened, datasets: Sequence[Dataset], store: Store, there: Resources) -> Found:
    """Track with every training what is not in the store yet, and score it.

    Rows with one network and one set of test-time constants are one run.
    """
    setups = [member.setup(f"{opened.stem} {member.row} seed {member.seed}") for member in opened.members]
    found: Found = []
    for dataset in datasets:
        own = {setup.folder(dataset): setup for setup in reversed(setups)}
        run_jobs(
            plan(store, [dataset], [*reversed(own.values())], device=there.device, partial=opened.partial)[0], there
        )
    for dataset in datasets:
        folders = [setup.folder(dataset) for setup in setups]
        data = evaluate_runs(store, dataset.label, set(folders))
        named = {run.run.folder: run.name for run in data.runs}
        whose = {(m.row, m.seed): named[folder] for m, folder in zip(opened.members, folders, strict=True)}
        found.append((data, whose))
    return found


def study_of(opened: Opened, found: Found) -> Study:
    """What was measured, row by row and seed by seed, over all datasets."""
    rows: dict[str, dict[int, dict[str, Values]]] = {row.name: {} for row in opened.rows}
    groups: dict[str, set[str]] = {}
    for data, whose in found:
        scores, label = {score.tracker: score for score in data.default}, data.dataset.label
        for (row, seed), name in whose.items():
            own = {
                f"{label}/{sequence}": _values(measures, data.distraction.get(sequence, {}).get(name))
                for sequence, measures in scores[name].per_sequence.items()
            }
            rows[row].setdefault(seed, {}).update(own)
        if len(found) > 1:
            groups[data.dataset.title] = {f"{label}/{name}" for name in data.dataset.names}
        for code in data.dataset.attributes:
            tagged = {f"{label}/{name}" for name, own in data.attributed.items() if code in own}
            groups.setdefault(code, set()).update(tagged)
    return Study(
        rows, opened.reference, factors(opened), {name: frozenset(own) for name, own in groups.items() if own},
        trained_words(opened),
    )  # fmt: skip


def _values(measures: Measures, distraction: Distraction | None) -> Values:
    found = {key: getattr(measures, key) for key in KEPT if key not in (SHARE, BEFORE)}
    if distraction is not None:
        found |= {SHARE: distraction.share, BEFORE: float(distraction.before)}
    return {key: float(value) for key, value in found.items() if value is not None}


def command_of(asked: Asked, opened: Opened) -> str:
    """The words that measure it again; datasets by name, as roots are somebody's own."""
    name = asked.file.stem if asked.file.parent == FOLDER else asked.file.name
    words = ["run_all.py", "ablate", name, *(part for word in asked.overrides for part in ("--set", word))]
    words += ["--config", _named(asked.config)] if asked.config else []
    words += ["--rows", *asked.rows] if asked.rows else []
    own = {tuple(m.seed for m in opened.members if m.row == row.name) for row in opened.rows}
    seeds = asked.seeds or (own.pop() if len(own) == 1 else ())  # else each row has those of its weights
    words += ["--seeds", *dict.fromkeys(map(str, seeds))] if seeds else []
    words += ["--roots", *map(_rootless, asked.roots)] if asked.roots else []
    words += ["--dataset", *map(_rootless, opened.datasets)]
    return shlex.join([*words, *(["--partial"] if opened.partial else [])])


def _named(config: Path) -> str:
    """The file as the checkout has it, else its name."""
    return str(config.resolve().relative_to(ROOT)) if config.resolve().is_relative_to(ROOT) else config.name


def _rootless(word: str) -> str:
    return re.sub("=.*", "=ROOT", word)


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
