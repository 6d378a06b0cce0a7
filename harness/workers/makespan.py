"""How long many jobs take on several workers when the longest that is left goes to whoever is free first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def loads(costs: Sequence[float], workers: int) -> list[float]:
    """When each of the workers is done, by longest-first list scheduling (Graham 1969); all start at 0.

    Args:
        costs: of each job, in any unit, none negative; nothing is split.
        workers: how many, from 1 up.

    Returns:
        ``workers`` times in the unit of ``costs``, ascending. The last is at least the mean load and the longest job,
        and at most their sum.
    """
    if workers < 1:
        raise ValueError(f"{workers} workers: give a number from 1 up")
    ends = [0.0] * workers  # equal values are a heap
    for cost in sorted(costs, reverse=True):
        heapq.heapreplace(ends, ends[0] + cost)
    return sorted(ends)


def makespan(costs: Sequence[float], workers: int) -> float:
    """When the last job is done, in the unit of ``costs``; 0 without jobs. See ``loads``."""
    return loads(costs, workers)[-1]


def efficiency(costs: Sequence[float], workers: int) -> float:
    """Share of the workers' time that is work, 0 to 1: all costs / (workers x makespan). 1 without jobs."""
    longest = makespan(costs, workers)
    return sum(costs) / (workers * longest) if longest else 1.0
