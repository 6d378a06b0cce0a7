"""SIGKILL at 200 seeded random moments: what was finished stays, what follows is as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inmo.datasets.base import Hole
from inmo.harness.cli import main
from inmo.harness.store.store import Store, open_store
from tests.harness.faulty import started, write_clips
from tests.harness.forking import Forker
from tests.harness.stored_files import exported, read_all

pytestmark = pytest.mark.slow

CLIPS = 24


@dataclass(frozen=True)
class Campaign:
    """So many kills of ``victim``: ``main`` alone, one ``worker``, or ``all`` at once."""

    victim: str
    workers: int
    lanes: int
    kills: int
    seed: int

    def __str__(self) -> str:
        return f"{self.victim}-jobs{self.workers}-lanes{self.lanes}-{self.kills}kills-seed{self.seed}"


CAMPAIGNS = (
    Campaign("main", 1, 1, 40, 1),
    Campaign("main", 1, 1, 40, 2),
    Campaign("main", 1, 4, 60, 3),
    Campaign("main", 2, 1, 15, 4),
    Campaign("main", 2, 3, 15, 5),
    Campaign("worker", 2, 1, 15, 6),
    Campaign("all", 2, 3, 15, 7),
)


def test_there_are_200_kills() -> None:
    assert sum(campaign.kills for campaign in CAMPAIGNS) == 200


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    write_clips(root, CLIPS)
    return root


@pytest.fixture
def forker(tmp_path: Path) -> Iterator[Forker]:
    found = Forker(tmp_path / "errors.txt")
    yield found
    found.close()


def words(clips: Path, store: Path, log: Path, workers: int, lanes: int) -> list[str]:
    settings = ["--set", f"log={log}", "--set", "pause=0.003"]
    run = ["--jobs", str(workers), "--lanes", str(lanes)]
    return ["track", "--tracker", "faulty", *settings, "--dataset", f"folder:mine={clips}", "--store", str(store), *run]


def workers_of(pid: int) -> list[int]:
    """Worker processes of a run, as Linux knows them."""
    children: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        children += map(int, tasks.read_text().split())
    return [c for c in children if b"popen_loky" in Path(f"/proc/{c}/cmdline").read_bytes()]


def strike(victim: str, pid: int, rng: random.Random) -> bool:
    """Kill; False when there was nobody to kill."""
    try:
        if victim == "all":
            os.killpg(pid, signal.SIGKILL)
        elif victim == "main":
            os.kill(pid, signal.SIGKILL)
        else:
            os.kill(rng.choice(workers_of(pid)), signal.SIGKILL)
    except (OSError, IndexError):
        return False
    return True


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_sequence_that_kills_its_process_is_a_hole_and_the_others_finish(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lanes: int
) -> None:
    assert main(words(clips, tmp_path / "quiet", tmp_path / "quiet.log", 1, 1)) == 0
    deadly = [*words(clips, tmp_path / "store", tmp_path / "log", 2, lanes), "--set", "deadly=7"]
    assert main(deadly) == 3
    assert (
        "mine, Faulty, c07: faulty: its process died 3 times, at last alone: out of memory, or a crash"
        in capsys.readouterr().err
    )
    store = Store(tmp_path / "store")
    found = {r.sequence for run in store.runs("mine") for n in store.dataset("mine").names
             if isinstance(r := store.result("mine", run, n), Hole)}  # fmt: skip
    assert found == {"c07"}
    assert main(words(clips, tmp_path / "store", tmp_path / "log", 1, 1)) == 0  # the same, without what is deadly
    assert read_all(store) == read_all(Store(tmp_path / "quiet"))


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=str)
def test_killed_and_continued_equals_undisturbed(
    campaign: Campaign, clips: Path, forker: Forker, tmp_path: Path
) -> None:
    c, rng = campaign, random.Random(campaign.seed)
    assert forker.run(words(clips, tmp_path / "quiet", tmp_path / "quiet.log", 1, 1)) == 0
    expected, boxes = exported(tmp_path / "quiet", tmp_path / "expected"), read_all(Store(tmp_path / "quiet"))
    begun = time.monotonic()
    assert forker.run(words(clips, tmp_path / "timed", tmp_path / "timed.log", c.workers, c.lanes)) == 0
    lasts = time.monotonic() - begun  # for choosing moments, not for judging

    struck = 0
    for number in range(10 * c.kills):
        # one store after the other, each killed until it is complete
        store, log = tmp_path / f"store{number}", tmp_path / f"log{number}"
        status, before = None, struck
        while status != 0:
            here, count = read_all(Store(store)), sum(started(log).values())
            pid = forker.start(words(clips, store, log, c.workers, c.lanes))
            killed = False
            if struck < c.kills and len(here) < CLIPS:
                time.sleep(rng.uniform(0, lasts))
                killed = strike(c.victim, pid, rng)
            status = forker.wait()
            assert killed or status == 0, (tmp_path / "errors.txt").read_text()
            struck += killed and (status != 0 or c.victim == "worker")
            if c.victim == "worker":
                assert status == 0  # a run goes on without a worker
            now = read_all(Store(store))
            assert here.items() <= now.items() <= boxes.items()  # nothing finished was lost or is half there
            if c.victim == "all" or c.workers == 1:
                lost = sum(started(log).values()) - count - (len(now) - len(here))
                assert 0 <= lost <= c.workers * c.lanes
        assert read_all(open_store(store, write=True)) == boxes
        assert exported(store, tmp_path / f"out{number}") == expected
        assert not list(store.rglob("*.tmp"))
        times = started(log)
        assert len(times) == CLIPS
        again, kills = sum(times.values()) - CLIPS, struck - before
        assert again <= kills * c.workers * c.lanes, f"{again} sequences were computed again after {kills} kills"
        if struck == c.kills:
            break
    assert struck == c.kills
