"""Doing many jobs: in this process, or in workers by joblib."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tqdm import tqdm

from harness.jobs import Job, Outcome, execute


def run_jobs(jobs: Sequence[Job], *, workers: int = 1, quiet: bool = False) -> list[Outcome]:
    """Do all jobs, longest first as they come, with progress in frames on a terminal.

    Every worker stores its own results, so stopping at any moment loses at most the sequences under way.
    """
    outcomes = []
    bar: tqdm[Any]
    with tqdm(
        total=sum(job.frames for job in jobs), unit="frame", unit_scale=True, smoothing=0.05, dynamic_ncols=True,
        disable=quiet or not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        for outcome in _stream(jobs, workers, _show(bar)):
            outcomes.append(outcome)
            bar.set_postfix_str(f"{len(outcomes)}/{len(jobs)} {outcome.job.run.tracker} {outcome.job.sequence.name}")
            bar.update(outcome.job.frames)
            if outcome.reason:
                bar.write(f"hole: {outcome.job.label} {outcome.job.sequence.name}: {outcome.reason}", file=sys.stderr)
    return outcomes


def _show(bar: tqdm[Any]) -> Callable[[Job], None]:
    return lambda job: bar.set_postfix_str(f"{job.run.tracker} {job.sequence.name}")


def _stream(jobs: Sequence[Job], workers: int, show: Callable[[Job], None]) -> Iterator[Outcome]:
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            show(job)
            yield execute(job)
        return
    import joblib

    threads = max(1, (os.cpu_count() or 1) // workers)
    with joblib.parallel_config(backend="loky", inner_max_num_threads=threads):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        yield from parallel(joblib.delayed(_work)(job, threads) for job in jobs)


def _work(job: Job, threads: int) -> Outcome:
    import cv2

    cv2.setNumThreads(threads)  # workers share the cores: OpenCV would start one thread per core in each of them
    return execute(job)
