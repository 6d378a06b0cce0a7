"""How often intervals of a mean hold the true one, simulated: ``python -m tools.interval_coverage``.

The populations stand for AUCs of sequences (most are high, some are lost early), and for differences of two trackers on
them. Printed as the table that reports/README.md shows; seeded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from inmo.reports.scoring.statistics import LEVEL, MINIMUM, studentised
from tools.door import leave_after

Values = NDArray[np.float64]
COUNTS = (MINIMUM, 10, 15, 30)
CASES, RESAMPLES, SEED = 1000, 2000, 7
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
POPULATIONS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Values]] = {
    "AUCs, most high: beta(2, 1.2)": lambda rng, shape: rng.beta(2, 1.2, shape),
    "AUCs of a weak tracker: beta(1, 3)": lambda rng, shape: rng.beta(1, 3, shape),
    "AUCs, a fifth lost: beta(20, 6), beta(1, 12)": lambda rng, shape: np.where(
        rng.random(shape) < 0.8, rng.beta(20, 6, shape), rng.beta(1, 12, shape)
    ),
    "differences, normal": lambda rng, shape: rng.normal(0.0, 0.1, shape),
    "differences, skewed: exponential": lambda rng, shape: rng.exponential(0.05, shape),
}


def _percentile(data: Values, seed: int) -> Values:
    return _by_scipy(data, seed, "percentile")


def _bca(data: Values, seed: int) -> Values:
    return _by_scipy(data, seed, "BCa")


def _by_scipy(data: Values, seed: int, method: str) -> Values:
    found = stats.bootstrap(
        (data,), np.mean, axis=0, n_resamples=RESAMPLES, batch=50, confidence_level=LEVEL, method=method,
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return np.array([found.low, found.high])


def _student(data: Values, seed: int) -> Values:
    far = stats.t.ppf(TAILS[1], len(data) - 1) * data.std(axis=0, ddof=1) / np.sqrt(len(data))
    return np.array([data.mean(axis=0) - far, data.mean(axis=0) + far])


METHODS: dict[str, Callable[[Values, int], Values]] = {
    "percentile": _percentile,
    "BCa": _bca,
    "Student's t": _student,
    "studentised": lambda data, seed: studentised(data, RESAMPLES, seed),
}


def covered(method: str, population: str, count: int, cases: int = CASES) -> float:
    """Share of ``cases`` samples of ``count`` whose interval holds the population's mean."""
    rng = np.random.default_rng(SEED)
    truth = float(POPULATIONS[population](rng, (1000, 2000)).mean())
    low, high = METHODS[method](POPULATIONS[population](rng, (count, cases)), SEED)
    return float(np.mean((low <= truth) & (truth <= high)))


def main() -> None:
    sys.stdout.write(f"| population | n | {' | '.join(METHODS)} |\n|---|---:|{'---:|' * len(METHODS)}\n")
    for population in POPULATIONS:
        for count in COUNTS:
            shares = " | ".join(f"{100 * covered(method, population, count):.0f}" for method in METHODS)
            sys.stdout.write(f"| {population} | {count} | {shares} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    leave_after(main)
