"""Workers of this host for a dask scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from inmo.harness.workers.hosts import start_workers


@dataclass(frozen=True)
class Workers:
    """Start workers on this host for a dask scheduler, one process per GPU; they end with the scheduler or by Ctrl-C.

    Example: python run_all.py workers --scheduler tcp://head:8786 --gpus-per-host 8
    """

    scheduler: str
    """Address of a dask scheduler (tcp://HOST:8786), or the FILE.json that it wrote."""
    gpus_per_host: int = 0
    """One worker for each of so many GPUs, which sees that GPU alone; 0: workers on the processor."""
    jobs: int = 1
    """Workers on the processor, which share its cores evenly."""


def run(command: Workers) -> int:
    start_workers(command.scheduler, gpus=command.gpus_per_host, processes=command.jobs)
    return 0
