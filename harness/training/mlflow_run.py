"""A training's rows as a run of MLflow, at the server of ``MLFLOW_TRACKING_URI`` or in a file of its folder."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inmo.errors import UserError

FILE = "mlflow.db"
EXPERIMENT = "inmo-harness"
MOST = {"metrics": 1000, "params": 100, "value": 6000}  # of one request, and letters of a parameter's value


class MlflowRun:
    """A run that begins with the first row written; a training that is continued is a run of its own, whole.

    MLflow cannot forget a step, so the rows up to the checkpoint are written again, and the run of the part before
    keeps what it has. A server that fails on the way is told of once and asked no more: ``log.csv`` has every row.

    Args:
        folder: of the training; the run is called as it is.
        total: steps of the training. A run that ends before them is KILLED, another FINISHED.
        params: what the training is told, by name.
        before: rows that an earlier part wrote, as ``log.csv`` has them.

    Raises:
        UserError: MLflow is not installed, or its store cannot be opened.

    Source: https://mlflow.org/docs/latest/ml/tracking/
    """

    def __init__(
        self, folder: Path, total: int, params: Mapping[str, object], before: Sequence[Mapping[str, str]]
    ) -> None:
        demand_mlflow()
        self._folder, self._total, self._params, self._before = folder, total, params, before
        self._run, self._step, self._silent = "", 0, False
        self.where = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(folder / FILE).resolve().as_posix()}"
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        try:
            self._client = importlib.import_module("mlflow.tracking").MlflowClient(tracking_uri=self.where)
            found = self._client.get_experiment_by_name(name)
            self._experiment = str(found.experiment_id if found else self._client.create_experiment(name))
        except Exception as error:  # of whatever store the address names
            raise UserError(
                f"MLflow cannot open {self.where} ({_words(error)}): mend MLFLOW_TRACKING_URI or "
                "MLFLOW_EXPERIMENT_NAME, or train with --set logger=none"
            ) from error

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Keep a row."""
        if self._silent:
            return
        try:
            self._begin()
            self._send([(name, value, step) for name, value in values.items()])
            self._step = step
        except Exception as error:  # a training of days outlives its logger
            self._silent = True
            sys.stderr.write(f"warning: MLflow takes no more rows ({_words(error)}); {self._folder} has them all\n")

    def close(self) -> None:
        if self._run and not self._silent:
            try:
                self._client.set_terminated(self._run, "FINISHED" if self._step >= self._total else "KILLED")
            except Exception as error:
                sys.stderr.write(f"warning: MLflow was not told that the training ended ({_words(error)})\n")

    def _begin(self) -> None:
        """Make the run, with its parameters and the rows of earlier parts."""
        if self._run:
            return
        folder = self._folder.resolve()
        run = self._client.create_run(self._experiment, tags={"folder": str(folder)}, run_name=folder.name)
        self._run = run.info.run_id
        entities = importlib.import_module("mlflow.entities")
        self._log("params", [entities.Param(name, str(value)[: MOST["value"]]) for name, value in self._params.items()])
        cells = ((int(row["step"]), *cell) for row in self._before for cell in row.items())
        self._send([(name, float(value), step) for step, name, value in cells if name != "step" and value])

    def _send(self, metrics: Sequence[tuple[str, float, int]]) -> None:
        make: Any = importlib.import_module("mlflow.entities").Metric
        now = int(1000 * time.time())
        self._log("metrics", [make(name, value, now, step) for name, value, step in metrics])

    def _log(self, kind: str, made: Sequence[Any]) -> None:
        for start in range(0, len(made), MOST[kind]):
            self._client.log_batch(self._run, **{kind: made[start : start + MOST[kind]]})


def demand_mlflow() -> None:
    """Raises UserError where MLflow cannot be imported."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # a training tells nobody but the store it was given
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    try:
        importlib.import_module("mlflow.tracking")
    except ImportError as error:
        raise UserError(
            f"logger: mlflow wants MLflow, which is not installed ({error}): "
            "pip install -c constraints.txt -e '.[mlflow]', or train with --set logger=none"
        ) from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
