"""``run_all.py ablate``: train every row of a table on the same pairs, track, score, and say how much seeds matter."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from inmo.errors import Exit, UserError, unknown_name
from inmo.harness.run.jobs import plan
from inmo.harness.run.setup import Setup, configure, open_datasets
from inmo.harness.store.store import open_store
from inmo.harness.training.command import run_training
from inmo.harness.training.config import TrainConfig, load_config
from inmo.harness.training.loop import CHECKPOINT, WEIGHTS
from inmo.harness.workers.cluster import Cluster
from inmo.harness.workers.parallel import run_jobs
from inmo.records import as_words
from inmo.reports.scoring.score import Measures
from inmo.trackers.families.ablations import TABLES
from inmo.trackers.pipeline.shipped import architecture


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
    workers: Callable[[], AbstractContextManager[int | Cluster]] = lambda: nullcontext(1),
    lanes: int | Literal["auto"] = 1,
    partial: bool = False,
) -> int:
    """Train and measure every row of ``table4`` or ``table5``; continues where it stopped. The exit status.

    Every row gets the config's data, steps, batch, objective and schedule; only the row's own settings and the seed
    differ. Trainings lie in ``OUT/trainings``, under a key of all that decides them: rows of the two tables that are
    the same training share it, and another number of steps is another training. Results are in ``OUT/store``; the
    table is ``OUT/<table>.csv``, ``.md`` and ``.json``.

    Args:
        config_path, overrides: see ``command.train``; the tracker's settings are the base of every row.
        datasets: ``name=root`` to track, as for ``track``.
        rows: only these; all when empty.
        seeds: one training each; three and more give a spread.
        workers: opens what tracks, processes or a cluster, when the trainings are done.
        lanes: see ``run.lanes``.
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
    measured = _measured(base, table, done, home / "store", datasets, device, partial, workers, lanes)
    files = render(table, measured, base)
    for name, text in files.items():
        (home / name).write_text(text, encoding="utf-8")
    sys.stdout.write(files[f"{table}.md"])
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
    device: str,
    partial: bool,
    workers: Callable[[], AbstractContextManager[int | Cluster]],
    lanes: int | Literal["auto"],
) -> list[Trained]:
    """Track with every training's weights what is not in the store yet, and score it."""
    from inmo.reports.scoring.stored import evaluate

    names = {(item.row, item.seed): f"{table} {item.row} seed {item.seed}" for item in done}
    setups = [
        _setup(row_config(base, table, item.row, item.seed), item.weights, names[item.row, item.seed]) for item in done
    ]
    store, opened = open_store(store_path, write=True), open_datasets(datasets)
    jobs, _ = plan(store, opened, setups, device=device, partial=partial)
    with workers() as there:
        run_jobs(jobs, workers=there, lanes=lanes)
    found: dict[str, dict[str, Measures]] = {}
    for data in evaluate(store).datasets:
        if data.dataset.label in {dataset.label for dataset in opened}:
            for score in data.default:
                parts = {f"{data.dataset.label}/{name}": measures for name, measures in score.per_sequence.items()}
                found.setdefault(score.tracker, {}).update(parts)
    return [replace(item, scores=found.get(names[item.row, item.seed], {})) for item in done]


def summarise(done: Sequence[Trained]) -> list[dict[str, Any]]:
    """Per row, in percent: mean AUC, P and P_norm@0.2 over seeds and sequences; the AUC's bootstrap interval over
    sequences (of the mean over seeds), the spread of the seeds, and the paired difference to the last row.

    Only sequences that every training has enter; a row that lacks some would otherwise be compared with itself on
    easier ones.
    """
    from inmo.reports.scoring.statistics import bootstrap_interval

    shared = set.intersection(*({n for n, m in item.scores.items() if m.success_auc is not None} for item in done))
    means = {row: _over_seeds(done, row, "success_auc", shared) for row in dict.fromkeys(item.row for item in done)}
    reference = means[done[-1].row]
    found = []
    for row, values in means.items():
        own = [item for item in done if item.row == row]
        seeds = [100 * float(np.mean([_value(item, n, "success_auc") for n in shared])) for item in own]
        against = [values[name] - reference[name] for name in values]
        found.append(
            {
                "row": row,
                "seeds": len(seeds),
                "sequences": len(shared),
                "auc": _mean(values),
                "interval": _ends(bootstrap_interval(list(values.values()))),
                "norm_precision": _mean(_over_seeds(done, row, "norm_precision_020", shared)),
                "precision": _mean(_over_seeds(done, row, "precision_20", shared)),
                "seed_deviation": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
                "to_last": float(np.mean(against)),
                "to_last_interval": _ends(bootstrap_interval(against)) if values is not reference else None,
            }
        )
    return found


def _value(item: Trained, name: str, key: str) -> float:
    value = getattr(item.scores[name], key)
    return float("nan") if value is None else float(value)


def _over_seeds(done: Sequence[Trained], row: str, key: str, names: set[str]) -> dict[str, float]:
    """Sequence -> mean over the row's seeds, in percent."""
    own = [item for item in done if item.row == row]
    return {name: 100 * float(np.mean([_value(item, name, key) for item in own])) for name in sorted(names)}


def _mean(values: Mapping[str, float]) -> float | None:
    """Over the sequences that have the measure; None when none has."""
    known = [value for value in values.values() if not np.isnan(value)]
    return float(np.mean(known)) if known else None


def render(table: str, done: Sequence[Trained], base: TrainConfig) -> dict[str, str]:
    """The table as Markdown, CSV and JSON: file name -> text."""
    from inmo.harness.training.schedule import SCHEDULES

    rows = summarise(done)
    plan = SCHEDULES[base.schedule]
    batch = base.batch or plan.batch
    pairs = (base.steps or plan.epochs * (plan.pairs // batch)) * batch
    lines = [
        f"{table}: percent over {rows[0]['sequences']} sequences, every row trained on {pairs:,} pairs; "
        "intervals: 95 % bootstrap over sequences.",
        "",
        "| row | AUC | interval | P_norm | P | seeds | deviation of seeds | less the last row | interval |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for item in rows:
        cells = (
            item["row"], f"{item['auc']:.1f}", _span(item["interval"]), _one(item["norm_precision"]),
            _one(item["precision"]), str(item["seeds"]),
            _one(item["seed_deviation"]),
            f"{item['to_last']:+.1f}", _span(item["to_last_interval"]),
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = {"table": table, "pairs": pairs, "rows": rows, "config": base.identity()}
    return {
        f"{table}.md": "\n".join(lines) + "\n",
        f"{table}.csv": text.getvalue(),
        f"{table}.json": json.dumps(content, indent=1) + "\n",
    }


def _one(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _ends(interval: Any) -> list[float] | None:
    return None if interval is None else [float(interval.low), float(interval.high)]


def _span(ends: list[float] | None) -> str:
    return "" if ends is None else f"[{ends[0]:.1f}, {ends[1]:.1f}]"
