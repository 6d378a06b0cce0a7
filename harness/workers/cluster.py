"""Jobs over dask.distributed: the same units of work as in one machine, on workers that may join, leave and die.

Futures, not joblib's dask backend: with that backend a sequence that kills its worker ends the whole run, and tasks are
queued on workers ahead of time, so that a death is held against innocent sequences too. Here a worker holds one unit
at a time, and the longest that is left goes to whoever is free, which is list scheduling. Lost workers and repeated
tries are dask's own business.
"""

from __future__ import annotations

import pickle
import sys
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.run.jobs import Job, Outcome, failed, stands
from inmo.harness.run.lane_batches import LaneBatch, in_lanes
from inmo.harness.run.lanes import auto_lanes
from inmo.harness.store import provenance
from inmo.harness.store.store import Store
from inmo.harness.workers.worker import Errand, Orders, Refusal, Report, work
from inmo.trackers.base import TrackerFailure
from inmo.whole_files import unfinished

TICK = 1.0  # seconds between two looks at who is there
PATIENCE = 20  # seconds to find a scheduler
PARTS = 4  # batches of a group per worker that is there: some are left for those that join, and less is lost with one


@dataclass(frozen=True)
class Cluster:
    """Where jobs go instead of processes of this machine.

    Attributes:
        address: of a dask scheduler.
        shared_store: workers see the store's folder and write into it; if not, results come back and are put there.
    """

    address: str
    shared_store: bool = True


