"""Jobs on a dask cluster: real schedulers and workers in processes of their own, which join, leave and are killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.constants.sweep import run_sweep
from inmo.harness.run import lane_batches as batches
from inmo.harness.run.jobs import Job, Outcome, plan, stands
from inmo.harness.run.lane_batches import LaneBatch, carry_out
from inmo.harness.run.setup import configure, open_datasets
from inmo.harness.store.records import Result
from inmo.harness.store.store import open_store
from inmo.harness.workers import cluster, worker
from inmo.harness.workers.cluster import Cluster, scheduler_address, token
from inmo.harness.workers.hosts import Place, chosen_workers, places
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from tests.clips import write_sequence
from tests.conftest import ROOT
from tests.harness.stored_files import exported
from tests.harness.workers.clusters import PATIENCE, kill, on, process, scheduler, slow, track, until, workers

# ---- without a cluster


def test_a_worker_per_gpu_sees_that_gpu_alone() -> None:
    assert [place.environment["CUDA_VISIBLE_DEVICES"] for place in places(3, 1, {}, 16)] == ["0", "1", "2"]
    given = {"CUDA_VISIBLE_DEVICES": "4, 7,GPU-8f,9"}  # as a batch system hands them out
    assert [place.environment["CUDA_VISIBLE_DEVICES"] for place in places(3, 1, given, 16)] == ["4", "7", "GPU-8f"]


def test_workers_share_the_cores_evenly() -> None:
    assert places(0, 4, {}, 10)[3] == Place(3, {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"})
    assert places(0, 4, {}, 2)[0].environment["OMP_NUM_THREADS"] == "1"
    assert places(0, 4, {"OMP_NUM_THREADS": "3"}, 2)[0].environment["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(
    ("gpus", "processes", "environment"), [(2, 1, {"CUDA_VISIBLE_DEVICES": "5"}), (-1, 1, {}), (0, 0, {})]
)
def test_workers_that_cannot_be_are_refused(gpus: int, processes: int, environment: dict[str, str]) -> None:
    with pytest.raises(UserError, match="--gpus-per-host"):
        places(gpus, processes, environment, 8)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("processes", "tcp://a:1", 0, True), "for --backend dask"),
        (("processes", None, 2, True), "for --backend dask"),
        (("processes", None, 0, False), "for --backend dask"),
        (("dask", "tcp://a:1", 2, True), "give one of them"),
    ],
)
def test_words_that_do_not_go_together(words: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UserError, match=said), chosen_workers(*words, 2):
        pass


def test_processes_and_a_cluster_are_chosen_without_dask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with chosen_workers("processes", None, 0, True, 3) as workers:
        assert workers == 3
    (tmp_path / "s.json").write_text('{"address": "tcp://10.0.0.1:8786"}')
    with chosen_workers("dask", str(tmp_path / "s.json"), 0, False, 3) as workers:
        assert workers == Cluster("tcp://10.0.0.1:8786", shared_store=False)
    assert Resources(3, "cuda:1").tried_on == "cuda:1"
    assert Resources(Cluster("tcp://a:1"), "cuda:1").tried_on == "auto"


def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clips: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for more in ((), ("--scheduler", "tcp://127.0.0.1:1")):
        words = track(clips, tmp_path / "store", "--backend", "dask", *more, tracker="constant")
        assert main(words) == 2
        assert "dask.distributed is not installed" in capsys.readouterr().err
    assert main(["workers", "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "pip install -c constraints.txt -e '.[cluster]'" in capsys.readouterr().err


def test_a_scheduler_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clips: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    words = track(
        clips, tmp_path / "store", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", tracker="constant"
    )
    assert main(words) == 2
    assert "no dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err


def test_a_file_that_is_no_scheduler_file(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("[]")
    for name in ("s.json", "none.json"):
        with pytest.raises(UserError, match="is no scheduler file"):
            scheduler_address(str(tmp_path / name))


def test_a_token_is_swept_when_its_command_was_killed(tmp_path: Path) -> None:
    with token(tmp_path) as name:
        open_store(tmp_path, write=True)
        assert (tmp_path / name).exists()  # of a living process
    assert not (tmp_path / name).exists()
    (tmp_path / name.replace(f".{os.getpid()}-", ".4194999-")).write_bytes(b"")
    open_store(tmp_path, write=True)
    assert not list(tmp_path.iterdir())


def test_a_worker_with_other_code_or_another_file_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bring both to the same commit"):
        worker._demand_same_code("0000000")
    with pytest.raises(UserError, match="copy it there"):
        from inmo.trackers import tracker

        worker._demand_same_files("kcf", tracker("kcf").config, "0" * 12)
    with pytest.raises(UserError, match="--no-shared-store"):
        worker._demand_store(tmp_path, ".token")


@pytest.mark.parametrize("lanes", [1, 2])
def test_what_another_worker_stored_is_not_computed_again(
    lanes: int, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, setup = open_store(tmp_path / "store", write=True), configure("kcf", {})
    jobs, _ = plan(store, open_datasets([f"folder={clips}"]), [setup])
    for outcome in carry_out(jobs[0]):
        assert not outcome.reason
    computed: list[Job] = []

    def execute(job: Job) -> Outcome:
        computed.append(job)
        return Outcome(job)

    def follow_all(tracker: Any, jobs: Sequence[Job], lanes: int, admit: Any, fixed: bool) -> Iterator[Any]:
        computed.extend(filter(admit, jobs))
        yield from ()

    monkeypatch.setattr(batches, "execute", execute)
    monkeypatch.setattr(batches, "follow_all", follow_all)
    units = [LaneBatch(tuple(jobs[:2]), 2)] if lanes > 1 else jobs[:2]
    ended = [outcome.job for unit in units for outcome in carry_out(unit)]
    assert ended[0] == jobs[0]
    assert computed == [jobs[1]]
    (annotation,) = (clips / jobs[0].sequence.name).glob("*.txt")
    annotation.write_text(annotation.read_text().replace("4,6", "5,6", 1))
    assert not stands(jobs[0])


def test_relative_paths_mean_nothing_where_the_folder_of_the_command_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clips").mkdir()
    monkeypatch.chdir(tmp_path)
    worker.settle(str(tmp_path))
    assert Path("clips").exists()
    worker.settle(str(tmp_path / "elsewhere"))
    assert not list(Path.cwd().iterdir())


# ---- with one


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A scheduler with two workers that stay for all tests of this file that do not harm them."""
    with scheduler(tmp_path_factory.mktemp("cluster")) as found, workers(found, "--jobs", "2"):
        yield found


