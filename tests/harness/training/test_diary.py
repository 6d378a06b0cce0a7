"""The diary: rows and events of a part that is done again are forgotten, all others stay."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from inmo.errors import UserError
from inmo.harness.training import diary as records
from inmo.harness.training.command import prepare
from inmo.harness.training.diary import Diary
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.sampling import Batch, Positions, loader
from tests.harness.training.tiny import tiny_config

Events = Callable[[Path], list[tuple[int, float]]]


class Writer:
    """What TensorBoard's writer and reader do together: events at ``purge_step`` and later are forgotten."""

    kept: dict[str, list[tuple[str, float, int]]]
    closed: int

    def __init__(self, folder: str, purge_step: int | None = None) -> None:
        self.folder = folder
        events = self.kept.setdefault(folder, [])
        if purge_step is not None:
            self.kept[folder] = [event for event in events if event[2] < purge_step]

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.kept[self.folder].append((name, value, step))

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture(params=["by hand", "tensorboard"])
def losses(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Events:
    """Reads (step, loss) of a folder of events."""
    if request.param == "by hand":
        Writer.kept, Writer.closed = {}, 0
        monkeypatch.setitem(sys.modules, "events_by_hand", SimpleNamespace(SummaryWriter=Writer))
        monkeypatch.setattr(records, "WRITERS", ("nothing_by_this_name", "events_by_hand"))
        return lambda folder: [(step, value) for name, value, step in Writer.kept[str(folder)] if name == "loss"]
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is not installed: pip install -e '.[test]'",
    )
    monkeypatch.setattr(records, "WRITERS", ("torch.utils.tensorboard",))

    def read(folder: Path) -> list[tuple[int, float]]:
        found = reader.EventAccumulator(str(folder), size_guidance={"scalars": 0})
        found.Reload()
        return [(event.step, event.value) for event in found.Scalars("loss")]

    return read


def write(folder: Path, start: int, steps: dict[int, float]) -> None:
    """A part of a training that continues from ``start``."""
    diary = Diary(folder, start, quiet=True)
    for step, loss in steps.items():
        diary.write(step, {"loss": loss})
    diary.close()
    if "torch.utils.tensorboard" in records.WRITERS:
        time.sleep(1.1)  # event files are read in the order of their names, which hold seconds


def rows(folder: Path) -> list[tuple[int, float]]:
    with (folder / "log.csv").open(newline="") as stream:
        return [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(stream)]


def test_events_are_those_of_the_table(losses: Events, tmp_path: Path) -> None:
    write(tmp_path, 0, {2: 8.0, 4: 4.0, 6: 2.0})
    assert losses(tmp_path / "events") == rows(tmp_path) == [(2, 8.0), (4, 4.0), (6, 2.0)]


def test_what_is_done_again_is_forgotten_and_what_was_saved_stays(losses: Events, tmp_path: Path) -> None:
    """Killed behind step 8, continued from the checkpoint of step 4, whose own row is not written again."""
    write(tmp_path, 0, {2: 8.0, 4: 4.0, 6: 3.0, 8: 1.0})
    write(tmp_path, 4, {6: 2.5})
    expected = [(2, 8.0), (4, 4.0), (6, 2.5)]
    assert rows(tmp_path) == expected
    assert losses(tmp_path / "events") == expected


def test_a_training_killed_before_its_first_checkpoint_starts_anew(losses: Events, tmp_path: Path) -> None:
    write(tmp_path, 0, {1: 8.0, 2: 4.0})
    write(tmp_path, 0, {1: 7.0})
    assert losses(tmp_path / "events") == rows(tmp_path) == [(1, 7.0)]


def test_events_are_closed_when_a_step_fails(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Writer.kept, Writer.closed = {}, 0
    monkeypatch.setitem(sys.modules, "events_by_hand", SimpleNamespace(SummaryWriter=Writer))
    monkeypatch.setattr(records, "WRITERS", ("events_by_hand",))
    config, group = tiny_config(photos, log_every=1), Group(0, 1, torch.device("cpu"))
    prepared = prepare(config, group)

    def batches() -> Iterator[Batch]:
        yield from loader(prepared.pairs, Positions(0, 2, 4), 0)
        raise UserError("the disk is gone")

    with pytest.raises(UserError, match="the disk is gone"):
        Training(config, prepared.model, group, tmp_path).run(batches())
    assert [step for name, _, step in Writer.kept[str(tmp_path / "events")] if name == "loss"] == [1, 2]
    assert Writer.closed == 1


def test_without_a_writer_there_are_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "WRITERS", ("nothing_by_this_name",))
    write(tmp_path, 0, {2: 8.0})
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert rows(tmp_path) == [(2, 8.0)]
