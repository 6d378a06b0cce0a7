"""A full disk, a read-only or vanishing store, a clock that jumps, two runs at once: real ones, in real processes."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inmo.harness.cli import main
from inmo.harness.run.jobs import demand_stored
from inmo.harness.store.store import open_store
from tests.conftest import ROOT
from tests.harness.faulty import started, write_clips
from tests.harness.stored_files import exported, read_all

pytestmark = pytest.mark.slow

CLIPS = 12
START = """
import os, sys
import inmo.harness.commands, inmo.harness.run.jobs, inmo.harness.workers.parallel, tests.harness.faulty
from inmo.harness.cli import main
if (user := int(sys.argv[1])):
    assert main(sys.argv[2:]) == 0  # imports everything: the interpreter may lie where only root may look
    os.setgid(user), os.setuid(user)
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    write_clips(root, CLIPS)
    return root


@pytest.fixture(scope="module")
def expected(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("quiet")
    assert main(words(clips, folder / "store")) == 0
    return exported(folder / "store", folder / "out")


def words(clips: Path, store: Path, *more: str) -> list[str]:
    return ["track", "--tracker", "faulty", "--dataset", f"folder:mine={clips}", "--store", str(store), *more]


def child(words: list[str], before: Callable[[], None] | None = None, user: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, str(user), *words]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before
    )