@pytest.mark.slow
def test_a_cluster_gives_what_one_process_gives(file: Path, clips: Path, tmp_path: Path) -> None:
    assert main(track(clips, tmp_path / "serial")) == 0
    assert main(track(clips, tmp_path / "shared", *on(file))) == 0
    assert main(track(clips, tmp_path / "sent", *on(file), "--no-shared-store")) == 0
    assert main(track(clips, tmp_path / "own", "--backend", "dask", "--gpus-per-host", "2")) == 0
    serial = exported(tmp_path / "serial", tmp_path / "a")
    assert len(serial) == 3
    assert exported(tmp_path / "shared", tmp_path / "b") == serial
    assert exported(tmp_path / "sent", tmp_path / "c") == serial
    assert exported(tmp_path / "own", tmp_path / "d") == serial
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.slow
def test_relative_paths_are_meant_from_the_folder_of_the_command(
    file: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(track(Path("clips"), Path("here"), *on(file))) == 0
    assert len(list((tmp_path / "here").rglob("folder/runs/*/*.parquet"))) == 3


@pytest.mark.slow
def test_holes_of_a_cluster_are_those_of_one_process(
    file: Path, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clips / "middle" / "img" / "0004.png").write_bytes(b"\x89PNG")
    said = []
    for name, more in (("serial", []), ("shared", on(file)), ("sent", [*on(file), "--no-shared-store"])):
        assert main(track(clips, tmp_path / name, *more)) == 2
        said.append([line for line in capsys.readouterr().err.splitlines() if line.startswith("hole")])
        assert len(list((tmp_path / name).rglob("folder/runs/*/*.parquet"))) == 2
        assert len(list((tmp_path / name).rglob("*.hole.json"))) == 1
    assert said[0] == said[1] == said[2]


@pytest.mark.slow
def test_lanes_and_sweeps_run_on_a_cluster(file: Path, clips: Path, tmp_path: Path) -> None:
    setup = configure("siamcar", {"preset": "nano", "allow_random_weights": "true"})
    datasets, cluster_ = open_datasets([f"folder={clips}"]), Cluster(scheduler_address(str(file)))
    found = []
    for name, workers_, lanes in (("one", 1, 1), ("lanes", cluster_, 2), ("auto", cluster_, "auto")):
        store = open_store(tmp_path / name, write=True)
        jobs, _ = plan(store, datasets, [setup], device="cpu")
        assert [outcome.reason for outcome in run_jobs(jobs, Resources(workers_, lanes=lanes))] == [""] * 3
        found.append([store.result("folder", jobs[0].run, job.sequence.name) for job in jobs])
    for one, *others in zip(*found, strict=True):
        for other in others:
            assert isinstance(one, Result)
            assert isinstance(other, Result)
            np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-2)
    assert sorted(result.provenance["lanes"] for result in found[1]) == [1, 2, 2]
    assert {result.provenance["processes"] for result in found[1]} == {"unknown"}  # a host may have several workers
    assert [result.provenance["lanes"] for result in found[2]] == [3, 3, 3]  # of a processor's 4, as there are 3
    with pytest.raises(UserError, match="cannot be used here"):
        auto = open_store(tmp_path / "none", write=True)
        run_jobs(plan(auto, datasets, [setup], device="cuda")[0], Resources(cluster_, lanes="auto"))

    over = {"window_influence": (0.1, 0.4)}
    stores = [open_store(tmp_path / name, write=True) for name in ("sweep", "sent")]
    for store, workers_ in zip(stores, (1, replace(cluster_, shared_store=False)), strict=True):
        outcomes, wanted, _ = run_sweep(store, [setup], over, datasets, resources=Resources(workers_, "cpu"))
        assert (len(outcomes), wanted) == (3, 6)
    for run in stores[0].runs("folder"):
        for name in stores[0].dataset("folder").names:
            one, other = (store.result("folder", run, name) for store in stores)
            assert isinstance(one, Result)
            assert isinstance(other, Result)
            np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-2)