def demand_distributed() -> None:
    """Raises UserError where dask.distributed is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"dask.distributed is not installed ({error}): pip install -c constraints.txt -e '.[cluster]', or use "
            "--jobs without --backend dask"
        ) from error


def carry_out_on(cluster: Cluster, jobs: Sequence[Job], lanes: int | Literal["auto"] = 1) -> Iterator[Outcome]:
    """Do all jobs on the workers of a cluster; outcomes as they come.

    A unit that kills its worker more often than the scheduler allows (``distributed.scheduler.allowed-failures``, 3) is
    a hole.

    Raises:
        UserError: no scheduler, workers that cannot do the work (other code, other files, no store), or lanes that
            cannot be.
    """
    if not jobs:
        return
    with connected(cluster.address) as client, ExitStack() as stack:
        jobs = [replace(job, store=job.store.resolve()) for job in jobs]  # workers have folders of their own
        stores = {job.store for job in jobs} if cluster.shared_store else set()
        tokens = {store: stack.enter_context(token(store)) for store in stores}
        orders = Orders(str(Path.cwd()), provenance.code_version(), tokens)
        if lanes == "auto":
            lanes = _least_lanes(cluster.address, client, {job.device for job in jobs})
        units = in_lanes(jobs, lanes, PARTS * max(1, len(client.nthreads())))
        yield from _Dispatch(cluster, client, orders, deque(units)).outcomes()


@dataclass
class _Dispatch:
    """Units on their way. ``running`` holds the future and the unit of each that was handed out."""

    cluster: Cluster
    client: Any
    orders: Orders
    waiting: deque[Job | LaneBatch]
    running: dict[str, tuple[Any, Job | LaneBatch]] = field(default_factory=dict)
    ended: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    told: bool = False

    def outcomes(self) -> Iterator[Outcome]:
        try:
            while self.waiting or self.running:
                self._hand_out()
                try:
                    future = self.ended.get(timeout=TICK)
                except Empty:
                    continue
                _, unit = self.running.pop(future.key)
                yield from self._outcomes_of(future, unit)
        finally:
            with suppress(Exception):  # of a scheduler that is gone there is nothing to take back
                self.client.cancel([future for future, _ in self.running.values()])

    def _hand_out(self) -> None:
        """The longest units that are left to workers that have none."""
        try:
            there = len(self.client.nthreads())
        except Exception as error:
            raise self._lost() from error
        if not (there or self.told):
            sys.stderr.write(f"no worker at {self.cluster.address} yet; waiting\n")
        self.told = not there
        for _ in range(min(there - len(self.running), len(self.waiting))):
            unit = self.waiting.popleft()
            errand = Errand(work, (unit, self.cluster.shared_store), self.orders)
            # every task has a key of its own: two units that look alike are two
            future = self.client.submit(pickle.loads, errand.posted(), key=f"work-{uuid.uuid4().hex}", pure=False)
            self.running[future.key] = (future, unit)
            future.add_done_callback(self.ended.put)

    def _lost(self) -> UserError:
        return UserError(
            f"the scheduler at {self.cluster.address} went away: with a new one the same command continues"
        )

    def _outcomes_of(self, future: Any, unit: Job | LaneBatch) -> Iterator[Outcome]:
        from distributed import KilledWorker

        jobs = (unit,) if isinstance(unit, Job) else unit.jobs
        if future.status == "finished":
            by_key, told = {job.keys[0]: job for job in jobs}, future.result()
            if isinstance(told, Refusal):
                raise RuntimeError(told.reason) if told.fault else UserError(told.reason)
            for report in told:
                yield self._put(by_key[report.key], report)
            return
        if future.status != "error":
            raise self._lost()
        error = future.exception()
        if not isinstance(error, KilledWorker):
            raise _cannot_load(self.cluster.address, error)
        deaths = f"{error.allowed_failures + 1} workers died at it, out of memory perhaps: see their logs"
        for job in jobs:
            if not stands(job):
                yield failed(Store(job.store), job, TrackerFailure(f"{job.run.tracker}: {deaths}"))

    def _put(self, job: Job, report: Report) -> Outcome:
        """Put what a worker sent back into the store; nothing to do where it wrote there itself."""
        store = Store(job.store)
        for (run, _), result in zip(job.runs, report.results, strict=bool(report.results)):
            if isinstance(result, Hole):
                store.put_hole(job.label, run, result)
            else:
                store.put_result(job.label, run, job.sequence.name, result)
        return Outcome(job, report.reason, report.crashed, state=report.state)


def _least_lanes(address: str, client: Any, devices: Iterable[str]) -> int:
    """What ``auto`` is on the worker that has the fewest. Waits for the first; one that comes later takes what it is.

    Raises UserError for workers that cannot load the project, or have no such device.
    """
    while not client.nthreads():
        sys.stderr.write(f"no worker at {address} yet; waiting to ask how many lanes it takes\n")
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=PATIENCE)
    try:
        return min(int(lanes) for device in devices for lanes in client.run(auto_lanes, device).values())
    except UserError:
        raise
    except Exception as error:
        raise _cannot_load(address, error) from error


def _cannot_load(address: str, error: Exception) -> UserError:
    """Whatever is raised, not told by a ``Refusal``, was raised before our code could run."""
    return UserError(
        f"a worker at {address} cannot load this project ({type(error).__name__}: {error}): start workers with "
        "`run_all.py workers`, or where the project is installed (pip install -e .)"
    )


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler. Raises UserError when there is none."""
    demand_distributed()
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(
            f"no dask scheduler answers at {address} ({error}): start one with `dask scheduler`, see docs/cluster.md"
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=5)


@contextmanager
def token(store: Path) -> Iterator[str]:
    """A file in the store by whose presence workers know that they see this store and not one of their own.

    It is called as unfinished files are, so that one that a killed command left is swept with them.
    """
    name = unfinished(f"shared-{uuid.uuid4().hex}")
    path = store / name
    try:
        path.write_bytes(b"")
    except OSError as error:
        raise UserError(f"cannot write into {store}: {error.strerror}; choose another --store") from error
    try:
        yield name
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def scheduler_address(text: str) -> str:
    """An address as it stands, or the one in a scheduler file (``dask scheduler --scheduler-file FILE.json``).

    Raises UserError for a file that cannot be read.
    """
    if not text.endswith(".json"):
        return text
    import json

    try:
        found: Mapping[str, Any] = json.loads(Path(text).read_text(encoding="utf-8"))
        return str(found["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{text} is no scheduler file ({error}): give what `dask scheduler` wrote") from error
