"""How sure a mean over sequences is, and whether two trackers differ. The unit of resampling is the sequence.

Frames of one sequence are far from independent, so an interval over frames would be much too narrow. With fewer than
``MINIMUM`` sequences nothing is claimed: with five, the smallest two-sided p-value that a test of signs can give is
2 / 2**5 = 0.0625.

Intervals are those of the studentised bootstrap. What they cover at 6 to 30 sequences was simulated beside those of the
percentile bootstrap, BCa and Student's t: reports/README.md, ``python -m tools.interval_coverage``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MINIMUM = 6
RESAMPLES = 10_000
LEVEL = 0.95
EXACT = 14  # sequences up to which every way to turn signs is tried: 8,192 ways
CHUNK = 1000  # resamples, or ways to turn signs, at a time: all pairs of a hundred trackers fit into memory
SEED = 20230
TINY = 1e-12  # deviation of equal values
DIFFERENCES, FRACTIONS = (-1.0, 1.0), (0.0, 1.0)  # what means of AUC's differences, and of AUCs, lie within

K = TypeVar("K")


@dataclass(frozen=True)
class Interval:
    """A 95 % bootstrap interval of a mean over ``n`` sequences, in the unit of the values."""

    low: float
    high: float
    n: int


def ends(interval: Interval | None) -> tuple[float, float] | None:
    """(low, high) of an interval, as cells of tables have it."""
    return (interval.low, interval.high) if interval else None


def bootstrap_interval(
    values: Sequence[float],
    *,
    within: tuple[float, float] = DIFFERENCES,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """Studentised bootstrap of the mean; None for fewer than 6 values. ``within``: what the mean can be at all."""
    data = np.asarray(values, dtype=np.float64)
    if len(data) < MINIMUM:
        return None
    low, high = studentised(data[:, None], resamples, seed).clip(*within)[:, 0]
    return Interval(float(low), float(high), len(data))


def compare_with_best(values: Mapping[str, Mapping[str, float]], best: str) -> dict[str, Pair]:
    """Every other tracker against ``best`` on the sequences that both have.

    Args:
        values: tracker -> sequence -> AUC.
        best: name of the tracker compared with; it must be a key of ``values``.

    Returns:
        tracker -> the pair of it and ``best``, without ``best`` itself and trackers that share no sequence with it.
    """
    differences = {
        (tracker, best): {name: own[name] - values[best][name] for name in values[best] if name in own}
        for tracker, own in values.items()
        if tracker != best
    }
    return {pair.first: pair for pair in paired(differences)}


def paired(
    differences: Mapping[tuple[str, str], Mapping[str, float]],
    *,
    within: tuple[float, float] = DIFFERENCES,
    resamples: int = RESAMPLES,
) -> tuple[Pair, ...]:
    """Pairs, judged together, by their differences of AUCs: (first, second) -> sequence -> first less second.

    One without a sequence is left out. ``within``: what a mean difference can be at all.
    """
    enough = {pair: own for pair, own in differences.items() if len(own) >= MINIMUM}
    intervals = _intervals(enough, within, resamples)
    p_values = dict(zip(enough, randomised([*enough.values()]), strict=True))
    return tuple(
        Pair(*pair, float(np.mean([*own.values()])), len(own), intervals.get(pair), p_values.get(pair))
        for pair, own in differences.items()
        if own
    )


@dataclass(frozen=True)
class Pair:
    """Two trackers on the ``n`` sequences that both have.

    Attributes:
        difference: mean of (first - second).
        interval: its 95 % paired bootstrap interval; None for n < 6.
        p_value: of ``randomised``, over all pairs that were compared; None for n < 6.
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
        turned = Interval(-self.interval.high, -self.interval.low, self.n) if self.interval else None
        return Pair(self.second, self.first, -self.difference, self.n, turned, self.p_value)

    @property
    def better(self) -> str:
        """The better tracker, where the two are told apart at the 5 % level; empty elsewhere."""
        if self.p_value is None or self.p_value >= 1 - LEVEL:
            return ""
        return self.first if self.difference > 0 else self.second


def compare_all(
    values: Mapping[str, Mapping[str, float]],
    *,
    within: tuple[float, float] = DIFFERENCES,
    resamples: int = RESAMPLES,
) -> tuple[Pair, ...]:
    """Every tracker against every later one, on the sequences that both have; pairs without a common one are left out.

    A resample draws whole sequences with replacement and takes both trackers' values on them.

    Args:
        values: tracker -> sequence -> AUC or another measure, in the order in which pairs are wanted.
        within: what a mean difference can be at all.
    """
    differences = {
        (a, b): {name: values[a][name] - values[b][name] for name in sorted(values[a].keys() & values[b].keys())}
        for a, b in itertools.combinations(values, 2)
    }
    return paired(differences, within=within, resamples=resamples)