@pytest.mark.slow
def test_killed_workers_and_new_ones_change_nothing(tmp_path: Path) -> None:
    root, store = tmp_path / "clips", tmp_path / "store"
    for i in range(12):
        write_sequence(root / f"clip{i}", 30 + i, step=0)
    assert main(track(root, tmp_path / "serial", tracker=slow(tmp_path))) == 0

    def done() -> dict[Path, int]:
        return {path: path.stat().st_ino for path in store.rglob("runs/*/*.parquet")}

    with scheduler(tmp_path) as file, workers(file, "--jobs", "1") as lost, workers(file, "--jobs", "1"):
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            with process([str(ROOT / "run_all.py"), *track(root, store, *on(file), tracker=slow(tmp_path))]) as running:
                until(lambda: len(done()) >= 2)
                victim = next(iter(client.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)  # one worker, which its nanny starts anew
                kill(lost)  # and a host with all that is on it
                before = done()
                assert len(before) < 12
                with workers(file, "--jobs", "1"):
                    assert running.wait(PATIENCE) == 0, running.stderr and running.stderr.read()
            computed = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.task_prefixes["work"].state_counts)
    after = done()
    assert len(after) == 12
    assert before.items() <= after.items()  # nothing finished was lost or made twice
    assert computed["erred"] == 0
    assert exported(store, tmp_path / "a") == exported(tmp_path / "serial", tmp_path / "b")


@pytest.mark.slow
def test_every_worker_process_sees_its_own_gpu_before_torch_starts(tmp_path: Path) -> None:
    def seen() -> tuple[str, bool, str]:
        before = "torch" in sys.modules
        from inmo import datasets

        return os.environ["CUDA_VISIBLE_DEVICES"], before, datasets.__file__ or ""

    with scheduler(tmp_path) as file, workers(file, "--gpus-per-host", "2", CUDA_VISIBLE_DEVICES="5,3,1"):
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            found = client.run(seen)
    ours = str(ROOT / "datasets" / "__init__.py")
    assert sorted(found.values()) == [("3", False, ours), ("5", False, ours)]


