"""How sure a mean over sequences is, and whether two trackers differ. The unit of resampling is the sequence.

Frames of one sequence are far from independent, so an interval over frames would be much too narrow. With fewer than
``MINIMUM`` sequences nothing is claimed: with five, the smallest two-sided p-value that a signed-rank test can give
is 2 / 2**5 = 0.0625, and a percentile bootstrap of so few values covers far less than its name says.
"""

from __future__ import annotations

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
