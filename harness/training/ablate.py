"""``run_all.py ablate``: train every row of a table on the same pairs, track, score, and say how much seeds matter."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inmo.errors import Exit, UserError, unknown_name
from inmo.harness.run.jobs import plan
from inmo.harness.run.setup import Setup, configure, open_datasets
from inmo.harness.store.store import open_store
from inmo.harness.training.command import run_training
from inmo.harness.training.config import CHECKPOINT, WEIGHTS, TrainConfig, load_config
from inmo.harness.training.schedule import SCHEDULES
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.records import as_words
from inmo.reports.scoring.score import Measures
from inmo.reports.scoring.statistics import FRACTIONS, Interval, bootstrap_interval, compare_with_best, interval_words
from inmo.reports.scoring.stored import evaluate
from inmo.reports.tables.table import Cell, Column, Table, percent, write_tables
from inmo.trackers.families.ablations import TABLES
from inmo.trackers.pipeline.shipped import architecture

COLUMNS = (
    Column("row", "row"),
    percent("auc", "AUC"),
    percent("norm_precision", "P_norm"),
    percent("precision", "P"),
    Column("seeds", "seeds", digits=0),
    percent("seed_deviation", "deviation of seeds", "of the AUC over the row's seeds", better=0),
    percent("to_last", "less the last row", better=0),
)


@dataclass(frozen=True)
class Trained:
    """One training of the table: row, seed, its weights, and what was measured by dataset/sequence."""

    row: str
    seed: int
    weights: Path
    scores: Mapping[str, Measures]


def ablate(
    table: str,
    config_path: str | Path,
    overrides: Sequence[str] = (),
    *,
    out: str | Path = "ablations",
    datasets: Sequence[str] = (),
    rows: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    device: str = "auto",
    resources: Callable[[], AbstractContextManager[Resources]] = lambda: nullcontext(Resources()),
    partial: bool = False,
) -> int:
    """Train and measure every row of ``table4`` or ``table5``; continues where it stopped. The exit status.

    Every row gets the config's data, steps, batch, objective and schedule; only the row's own settings and the seed
    differ. Trainings lie in ``OUT/trainings``, under a key of all that decides them: rows of the two tables that are
    the same training share it, and another number of steps is another training. Results are in ``OUT/store``; the
    table is ``OUT/<table>.md``, ``.csv``, ``.tex`` and ``.json``.

    Args:
        config_path, overrides: see ``command.train``; the tracker's settings are the base of every row.
        datasets: ``name=root`` to track, as for ``track``.
        rows: only these; all when empty.
        seeds: one training each; three and more give a spread.
        device: on which trainings run.
        resources: opens what tracks, processes or a cluster, when the trainings are done.
        partial: measure on what is there of an incomplete dataset.

    Raises:
        UserError: unknown names, and whatever a training may raise.
    """
    if table not in TABLES:
        raise unknown_name("ablation table", table, TABLES)
    for row in rows:
        if row not in TABLES[table]:
            raise unknown_name(f"row of {table}", row, TABLES[table])
    if not seeds or not datasets:
        raise UserError("an ablation wants a seed and a dataset to measure on, as --dataset name=root")
    open_datasets(datasets)  # say what is wrong before hours of training
    base, home = load_config(config_path, overrides), Path(out)
    done: list[Trained] = []
    for seed in seeds:  # all rows of one seed first: an ablation that is stopped early still compares rows
        for row in rows or TABLES[table]:
            config = row_config(base, table, row, seed)
            folder = home / "trainings" / training_key(config)
            if not (folder / WEIGHTS).is_file():
                sys.stderr.write(f"{table}: {row}, seed {seed}\n")
                resume = (folder / CHECKPOINT).is_file()
                if run_training(config, folder, resume=resume, device=device).interrupted:
                    return Exit.INTERRUPTED
            done.append(Trained(row, seed, folder / WEIGHTS, {}))
    measured = _measured(base, table, done, home / "store", datasets, partial, resources)
    made = summarise(table, measured, base)
    write_tables({table: made}, home)
    text = made.render("md")
    (home / f"{table}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def row_config(base: TrainConfig, table: str, row: str, seed: int) -> TrainConfig:
    """The base config with the row's tracker, the row's values over the settings, and the seed."""
    name, values = TABLES[table][row]
    return replace(base, tracker=name, settings={**base.settings, **values}, seed=seed)


def training_key(config: TrainConfig) -> str:
    """Folder name of a training: tracker, 12 hex digits over all that decides its weights, and the seed.

    Settings count as the network that they make: leaving a value out and giving its default are one training.
    """
    network = architecture(_setup(config).on("lasot"))
    same = replace(config, settings={}, seed=0)
    words = json.dumps([network, same.identity()], sort_keys=True, default=str)
    return f"{config.tracker}-{hashlib.sha256(words.encode()).hexdigest()[:12]}-seed-{config.seed}"


def _setup(config: TrainConfig, weights: Path | None = None, label: str = "") -> Setup:
    words = as_words(config.settings) | ({"weights": str(weights)} if weights else {})
    return replace(configure(config.tracker, words), label=label)


def _measured(
    base: TrainConfig,
    table: str,
    done: Sequence[Trained],
    store_path: Path,
    datasets: Sequence[str],
    partial: bool,
    resources: Callable[[], AbstractContextManager[Resources]],
) -> list[Trained]:
    """Track with every training's weights what is not in the store yet, and score it."""
    names = {(item.row, item.seed): f"{table} {item.row} seed {item.seed}" for item in done}
    setups = [
        _setup(row_config(base, table, item.row, item.seed), item.weights, names[item.row, item.seed]) for item in done
    ]
    store, opened = open_store(store_path, write=True), open_datasets(datasets)
    with resources() as there:
        run_jobs(plan(store, opened, setups, device=there.device, partial=partial)[0], there)
    found: dict[str, dict[str, Measures]] = {}
    for data in evaluate(store).datasets:
        if data.dataset.label in {dataset.label for dataset in opened}:
            for score in data.default:
                parts = {f"{data.dataset.label}/{name}": measures for name, measures in score.per_sequence.items()}
                found.setdefault(score.tracker, {}).update(parts)
    return [replace(item, scores=found.get(names[item.row, item.seed], {})) for item in done]


