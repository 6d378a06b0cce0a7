"""The commands as users type them, in this process: exit status, what is printed, what is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from tests.clips import LENGTHS


def run(*words: object) -> int:
    return main([str(w) for w in words])


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_track_then_export_then_score(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, raw = tmp_path / "store", tmp_path / "raw"
    assert (
        run("track", "--tracker", "constant", "--tracker", "kcf", "--dataset", f"folder={clips}", "--store", store) == 0
    )
    assert run("export", "--store", store, "--format", "pysot", "--out", raw) == 0
    text = (raw / "folder" / "constant" / "short.txt").read_text().splitlines()
    assert [line.split(",") for line in text] == [["4.0", "6.0", "16.0", "14.0"]] * 6
    capsys.readouterr()
    assert run("score", "--dataset", f"folder={clips}", "--results", raw, "--format", "json", "--per-sequence") == 0
    scores = {s["tracker"]: s for s in json.loads(capsys.readouterr().out)["scores"]}
    assert set(scores) == {"constant", "kcf"}
    assert scores["constant"]["sequences"] == scores["constant"]["expected_sequences"] == 3
    # short: the target moves by (2, 1) a frame, the box stays: overlap of frame i is (16-2i)(14-i) / union
    overlaps = [(i16 := max(0, 16 - 2 * i) * max(0, 14 - i)) / (2 * 16 * 14 - i16) for i in range(6)]
    expected = np.mean([[o > t / 20 for t in range(21)] for o in overlaps])
    assert scores["constant"]["per_sequence"]["short"]["success_auc"] == pytest.approx(expected, abs=1e-12)


def test_centres_are_told_and_read_on_request(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--dataset", f"folder={clips}")
    (tmp_path / "raw/exact").mkdir(parents=True)
    for name in LENGTHS:
        rows = np.loadtxt(clips / name / "groundtruth_rect.txt", delimiter=",")
        centres = np.hstack([rows[:, :2] + rows[:, 2:] / 2, rows[:, 2:]])
        np.savetxt(tmp_path / "raw/exact" / f"{name}.txt", centres, delimiter=",")
    words = ("score", *data, "--results", tmp_path / "raw")
    capsys.readouterr()
    assert run(*words, "--diagnose") == 0
    out = capsys.readouterr().out
    assert "‡ exact: its boxes look like centres (cx, cy, w, h); read so, its AUC would be" in out
    assert "score with --boxes cxcywh" in out
    assert "as they stand" in out
    assert run(*words, "--format", "json") == 0
    printed = capsys.readouterr()
    assert "note: exact: its boxes look like centres" in printed.err
    stand = json.loads(printed.out)["scores"][0]
    assert run(*words, "--format", "json", "--boxes", "cxcywh") == 0
    read = json.loads(capsys.readouterr().out)["scores"][0]
    assert read["boxes"] == "centres (cx, cy, w, h)"
    assert read["success_auc"] > stand["success_auc"]
    assert [r["auc"] for r in stand["readings"] if r["likely"]] == pytest.approx([read["success_auc"]], abs=1e-9)
    assert run(*words, "--boxes", "cxcywh") == 0
    assert "Boxes read as centres (cx, cy, w, h)." in capsys.readouterr().out


def test_score_says_what_it_left_out_and_explains_itself(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"
    for name, count in LENGTHS.items():
        for tracker, suffix, rows in (("T", "txt", count + 1), ("J", "json", count)):
            (raw / tracker).mkdir(parents=True, exist_ok=True)
            (raw / tracker / f"{name}.{suffix}").write_text("4,6,16,14\n" * rows)
    words = ("score", "--dataset", f"folder={clips}", "--results", raw, "--protocol", "got10k")
    assert run(*words, "--format", "json") == 0
    out, err = capsys.readouterr()
    (score,) = json.loads(out)["scores"]
    assert score["tracker"] == "T"
    assert score["notes"][0].startswith(f"There are more rows than the annotation has in {len(LENGTHS)} of ")
    assert f"note: {len(LENGTHS)} files were passed over: {len(LENGTHS)} in J such as" in err
    assert run(*words, "--explain") == 0
    out, err = capsys.readouterr()
    assert "  got10k: rows cut off: " in out
    assert "  J: JSON is not read: " in out
    assert not err


def test_recorded_results_come_back_under_their_own_name(clips: Path, tmp_path: Path) -> None:
    data = ("--dataset", f"folder={clips}")
    run("track", "--tracker", "constant", "--label", "ECO", *data, "--store", tmp_path / "a")
    run("export", "--store", tmp_path / "a", "--format", "pysot", "--out", tmp_path / "raw")
    words = ("--set", f"results={tmp_path / 'raw'}", "--store", tmp_path / "b")
    assert run("track", "--tracker", "recorded", *data, *words) == 0
    assert run("export", "--store", tmp_path / "b", "--format", "pysot", "--out", tmp_path / "again") == 0
    assert (tmp_path / "again" / "folder" / "ECO" / "short.txt").exists()
    assert files(tmp_path / "again") == files(tmp_path / "raw")


@pytest.mark.parametrize(
    "lies",
    ["results_OPE/{}_ECO.txt", "ECO/{0}/{0}.TXT", "ECO/mine/{}.csv", "ECO/{}.txt"],
)
def test_recorded_results_are_filed_as_score_files_them(clips: Path, tmp_path: Path, lies: str) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(clips / "short", tmp_path / "own/Short")
    shutil.copytree(clips / "short", tmp_path / "own/Other")
    for number, name in enumerate(("short", "Other")):
        path = raw / lies.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number},6,16,14\n" * LENGTHS["short"])
    (raw / "KCF").mkdir()
    (raw / "KCF/elsewhere.txt").write_text("1,2,3,4\n")  # no sequence is called so: no tracker
    data, store = ("--dataset", f"folder:mine={tmp_path / 'own'}"), tmp_path / "s"
    assert run("track", "--tracker", "recorded", *data, "--set", f"results={raw}", "--store", store) == 0
    kept = open_store(store)
    (found,) = kept.runs("mine")
    assert found.label == "ECO"
    for number, name in enumerate(("Short", "Other")):
        result = kept.result("mine", found, name)
        assert isinstance(result, Result)
        assert result.boxes[-1].tolist() == [number, 6, 16, 14]


def test_a_second_run_does_nothing_and_a_changed_annotation_is_run_again(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("track", "--tracker", "constant", "--dataset", f"folder={clips}", "--store", tmp_path / "s")
    assert run(*words) == 0
    before = files(tmp_path / "s")
    assert run(*words) == 0
    assert "0 runs of a sequence wanted, 3 were done before" in capsys.readouterr().err
    assert files(tmp_path / "s") == before
    path = clips / "short" / "groundtruth_rect.txt"
    path.write_text(path.read_text().replace("4,6,16,14", "5,6,16,14"))
    assert run(*words) == 0
    assert "1 runs of a sequence wanted, 2 were done before" in capsys.readouterr().err
    store = open_store(tmp_path / "s")
    result = store.result("folder", store.runs("folder")[0], "short")
    assert isinstance(result, Result)
    assert result.boxes[0].tolist() == [5, 6, 16, 14]


def test_workers_give_what_one_process_gives(clips: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        words = ("--dataset", f"folder={clips}", "--store", tmp_path / f"s{jobs}", "--jobs", jobs)
        assert run("track", "--tracker", "kcf", "--tracker", "mil", *words) == 0
        assert run("export", "--store", tmp_path / f"s{jobs}", "--format", "pysot", "--out", tmp_path / f"r{jobs}") == 0
    assert files(tmp_path / "r1") == files(tmp_path / "r2")


def test_provenance_is_complete(clips: Path, tmp_path: Path) -> None:
    run("track", "--tracker", "kcf", "--dataset", f"folder={clips}", "--store", tmp_path / "s", "--set", "seed=3")
    store = open_store(tmp_path / "s")
    facts = store.result_facts("folder", store.runs("folder")[0], "short")
    assert facts is not None
    assert facts["config"] == {"name": "kcf", "seed": 3}
    assert facts["versions"]["opencv-contrib-python-headless"] == cv2.__version__ or facts["versions"]["numpy"]
    assert {"hash", "data", "annotation", "device", "date", "machine", "rows"} <= set(facts)
    assert facts["device"] == "cpu"  # what was used, not the "auto" that was asked for
    assert facts["processes"] == 1
    again = ("--store", tmp_path / "two", "--jobs", 2)
    assert run("track", "--tracker", "constant", "--dataset", f"folder={clips}", *again) == 0
    beside = open_store(tmp_path / "two")
    found = [beside.result_facts("folder", beside.runs("folder")[0], name) for name in LENGTHS]
    assert [facts and facts["processes"] for facts in found] == [2, 2, 2]


def test_a_truncated_jpeg_is_a_hole_and_the_others_finish(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted((clips / "short" / "img").glob("*.png")):
        frame = cv2.imread(str(path))
        path.unlink()
        assert frame is not None
        cv2.imwrite(str(path.with_suffix(".jpg")), frame)
    broken = clips / "short" / "img" / "0004.jpg"
    broken.write_bytes(broken.read_bytes()[:-200])
    assert run("track", "--tracker", "constant", "--dataset", f"folder={clips}", "--store", tmp_path / "s") == 2
    message = capsys.readouterr().err
    assert "0004.jpg is a truncated JPEG" in message
    assert "Traceback" not in message
    store = open_store(tmp_path / "s")
    run_ = store.runs("folder")[0]
    kinds = {name: type(store.result("folder", run_, name)).__name__ for name in ("short", "middle", "long")}
    assert kinds == {"short": "Hole", "middle": "Result", "long": "Result"}
    assert run("export", "--store", tmp_path / "s", "--format", "pysot", "--out", tmp_path / "raw") == 2
    assert "0004.jpg" in capsys.readouterr().err
    assert run("export", "--store", tmp_path / "s", "--format", "pysot", "--out", tmp_path / "raw", "--partial") == 0
    report = ("report", "--store", tmp_path / "s", "--out", tmp_path / "page")
    assert run(*report, "--no-partial") == 2
    assert "1 holes, the first in short" in capsys.readouterr().err
    assert run(*report, "--partial") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("track", "--tracker", "csrtt", "--dataset", "folder=X", "--store", "s"), "did you mean csrt"),
        (("track", "--tracker", "kcf", "--dataset", "folder=/nowhere", "--store", "s"), "/nowhere does not exist"),
        (("track", "--tracker", "nanotrack", "--dataset", "folder=X", "--store", "s"), "--set backbone=FILE"),
        (("score", "--dataset", "otb100", "--results", "/nowhere"), "no root is known|does not exist"),
        (("score", "--dataset", "folder=X", "--results", "X", "--protocol", "pysott"), "did you mean pysot"),
        (("report", "--store", "/nowhere", "--out", "o"), "holds no results"),
        (
            ("track", "--tracker", "kcf", "--dataset", "folder=X", "--store", "s", "--sequences", "shrt"),
            "did you mean short",
        ),
    ],
)
def test_every_mistake_gets_one_sentence(
    words: tuple[str, ...], message: str, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "none.yaml"))
    assert run(*(str(clips) if w == "X" else w.replace("=X", f"={clips}") for w in words)) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert "Traceback" not in out.err
    lines = [line for line in out.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    import re

    assert re.search(message, lines[0])
    with pytest.raises(UserError):
        run(*(str(clips) if w == "X" else w.replace("=X", f"={clips}") for w in words), "--debug")


def test_half_a_benchmark_needs_partial(tmp_path: Path, clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(clips / "short", tmp_path / "OTB" / "Deer")
    words = ("track", "--tracker", "constant", "--dataset", f"otb100={tmp_path / 'OTB'}", "--store", tmp_path / "s")
    assert run(*words) == 2
    assert "1 of 100 sequences" in capsys.readouterr().err


def test_check_says_what_is_wrong(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "--dataset", f"folder={clips}") == 0
    (clips / "middle" / "img" / "0005.png").write_bytes(b"")
    assert run("check", "--dataset", f"folder={clips}") == 1
    assert "0005.png" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["trackers", "datasets", "protocols"])
def test_list(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", what) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 8


def test_list_of_runs(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert (
        run("track", "--tracker", "constant", "mosse", "--dataset", f"folder:mine={clips}", "--store", str(store)) == 0
    )
    capsys.readouterr()
    assert run("list", "runs", "--store", str(store)) == 0
    first, second = sorted(capsys.readouterr().out.splitlines())
    folders = sorted(path.name for path in (store / "mine" / "runs").iterdir())
    assert first.split() == [folders[0], "constant", "box", "on", "mine"]
    assert second.split() == [folders[1], "MOSSE", "on", "mine"]
    assert run("list", "runs") == 2
    assert "say --store DIR" in capsys.readouterr().err


def test_cheap_commands_import_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys; from inmo.harness.cli import main; main(['list', 'datasets']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_how_far_it_is_is_said_where_no_bar_can_be(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inmo.harness.workers.parallel.PERIOD", 0.0)
    (clips / "short" / "img" / "0002.png").write_bytes(b"")
    words = ("track", "--tracker", "constant", "--dataset", f"folder={clips}", "--store")
    assert run(*words, tmp_path / "a") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "1 of 3 runs of a sequence, 44% of their frames", "2 of 3 runs of a sequence, 78% of their frames",
        "3 of 3 runs of a sequence, 100% of their frames, 1 of them holes",
    ]  # fmt: skip
    assert [line.split(": ")[1] for line in lines if line.startswith("hole")] == ["folder, constant box, short"]  # once
    monkeypatch.setattr("inmo.harness.workers.parallel.PERIOD", 30.0)
    assert run(*words, tmp_path / "b") == 2
    assert "runs of a sequence, " not in capsys.readouterr().err
