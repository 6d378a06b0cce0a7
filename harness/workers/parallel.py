"""Doing many jobs: in this process, in workers by joblib, or on a cluster by dask."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from inmo.errors import UserError
from inmo.harness.run.jobs import Job, Outcome, failed
from inmo.harness.run.lane_batches import LaneBatch, carry_out, in_lanes
from inmo.harness.store.claims import wait_for_any
from inmo.harness.store.store import Store
from inmo.harness.workers.cluster import Cluster, carry_out_on
from inmo.harness.workers.orphans import end_with, orphaned
from inmo.harness.workers.resources import Resources
from inmo.trackers.base import TrackerFailure

PERIOD = 30.0  # seconds between two lines on how far it is
TRIES = 2  # of a unit beside others, before its jobs are done alone


def run_jobs(
    jobs: Sequence[Job],
    resources: Resources = Resources(),
    progress: bool | None = None,
) -> list[Outcome]:
    """Do all jobs, longest first as they come.

    Every worker stores its own results, so stopping at any moment loses at most the sequences under way.

    Args:
        resources: where and how; the jobs know their devices already.
        progress: a bar in frames on standard error; None shows it where that is a terminal, and elsewhere a line every
            half minute.

    Raises:
        UserError: lanes that cannot be, or a cluster that cannot do the work.
    """
    outcomes: list[Outcome] = []
    said = time.monotonic()
    bar: tqdm[Any]
    with tqdm(
        total=sum(job.frames for job in jobs), unit="frame", unit_scale=True, smoothing=0.05, dynamic_ncols=True,
        disable=not (sys.stderr.isatty() if progress is None else progress),
    ) as bar:  # fmt: skip
        for outcome in _with_others(jobs, resources, bar):
            outcomes.append(outcome)
            bar.set_postfix_str(f"{len(outcomes)}/{len(jobs)} {outcome.job.run.tracker} {outcome.job.sequence.name}")
            bar.update(outcome.job.frames)
            if progress is None and bar.disable:  # a command, which lists its holes at the end
                said = _say(said, outcomes, jobs)
            elif outcome.reason:
                bar.write(f"hole: {outcome.words}", file=sys.stderr)
    return outcomes


def _say(last: float, outcomes: Sequence[Outcome], jobs: Sequence[Job]) -> float:
    """How far it is, when the last line is long enough ago; the time of the last line."""
    now = time.monotonic()
    if now - last < PERIOD:
        return last
    frames, wanted = (sum(job.frames for job in some) for some in ([o.job for o in outcomes], jobs))
    holes = sum(bool(outcome.reason) for outcome in outcomes)
    sys.stderr.write(
        f"{len(outcomes)} of {len(jobs)} runs of a sequence, {frames / wanted:.0%} of their frames"
        f"{f', {holes} of them holes' if holes else ''}\n"
    )
    return now


def _with_others(jobs: Sequence[Job], resources: Resources, bar: tqdm[Any]) -> Iterator[Outcome]:
    """All outcomes; what another run on the same store has under way is waited for, and done here where that ends."""
    held: list[Job] = []
    while jobs:
        for outcome in _stream(jobs, resources, bar):
            if outcome.state == "held":
                held.append(outcome.job)
            else:
                yield outcome
        if not held:
            return
        sys.stderr.write(f"waiting for {len(held)} runs of a sequence that another run on this store has under way\n")
        free = set(wait_for_any(held[0].store, [job.keys for job in held]))
        jobs = [job for place, job in enumerate(held) if place in free]
        held = [job for place, job in enumerate(held) if place not in free]


def _stream(jobs: Sequence[Job], resources: Resources, bar: tqdm[Any]) -> Iterator[Outcome]:
    workers, lanes = resources.workers, resources.lanes
    if isinstance(workers, Cluster):
        yield from carry_out_on(workers, [replace(job, beside=None) for job in jobs], lanes)
        return
    units = in_lanes([replace(job, beside=max(1, min(workers, len(jobs)))) for job in jobs], lanes, workers)
    if workers <= 1 or len(units) <= 1:
        for unit in units:
            job = unit.jobs[0] if isinstance(unit, LaneBatch) else unit
            bar.set_postfix_str(f"{job.run.tracker} {job.sequence.name}")
            yield from carry_out(unit)
        return
    yield from _units_in_processes(units, workers)


def _units_in_processes(units: Sequence[Job | LaneBatch], workers: int) -> Iterator[Outcome]:
    """All units in processes of this machine; the death of one, or of several, ends neither the run nor its siblings.

    A dead process takes the others with it (joblib's doing), and nobody tells which unit it had. Units are handed out
    in their order, so it is one of the first that are left: they are tried again, in the end one job at a time, and
    what kills its process when it is alone is a hole.
    """
    waiting, deaths = dict(enumerate(units)), Counter[int]()
    while waiting:
        if not (yield from _until_one_dies(waiting, workers)):
            return
        sys.stderr.write("a worker process died, killed or out of memory: what was under way is done again\n")
        for place in list(waiting)[:workers]:
            deaths[place] += 1
            if deaths[place] == TRIES:
                yield from _one_by_one(waiting.pop(place), workers)


def _one_by_one(unit: Job | LaneBatch, workers: int) -> Iterator[Outcome]:
    for job in (unit,) if isinstance(unit, Job) else unit.jobs:
        if (yield from _until_one_dies({0: job}, workers)):
            reason = f"{job.run.tracker}: its process died {TRIES + 1} times, at last alone: out of memory, or a crash"
            yield failed(Store(job.store), job, TrackerFailure(reason))


def _until_one_dies(waiting: dict[int, Job | LaneBatch], workers: int) -> Generator[Outcome, None, bool]:
    """Do what is waiting, taking away what is done; whether a process died, so that some was not."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        for place, outcomes in in_processes(_work, list(waiting.items()), workers):
            del waiting[place]
            yield from outcomes
    except TerminatedWorkerError:
        return True
    return False


def _work(place: int, unit: Job | LaneBatch) -> tuple[int, list[Outcome]]:
    import cv2

    cv2.setNumThreads(int(os.environ["OMP_NUM_THREADS"]))  # its share: OpenCV would start one thread per core in each
    return place, list(carry_out(unit))


def in_processes(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Any]:
    """What the function gives for each of the arguments, as it comes, from so many processes of this machine.

    They share the cores evenly (``OMP_NUM_THREADS`` tells each), and end with this process. Raises UserError where
    joblib may start none.
    """
    import joblib

    if joblib.parallel.mp is None:  # it would end in an assertion of its own
        raise UserError(
            "joblib starts no processes here: unset JOBLIB_MULTIPROCESSING, on a system without semaphores (/dev/shm) "
            "work in one process (track: --jobs 1)"
        )

    threads = max(1, (os.cpu_count() or 1) // workers)
    with joblib.parallel_config(backend="loky", inner_max_num_threads=threads):
        done = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        yield from done([joblib.delayed(_attended)(os.getpid(), function, *given) for given in calls])


def _attended(parent: int, function: Callable[..., Any], *given: Any) -> Any:
    end_with(parent)
    if orphaned(parent):  # work that was handed out before the end
        os._exit(1)
    return function(*given)