def told(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and standard error, which must be sentences."""
    _, error = process.communicate(timeout=120)
    assert "Traceback" not in error and "fault of the program" not in error, error
    return process.returncode, error


# ---- no room


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own for the folder; skips the test where nothing can be mounted."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 KiB."""
    with mounted(tmp_path / "disk", "96k") as disk:
        yield disk


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_is_said_and_the_run_continues_with_room(
    clips: Path, small_disk: Path, expected: dict[str, bytes], tmp_path: Path, jobs: int
) -> None:
    store = small_disk / "store"
    status, error = told(child(words(clips, store, "--jobs", str(jobs))))
    assert status == 2
    assert "No space left on device; free some space, or choose another place" in error
    kept = read_all(open_store(store))  # what was stored before is whole
    assert 0 < len(kept) < CLIPS
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    log = tmp_path / "log"
    status, error = told(child(words(clips, store, "--set", f"log={log}")))
    assert status == 0, error
    assert sum(started(log).values()) == CLIPS - len(kept)
    assert exported(store, tmp_path / "out") == expected
    assert not list(store.rglob("*.tmp"))


def test_files_that_may_not_grow_are_said(clips: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """The same without privileges: no file may become larger than 2 KiB, as with a quota."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))  # Python ignores SIGXFSZ, so writing fails

    store = tmp_path / "store"
    status, error = told(child(words(clips, store), limit))
    assert status == 2
    assert "cannot write" in error and "File too large" in error
    assert not list(store.rglob("*.tmp"))
    assert main(words(clips, store)) == 0
    assert exported(store, tmp_path / "out") == expected


@pytest.mark.parametrize("command", ["export", "report"])
def test_a_disk_that_is_full_when_numbers_are_written(
    clips: Path, small_disk: Path, tmp_path: Path, command: str
) -> None:
    store = tmp_path / "store"
    assert main(words(clips, store)) == 0
    (small_disk / "filler").write_bytes(bytes(90 * 1024))
    more = ["--format", "pysot"] if command == "export" else []
    status, error = told(child([command, "--store", str(store), "--out", str(small_disk / "out"), *more]))
    assert status == 2
    assert "No space left on device" in error
    assert not (small_disk / "out" / "index.html").exists()


# ---- no right


@pytest.fixture
def read_only(clips: Path, tmp_path: Path) -> Iterator[Path]:
    """A complete store on a file system that takes no writes."""
    with mounted(tmp_path / "mounted", "8m") as store:
        assert main(words(clips, store)) == 0
        subprocess.run(["mount", "-o", "remount,ro", str(store)], check=True)
        yield store


def test_a_read_only_store_is_read_and_not_written(
    clips: Path, read_only: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    status, error = told(child(words(clips, read_only)))
    assert status == 2
    assert f"cannot write {read_only}" in error and "Read-only file system" in error
    assert exported(read_only, tmp_path / "out") == expected
    assert main(["report", "--store", str(read_only), "--out", str(tmp_path / "page")]) == 0
    assert main(["report", "--store", str(read_only), "--out", str(read_only / "page")]) == 2


def test_another_user_is_told_that_data_and_store_are_not_his(clips: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    store = tmp_path / "store"
    assert main(words(clips, store)) == 0
    for path in (tmp_path, *tmp_path.parents):
        if path.owner() == "root" and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o055)
    clips.chmod(0o700)
    status, error = told(child(words(clips, store), user=65534))
    assert status == 2
    assert f"cannot look into {clips}" in error and "Permission denied" in error
    clips.chmod(0o755)
    status, error = told(child(words(clips, store), user=65534))
    assert status == 2
    assert "Permission denied" in error and str(store) in error


# ---- no ground to stand on


def test_a_store_deleted_under_the_run(clips: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    store, log = tmp_path / "store", tmp_path / "log"
    process = child(words(clips, store, "--set", f"log={log}", "--set", "pause=0.02"))
    while sum(started(log).values()) < 4:
        assert process.poll() is None
        time.sleep(0.005)
    shutil.rmtree(store, ignore_errors=True)
    shutil.rmtree(store, ignore_errors=True)  # the run may have made a folder while it was removed
    status, error = told(process)
    assert status == 2
    assert "moved or deleted during the run; the same command runs what is missing" in error or "cannot write" in error
    assert main(words(clips, store)) == 0
    assert exported(store, tmp_path / "out") == expected


def test_one_result_deleted_under_the_run_is_missed(clips: Path, tmp_path: Path) -> None:
    from inmo.harness.run.jobs import plan
    from inmo.harness.run.setup import configure, open_datasets
    from inmo.harness.workers.parallel import run_jobs

    store = open_store(tmp_path / "s", write=True)
    jobs, _ = plan(store, open_datasets([f"folder:mine={clips}"]), [configure("faulty", {})])
    outcomes = run_jobs(jobs)
    demand_stored(outcomes)
    next(store.root.rglob("sequences/c07.parquet")).unlink()  # the annotation: results are what counts
    demand_stored(outcomes)
    next(store.root.rglob("runs/*/c07.parquet")).unlink()
    with pytest.raises(Exception, match=r"1 of 12 results are no longer in .* \(mine c07 \.\.\.\)"):
        demand_stored(outcomes)


# ---- no order in time


class Backwards(datetime):
    """A clock that falls a day back at every look."""

    looks = 0

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        cls.looks += 1
        return datetime(2030, 1, 1, tzinfo=UTC).replace(year=2030 - cls.looks % 60)


def test_a_clock_that_jumps_changes_nothing(
    clips: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, ticks = tmp_path / "store", iter(range(10**6))
    monkeypatch.setattr("inmo.harness.run.jobs.datetime.datetime", Backwards)
    monkeypatch.setattr(time, "time", lambda: 4e9 - 1e5 * next(ticks))
    assert main(words(clips, store, "--set", "heavy=3")) == 3
    for number, path in enumerate(sorted(store.rglob("*"))):  # half of the files come from the future, half from 1970
        os.utime(path, (4e9, 4e9) if number % 2 else (0, 0))
    log = tmp_path / "log"
    assert main(words(clips, store, "--set", f"log={log}")) == 0
    assert started(log) == {3: 1}  # what was done stays done, what was not is
    assert exported(store, tmp_path / "out") == expected
    assert Backwards.looks >= CLIPS


# ---- two at once


@pytest.mark.parametrize("lanes", ["1", "3"])
def test_two_runs_on_one_store(clips: Path, expected: dict[str, bytes], tmp_path: Path, lanes: str) -> None:
    store = tmp_path / "store"
    both = [child(words(clips, store, "--lanes", lanes, "--set", "pause=0.002")) for _ in range(2)]
    for process in both:
        status, error = told(process)
        assert status == 0, error
    assert exported(store, tmp_path / "out") == expected
    assert len(list(store.rglob("runs/*/*.parquet"))) == CLIPS
    assert not list(store.rglob("*.tmp")) and not list(store.rglob("*.hole.json"))


def test_runs_that_want_different_sequences_lose_none(clips: Path, tmp_path: Path) -> None:
    """Each adds its names to what the store wants; with six at once, a lost update would leave some out."""
    store, names = tmp_path / "store", [f"c{number:02}" for number in range(CLIPS)]
    chosen = [names[k::6] for k in range(6)]
    for process in [child(words(clips, store, "--sequences", *some)) for some in chosen]:
        status, error = told(process)
        assert status == 0, error
    assert open_store(store).dataset("mine").names == tuple(names)


def test_names_put_at_the_same_time_are_all_kept(clips: Path, tmp_path: Path) -> None:
    """The same within one process, where the writers meet for certain."""
    from inmo.harness.run.setup import open_datasets

    store = open_store(tmp_path / "store", write=True)
    (dataset,) = open_datasets([f"folder:mine={clips}"])
    gate = threading.Barrier(CLIPS)

    def put(name: str) -> None:
        gate.wait()
        store.put_dataset(dataset, (name,))

    threads = [threading.Thread(target=put, args=(s.name,)) for s in dataset.sequences]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.dataset("mine").names == tuple(s.name for s in dataset.sequences)
