"""How far a tracker's mean score moves over the values of a test-time constant, and against another tracker's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inmo.reports.scoring.effects import Contrast, judge
from inmo.reports.scoring.seeds import seed_deviations
from inmo.reports.scoring.statistics import (
    DIFFERENCES,
    FRACTIONS,
    LEVEL,
    MINIMUM,
    RESAMPLES,
    SEED,
    Interval,
    bootstrap_interval,
    times_drawn,
)

Aucs = NDArray[np.float64]
"""(trainings, n sequences, k values) of one tracker."""


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % bootstrap interval; None for n < 6."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Spread:
    """How far the mean moves over the values, and what it is under the first of them.

    Attributes:
        range: greatest less least mean over the values, of one training; the mean over the trainings. Noise alone makes
            one: it is never below 0, and resampled ones tend to be greater than it. Its interval, and that of its
            difference, is a percentile bootstrap's.
        range_difference: less the reference's.
        first: mean under the first value.
        first_difference: less the reference's.
    """

    range: Estimate
    range_difference: Estimate
    first: Estimate
    first_difference: Estimate


def spreads(values: Sequence[Aucs], *, resamples: int = RESAMPLES) -> tuple[Spread, ...]:
    """One Spread per tracker, the first of them being the reference.

    Args:
        values: of every tracker, on the same sequences. A resample draws whole sequences, for all trackers and values,
            and where some tracker has several trainings, the deviations of these (``effects``).
    """
    count = values[0].shape[1]
    drawn = [
        np.stack([np.ptp(times @ own, axis=2).mean(axis=0) for own in values])
        for times in times_drawn(count, resamples if count >= MINIMUM else 0, SEED)
    ]
    each = [np.ptp(own.mean(axis=1), axis=1) for own in values]
    reach = [float(own.mean()) for own in each]
    resampled = np.concatenate(drawn, axis=1) if drawn else np.empty((len(values), 0))
    resampled = resampled + seed_deviations(each, resampled.shape[1], np.random.default_rng(SEED + 1))

    def ranged(value: float, among: NDArray[np.float64]) -> Estimate:
        if not len(among):
            return Estimate(value, None)
        low, high = np.quantile(among, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(value, Interval(float(low), float(high), count))

    firsts = _means([own[:, :, 0] for own in values], resamples)
    return tuple(
        Spread(ranged(own, among), ranged(own - reach[0], among - resampled[0]), *first)
        for own, among, first in zip(reach, resampled, firsts, strict=True)
    )


def _means(tables: Sequence[NDArray[np.float64]], resamples: int) -> list[tuple[Estimate, Estimate]]:
    """Of every tracker's (trainings, n sequences) table its mean, and that less the first one's.

    Intervals of single trainings are those of ``bootstrap_interval``, of several those of ``effects.judge``.
    """
    if all(len(table) == 1 for table in tables):

        def over(each: NDArray[np.float64], within: tuple[float, float]) -> Estimate:
            return Estimate(float(each.mean()), bootstrap_interval([*each], within=within, resamples=resamples))

        return [(over(own, FRACTIONS), over(own - tables[0][0], DIFFERENCES)) for (own,) in tables]
    scores = {
        str(row): {number: {str(k): v for k, v in enumerate(own)} for number, own in enumerate(table)}
        for row, table in enumerate(tables)
    }
    contrasts = [Contrast(row, {row: 1.0}, "mean") for row in scores]
    contrasts += [Contrast(row, {row: 1.0, "0": -1.0} if row != "0" else {row: 0.0}) for row in scores]
    found = [Estimate(effect.value, effect.interval) for effect in judge(scores, contrasts, resamples=resamples)]
    return [*zip(found[: len(scores)], found[len(scores) :], strict=True)]
