"""The diary of a training: a CSV file, events for TensorBoard, a run of MLflow if asked for, a line on the terminal."""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inmo.harness.training.mlflow_run import MlflowRun

LOG = "log.csv"
WRITERS = ("torch.utils.tensorboard", "tensorboardX")  # the first that can be imported writes the events


class Diary:
    """Rows of numbers per step, in ``log.csv``, as TensorBoard events, and in MLflow if asked for.

    Args:
        folder: of the run.
        step: rows from here on are of a part that is done again, and are dropped.
        quiet: nothing on the terminal.
        mlflow: steps of the training and its parameters by name, for a run of MLflow; None: none.

    Raises UserError: see ``MlflowRun``.
    """

    def __init__(
        self,
        folder: Path,
        step: int = 0,
        *,
        quiet: bool = False,
        mlflow: tuple[int, Mapping[str, object]] | None = None,
    ) -> None:
        self.path, self.quiet = folder / LOG, quiet
        rows = [row for row in read_log(folder) if int(row["step"]) <= step]
        self._columns: list[str] = list(rows[0]) if rows else []
        self._write_all(rows)
        self._run = MlflowRun(folder, *mlflow, rows) if mlflow else None
        self._events = _event_writer(folder / "events", step + 1)

    def write(self, step: int, values: Mapping[str, float], *, words: str = "") -> None:
        """Keep a row; columns that are new extend the file. ``words`` are for the person who waits."""
        row = {"step": str(step)} | {name: f"{value:.6g}" for name, value in values.items()}
        if not set(row) <= set(self._columns):
            old = read_log(self.path.parent)
            self._columns += [name for name in row if name not in self._columns]
            self._write_all(old)
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            csv.DictWriter(stream, self._columns).writerow(row)
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
        if self._run is not None:
            self._run.write(step, values)
        if words and not self.quiet:
            sys.stderr.write(words + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        if self._events is not None:
            self._events.close()
        if self._run is not None:
            self._run.close()

    def _write_all(self, rows: list[dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", newline="", encoding="utf-8") as stream:
            if self._columns:
                writer = csv.DictWriter(stream, self._columns, restval="")
                writer.writeheader()
                writer.writerows(rows)


def read_log(folder: Path) -> list[dict[str, str]]:
    """Rows of a training's ``log.csv``; none where there is no such file."""
    if not (folder / LOG).is_file():
        return []
    with (folder / LOG).open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if (row.get("step") or "").isdecimal()]


def _event_writer(folder: Path, purge: int) -> Any:
    """A writer that makes readers forget what an earlier part wrote of the step ``purge`` and later ones."""
    for name in WRITERS:
        try:
            return importlib.import_module(name).SummaryWriter(str(folder), purge_step=purge)
        except ImportError:
            continue
    return None


def clock(seconds: float) -> str:
    """3723 as 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
