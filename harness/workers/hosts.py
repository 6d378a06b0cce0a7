"""Worker processes on this host for a dask scheduler: one per GPU, or some that share the processor."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from inmo.errors import UserError
from inmo.harness.workers.cluster import PATIENCE, Cluster, demand_distributed, scheduler_address

GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Place:
    """One worker process: its number on this host and the environment it starts with."""

    number: int
    environment: Mapping[str, str]


def places(gpus: int, processes: int, environment: Mapping[str, str], cores: int) -> list[Place]:
    """One worker per GPU, each of which sees that GPU alone; without GPUs, ``processes`` workers.

    Args:
        gpus: how many of this host's GPUs to use. Where ``CUDA_VISIBLE_DEVICES`` names some (a batch system does), the
            first of those.
        processes: workers where ``gpus`` is 0.
        environment: of this process.
        cores: of the processor, which the workers share evenly where ``OMP_NUM_THREADS`` does not say otherwise.

    Raises UserError for a number that cannot be, or more GPUs than are visible.
    """
    if gpus < 0 or processes < 1:
        raise UserError(f"--gpus-per-host {gpus} --jobs {processes}: give numbers from 1 up")
    count = gpus or processes
    given = environment.get(GPUS)
    names = [str(n) for n in range(gpus)] if given is None else [name for name in given.split(",") if name.strip()]
    if gpus > len(names):
        raise UserError(f"--gpus-per-host {gpus}, but {GPUS}={given} shows {len(names)}: ask for as many as there are")
    share = str(max(1, cores // count))
    threads = {name: environment.get(name) or share for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return [Place(n, {**threads, **({GPUS: names[n].strip()} if gpus else {})}) for n in range(count)]


def nanny_options(place: Place, name: str, host: str) -> dict[str, Any]:
    """How dask starts the worker: one unit at a time, in a process of its own that comes again when it died.

    ``env`` is set in the new process before anything of ours is imported, so before torch is. There is no memory limit:
    dask's own is a share of the machine, and would kill workers that the machine has room for. ``host`` is the address
    to listen at: a worker runs what it is sent, and without it would listen on every network that this host is in.
    """
    return {
        "nthreads": 1, "memory_limit": 0, "name": f"{name}-{place.number}", "env": dict(place.environment),
        "preload": ["inmo.harness.workers.worker"], "dashboard": False, "silence_logs": logging.WARNING, "host": host,
    }  # fmt: skip


def start_workers(scheduler: str, *, gpus: int = 0, processes: int = 1) -> None:
    """Run workers on this host until the scheduler goes away or this process is asked to stop.

    Raises UserError when there is no scheduler, or see ``places``.
    """
    demand_distributed()
    chosen = places(gpus, processes, os.environ, os.cpu_count() or 1)
    asyncio.run(_serve(scheduler_address(scheduler), chosen))


async def _serve(address: str, chosen: list[Place]) -> None:
    import socket

    from distributed import Nanny, rpc
    from distributed.comm.addressing import get_address_host, unparse_host_port
    from distributed.utils import get_ip

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with rpc(address, timeout=PATIENCE) as scheduler:
            await asyncio.wait_for(scheduler.identity(), PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(f"no dask scheduler answers at {address} ({error}): start one with `dask scheduler`") from error
    name, host = f"{socket.gethostname()}-{os.getpid()}", unparse_host_port(get_ip(get_address_host(address)))
    async with AsyncExitStack() as stack:
        nannies = [Nanny(address, **nanny_options(place, name, host)) for place in chosen]
        await asyncio.gather(*(stack.enter_async_context(nanny) for nanny in nannies))
        shown = [place.environment.get(GPUS, "-") for place in chosen]
        sys.stderr.write(f"{len(chosen)} workers for {address}, GPUs {' '.join(shown)}; Ctrl-C ends them\n")
        ends = [asyncio.ensure_future(nanny.finished()) for nanny in nannies]
        asked = asyncio.ensure_future(stop.wait())
        await asyncio.wait([asked, asyncio.ensure_future(asyncio.wait(ends))], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()


@contextmanager
def own_cluster(*, gpus: int = 0, processes: int = 1) -> Iterator[Cluster]:
    """A scheduler and workers on this host for one command. Raises UserError, see ``places``."""
    demand_distributed()
    from distributed import Nanny, Scheduler, SpecCluster

    chosen = places(gpus, processes, os.environ, os.cpu_count() or 1)
    workers = {place.number: {"cls": Nanny, "options": nanny_options(place, "own", "127.0.0.1")} for place in chosen}
    local = {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": local}
    with SpecCluster(workers=workers, scheduler=scheduler, name="inmo", silence_logs="ERROR") as cluster:
        yield Cluster(cluster.scheduler_address)


@contextmanager
def chosen_workers(
    backend: str, scheduler: str | None, gpus: int, shared_store: bool, processes: int
) -> Iterator[int | Cluster]:
    """What ``run_jobs`` calls ``workers``, as the command line asks for it.

    Raises UserError for words that do not go together, and see ``places``.
    """
    if backend != "dask":
        if scheduler or gpus or not shared_store:
            raise UserError("--scheduler, --gpus-per-host and --no-shared-store are for --backend dask: add it")
        yield processes
    elif scheduler:
        if gpus:
            raise UserError(
                "--gpus-per-host starts workers on this host, and a cluster of --scheduler has its own: give one of "
                "them, or start workers for the scheduler with `run_all.py workers`"
            )
        yield Cluster(scheduler_address(scheduler), shared_store)
    else:
        with own_cluster(gpus=gpus, processes=processes) as cluster:
            yield Cluster(cluster.address, shared_store)
