"""Trackers by their ranks on single sequences: Friedman's test, and Nemenyi's critical difference after it.

Source: Demsar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7 (2006), section 3.2.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from inmo.reports.scoring.statistics import LEVEL, MINIMUM

LEAST = 3  # trackers: two are told apart by the test of pairs
COVERED = 0.5  # share of the sequences of the fullest tracker below which one is left out, lest it take theirs away
DIGITS = 12  # AUCs that are equal to so many decimals are equal


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of trackers over ``sequences`` sequences that all of them have.

    Attributes:
        trackers: the best first.
        ranks: their mean ranks, in this order; 1 is the best, equal values share their ranks' mean.
        sequences: how many sequences were ranked.
        p_value: of Friedman's test that all trackers are equally good.
        difference: mean ranks that differ by this or more are told apart at the 5 % level (Nemenyi's test).
        left_out: trackers with a score on too few sequences.
    """

    trackers: tuple[str, ...]
    ranks: tuple[float, ...]
    sequences: int
    p_value: float
    difference: float
    left_out: tuple[str, ...] = ()

    @property
    def cliques(self) -> tuple[tuple[int, int], ...]:
        """(first, last) position of every largest group of neighbours that are not told apart; all of them together
        where Friedman's test finds no difference."""
        if self.p_value >= 1 - LEVEL:
            return ((0, len(self.ranks) - 1),)
        found: list[tuple[int, int]] = []
        for first, rank in enumerate(self.ranks):
            last = max(i for i, other in enumerate(self.ranks) if i == first or other - rank < self.difference)
            if last > first and (not found or last > found[-1][1]):
                found.append((first, last))
        return tuple(found)

    def like(self, position: int) -> tuple[str, ...]:
        """The other trackers that the one at ``position`` is not told apart from."""
        own = {i for first, last in self.cliques if first <= position <= last for i in range(first, last + 1)}
        return tuple(self.trackers[i] for i in sorted(own - {position}))


def critical_difference(trackers: int, sequences: int) -> float:
    """Nemenyi's critical difference of mean ranks at the 5 % level.

    q * sqrt(k (k + 1) / 6 n), q being the quantile of the studentised range of k means over sqrt(2).
    """
    q = float(studentized_range.ppf(LEVEL, trackers, math.inf)) / math.sqrt(2)
    return q * math.sqrt(trackers * (trackers + 1) / (6 * sequences))


def rank_trackers(values: Mapping[str, Mapping[str, float]]) -> Ranking | None:
    """Rank trackers on every sequence that all of them have.

    Args:
        values: tracker -> sequence -> AUC. Trackers with less than half the sequences of the fullest are left out.

    Returns:
        None for fewer than 3 trackers or 6 sequences, or where all trackers are equal on every sequence.
    """
    most = max((len(own) for own in values.values()), default=0)
    kept = {tracker: own for tracker, own in values.items() if len(own) >= COVERED * most}
    common = sorted(set.intersection(*(set(own) for own in kept.values()))) if kept else []
    if len(kept) < LEAST or len(common) < MINIMUM:
        return None
    table = np.round([[own[name] for name in common] for own in kept.values()], DIGITS)
    if (table == table[0]).all():
        return None
    means = rankdata(-table, axis=0).mean(axis=1)
    names = [*kept]
    order = sorted(range(len(kept)), key=lambda i: means[i])
    return Ranking(
        tuple(names[i] for i in order),
        tuple(float(means[i]) for i in order),
        len(common),
        float(friedmanchisquare(*table).pvalue),
        critical_difference(len(kept), len(common)),
        tuple(tracker for tracker in values if tracker not in kept),
    )


def bars(cliques: Sequence[tuple[int, int]]) -> list[int]:
    """The level, from 0, of each clique's bar in a drawing: the lowest where it meets no other."""
    levels: list[int] = []  # level -> last position taken
    found = []
    for first, last in cliques:
        level = next((i for i, taken in enumerate(levels) if taken < first), len(levels))
        levels[level : level + 1] = [last]
        found.append(level)
    return found