@pytest.mark.slow
def test_workers_listen_on_the_network_of_the_scheduler_alone(file: Path) -> None:
    def listening() -> set[str]:
        import psutil

        worker = psutil.Process()
        processes = (worker, worker.parent())  # which is the nanny, that listens too
        return {at.laddr.ip for one in processes for at in one.net_connections("tcp") if at.status == "LISTEN"}

    from distributed import Client

    with Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        assert list(client.run(listening).values()) == [{"127.0.0.1"}] * 2


BLIND = """
import sys
def watch(event, arguments):
    if event in ("open", "os.mkdir", "os.listdir", "os.rename", "os.link") and str(arguments[0]).startswith({store!r}):
        raise FileNotFoundError(2, "No such file or directory", str(arguments[0]))
from pathlib import Path
if not hasattr(Path, "as_it_is"):  # dask imports a preload twice
    sys.addaudithook(watch)
    Path.as_it_is = Path.exists
    Path.exists = lambda self, **more: not str(self).startswith({store!r}) and self.as_it_is(**more)
"""
DEADLY = """
import os, sys
def watch(event, arguments):
    if event == "open" and "deadly" in str(arguments[0]):
        os.kill(os.getpid(), 9)
sys.addaudithook(watch)
"""


def dask_worker(file: Path, folder: Path, preload: str) -> Any:
    """A worker as dask's own command starts it, which first runs some code."""
    (folder / "before.py").write_text(preload)
    words = ["-m", "distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard"]
    return process([*words, "--preload", str(folder / "before.py")], PYTHONPATH=str(ROOT))


@pytest.mark.slow
def test_a_worker_to_which_the_store_does_not_exist_sends_its_results(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "unseen"
    with scheduler(tmp_path) as file, dask_worker(file, tmp_path, BLIND.format(store=str(store))):
        assert main(track(clips, store, *on(file))) == 2
        assert f"does not see the store {store}" in capsys.readouterr().err
        assert not list(store.rglob("folder/runs/*/*.parquet"))
        assert main(track(clips, store, *on(file), "--no-shared-store")) == 0
    assert main(track(clips, tmp_path / "serial")) == 0
    assert exported(store, tmp_path / "a") == exported(tmp_path / "serial", tmp_path / "b")


@pytest.mark.slow
def test_a_sequence_that_kills_its_workers_is_a_hole(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sequence(clips / "deadly", 5)
    allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with scheduler(tmp_path, **allowed) as file, dask_worker(file, tmp_path, DEADLY):
        assert main(track(clips, tmp_path / "store", *on(file))) == 3
    assert "hole: folder, KCF, deadly: kcf: 2 workers died at it" in capsys.readouterr().err
    assert len(list((tmp_path / "store").rglob("folder/runs/*/*.parquet"))) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preload", "said"),
    [
        ("import sys; sys.modules['inmo'] = None", "cannot load this project"),
    ],
)
def test_a_worker_that_cannot_load_the_project_says_so(
    preload: str, said: str, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with scheduler(tmp_path) as file, dask_worker(file, tmp_path, preload):
        assert main(track(clips, tmp_path / "store", *on(file))) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(4):
        write_sequence(tmp_path / "clips" / f"clip{i}", 60, step=0)
    store = tmp_path / "store"
    with (
        scheduler(tmp_path) as file,
        workers(file) as own,
        process(
            [str(ROOT / "run_all.py"), *track(tmp_path / "clips", store, *on(file), tracker=slow(tmp_path))]
        ) as running,
    ):
        until(lambda: list(store.rglob("folder/runs/*/*.parquet")))
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            number = client.run_on_scheduler(os.getpid)
        os.kill(number, signal.SIGKILL)
        assert running.wait(PATIENCE) == 2
        assert running.stderr is not None
        assert b"went away" in running.stderr.read()
        assert own.wait(PATIENCE) is not None