def summarise(table: str, done: Sequence[Trained], base: TrainConfig) -> Table:
    """Per row: mean AUC, P_norm@0.2 and P over seeds and sequences, the AUC's bootstrap interval over sequences (of the
    mean over seeds), the spread of the seeds, and the paired difference to the last row.

    Only sequences that every training has enter; a row that lacks some would otherwise be compared with itself on
    easier ones.
    """
    shared = set.intersection(*({n for n, m in item.scores.items() if m.success_auc is not None} for item in done))
    names, last = sorted(shared), done[-1].row
    means = {row: _over_seeds(done, row, "success_auc", names) for row in dict.fromkeys(item.row for item in done)}
    compared = compare_with_best(means, last)
    rows = []
    for row, values in means.items():
        seeds = [float(np.mean([item.scores[n].success_auc for n in names])) for item in done if item.row == row]
        against = compared.get(row)
        rows.append(
            (
                Cell(row),
                Cell(_mean(values), _ends(bootstrap_interval([*values.values()], within=FRACTIONS))),
                Cell(_mean(_over_seeds(done, row, "norm_precision_020", names))),
                Cell(_mean(_over_seeds(done, row, "precision_20", names))),
                Cell(len(seeds)),
                Cell(float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None),
                Cell(against.difference, _ends(against.interval)) if against else Cell(0.0),
            )
        )
    schedule = SCHEDULES[base.schedule]
    batch = base.batch or schedule.batch
    pairs = (base.steps or schedule.epochs * (schedule.pairs // batch)) * batch
    caption = (
        f"{table}, {len(names)} sequences, every row trained on {pairs:,} pairs (config {base.identity()}); intervals: "
        f"{interval_words(len(names))}"
    )
    return Table("", caption, COLUMNS, tuple(rows))


def _over_seeds(done: Sequence[Trained], row: str, key: str, names: Sequence[str]) -> dict[str, float]:
    """Sequence -> mean over the row's seeds; sequences that have no such measure are left out."""
    own = [item for item in done if item.row == row]
    found = {name: [getattr(item.scores[name], key) for item in own] for name in names}
    return {name: float(np.mean(values)) for name, values in found.items() if None not in values}


def _mean(values: Mapping[str, float]) -> float | None:
    """Over the sequences that have the measure; None when none has."""
    return float(np.mean([*values.values()])) if values else None


def _ends(interval: Interval | None) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval else None
