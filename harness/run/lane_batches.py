"""Jobs that run in lock-step: those of one tracker with one config on one device, whatever their datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Literal

from inmo.harness.run.jobs import Job, Outcome, built, execute, facts_of, failed, stands
from inmo.harness.run.lanes import Failed, follow_all, lanes_for
from inmo.harness.store.claims import Claims
from inmo.harness.store.store import Store
from inmo.trackers import tracker


@dataclass(frozen=True)
class LaneBatch:
    """Jobs alike in all but the sequence, longest first, and how many of them run at once. For one worker."""

    jobs: tuple[Job, ...]
    lanes: int

    @property
    def frames(self) -> int:
        return sum(job.frames for job in self.jobs)


def in_lanes(jobs: Sequence[Job], lanes: int | Literal["auto"], workers: int = 1) -> list[Job | LaneBatch]:
    """Jobs grouped for lock-step, the longest first; those that stay alone, and all with ``lanes`` 1, as they are.

    The jobs of a group go to as many workers as have lanes to fill, each about as many frames.

    Raises:
        UserError: lanes that cannot be, or an unusable device.
    """
    groups: dict[Any, list[Job]] = {}
    width: dict[Any, int] = {}
    units: list[Job | LaneBatch] = []
    for job in jobs:
        kind = (job.run.tracker, job.device)
        if kind not in width:
            width[kind] = lanes_for(tracker(job.run.tracker), lanes, job.device)
        if width[kind] == 1 or job.also:  # a sweep is a batch of its own
            units.append(job)
        else:
            groups.setdefault((job.store, *kind, job.config), []).append(job)
    for (_, *kind, _), group in groups.items():
        for part in _parts(group, min(workers, -(-len(group) // width[tuple(kind)]))):
            most = min(width[tuple(kind)], len(part))
            units.append(LaneBatch(tuple(part), most) if most > 1 else part[0])
    return sorted(units, key=lambda unit: -unit.frames)


def _parts(jobs: Sequence[Job], count: int) -> list[list[Job]]:
    """The jobs in ``count`` parts of about as many frames, each with its longest job first."""
    parts: list[list[Job]] = [[] for _ in range(count)]
    for job in sorted(jobs, key=lambda job: -job.frames):
        min(parts, key=lambda part: sum(other.frames for other in part)).append(job)
    return parts


def carry_out(unit: Job | LaneBatch) -> Iterator[Outcome]:
    """Do one job or a batch of them in this process. Every sequence is stored, or its hole, as soon as it ended.

    What another process, of this command or any other, has stored since the jobs were planned is not computed again,
    and what one has under way is left to it.
    """
    jobs = (unit,) if isinstance(unit, Job) else unit.jobs
    claims, others, told = Claims(jobs[0].store), list[Outcome](), set[int]()

    def leave(job: Job, state: Literal["elsewhere", "held"]) -> bool:
        told.add(id(job))
        others.append(Outcome(job, state=state))
        return False

    def admit(job: Job) -> bool:
        if id(job) in told:
            return False
        if not claims.take(job.keys):
            return leave(job, "held")
        if stands(job):
            claims.release(job.keys)
            return leave(job, "elsewhere")
        return True

    try:
        for outcome in _jobs_of(unit, admit):
            claims.release(outcome.job.keys)
            yield outcome
            yield from others
            others.clear()
        yield from others
    finally:
        claims.release_all()


def _jobs_of(unit: Job | LaneBatch, admit: Callable[[Job], bool]) -> Iterator[Outcome]:
    """The outcomes of the jobs that are admitted."""
    if isinstance(unit, Job):
        if admit(unit):
            yield execute(unit)
        return
    missing = [job for job in unit.jobs if not stands(job) or admit(job)]
    first = next(filter(admit, missing), None)
    if first is None:
        return
    store = Store(first.store)
    try:
        running = built(first.run.tracker, first.config, first.device)
    except Exception as error:  # as with single jobs, a tracker that cannot be built is a hole in each of them
        for job in filter(admit, missing):
            yield failed(store, job, error)
        return
    fixed = bool(getattr(first.config, "one_batch_size", False))
    with closing(follow_all(running, missing, unit.lanes, admit=admit, fixed=fixed)) as ends:
        for end in ends:
            job = end.wanted
            if isinstance(end, Failed):
                yield failed(store, job, end.error)
                continue
            facts = facts_of(job, running, end.annotation, end.frames, end.lanes)
            facts |= {"note": end.note} if end.note else {}
            store.put_result(job.label, job.run, job.sequence.name, replace(end.result, provenance=facts))
            yield Outcome(job, note=end.note)
