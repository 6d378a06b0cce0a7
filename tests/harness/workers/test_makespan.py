"""List scheduling: small cases by hand, and the bounds that hold for any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.datasets.base import read_table
from inmo.datasets.reading import Span
from inmo.harness.workers.makespan import efficiency, loads, makespan


def test_the_longest_goes_to_whoever_is_free_first() -> None:
    # 7 | 5 | 4, then 3 to the one done at 4, 2 to the one done at 5, 2 to one of those done at 7
    assert loads([3, 2, 7, 2, 4, 5], 3) == [7, 7, 9]
    assert makespan([3, 2, 7, 2, 4, 5], 3) == 9
    assert efficiency([3, 2, 7, 2, 4, 5], 3) == pytest.approx(23 / 27)


def test_list_scheduling_may_miss_the_optimum() -> None:
    # 3 3 | 2 2 2 would end at 6; the longest first gives 3 2 2 | 3 2
    assert loads([2, 2, 2, 3, 3], 2) == [5, 7]


def test_one_worker_does_everything_and_one_job_keeps_one_worker() -> None:
    assert makespan([1, 2, 3], 1) == 6
    assert efficiency([1, 2, 3], 1) == 1
    assert loads([5], 4) == [0, 0, 0, 5]
    assert efficiency([5], 4) == 0.25


def test_nothing_to_do_is_done_at_once() -> None:
    assert loads([], 2) == [0, 0]
    assert efficiency([], 2) == 1
    assert efficiency([0, 0], 2) == 1


def test_there_is_no_run_without_workers() -> None:
    with pytest.raises(ValueError, match="from 1 up"):
        makespan([1], 0)


@given(st.lists(st.integers(0, 10_000), max_size=60), st.integers(1, 80))
def test_bounds_of_any_schedule(costs: list[int], workers: int) -> None:
    found = loads(costs, workers)
    longest, mean = max(costs, default=0), sum(costs) / workers
    assert len(found) == workers
    assert sum(found) == sum(costs)
    assert max(longest, mean) <= found[-1] <= mean + longest
    assert 0 <= efficiency(costs, workers) <= 1


def test_lasot_keeps_64_workers_busy() -> None:
    lengths = [Span.of_row(row).count or 0 for row in read_table("lasot_test.csv")]
    assert (len(lengths), sum(lengths), max(lengths)) == (280, 685_360, 9_999)
    assert efficiency(lengths, 64) >= 0.9
    assert makespan(lengths, 128) == makespan(lengths, 512) == 9_999  # the longest sequence alone decides
