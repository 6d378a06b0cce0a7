"""Runs that share a store: each sequence is computed once, by whoever comes first; what a killed one had is free."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.store import claims
from inmo.harness.store.claims import FOLDER, Claims, wait_for_any
from inmo.harness.store.store import open_store
from tests.conftest import ROOT
from tests.harness.faulty import write_clips
from tests.harness.stored_files import exported

CLIPS = 12
A, B = ("d", "kcf-0", "a"), ("d", "kcf-0", "b")
START = """
import sys
import inmo.harness.commands, tests.harness.faulty
from inmo.harness.cli import main
sys.exit(main(sys.argv[1:]))
"""
OWNER = """
import sys
from pathlib import Path
from inmo.harness.store.claims import Claims
claims = Claims(Path(sys.argv[1]))
assert claims.take([("d", "kcf-0", "a")])
print("mine", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    write_clips(root, CLIPS, frames=20)
    return root


def words(clips: Path, store: Path, log: Path, *more: str) -> list[str]:
    own = ["--set", f"log={log}", "--set", "pause=0.02"]
    return ["track", "--tracker", "faulty", "--dataset", f"folder:mine={clips}", "--store", str(store), *own, *more]


def started_runs(clips: Path, store: Path, log: Path, count: int, *more: str) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", START, *words(clips, store, log, *more)]
    return [subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE) for _ in range(count)]


def lines_of(log: Path) -> list[tuple[int, int]]:
    """Clip and process of every sequence started."""
    text = log.read_text() if log.exists() else ""
    return [(int(clip), int(pid)) for clip, pid in (line.split() for line in text.splitlines())]


def test_a_claim_that_was_never_written_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner was killed after making the file: an empty one says nobody's name, and nobody would ever renew it."""
    now = [100.0]
    monkeypatch.setattr(claims, "time", SimpleNamespace(monotonic=lambda: now[0], time=time.time))
    mine = Claims(tmp_path)
    assert mine.take([A])
    mine.release_all()
    path = claims._place(tmp_path, A)
    path.touch()
    assert not mine.take([A])
    now[0] += claims.UNWRITTEN - 0.1
    assert not mine.take([A])
    path.unlink()
    path.touch()  # another one, just made: its owner may be about to write it
    os.utime(path, ns=(1, 1))
    now[0] += 0.2
    assert not mine.take([A])
    now[0] += claims.UNWRITTEN
    assert mine.take([A])
    assert claims.owner_of(tmp_path, A) is not None
    mine.release_all()
    assert not path.exists()


def test_results_count_the_processes_of_other_runs_on_the_store(clips: Path, tmp_path: Path) -> None:
    """A second run on this host makes speeds no more those of one that works alone."""
    path = tmp_path / "store"
    command = ["track", "--tracker", "constant", "--dataset", f"folder:mine={clips}", "--store", str(path)]
    assert main([*command, "--sequences", "c00"]) == 0
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(path)], cwd=ROOT, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert owner.stdout is not None and owner.stdin is not None
    assert owner.stdout.readline() == "mine\n"
    assert claims.at_work(path) == 2
    assert main([*command, "--sequences", "c01"]) == 0
    left = next((path / FOLDER).iterdir())
    elsewhere = left.read_text().replace("host=", "host=not-")
    owner.kill()
    owner.wait()
    assert claims.at_work(path) == 1  # what a killed one left does not count
    left.write_text(elsewhere.replace(f"pid={owner.pid}", "pid=1"))
    assert claims.at_work(path) == 1  # nor does another host's
    left.write_bytes(b"\xff")
    assert claims.at_work(path) == 1
    left.unlink()
    assert main([*command, "--sequences", "c02"]) == 0
    store = open_store(path)
    (run,) = store.runs("mine")
    facts = [store.result_facts("mine", run, f"c0{i}") for i in range(3)]
    assert [own and own["processes"] for own in facts] == [1, 2, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "more"), [(2, ()), (4, ()), (2, ("--lanes", "3")), (2, ("--jobs", "2")), (8, ())])
def test_every_sequence_is_computed_once(clips: Path, tmp_path: Path, count: int, more: tuple[str, ...]) -> None:
    store, log = tmp_path / "store", tmp_path / "log"
    runs = started_runs(clips, store, log, count, *more)
    told = [process.communicate(timeout=300)[1] for process in runs]
    assert [process.returncode for process in runs] == [0] * count, told
    assert Counter(clip for clip, _ in lines_of(log)) == dict.fromkeys(range(CLIPS), 1)
    for process, error in zip(runs, told, strict=True):
        if not more:
            mine = sum(pid == process.pid for _, pid in lines_of(log))
            before = int(error.partition(" were done before")[0].rpartition(", ")[2])
            assert f"{CLIPS - before} runs of a sequence wanted" in error
            if CLIPS - before - mine:
                assert f"{mine} done here, {CLIPS - before - mine} by another run at the same time" in error
    assert not list((store / FOLDER).glob("*"))
    assert len(exported(store, tmp_path / "out")) == CLIPS