def _intervals(
    differences: Mapping[K, Mapping[str, float]], within: tuple[float, float], resamples: int
) -> dict[K, Interval]:
    """Those of differences over the same sequences share their resamples."""
    alike: dict[tuple[str, ...], list[K]] = {}
    for key, own in differences.items():
        alike.setdefault(tuple(own), []).append(key)
    found = {}
    for names, keys in alike.items():
        both = studentised(np.array([[*differences[key].values()] for key in keys]).T, resamples, SEED)
        for key, (low, high) in zip(keys, both.clip(*within).T, strict=True):
            found[key] = Interval(float(low), float(high), len(names))
    return found


def studentised(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """(n, k) values of n sequences -> (2, k) ends of their means' intervals (Efron and Tibshirani 1993, ch. 12.5).

    n sequences are drawn with replacement. How far each resample's mean lies from the measured one, in units of the
    resample's own deviation, tells how far the measured mean may lie from the true one, in units of the measured
    deviation. Resamples without any deviation, one sequence drawn n times, tell nothing and are left out.
    """
    mean, around = values.mean(axis=0), values - values.mean(axis=0)
    deviation, parts = values.std(axis=0), []
    nothing = np.where(deviation > TINY, np.nan, 0.0)
    for times in times_drawn(len(values), resamples, seed):
        off = times @ around
        own = np.sqrt(np.maximum(times @ around**2 - off**2, 0.0))
        parts.append(np.divide(off, own, out=np.tile(nothing, (len(off), 1)), where=own > 1e-6 * deviation + TINY))
    far = np.nanquantile(np.concatenate(parts), [(1 + LEVEL) / 2, (1 - LEVEL) / 2], axis=0)
    ends: NDArray[np.float64] = mean - far * deviation
    return ends


def times_drawn(count: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """(up to ``CHUNK``, count) share of each of so many sequences in resamples, drawn with replacement."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        yield rng.multinomial(count, np.full(count, 1 / count), min(CHUNK, resamples - start)) / count


def randomised(differences: Sequence[Mapping[str, float]]) -> list[float]:
    """Two-sided p-values of mean differences that hold together: one that is 0.05 or less anywhere is wrong in at most
    one family of twenty, however many there are and however few the sequences. So it is exactly where differences are
    symmetric; skewed ones of equal trackers were marked in 2 to 7 families of a hundred, see reports/README.md.

    Were two trackers equally good, each sequence's difference could as well have had the other sign. Signs are turned
    for whole sequences, in all differences at once: in every way where there are up to ``EXACT`` sequences (Fisher's
    exact randomisation test), else ``RESAMPLES`` times, what was measured being counted as one of them (Davison and
    Hinkley 1997, 4.3). A difference is judged by its mean over its root mean square, which orders them as Student's t
    does, against the greatest of all that are not greater than it (step-down maxT: Westfall and Young 1993, algorithm
    2.8). Unlike Holm's correction this does not multiply what so few ways can tell: with 6 sequences no p is below
    2 / 64.

    Args:
        differences: sequence -> difference, of each pair of trackers. One with fewer than 6 sequences can make none
            significant and is best left out.
    """
    names = {name: row for row, name in enumerate(sorted({name for own in differences for name in own}))}
    table = np.zeros((len(names), len(differences)))
    for column, own in enumerate(differences):
        table[[names[name] for name in own], column] = list(own.values())
    norms = np.linalg.norm(table, axis=0)
    table = np.divide(table, norms, out=np.zeros_like(table), where=norms > 0)
    measured = np.abs(table.sum(axis=0))
    order = np.argsort(-measured, kind="stable")
    table, least = table[:, order], measured[order] - 1e-9  # sums in another order differ in their last bits
    exact = len(names) <= EXACT
    counts, ways = np.zeros(len(order)), 0
    for signs in _all_signs(len(names)) if exact else _some_signs(len(names)):
        turned = np.abs(signs @ table)
        counts += (np.maximum.accumulate(turned[:, ::-1], axis=1)[:, ::-1] >= least).sum(axis=0)
        ways += len(signs)
    raw = counts / ways if exact else (counts + 1) / (ways + 1)
    found = np.empty(len(order))
    found[order] = np.maximum.accumulate(raw)
    return [float(p) for p in found]


def _all_signs(count: int) -> Iterator[NDArray[np.float64]]:
    """Every way to give signs but for the first, whose sign decides nothing about an absolute value."""
    most = 1 << max(count - 1, 0)
    for start in range(0, most, CHUNK):
        ways = np.arange(start, min(start + CHUNK, most))[:, None] >> np.arange(count)
        yield np.where(ways & 1, -1.0, 1.0)


def _some_signs(count: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(SEED)
    for start in range(0, RESAMPLES, CHUNK):
        yield np.where(rng.integers(0, 2, (min(CHUNK, RESAMPLES - start), count)), -1.0, 1.0)


def interval_words(n: int) -> str:
    """What stands where an interval would, or how the printed one was made."""
    if n < MINIMUM:
        return f"no interval: {n} sequence{'s are' if n != 1 else ' is'} too few (at least {MINIMUM})"
    return f"95 % studentised bootstrap over {n} sequences, {RESAMPLES:,} resamples"
