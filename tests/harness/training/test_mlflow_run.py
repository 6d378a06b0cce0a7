"""Rows in MLflow: those of the table, in a run of each part of a training, and a training that goes on without."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inmo.errors import UserError
from inmo.harness.training.command import run_training
from inmo.harness.training.config import load_config
from inmo.harness.training.diary import Diary
from inmo.harness.training.mlflow_run import EXPERIMENT, FILE
from tests.conftest import ROOT
from tests.harness.training.tiny import tiny_config


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


def client_of(address: str) -> Any:
    tracking = pytest.importorskip("mlflow.tracking", reason="MLflow is not installed: pip install -e '.[mlflow]'")
    return tracking.MlflowClient(tracking_uri=address)


def write(folder: Path, start: int, steps: dict[int, float], total: int) -> None:
    diary = Diary(folder, start, quiet=True, mlflow=(total, {"tracker": "siamcar", "batch": 4}))
    for step, loss in steps.items():
        diary.write(step, {"loss": loss})
    diary.close()


def test_every_part_is_a_run_with_all_rows_up_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed behind step 8, continued from the checkpoint of step 4."""
    address = (tmp_path / "server").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # its database takes seconds to make
    client = client_of(address)
    write(tmp_path / "run", 0, {2: 8.0, 4: 4.0, 6: 3.0, 8: 1.0}, total=10)
    write(tmp_path / "run", 4, {6: 2.5, 10: 0.5}, total=10)
    write(tmp_path / "run", 10, {}, total=10)  # a training that is done
    runs = client.search_runs([client.get_experiment_by_name("mine").experiment_id], order_by=["start_time"])
    assert [(run.info.run_name, run.info.status) for run in runs] == [("run", "KILLED"), ("run", "FINISHED")]
    found = [[(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")] for run in runs]
    assert [sorted(rows) for rows in found] == [
        [(2, 8.0), (4, 4.0), (6, 3.0), (8, 1.0)],
        [(2, 8.0), (4, 4.0), (6, 2.5), (10, 0.5)],
    ]
    assert runs[0].data.params == {"tracker": "siamcar", "batch": "4"}
    assert not (tmp_path / "run" / FILE).exists()


@pytest.mark.slow
def test_a_training_without_a_server_has_a_file(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow.tracking", reason="MLflow is not installed: pip install -e '.[mlflow]'")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    config = tiny_config(photos, logger="mlflow")
    assert config.identity() == tiny_config(photos).identity()
    folder = tmp_path / "a run"
    run_training(config, folder, device="cpu", quiet=True)
    client = client_of(f"sqlite:///{folder / FILE}")
    (run,) = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert (run.info.run_name, run.info.status) == ("a run", "FINISHED")
    assert (run.data.params["tracker"], run.data.params["batch"]) == ("transinmo", "4")
    with (folder / "log.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name in ("loss", "rate", "pairs_per_second"):
        kept = [(m.step, f"{m.value:.6g}") for m in client.get_metric_history(run.info.run_id, name)]
        assert sorted(kept) == [(int(row["step"]), row[name]) for row in rows]
    assert list(Path().iterdir()) == []


class Flaky:
    """A server that answers until the second row."""

    rows = 0

    def __init__(self, tracking_uri: str) -> None:
        if "nowhere" in tracking_uri:
            raise OSError("no route to host")

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id="7")

    def create_run(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    def log_batch(self, run: str, metrics: Any = (), params: Any = ()) -> None:
        type(self).rows += len(metrics)
        if type(self).rows > 1:
            raise OSError("connection reset")


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> None:
    Flaky.rows = 0
    entities = SimpleNamespace(Metric=lambda *values: values, Param=lambda *values: values)
    for name, module in (("tracking", SimpleNamespace(MlflowClient=Flaky)), ("entities", entities)):
        monkeypatch.setitem(sys.modules, f"mlflow.{name}", module)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace())


@pytest.mark.usefixtures("flaky")
def test_a_server_that_goes_away_is_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, 0, {2: 8.0, 4: 4.0, 6: 2.0}, total=6)
    assert capsys.readouterr().err.count("MLflow takes no more rows (connection reset)") == 1
    assert Flaky.rows == 2
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4


@pytest.mark.usefixtures("flaky")
def test_a_server_that_is_not_there_stops_before_the_first_step(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nowhere:5000")
    config = tiny_config(photos, logger="mlflow")
    with pytest.raises(UserError, match=r"cannot open http://nowhere:5000 \(no route to host\): mend MLFLOW_TRACKING"):
        run_training(config, tmp_path / "run", device="cpu", quiet=True)


def test_without_the_package_the_error_says_what_to_do(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    config = tiny_config(photos, logger="mlflow")
    with pytest.raises(
        UserError, match=r"pip install -c constraints.txt -e '.\[mlflow\]', or train with --set logger=none"
    ):
        run_training(config, tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run").exists()


def test_the_word_that_leaves_it_out_is_one_of_the_config() -> None:
    file = ROOT / "configs" / "nano" / "siamcar.yaml"
    assert load_config(file).logger == load_config(file, ["logger=none"]).logger == "none"
    with pytest.raises(UserError, match="logger is 'wandb'"):
        load_config(file, ["logger=wandb"])