@pytest.mark.slow
@pytest.mark.parametrize(("count", "lanes"), [(2, 1), (4, 1), (2, 3)])
def test_what_a_killed_run_had_is_done_by_the_others(clips: Path, tmp_path: Path, count: int, lanes: int) -> None:
    store, log = tmp_path / "store", tmp_path / "log"
    runs = started_runs(clips, store, log, count, "--lanes", str(lanes))
    victim = runs[0]
    while sum(pid == victim.pid for _, pid in lines_of(log)) <= lanes:
        assert victim.poll() is None
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    for process in runs:
        process.communicate(timeout=300)
    assert [process.returncode for process in runs[1:]] == [0] * (count - 1)
    begun = Counter(clip for clip, _ in lines_of(log))
    twice = {clip for clip, times in begun.items() if times > 1}
    assert set(begun) == set(range(CLIPS)) and max(begun.values()) <= 2 and len(twice) <= lanes
    assert all((clip, victim.pid) in lines_of(log) for clip in twice)
    assert len(exported(store, tmp_path / "out")) == CLIPS


def owner(store: Path) -> subprocess.Popen[str]:
    found = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(store)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert found.stdout is not None and found.stdout.readline() == "mine\n"
    return found


def test_a_claim_is_its_owners_until_it_ends(tmp_path: Path) -> None:
    other, mine = owner(tmp_path), Claims(tmp_path)
    assert not mine.take([A])
    assert not mine.take([B, A]) and mine.take([B])  # all or none
    other.kill()
    other.wait()
    assert mine.take([A]) and mine.take([A])
    mine.release([A, B])
    mine.release([A])
    assert not list((tmp_path / FOLDER).glob("*"))


def test_claims_of_a_thread_are_not_those_of_another(tmp_path: Path) -> None:
    one, two = Claims(tmp_path), Claims(tmp_path)
    assert one.take([A]) and not two.take([A]) and two.take([B])
    one.release_all()
    assert two.take([A])
    two.release_all()


def test_a_claim_of_a_host_that_is_silent_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another host nobody can tell whether its process lives: it has to renew its claim."""
    monkeypatch.setattr(claims, "LEASE", 0.6)
    mine = Claims(tmp_path)
    assert mine.take([A])
    mine.release_all()
    text = record(tmp_path)
    path = tmp_path / FOLDER / Claims(tmp_path)._path(A).name
    path.write_text(text.replace("host=", "host=elsewhere-"))
    assert not mine.take([A])
    time.sleep(0.3)
    path.write_text(text.replace("host=", "host=elsewhere-"))  # it is renewed
    assert not mine.take([A])
    assert wait_for_any(tmp_path, [[A]]) == [0]
    assert mine.take([A])
    mine.release_all()


def record(store: Path) -> str:
    """What a claim holds."""
    one = Claims(store)
    assert one.take([A])
    text = one._path(A).read_text()
    one.release_all()
    return text


def test_waiting_ends_when_the_owner_lets_go(tmp_path: Path) -> None:
    other, mine = Claims(tmp_path), Claims(tmp_path)
    assert other.take([A, B])
    timer = threading.Timer(0.2, other.release, [[B]])
    timer.start()
    assert wait_for_any(tmp_path, [[A], [B]]) == [1]
    assert not mine.take([A])
    other.release_all()


def test_opening_a_store_removes_the_claims_of_the_dead(tmp_path: Path) -> None:
    other, living = owner(tmp_path), Claims(tmp_path)
    assert living.take([B])
    other.kill()
    other.wait()
    open_store(tmp_path, write=True)
    assert [path.name for path in (tmp_path / FOLDER).glob("*")] == [living._path(B).name]
    living.release_all()


def test_a_store_that_takes_no_claims_is_said(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(UserError, match=r"cannot write .*\.claims"):
        Claims(tmp_path).take([A])


def test_a_run_beside_another_says_what_each_did(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other has one sequence under way when this one starts, and ends it while this one waits."""
    from inmo.harness.run.jobs import execute, plan
    from inmo.harness.run.setup import configure, open_datasets

    store, log = open_store(tmp_path / "store", write=True), tmp_path / "log"
    jobs, _ = plan(store, open_datasets([f"folder:mine={clips}"]), [configure("faulty", {})])
    other, (first, *_) = Claims(store.root), jobs
    assert other.take(first.keys)

    def finish(seconds: float) -> None:
        execute(first)
        other.release_all()

    monkeypatch.setattr("inmo.harness.store.claims.time.sleep", finish)
    assert main(["track", "--tracker", "faulty", "--dataset", f"folder:mine={clips}", "--store", str(store.root),
                 "--set", f"log={log}"]) == 0  # fmt: skip
    assert "12 runs of a sequence wanted, 0 were done before, 11 done here, 1 by another run at the same time" in (
        capsys.readouterr().err
    )
    assert len(lines_of(log)) == CLIPS - 1
