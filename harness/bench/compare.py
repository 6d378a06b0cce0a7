"""Timing cases: each by itself, or several in turn, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import torch

from inmo.harness.bench.cases import Case
from inmo.harness.bench.ceiling import product_gmacs
from inmo.harness.bench.clips import Film
from inmo.harness.bench.parts import forget_peak, peak_bytes
from inmo.harness.bench.scopes import PARTS, SCOPES, Round
from inmo.trackers.inspect.describe import describe

MILLI = 1e3


@dataclass(frozen=True)
class Timing:
    """A case in a scope.

    Attributes:
        tracker, case, scope, lanes, precision: what was timed.
        milliseconds: wall-clock time per frame of every round.
        parts: milliseconds per frame by part, the mean over the rounds; those that were not seen are missing.
        memory: bytes at the peak, see ``parts.peak_bytes``.
        first: seconds from the config to the end of the first round, which pays for what is prepared when first used.
        macs: multiply-adds of the network per frame; None without a network.
        products: 10^9 multiply-adds a second of a large matrix product after every round; none without a network.
    """

    tracker: str
    case: str
    scope: str
    lanes: int
    milliseconds: tuple[float, ...]
    parts: dict[str, float]
    memory: int
    macs: int | None
    precision: str = "fp32"
    first: float = 0.0
    products: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def computing(self) -> float | None:
        """Share of the time that the device computed; None where the tracker does not say."""
        if "network" not in self.parts:
            return None
        return self.parts["network"] / statistics.fmean(self.milliseconds)

    @property
    def of_ceiling(self) -> float | None:
        """The network's multiply-adds a second over those of the product, the median of the rounds."""
        if self.macs is None:
            return None
        pairs = zip(self.milliseconds, self.products, strict=True)
        return statistics.median(self.macs / 1e6 / each / gmacs for each, gmacs in pairs)  # 1e9 a s are 1e6 a ms


@dataclass(frozen=True)
class Ratio:
    """How many times as fast the second of two cases was, round by round.

    Attributes:
        rounds: time per frame of the first over that of the second, of every pair of rounds.
    """

    tracker: str
    scope: str
    first: str
    second: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def time_in_turn(
    cases: Sequence[Case], scope: str, films: Sequence[Film], *, steps: int, rounds: int, device: str
) -> list[Timing]:
    """Rounds of all cases in turn, in one process; the first round of each warms up and is not counted.

    After every round of a network a matrix product is timed, so that what else the machine does slows both.

    Args:
        scope: see ``scopes.SCOPES``.
        films: for the scope ``run``.
        steps: of a round in the other scopes.

    Raises:
        UserError: a device or a case that cannot be.
    """
    subjects = []
    for case in cases:
        started = perf_counter()
        tracker = case.build(device)
        work = SCOPES[scope](case, tracker, films, steps)
        work()
        subjects.append(_Subject(case, tracker, work, perf_counter() - started))
    for _ in range(rounds):
        for subject in subjects:
            subject.round()
    return [subject.timing(scope) for subject in subjects]


def ratio_of(first: Timing, second: Timing) -> Ratio:
    """Of two timings whose rounds were taken in turn."""
    pairs = zip(first.milliseconds, second.milliseconds, strict=True)
    return Ratio(first.tracker, first.scope, first.case, second.case, tuple(a / b for a, b in pairs))


@dataclass
class _Subject:
    """A case while it is timed, see ``Timing``; ``work`` does a round of it."""

    case: Case
    tracker: Any
    work: Callable[[], Round]
    first: float
    rounds: list[Round] = field(default_factory=list)
    products: list[float] = field(default_factory=list)
    peak: int = 0

    def round(self) -> None:
        place = getattr(self.tracker, "device", None)
        forget_peak(place)
        self.rounds.append(self.work())
        self.peak = max(self.peak, peak_bytes(place))
        if self.case.setup.spec.network is not None:
            self.products.append(product_gmacs(self.tracker.device, self.case.precision))

    def timing(self, scope: str) -> Timing:
        frames = sum(one.frames for one in self.rounds)
        spent = {part: [one.parts[part] for one in self.rounds if part in one.parts] for part in PARTS}
        return Timing(
            tracker=self.case.setup.spec.title,
            case=self.case.label,
            scope=scope,
            lanes=self.case.lanes,
            milliseconds=tuple(MILLI * one.seconds / one.frames for one in self.rounds),
            parts={part: MILLI * sum(seconds) / frames for part, seconds in spent.items() if seconds},
            memory=self.peak,
            macs=_macs(self.case),
            precision=self.case.precision,
            first=self.first,
            products=tuple(self.products),
        )


def _macs(case: Case) -> int | None:
    if case.setup.spec.network is None:
        return None
    with torch.device("meta"):
        network = case.setup.spec.network(case.setup.on("lasot"))
    return describe(network)[-1].search
