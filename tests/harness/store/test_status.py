"""Which runs there are and what is missing, beside runs that write and files that are damaged."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Hole
from inmo.harness.cli import main
from inmo.harness.store.claims import FOLDER, Claims
from inmo.harness.store.records import Run
from inmo.harness.store.status import RunStatus, StoreStatus, store_status
from inmo.harness.store.store import Store, open_store
from tests.conftest import ROOT
from tests.harness.store.stores import KCF, MOSSE, a_result, a_store

OWNER = """
import sys
from pathlib import Path
from inmo.harness.store.claims import Claims
assert Claims(Path(sys.argv[1])).take([("folder", sys.argv[2], "clip2")])
print("mine", flush=True)
sys.stdin.read()
"""


def one(found: StoreStatus, run: Run) -> RunStatus:
    return next(each for each in found.runs if each.folder == run.folder)


def test_done_holes_failures_and_what_is_left_are_told_apart(tmp_path: Path) -> None:
    store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 2})
    store.put_hole("folder", KCF, Hole("clip2", "frame 3 is cut short"))
    store.put_hole("folder", KCF, Hole("clip3", "kcf failed: ValueError: no", failed=True))
    found = store_status(store)
    run = one(found, KCF)
    assert (run.wanted, run.done, run.left) == (5, 2, ("clip4",))
    assert [hole.sequence for hole in run.holes] == ["clip2"]
    assert [hole.sequence for hole in run.failures] == ["clip3"]
    assert one(found, MOSSE).left == tuple(f"clip{n}" for n in range(5))
    assert run.disk > 0 and found.disk >= run.disk + one(found, MOSSE).disk
    assert not found.damaged


def test_a_result_made_with_another_annotation_is_left_to_do(tmp_path: Path) -> None:
    store = a_store(tmp_path, [KCF], {"kcf": 2})
    store.drop_result("folder", KCF, "clip0")
    store.put_result("folder", KCF, "clip0", a_result(annotation="of last year"))
    assert one(store_status(store), KCF).left == ("clip0", "clip2", "clip3", "clip4")


def test_time_left_is_frames_left_at_the_stored_pace(tmp_path: Path) -> None:
    """6 frames of a clip, 0.25 s of reading and 0.5 s of the tracker's call each: 4.5 s a clip."""
    store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 3})
    found = store_status(store)
    assert one(found, KCF).costs == pytest.approx((4.5, 4.5))
    assert one(found, MOSSE).costs is None  # nothing of it was timed


def test_a_pace_is_taken_from_another_dataset(tmp_path: Path) -> None:
    store = a_store(tmp_path, [KCF], {"kcf": 1})
    a_store(tmp_path, [KCF], {}, label="other")
    found = store_status(store)
    assert [each.costs for each in found.runs if each.dataset == "other"] == [pytest.approx((4.5,) * 5)]


def test_who_is_at_work_is_named_until_its_process_ends(tmp_path: Path) -> None:
    store = a_store(tmp_path, [KCF], {"kcf": 1})
    words = [sys.executable, "-c", OWNER, str(tmp_path), KCF.folder]
    owner = subprocess.Popen(words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None and owner.stdout.readline() == "mine\n"
    ((who, names),) = one(store_status(store), KCF).owners.items()
    assert (who.host, who.pid, names) == (socket.gethostname(), owner.pid, ("clip2",))
    owner.kill()
    owner.communicate()
    assert not one(store_status(store), KCF).owners


def test_an_owner_on_another_host_is_named_with_its_silence(tmp_path: Path) -> None:
    store, claims = a_store(tmp_path, [KCF], {}), Claims(tmp_path)
    assert claims.take([("folder", KCF.folder, "clip0")])
    (path,) = (tmp_path / FOLDER).iterdir()
    text = path.read_text().replace(f"host={socket.gethostname()}", "host=node7")
    claims.release_all()
    path.write_text(text)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
    ((who, _),) = one(store_status(store), KCF).owners.items()
    assert who.host == "node7" and who.gone and 3500 < who.silent < 3700


@pytest.mark.parametrize("pattern", ["dataset.json", "runs/kcf-*/run.json", "runs/kcf-*/clip1.parquet",
                                     "sequences/clip3.parquet", "runs/kcf-*/clip4.hole.json"])  # fmt: skip
def test_damaged_files_are_named_and_the_rest_is_counted(
    tmp_path: Path, pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 2, "mosse": 5})
    a_store(tmp_path, [MOSSE], {"mosse": 5}, label="sound")
    store.put_hole("folder", KCF, Hole("clip4", "frame 3 is cut short"))
    (path,) = (tmp_path / "folder").glob(pattern)
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["status", "--store", str(tmp_path)]) == 2
    out = capsys.readouterr().out
    assert out.count("damaged: ") == 1 and str(path) in out
    assert next(r for r in store_status(store).runs if r.dataset == "sound").done == 5


def test_files_that_come_and_go_meanwhile_are_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path, [KCF], {"kcf": 2})
    read = Store.result

    def gone(self: Store, label: str, run: Run, sequence: str) -> object:
        path = self.result_file(label, run.folder, sequence)
        monkeypatch.setattr(Path, "exists", lambda self: True if self == path else os.path.exists(self))  # noqa: PTH110
        path.unlink(missing_ok=True)
        return read(self, label, run, sequence)

    monkeypatch.setattr(Store, "result", gone)
    found = store_status(store)
    assert not found.damaged
    assert len(one(found, KCF).left) == 5


def test_the_command_says_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 3, "mosse": 5})
    a_store(tmp_path, [MOSSE], {}, label="other")
    store.put_hole("folder", KCF, Hole("clip3", "frame 3 is cut short"))
    assert main(["status", "--store", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:7] == ["KCF", "folder", "3", "5", "1", "0", "1"]
    assert "4.5 s" in lines[2]
    assert "hole: folder, KCF, clip3: frame 3 is cut short" in lines
    assert "without a run: KCF on other" in lines
    assert lines[-1].startswith(f"{tmp_path}: 8 of 15 results, 6 left, 27.0 s of one worker, ")
    assert main(["status", "--store", str(tmp_path), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(r["dataset"], r["tracker"], r["done"]) for r in told["runs"]] == [
        ("folder", "KCF", 3), ("folder", "MOSSE", 5), ("other", "MOSSE", 0)
    ]  # fmt: skip
    assert told["runs"][0]["holes"] == {"clip3": "frame 3 is cut short"}


def test_results_of_lanes_tell_no_time(tmp_path: Path) -> None:
    store = a_store(tmp_path, [KCF], {})
    result = a_result(annotation=store.sequence("folder", "clip0").annotation.fingerprint())
    lanes = replace(result, seconds=dict(result.seconds) | {"track": np.full(6, np.nan)})
    store.put_result("folder", KCF, "clip0", lanes)
    assert one(store_status(open_store(tmp_path)), KCF).costs is None
