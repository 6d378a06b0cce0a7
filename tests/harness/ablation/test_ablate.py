"""From data to tables and a forest plot, with trackers of a few thousand parameters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from inmo.errors import Exit, UserError
from inmo.harness.ablation import trainings
from inmo.harness.ablation.command import ablate
from inmo.harness.ablation.members import Member
from inmo.harness.ablation.opened import Asked, open_ablation
from inmo.harness.cli import main
from inmo.harness.training.loop import Stop
from inmo.reports.scoring.study import read_study
from tests.ablations import TABLES
from tests.clips import write_sequence
from tests.conftest import ROOT
from tests.harness.ablation.small import BOTH, write_ablation, write_config
from tests.harness.training.tiny import tiny_config


@pytest.fixture
def many(clips: Path) -> Path:
    """Six clips: enough for intervals."""
    for number in range(3):
        write_sequence(clips / f"more-{number}", 5 + number, step=1)
    return clips


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("what is done is not trained again")


def test_three_rows_of_ones_own(
    photos: Path, many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the quick start says: a file of three rows, one command, tables and a forest plot."""
    write_config(tmp_path, photos)
    rows = {"no TCA": {"settings.tca": False}, "calm": {"settings.window_influence": 0.8}, "as it is": {}}
    file, out = write_ablation(tmp_path, rows=rows, seeds=[0, 1]), tmp_path / "out"
    words = ["ablate", str(file), "--dataset", f"folder={many}", "--out", str(out), "--device", "cpu", "--jobs", "1"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert (
        "| as it is |" in shown
        and "| no TCA less as it is |" in shown
        and f"page: {out / 'own' / 'index.html'}" in shown
    )
    tables, figures = out / "own" / "tables", out / "own" / "figures"
    for stem in ("own", "own-effects", "own-trainings"):
        assert all((tables / f"{stem}.{suffix}").stat().st_size for suffix in ("csv", "tex", "json"))
    assert all((figures / f"own.{suffix}").stat().st_size for suffix in ("svg", "pdf"))
    page = (out / "own" / "index.html").read_text()
    assert "Effects, as it is = 0" in page and "no TCA" in page
    effects = json.loads((tables / "own-effects.json").read_text())["rows"]
    assert [row["effect"] for row in effects] == ["no TCA less as it is", "calm less as it is"]
    assert all(row["p_corrected"] >= row["p_value"] for row in effects) and effects[0]["detectable"] > 0
    assert "the seeds of 4 trainings" in page  # of three rows with two: a setting of test time has those of its network
    content = json.loads((tables / "own.json").read_text())
    assert [row["seeds"] for row in content["rows"]] == [2, 2, 2] and "over 6 sequences" in content["caption"]
    assert len(list((out / "trainings").iterdir())) == 4  # test time alone is no training of its own

    monkeypatch.setattr(trainings, "run_training", refuse)
    assert main(words) == 0
    assert capsys.readouterr().out == shown
    other = write_ablation(tmp_path, rows={"one": {}, "two": {"settings": {"tca": False}}}).rename(
        tmp_path / "other.yaml"
    )
    again = Asked(other, datasets=(f"folder={many}",), seeds=(1,))
    assert ablate(again, out=out, device="cpu") == 0  # another ablation with the same trainings
    assert "| two less one |" not in capsys.readouterr().out  # the reference is the last row


def test_rows_of_one_network_are_one_run_and_both_have_it(
    photos: Path, many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    rows = {"said": {"settings.wp": True}, "not said": {}}
    asked = Asked(write_ablation(tmp_path, rows=rows), datasets=(f"folder={many}",))
    assert ablate(asked, out=tmp_path / "out", device="cpu") == 0
    content = json.loads((tmp_path / "out" / "own" / "tables" / "own.json").read_text())["rows"]
    assert content[0]["auc"] == content[1]["auc"] and content[0]["to_reference"] == 0
    assert len(list((tmp_path / "out" / "store" / "folder").glob("transinmo-star-*"))) <= 1


def test_what_is_interrupted_goes_on(
    photos: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    asked = Asked(write_ablation(tmp_path), datasets=(f"folder={clips}",))
    with monkeypatch.context() as patch:
        patch.setattr(Stop, "requested", True)
        assert ablate(asked, out=tmp_path / "out", device="cpu") == Exit.INTERRUPTED
    (folder,) = (tmp_path / "out" / "trainings").iterdir()
    assert torch.load(folder / "checkpoint.pt", weights_only=True)["progress"][0] == 1
    assert ablate(asked, out=tmp_path / "out", device="cpu") == 0
    assert "too few for intervals" in capsys.readouterr().out


def test_what_one_row_began_another_that_shares_it_continues(
    photos: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are one training may say it in other words: test-time values, defaults, how often to validate."""
    write_config(tmp_path, photos)
    rows = {
        "calm": {"settings.window_influence": 0.8},
        "said": {"settings.wp": True, "validation.every": 1},
        "as it is": {"settings": {}},
    }
    file, out = write_ablation(tmp_path, rows=rows), tmp_path / "out"
    first = open_ablation(Asked(file, datasets=(f"folder={clips}",)), out)
    assert len({member.folder for member in first.members}) == 1
    with monkeypatch.context() as patch:
        patch.setattr(Stop, "requested", True)
        assert ablate(Asked(file, datasets=(f"folder={clips}",)), out=out, device="cpu") == Exit.INTERRUPTED
    for row in rows:
        assert ablate(Asked(file, rows=(row,), datasets=(f"folder={clips}",)), out=out, device="cpu") == 0


def test_a_sequence_that_fails_is_said_and_counted(
    photos: Path, many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    frame = sorted((many / "more-1").rglob("*.png"))[2]
    frame.write_bytes(b"garbage")
    asked, out = Asked(write_ablation(tmp_path), datasets=(f"folder={many}",)), tmp_path / "out"
    (out / "own" / "tables").mkdir(parents=True)
    (out / "own" / "tables" / "own-gains.csv").touch()
    for _ in range(2):  # and again when all the rest is stored
        assert ablate(asked, out=out, device="cpu") == Exit.MEND
        said = capsys.readouterr()
        assert said.err.count("hole: ") == 2 and "more-1" in said.err and "| wp |" in said.out
        assert "Left out, as not every training has a score there: folder/more-1." in said.err
    assert not (out / "own" / "tables" / "own-gains.csv").exists()  # which another measurement had
    kept = read_study(out / "own" / "scores.json")
    assert kept.on == ("5 of 6 sequences of Folder",) and kept.study.left_out == ("folder/more-1",)


def test_of_two_commands_one_trains_and_the_other_waits(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Path] = []
    begun, go = threading.Event(), threading.Event()

    def train(_: object, folder: Path, **__: object) -> object:
        calls.append(folder)
        begun.set()
        assert go.wait(30)
        folder.mkdir(parents=True)
        (folder / "weights.safetensors").touch()
        return SimpleNamespace(interrupted=False)

    monkeypatch.setattr(trainings, "run_training", train)
    todo = {tmp_path / "trainings" / "one": tiny_config(photos)}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(trainings.run_trainings, todo)
        assert begun.wait(30)
        second = pool.submit(trainings.run_trainings, todo)
        while "waiting for the training one" not in (said := capsys.readouterr().err):
            assert not second.done(), said
        go.set()
        assert first.result(30) and second.result(30)
    assert calls == [*todo]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"objective": "siamcar"}, "row b: the objective siamcar does not fit"),
        ({"initial": "nowhere.pth"}, "row b: .*nowhere.pth"),
        ({"frozen": ["backbne"]}, "row b: .*did you mean backbone"),
        ({"distil": {"tracker": "siamcarr", "weight": 1}}, "row b: .*did you mean siamcar"),
        ({"settings.patches": [4, 2, 1, 9]}, "row b: transinmo-star cannot be built with these settings"),
        ({"settings.heads": [3, 2, 2, 2]}, "row b: transinmo-star cannot be built with these settings"),
        ({"validation": {"clips": ["nowhere"]}}, "row b: .*nowhere"),
        ({"weights": ["own.yaml"]}, "row b: .*own.yaml"),
        ({"weights": ["own.yaml", "./own.yaml"]}, "row b: its weights .* stand for two seeds"),
    ],
)
def test_mistakes_of_the_last_row_are_said_before_the_first_is_trained(
    photos: Path, clips: Path, tmp_path: Path, values: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "run_training", refuse)
    write_config(tmp_path, photos)
    asked = Asked(write_ablation(tmp_path, rows={"a": {}, "b": values}), datasets=(f"folder={clips}",))
    with pytest.raises(UserError, match=message):
        ablate(asked, out=tmp_path / "out", device="cpu")


def test_an_ablation_is_not_called_as_what_lies_beside_its_page(tmp_path: Path, photos: Path) -> None:
    write_config(tmp_path, photos)
    file = write_ablation(tmp_path).rename(tmp_path / "store.yaml")
    with pytest.raises(UserError, match="OUT/store, which holds something else"):
        open_ablation(Asked(file, datasets=("mini-lasot",)), tmp_path)


def test_a_folder_that_can_be_none_is_said_first(
    photos: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "run_training", refuse)
    write_config(tmp_path, photos)
    (tmp_path / "file").touch()
    asked = Asked(write_ablation(tmp_path), datasets=(f"folder={clips}",))
    with pytest.raises(UserError, match="file is no folder: give another --out"):
        ablate(asked, out=tmp_path / "file" / "out", device="cpu")


def test_rows_are_networks(tmp_path: Path) -> None:
    file = write_ablation(tmp_path, config="", rows={"a": {"tracker": "csrt"}, "b": {"tracker": "mosse"}})
    with pytest.raises(UserError, match="row a: csrt has no network to train"):
        open_ablation(Asked(file, datasets=("mini-lasot",)), tmp_path)


def test_weights_that_are_named_are_tracked_and_not_trained(
    photos: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    asked = Asked(write_ablation(tmp_path), datasets=(f"folder={clips}",))
    assert ablate(asked, out=tmp_path / "out", device="cpu") == 0
    first = capsys.readouterr().out
    done = sorted((tmp_path / "out" / "trainings").glob("*/weights.safetensors"))
    rows = {}
    for tca in (False, True):
        (own,) = [path for path in done if ("tca: false" in (path.parent / "config.yaml").read_text()) != tca]
        rows["wp-tca" if tca else "wp"] = {"settings": {"tca": tca}, "weights": [str(own)]}
    monkeypatch.setattr(trainings, "run_training", refuse)
    named = Asked(write_ablation(tmp_path, rows=rows), datasets=(f"folder={clips}",))
    assert ablate(named, out=tmp_path / "again", device="cpu") == 0
    second = capsys.readouterr().out
    assert "Every row was trained on 8 pairs." in second
    assert [line for line in second.splitlines() if line.startswith("| wp")] == [
        line for line in first.splitlines() if line.startswith("| wp")
    ]


def test_seeds_that_are_asked_for_are_those_of_rows_with_weights(tmp_path: Path) -> None:
    three, one = open_seeds(tmp_path, 0, 2), open_seeds(tmp_path, 1)
    assert [(m.row, m.seed) for m in three] == [("wp", 0), ("wp-tca", 0), ("wp", 2), ("wp-tca", 2)]
    assert [m.seed for m in one] == [1, 1]
    with pytest.raises(UserError, match="row wp names weights of seeds 0, 1, 2 alone"):
        open_seeds(tmp_path, 2, 3)


def open_seeds(folder: Path, *seeds: int) -> tuple[Member, ...]:
    weights = {seed: str(folder / f"{seed}.safetensors") for seed in range(3)}
    for name in weights.values():
        Path(name).touch()
    rows = {row: values | {"weights": weights} for row, values in BOTH.items()}
    write_config(folder, folder)
    asked = Asked(write_ablation(folder, rows=rows), datasets=("mini-lasot",), seeds=seeds)
    return open_ablation(asked, folder).members


def test_training_sets_are_placed_wherever_a_row_names_them(tmp_path: Path) -> None:
    write_config(tmp_path, tmp_path / "nowhere")
    rows = {"one": {}, "two": {"data": {"sources": [{"name": "mini"}, {"name": "segmented", "root": "x"}]}}}
    own = write_ablation(tmp_path, rows=rows)
    asked = Asked(own, datasets=("mini-lasot",), roots=("photos=/p", "segmented=/s"))
    found = {m.row: [s.root for s in m.config.data.sources] for m in open_ablation(asked, tmp_path).members}
    assert found == {"one": ["/p"], "two": ["", "/s"]}
    with pytest.raises(UserError, match="unknown training set of this config 'photo': did you mean photos"):
        open_ablation(Asked(own, datasets=("mini-lasot",), roots=("photo=/p",)), tmp_path)


def test_nothing_to_measure_and_data_that_are_not_there_are_said_first(
    photos: Path, clips: Path, tmp_path: Path
) -> None:
    write_config(tmp_path, photos)
    file = write_ablation(tmp_path)
    with pytest.raises(UserError, match="a dataset to measure on"):
        ablate(Asked(file), out=tmp_path / "o")
    with pytest.raises(UserError, match="did you mean wp"):
        ablate(Asked(file, rows=("wpp",), datasets=(f"folder={clips}",)), out=tmp_path / "o")
    gone = ("data.sources=[{name: photos, root: nowhere}]",)
    with pytest.raises(UserError, match="nowhere"):
        ablate(Asked(file, overrides=gone, datasets=(f"folder={clips}",)), out=tmp_path / "o", device="cpu")
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_trainings_in_processes_and_on_a_cluster_are_those_of_one(
    photos: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, photos)
    words = ["ablate", str(write_ablation(tmp_path)), "--dataset", f"folder={clips}", "--device", "cpu", "--jobs", "2"]
    shown = {}
    for name, more in (("one", []), ("two", ["--trainings", "2"]), ("dask", ["--backend", "dask"])):
        assert main([*words, *more, "--out", str(tmp_path / name)]) == 0
        shown[name] = capsys.readouterr().out.rpartition("page:")[0]
    assert shown["one"] == shown["two"] == shown["dask"]
    more = ["--backend", "dask", "--no-shared-store", "--out", str(tmp_path / "apart")]
    assert main([*words, *more]) == 2
    assert "trainings on a cluster want a disk that its workers share" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_of_torchrun_go_through_all_rows(photos: Path, clips: Path, tmp_path: Path) -> None:
    """One group for the whole command: the second row begins, and one process prints."""
    write_config(tmp_path, photos)
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(ROOT / "run_all.py"), "ablate"]
    words = [str(write_ablation(tmp_path)), "--dataset", f"folder={clips}", "--out", str(tmp_path / "out")]
    more = ["--device", "cpu", "--jobs", "1"]
    ended = subprocess.run(
        [sys.executable, *start, *words, *more], capture_output=True, text=True, timeout=200, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout.count("## Rows") == 1 and "8 pairs" in ended.stdout
    assert len(list((tmp_path / "out" / "trainings").glob("*/weights.safetensors"))) == 2


@pytest.mark.slow
def test_table4_from_the_command_line(
    photos: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder of photographs and clips to the rendered table, with the shipped config of the nano preset."""
    sources = f"[{{name: photos, root: '{photos}'}}]"
    words = ["--set", f"data.sources={sources}", "--set", f"validation.sources={sources}"]
    words += ["--set", "data.cache=64", "--set", f"data.cache_dir={tmp_path / 'pairs'}", "--set", "validation.pairs=16"]
    words += ["--dataset", f"folder={clips}", "--out", str(tmp_path / "out"), "--device", "cpu", "--jobs", "1"]
    command = ["ablate", "table4", "--preset", "nano", "--steps", "10", *words]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "80 pairs" in shown and "| wp × tca |" in shown  # 10 steps of 8
    content = json.loads((tmp_path / "out" / "table4" / "tables" / "table4.json").read_text())
    assert [row["row"] for row in content["rows"]] == list(TABLES["table4"])
    assert all(row["seeds"] == 1 and 0 <= row["auc"] <= 1 for row in content["rows"])
    weights = list((tmp_path / "out" / "trainings").glob("*/weights.safetensors"))
    assert len({path.read_bytes() for path in weights}) == 4
    assert len(list((tmp_path / "pairs").iterdir())) == 1  # one cache: the same pairs for every row
