"""How sure a mean over sequences is, and whether two trackers differ. The unit of resampling is the sequence.

Frames of one sequence are far from independent, so an interval over frames would be much too narrow. With fewer than
``MINIMUM`` sequences nothing is claimed: with five, the smallest two-sided p-value that a signed-rank test can give
is 2 / 2**5 = 0.0625, and a percentile bootstrap of so few values covers far less than its name says.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MINIMUM = 6
RESAMPLES = 10_000
LEVEL = 0.95
SEED = 20230


@dataclass(frozen=True)
class Interval:
    """A 95 % percentile bootstrap interval of a mean over ``n`` sequences, in the unit of the values."""

    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Comparison:
    """A tracker against the best one on the ``n`` sequences that both have.

    Attributes:
        difference: mean of (tracker - best).
        interval: its 95 % paired bootstrap interval; None for n < 6.
        p_value: two-sided Wilcoxon signed-rank test, Holm-corrected over the trackers compared; None for n < 6.
    """

    difference: float
    n: int
    interval: Interval | None = None
    p_value: float | None = None


def bootstrap_interval(values: Sequence[float], *, resamples: int = RESAMPLES, seed: int = SEED) -> Interval | None:
    """Percentile bootstrap of the mean (Efron and Tibshirani 1993, ch. 13); None for fewer than 6 values."""
    data = np.asarray(values, dtype=np.float64)
    if len(data) < MINIMUM:
        return None
    if np.ptp(data) == 0:
        return Interval(float(data[0]), float(data[0]), len(data))
    from scipy import stats

    found = stats.bootstrap(
        (data,), np.mean, n_resamples=resamples, batch=1000, vectorized=True, confidence_level=LEVEL,
        method="percentile", rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return Interval(float(found.low), float(found.high), len(data))


def compare_with_best(values: Mapping[str, Mapping[str, float]], best: str) -> dict[str, Comparison]:
    """Every other tracker against ``best`` on the sequences that both have.

    Args:
        values: tracker -> sequence -> AUC.
        best: name of the tracker compared with; it must be a key of ``values``.

    Returns:
        tracker -> Comparison, without ``best`` itself and without trackers that share no sequence with it.
    """
    found = {}
    for tracker, mine in values.items():
        shared = [name for name in values[best] if name in mine]
        if tracker == best or not shared:
            continue
        differences = np.array([mine[name] - values[best][name] for name in shared])
        found[tracker] = Comparison(
            float(differences.mean()), len(shared), bootstrap_interval(list(differences)), _wilcoxon(differences)
        )
    corrected = holm({t: c.p_value for t, c in found.items() if c.p_value is not None})
    return {t: replace(c, p_value=corrected.get(t)) for t, c in found.items()}


@dataclass(frozen=True)
class Pair:
    """Two trackers on the ``n`` sequences that both have.

    Attributes:
        difference: mean of (first - second).
        interval: its 95 % paired percentile bootstrap interval; None for n < 6.
        p_value: two-sided, of the same resamples: twice the share of them whose mean difference has the other sign or
            is 0, Holm-corrected over all pairs that were compared. None for n < 6.
    """

    first: str
    second: str
    difference: float
    n: int
    interval: Interval | None = None
    p_value: float | None = None

    @property
    def turned(self) -> Pair:
        """The same pair with the second tracker first."""
        ends = Interval(-self.interval.high, -self.interval.low, self.n) if self.interval else None
        return Pair(self.second, self.first, -self.difference, self.n, ends, self.p_value)

    @property
    def better(self) -> str:
        """The better tracker, where the two are told apart at the 5 % level; empty elsewhere."""
        if self.p_value is None or self.p_value >= 1 - LEVEL:
            return ""
        return self.first if self.difference > 0 else self.second


def compare_all(
    values: Mapping[str, Mapping[str, float]], *, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[Pair, ...]:
    """Every tracker against every later one, on the sequences that both have; pairs without a common one are left out.

    A resample draws whole sequences with replacement and takes both trackers' values on them. All pairs on the same
    sequences share their resamples, so that a difference that holds is judged alike from both sides.

    Args:
        values: tracker -> sequence -> AUC, in the order in which pairs are wanted.
    """
    shared: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for first, second in itertools.combinations(values, 2):
        names = tuple(sorted(values[first].keys() & values[second].keys()))
        if names:
            shared.setdefault(names, []).append((first, second))
    found: dict[tuple[str, str], Pair] = {}
    for names, pairs in shared.items():
        rows = [[values[a][name] - values[b][name] for name in names] for a, b in pairs]
        differences = np.array(rows, np.float64).T
        means = _resampled_means(differences, resamples, seed) if len(names) >= MINIMUM else None
        for number, (a, b) in enumerate(pairs):
            interval = p_value = None
            if means is not None:
                low, high = np.quantile(means[:, number], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                interval, p_value = Interval(float(low), float(high), len(names)), _two_sided(means[:, number])
            found[a, b] = Pair(a, b, float(differences[:, number].mean()), len(names), interval, p_value)
    ordered = [found[pair] for pair in itertools.combinations(values, 2) if pair in found]
    raw = {f"{number:09}": pair.p_value for number, pair in enumerate(ordered)}
    corrected = holm({key: p for key, p in raw.items() if p is not None})
    return tuple(replace(pair, p_value=corrected.get(key)) for pair, key in zip(ordered, raw, strict=True))


def _resampled_means(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """(n, k) values of n sequences -> (resamples, k) means over n sequences drawn with replacement."""
    count, rng = len(values), np.random.default_rng(seed)
    drawn = (rng.multinomial(count, np.full(count, 1 / count), min(1000, resamples - start)) for start in
             range(0, resamples, 1000))  # fmt: skip
    return np.concatenate([times @ values / count for times in drawn])


def _two_sided(means: NDArray[np.float64]) -> float:
    """Davison and Hinkley 1997, 4.2: one is added to counts, since what was measured is one of the samples."""
    small = 1e-12  # sums of differences that cancel leave the last bits
    tail = min(int((means <= small).sum()), int((means >= -small).sum()))
    return min(1.0, 2 * (tail + 1) / (len(means) + 1))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction (1979): p-values that hold together, never smaller than the given ones."""
    corrected, running = {}, 0.0
    for position, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: (item[1], item[0]))):
        running = max(running, min(1.0, (len(p_values) - position) * p))
        corrected[name] = running
    return corrected


def interval_words(n: int) -> str:
    """What stands where an interval would, or how the printed one was made."""
    if n < MINIMUM:
        return f"no interval: {n} sequence{'s are' if n != 1 else ' is'} too few (at least {MINIMUM})"
    return f"95 % percentile bootstrap over {n} sequences, {RESAMPLES:,} resamples"


def _wilcoxon(differences: NDArray[np.float64]) -> float | None:
    if len(differences) < MINIMUM:
        return None
    if not np.any(differences):
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(differences, zero_method="wilcox").pvalue)
