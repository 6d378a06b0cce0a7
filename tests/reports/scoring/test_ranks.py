"""Mean ranks, the critical difference and the groups that are not told apart, by hand and after Demsar (2006)."""

from __future__ import annotations

import math

import pytest

from inmo.reports.scoring.ranks import Ranking, bars, critical_difference, rank_trackers
from inmo.reports.tables.significance import rank_table, rank_words

SEQUENCES = [f"s{i}" for i in range(6)]


def flat(**values: float) -> dict[str, dict[str, float]]:
    """Trackers with the same AUC on six sequences."""
    return {tracker: dict.fromkeys(SEQUENCES, value) for tracker, value in values.items()}


def ranking(*ranks: float, difference: float = 1.0, p_value: float = 0.01) -> Ranking:
    return Ranking(tuple("ABCDEFGH"[: len(ranks)]), ranks, 10, p_value, difference)


def test_the_critical_difference_is_that_of_the_paper() -> None:
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)  # its example: 2.569 sqrt(20 / 84)
    assert critical_difference(2, 6) == pytest.approx(1.960 * math.sqrt(6 / 36), abs=0.001)
    assert critical_difference(10, 30) == pytest.approx(3.164 * math.sqrt(110 / 180), abs=0.001)


def test_a_clear_order_by_hand() -> None:
    found = rank_trackers(flat(C=0.1, A=0.9, B=0.5))
    assert found is not None
    assert (found.trackers, found.ranks, found.sequences) == (("A", "B", "C"), (1.0, 2.0, 3.0), 6)
    assert found.p_value == pytest.approx(math.exp(-6))  # chi square 12 * 6 / 12 * (14 - 12) = 12, 2 degrees of freedom
    assert found.difference == pytest.approx(2.344 / math.sqrt(3), abs=0.001)
    assert found.cliques == ((0, 1), (1, 2))
    assert [found.like(i) for i in range(3)] == [("B",), ("A", "C"), ("B",)]


def test_equal_values_share_their_ranks_mean() -> None:
    values = flat(A=0.9, B=0.5, C=0.1)
    values["B"] |= {"s0": 0.9, "s1": 0.1 + 1e-15}  # equal to A on one, and but for rounding to C on another
    found = rank_trackers(values)
    assert found is not None
    assert found.ranks == pytest.approx((6.5 / 6, (1.5 + 2.5 + 4 * 2) / 6, (5 * 3 + 2.5) / 6))


def test_where_nothing_differs_all_are_one_group() -> None:
    values = {t: {n: float((i + shift) % 3) for i, n in enumerate(SEQUENCES)} for shift, t in enumerate("ABC")}
    found = rank_trackers(values)
    assert found is not None
    assert found.ranks == (2.0, 2.0, 2.0) and found.p_value == pytest.approx(1.0)
    assert found.cliques == ((0, 2),) and found.like(0) == ("B", "C")
    assert "none are told apart" in rank_words(found)
    assert ranking(1, 3, 5, p_value=0.06).cliques == ((0, 2),)  # however far apart the ranks are


def test_only_the_sequences_that_all_have_are_ranked() -> None:
    values = flat(A=0.9, B=0.5, C=0.1, D=0.4)
    for own in values.values():
        own |= {f"t{i}": 0.3 for i in range(6)}
    values["C"] = dict.fromkeys(SEQUENCES, 0.1)
    values["D"] = {"s0": 1.0, "s1": 1.0}
    found = rank_trackers(values)
    assert found is not None
    assert (found.trackers, found.sequences, found.left_out) == (("A", "B", "C"), 6, ("D",))
    assert rank_words(found).endswith("Left out for want of sequences: D.")


def test_too_little_is_not_ranked() -> None:
    assert rank_trackers({}) is None
    assert rank_trackers(flat(A=0.9, B=0.5)) is None
    assert rank_trackers({t: dict(list(own.items())[:5]) for t, own in flat(A=0.9, B=0.5, C=0.1).items()}) is None
    assert rank_trackers(flat(A=0.5, B=0.5, C=0.5)) is None


@pytest.mark.parametrize(
    ("ranks", "cliques"),
    [
        ((1.0, 3.0, 5.0), ()),
        ((1.0, 2.0), ()),  # a difference as great as the critical one is told apart
        ((1.0, 1.5, 1.9, 2.4), ((0, 2), (1, 3))),
        ((1.0, 1.2, 1.4, 5.0, 5.5), ((0, 2), (3, 4))),
    ],
)
def test_groups_are_the_largest_ones(ranks: tuple[float, ...], cliques: tuple[tuple[int, int], ...]) -> None:
    assert ranking(*ranks).cliques == cliques


def test_bars_that_meet_are_on_different_levels() -> None:
    assert bars([]) == []
    assert bars([(0, 2), (3, 4), (5, 6)]) == [0, 0, 0]
    assert bars([(0, 2), (1, 3), (3, 5), (4, 6)]) == [0, 1, 0, 1]
    assert bars([(0, 2), (2, 4), (4, 6)]) == [0, 1, 0]  # one tracker in both: its bars would look like one


def test_the_table_has_all_that_the_drawing_shows() -> None:
    found = rank_trackers(flat(C=0.1, A=0.9, B=0.5))
    assert found is not None
    table = rank_table(found, title="T", protocol="pysot")
    assert [[cell.value for cell in row[:4]] for row in table.rows] == [
        ["A", 1.0, "B", 6], ["B", 2.0, "A, C", 6], ["C", 3.0, "B", 6],
    ]  # fmt: skip
    assert [row[1].rank for row in table.rows] == [1, 2, 0]  # of three the last has no mark
    assert "6 sequences that all have" in table.caption and "p = 0.0025" in table.caption
    assert "from 1.35 (CD) on" in table.caption
