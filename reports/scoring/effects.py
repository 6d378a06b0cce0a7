"""What rows of an ablation are worth: effects with intervals that take in sequences and seeds.

A score is of a row, a seed and a sequence, and every training follows the same sequences: seeds lie within rows, both
cross the sequences. Another ablation of this kind would have other seeds and other sequences, so both are drawn anew
(hierarchical bootstrap: Davison and Hinkley 1997, 3.8; for crossed factors Owen 2007):

* sequences with replacement, for all rows at once: what one row does better on a sequence stays paired;
* the seeds' deviations, as many as a row has, from those of all rows together (``seeds``): rows are taken to have the
  same one, and rows that share trainings share what these do to them.

Few values drawn with replacement vary too little (n - 1 of n parts), and their own spread is not well known: deviations
are scaled up, and each draw is divided by the root of a chi-square over its degrees of freedom, sequences and seeds
apart, which makes Student's t of a normal deviate. ``tests/reports/scoring/test_effects.py`` counts how often the
intervals hold what they should.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inmo.reports.scoring.seeds import Trainings, seed_draws, student
from inmo.reports.scoring.statistics import LEVEL, MINIMUM, RESAMPLES, SEED, Interval

POWER = 0.8
Scores = Mapping[str, Mapping[int, Mapping[str, float]]]
"""Row -> seed -> sequence -> AUC; all trainings have the same sequences."""


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of the rows' means. ``kind``: mean, difference, main or interaction."""

    name: str
    weights: Mapping[str, float]
    kind: str = "difference"


@dataclass(frozen=True)
class Effect:
    """A contrast as measured.

    Attributes:
        contrast, value: what, and its estimate in the unit of the scores.
        trainings: (seed, value) of every training that it can be told of alone.
        interval: 95 %, over sequences and, where some row has several, seeds; None for fewer than 6 sequences.
        p_value: two-sided, that the contrast is 0; of the same draws as the interval.
        corrected: ``p_value`` after Holm's correction over the table; None before.
        detectable: the smallest effect, either way, that this design would have shown in 80 of 100 times at the 5 %
            level, corrected for the number of effects.
    """

    contrast: Contrast
    value: float
    trainings: tuple[tuple[int, float], ...] = ()
    interval: Interval | None = None
    p_value: float | None = None
    corrected: float | None = None
    detectable: float | None = None


def own_trainings(scores: Mapping[str, Mapping[int, object]]) -> dict[str, dict[int, str]]:
    """Every row with trainings that no other has."""
    return {row: {seed: f"{number} {seed}" for seed in own} for number, (row, own) in enumerate(scores.items())}


def means_of(rows: Iterable[str]) -> tuple[Contrast, ...]:
    """Every row by itself."""
    return tuple(Contrast(row, {row: 1.0}, "mean") for row in rows)


def against(reference: str, rows: Iterable[str]) -> tuple[Contrast, ...]:
    """Every other row less the reference."""
    return tuple(Contrast(row, {row: 1.0, reference: -1.0}) for row in rows if row != reference)


def factorial(levels: Mapping[str, Mapping[str, str]]) -> tuple[Contrast, ...]:
    """Main effects and two-factor interactions of a design in which every combination of two levels is one row.

    Args:
        levels: row -> factor -> level. The second level of a factor, in the order of the rows, less the first is its
            effect; ``true`` less ``false`` whatever their order.

    Returns:
        No contrast for any other design. An interaction is the effect of one factor where the other has its second
        level, less its effect where that has its first.
    """
    factors = list(next(iter(levels.values()), {}))
    seen = {f: _ordered([own.get(f, "") for own in levels.values()]) for f in factors}
    cells = {tuple(own.get(f, "") for f in factors) for own in levels.values()}
    whole = len(factors) >= 2 and all(len(values) == 2 for values in seen.values())
    if not whole or not len(cells) == len(levels) == 2 ** len(factors):
        return ()
    signs = {row: {f: 2 * seen[f].index(own[f]) - 1 for f in factors} for row, own in levels.items()}
    main = [
        Contrast(
            f"{f}: {seen[f][1]} less {seen[f][0]}", {r: own[f] * 2 / len(levels) for r, own in signs.items()}, "main"
        )
        for f in factors
    ]
    both = [
        Contrast(f"{a} × {b}", {r: own[a] * own[b] * 4 / len(levels) for r, own in signs.items()}, "interaction")
        for a, b in itertools.combinations(factors, 2)
    ]
    return (*main, *both)


