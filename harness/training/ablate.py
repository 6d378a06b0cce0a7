"""``run_all.py ablate``: train every row of a table on the same pairs, track, score, and say how much seeds matter."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from datasets import open_dataset
from datasets.errors import UserError, unknown_name
from harness.training.command import run_training
from harness.training.config import TrainConfig, load_config
from harness.training.loop import CHECKPOINT, WEIGHTS
from trackers.ablations import TABLES

EXIT_INTERRUPTED = 130
PROTOCOL = "pysot"


@dataclass(frozen=True)
class Trained:
    """One training of the table: row, seed, its folder and AUC (0..1) by sequence."""

    row: str
    seed: int
    folder: Path
    scores: Mapping[str, float]


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
) -> int:
    """Train and measure every row of ``table4`` or ``table5``; continues where it stopped. The exit status.

    Every row gets the config's data, steps, batch, objective and schedule; only the row's own settings and the seed
    differ. Row and seed have a folder each, ``OUT/<table>/<row>/seed-<n>``; the table is ``OUT/<table>/table.csv``,
    ``.md`` and ``.json``.

    Args:
        config_path, overrides: see ``command.train``; the tracker's settings are the base of every row.
        datasets: ``name=root`` to track, as for ``track``.
        rows: only these; all when empty.
        seeds: one training each; three and more give a spread.

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
    base, home = load_config(config_path, overrides), Path(out) / table
    done: list[Trained] = []
    for seed in seeds:  # all rows of one seed first: an ablation that is stopped early still compares rows
        for row in rows or TABLES[table]:
            folder = home / row / f"seed-{seed}"
            config = row_config(base, table, row, seed)
            if not (folder / WEIGHTS).is_file():
                sys.stderr.write(f"{table}: {row}, seed {seed}\n")
                resume = (folder / CHECKPOINT).is_file()
                if run_training(config, folder, resume=resume, device=device).interrupted:
                    return EXIT_INTERRUPTED
            done.append(Trained(row, seed, folder, _measured(config, folder, datasets, device)))
    for name, text in render(table, done, base).items():
        (home / name).write_text(text, encoding="utf-8")
    sys.stdout.write(render(table, done, base)["table.md"])
    return 0


def row_config(base: TrainConfig, table: str, row: str, seed: int) -> TrainConfig:
    """The base config with the row's tracker, the row's values over the settings, and the seed."""
    name, values = TABLES[table][row]
    return replace(base, tracker=name, settings={**base.settings, **values}, seed=seed)


def _measured(config: TrainConfig, folder: Path, datasets: Sequence[str], device: str) -> dict[str, float]:
    """AUC by sequence, kept beside the weights under the data sets' names."""
    from harness.training.model import build_model
    from harness.training.validation import score_clips

    words = json.dumps([*datasets, (folder / WEIGHTS).stat().st_mtime_ns])
    path = folder / f"scores-{hashlib.sha256(words.encode()).hexdigest()[:12]}.json"
    if path.is_file():
        kept: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    for word in datasets:
        name, _, root = word.rpartition("=")
        open_dataset(name or "folder", root)
    model = build_model(config.tracker, config.settings, config.objective)
    scores = score_clips(model, folder / WEIGHTS, datasets, "cpu" if device == "auto" else device)
    path.write_text(json.dumps(scores), encoding="utf-8")
    return scores


def summarise(done: Sequence[Trained]) -> list[dict[str, Any]]:
    """Per row: mean AUC over seeds and sequences in percent, its bootstrap interval over sequences (of the mean over
    seeds), the spread of the seeds, and the paired difference to the last row with its interval."""
    from reports.statistics import bootstrap_interval

    by_row: dict[str, dict[str, list[float]]] = {}
    seeds: dict[str, list[float]] = {}
    for item in done:
        for name, value in item.scores.items():
            by_row.setdefault(item.row, {}).setdefault(name, []).append(100 * value)
        seeds.setdefault(item.row, []).append(100 * float(np.mean(list(item.scores.values()))))
    means = {row: {name: float(np.mean(v)) for name, v in values.items()} for row, values in by_row.items()}
    reference = means[done[-1].row]
    found = []
    for row, values in means.items():
        against = [values[name] - reference[name] for name in values if name in reference]
        found.append(
            {
                "row": row,
                "seeds": len(seeds[row]),
                "sequences": len(values),
                "auc": float(np.mean(list(values.values()))),
                "interval": _ends(bootstrap_interval(list(values.values()))),
                "seed_deviation": float(np.std(seeds[row], ddof=1)) if len(seeds[row]) > 1 else None,
                "to_last": float(np.mean(against)),
                "to_last_interval": _ends(bootstrap_interval(against)) if values is not reference else None,
            }
        )
    return found


def render(table: str, done: Sequence[Trained], base: TrainConfig) -> dict[str, str]:
    """The table as Markdown, CSV and JSON: file name -> text."""
    from harness.training.schedule import SCHEDULES

    rows = summarise(done)
    plan = SCHEDULES[base.schedule]
    batch = base.batch or plan.batch
    pairs = (base.steps or plan.epochs * (plan.pairs // batch)) * batch
    lines = [
        f"{table}: AUC in percent, every row trained on {pairs:,} pairs; intervals: 95 % bootstrap over sequences.",
        "",
        "| row | AUC | interval | seeds | deviation of seeds | less the last row | interval |",
        "|---|---|---|---|---|---|---|",
    ]
    for item in rows:
        cells = (
            item["row"], f"{item['auc']:.1f}", _span(item["interval"]), str(item["seeds"]),
            "" if item["seed_deviation"] is None else f"{item['seed_deviation']:.1f}",
            f"{item['to_last']:+.1f}", _span(item["to_last_interval"]),
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = {"table": table, "pairs": pairs, "rows": rows, "config": base.identity()}
    return {
        "table.md": "\n".join(lines) + "\n",
        "table.csv": text.getvalue(),
        "table.json": json.dumps(content, indent=1) + "\n",
    }


def _ends(interval: Any) -> list[float] | None:
    return None if interval is None else [float(interval.low), float(interval.high)]


def _span(ends: list[float] | None) -> str:
    return "" if ends is None else f"[{ends[0]:.1f}, {ends[1]:.1f}]"
