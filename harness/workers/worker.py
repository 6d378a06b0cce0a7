"""What runs in a worker of a cluster.

As a dask preload (``--preload inmo.harness.workers.worker``) it makes the worker ready early.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.run.jobs import Job
from inmo.harness.run.lane_batches import LaneBatch, carry_out
from inmo.harness.store import provenance
from inmo.harness.store.claims import Key
from inmo.harness.store.records import Result
from inmo.harness.store.store import Store
from inmo.trackers.base import config_hash


@dataclass(frozen=True)
class Orders:
    """What a worker must know beside its unit.

    Attributes:
        folder: the command's; relative paths of datasets and weights are meant from there.
        code: version of the command's code, which the worker's must be.
        tokens: store -> name of a file in it (see ``workers.cluster.token``); empty: results are sent back.
    """

    folder: str
    code: str
    tokens: Mapping[Path, str]


@dataclass(frozen=True)
class Report:
    """What became of one job: as ``Outcome``, without sending the job back.

    Attributes:
        key: the first of the job's, which tells it from the others of its unit.
        state: as of the outcome.
        results: of each run of the job, where there is no shared store.
    """

    key: Key
    reason: str = ""
    crashed: bool = False
    state: Literal["here", "elsewhere", "held"] = "here"
    results: tuple[Result | Hole, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why a worker did not do its unit, in a sentence. ``fault``: by an error that is none of the user's.

    It is returned, not raised: an exception whose traceback dask cannot send leaves the command waiting for ever.
    """

    reason: str
    fault: bool = False


@dataclass(frozen=True)
class Errand:
    """Work that is done by being unpickled: ``pickle.loads`` of its bytes gives what ``does`` gives, or a ``Refusal``.

    So bytes are all that dask sees. It unpickles a task's function and arguments while it reads a message, and a worker
    that cannot (no project there) would just be gone; here that is an error of the task.

    Refused is what would go wrong with every unit: other code, other weights under the same path, a store that this
    host does not see.

    Attributes:
        does, given: the function of a module, and its arguments.
        orders: what the worker must be fit for first.
        name: what an error is said to have befallen; empty for the worker.
    """

    does: Callable[..., Any]
    given: tuple[Any, ...]
    orders: Orders
    name: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _done, (self.does, self.given, self.orders, self.name)

    def posted(self) -> bytes:
        """The errand as it travels."""
        import cloudpickle

        posted: bytes = cloudpickle.dumps(self)
        return posted


def _done(does: Callable[..., Any], given: tuple[Any, ...], orders: Orders, name: str) -> Any:
    try:
        stand_ready(orders)
        return does(*given)
    except UserError as error:
        return Refusal(str(error))
    except Exception as error:
        where = name or f"on the worker on {socket.gethostname()}"
        return Refusal(f"{where}: {type(error).__name__}: {error}", fault=True)


def work(unit: Job | LaneBatch, shared_store: bool) -> list[Report]:
    """Do a unit in this worker. What goes wrong with a sequence is a hole of its own.

    Raises UserError for other weights under the same path.
    """
    jobs = (unit,) if isinstance(unit, Job) else unit.jobs
    for name, config, wanted in {(job.run.tracker, job.config, job.run.hash) for job in jobs}:
        _demand_same_files(name, config, wanted)
    versions = tuple(provenance.versions().items())  # those of this host: its torch may be another
    with nullcontext() if shared_store else tempfile.TemporaryDirectory(prefix="inmo-results-") as folder:
        here = tuple(replace(job, versions=versions, store=Path(folder) if folder else job.store) for job in jobs)
        mine = here[0] if isinstance(unit, Job) else replace(unit, jobs=here)
        return [
            Report(done.job.keys[0], done.reason, done.crashed, done.state, _results(done.job) if folder else ())
            for done in carry_out(mine)
        ]


def stand_ready(orders: Orders) -> None:
    """Make this worker fit for what the orders are of.

    Raises UserError for other code than the command's, or a store that is not seen from here.
    """
    settle(orders.folder)
    _demand_same_code(orders.code)
    for store, mark in orders.tokens.items():
        _demand_store(store, mark)


def settle(folder: str) -> None:
    """Make relative paths mean what they mean to the command, or nothing at all where its folder is not here."""
    here = Path(folder) if Path(folder).is_dir() else Path(_nowhere().name)
    if Path.cwd() != here:
        os.chdir(here)
    import cv2

    cv2.setNumThreads(int(os.environ.get("OMP_NUM_THREADS") or 1))  # workers of a host share its cores


def dask_setup(worker: Any) -> None:
    """Called by dask when this module is a preload: a worker that cannot do the work says so when it starts."""
    del worker
    provenance.versions()


@lru_cache(maxsize=1)
def _nowhere() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="inmo-nowhere-")


def _results(job: Job) -> tuple[Result | Hole, ...]:
    return tuple(Store(job.store).result(job.label, run, job.sequence.name) for run, _ in job.runs)


def _demand_same_code(wanted: str) -> None:
    here = provenance.code_version()
    if here != wanted:
        raise UserError(
            f"the worker on {socket.gethostname()} runs version {here} of this project and the command {wanted}: bring "
            "both to the same commit and start the worker anew"
        )


@lru_cache(maxsize=64)
def _demand_same_files(name: str, config: Any, wanted: str) -> None:
    """A file that a config names (weights, say) is another one here: its boxes would stand under a wrong hash."""
    if config_hash(name, config) != wanted:
        raise UserError(
            f"a file of {name}'s config is another one on {socket.gethostname()} than on the command's machine: copy "
            "it there, or put it on a disk that both see"
        )


def _demand_store(store: Path, token: str) -> None:
    if not (store / token).exists():
        raise UserError(
            f"the worker on {socket.gethostname()} does not see the store {store}: put it on a disk that all hosts see "
            "under the same path, or add --no-shared-store"
        )