def _ordered(values: Sequence[str]) -> list[str]:
    seen = list(dict.fromkeys(values))
    return ["false", "true"] if set(seen) == {"false", "true"} else seen


def judge(
    scores: Scores,
    contrasts: Sequence[Contrast],
    *,
    trainings: Trainings | None = None,
    family: int = 0,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[Effect, ...]:
    """Effects with intervals, p-values (not corrected) and the smallest that could be shown.

    Args:
        trainings: which training a row's seed is; None: every row has its own.
        family: for how many effects the smallest one is corrected; as many as there are contrasts when 0.

    Raises ValueError for trainings whose sequences differ.
    """
    names = sorted(next(iter(next(iter(scores.values())).values())))
    if any(own.keys() != set(names) for seeds in scores.values() for own in seeds.values()):
        raise ValueError("all trainings must have the same sequences")
    tables = {row: np.array([[own[n] for n in names] for own in seeds.values()]) for row, seeds in scores.items()}
    profiles = {row: table.mean(axis=0) for row, table in tables.items()}
    per_sequence = np.array([sum(w * profiles[r] for r, w in c.weights.items()) for c in contrasts])
    per_sequence = per_sequence.reshape(-1, len(names))  # of no contrast, too
    values = per_sequence.mean(axis=1)
    found = [Effect(c, float(v), _trainings(scores, c)) for c, v in zip(contrasts, values, strict=True)]
    if len(names) < MINIMUM or not contrasts:
        return tuple(found)
    rng = np.random.default_rng(seed)
    off = _sequence_draws(per_sequence, resamples, rng)
    seeds = seed_draws(tables, trainings or own_trainings(scores), resamples, rng)
    for column, contrast in enumerate(contrasts):
        off[:, column] += sum(w * seeds[r] for r, w in contrast.weights.items())
    low, high = values + np.quantile(off, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    sides = np.stack([(values + off <= 0).sum(axis=0), (values + off >= 0).sum(axis=0)]).min(axis=0)
    level = (1 - LEVEL) / (family or len(contrasts))
    least = np.quantile(np.abs(off), 1 - level, axis=0) + np.quantile(np.abs(off), 2 * POWER - 1, axis=0)
    return tuple(
        replace(
            effect,
            interval=Interval(float(low[i]), float(high[i]), len(names)),
            p_value=min(1.0, float(1 + 2 * sides[i]) / (resamples + 1)),
            detectable=float(least[i]),
        )
        for i, effect in enumerate(found)
    )


def holm(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """The effects with p-values corrected so that the chance of any false one among them is at most the level.

    Source: Holm 1979: the i-th smallest of m is multiplied by m - i + 1, and none falls below one before it.
    """
    order = sorted((i for i, e in enumerate(effects) if e.p_value is not None), key=lambda i: effects[i].p_value or 0.0)
    found, most = list(effects), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (effects[place].p_value or 0.0) * (len(order) - rank)))
        found[place] = replace(effects[place], corrected=most)
    return tuple(found)


def _trainings(scores: Scores, contrast: Contrast) -> tuple[tuple[int, float], ...]:
    """The contrast of single trainings.

    Of a row less another: every training of the row less the mean of the other. Else of seeds that all rows have.
    """
    means = {r: {s: float(np.mean([*own.values()])) for s, own in scores[r].items()} for r in contrast.weights}
    ones = [row for row, weight in contrast.weights.items() if weight == 1.0]
    if contrast.kind in ("difference", "mean") and len(ones) == 1:
        rest = sum(w * float(np.mean([*means[r].values()])) for r, w in contrast.weights.items() if r != ones[0])
        return tuple((seed, value + rest) for seed, value in means[ones[0]].items())
    shared = [s for s in next(iter(means.values())) if all(s in own for own in means.values())]
    return tuple((s, sum(w * means[r][s] for r, w in contrast.weights.items())) for s in shared)


def _sequence_draws(values: NDArray[np.float64], resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(contrasts, n) values -> (resamples, contrasts) deviations of means over n sequences drawn with replacement."""
    count = values.shape[1]
    times = rng.multinomial(count, np.full(count, 1 / count), resamples)
    off = times @ values.T / count - values.mean(axis=1)
    return np.asarray(off * np.sqrt(count / (count - 1)) * student(count - 1, resamples, rng)[:, None])
