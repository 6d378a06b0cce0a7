"""Doing many jobs: in this process, in workers by joblib, or on a cluster by dask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from tqdm import tqdm

from harness.batches import LaneBatch, carry_out, in_lanes
from harness.cluster import Cluster, carry_out_on
from harness.jobs import Job, Outcome
from harness.orphans import end_with, orphaned


def run_jobs(
    jobs: Sequence[Job], *, workers: int | Cluster = 1, lanes: int | Literal["auto"] = 1, quiet: bool = False
) -> list[Outcome]:
    """Do all jobs, longest first as they come, with progress in frames on a terminal.

    Every worker stores its own results, so stopping at any moment loses at most the sequences under way.

    Args:
        workers: processes, or a cluster.
        lanes: sequences of one tracker that run in lock-step in each process, see ``harness.lanes``.

    Raises:
        UserError: lanes that cannot be, or a cluster that cannot do the work.
    """
    outcomes = []
    bar: tqdm[Any]
    with tqdm(
        total=sum(job.frames for job in jobs), unit="frame", unit_scale=True, smoothing=0.05, dynamic_ncols=True,
        disable=quiet or not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        for outcome in _stream(jobs, workers, lanes, _show(bar)):
            outcomes.append(outcome)
            bar.set_postfix_str(f"{len(outcomes)}/{len(jobs)} {outcome.job.run.tracker} {outcome.job.sequence.name}")
            bar.update(outcome.job.frames)
            if outcome.reason:
                bar.write(f"hole: {outcome.job.label} {outcome.job.sequence.name}: {outcome.reason}", file=sys.stderr)
    return outcomes


def _show(bar: tqdm[Any]) -> Callable[[Job], None]:
    return lambda job: bar.set_postfix_str(f"{job.run.tracker} {job.sequence.name}")


def _stream(
    jobs: Sequence[Job], workers: int | Cluster, lanes: int | Literal["auto"], show: Callable[[Job], None]
) -> Iterator[Outcome]:
    if isinstance(workers, Cluster):
        yield from carry_out_on(workers, jobs, lanes)
        return
    units = in_lanes(jobs, lanes, workers)
    if workers <= 1 or len(units) <= 1:
        for unit in units:
            show(unit.jobs[0] if isinstance(unit, LaneBatch) else unit)
            yield from carry_out(unit)
        return
    import joblib

    threads = max(1, (os.cpu_count() or 1) // workers)
    with joblib.parallel_config(backend="loky", inner_max_num_threads=threads):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        for outcomes in parallel(joblib.delayed(_work)(unit, threads, os.getpid()) for unit in units):
            yield from outcomes


def _work(unit: Job | LaneBatch, threads: int, parent: int) -> list[Outcome]:
    import cv2

    end_with(parent)
    if orphaned(parent):  # a unit that was handed out before the end
        return []
    cv2.setNumThreads(threads)  # workers share the cores: OpenCV would start one thread per core in each of them
    return list(carry_out(unit))
