"""Which constants to try next: Optuna, asked for batches; an interrupted tuning goes on from its log."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inmo.errors import UserError, unknown_name
from inmo.trackers.base import CONSTANTS

STUDY = "tuning"
STEP = 0.01
SPACE: Mapping[str, str] = {"window_influence": "0:0.9", "penalty_k": "0:0.3", "lr": "0.1:1"}
"""What is searched when nobody says: constant -> first:last."""


@dataclass(frozen=True)
class Range:
    """Values of one constant: ``low``, ``low + step`` ... up to ``high``, which is one of them."""

    low: float
    high: float
    step: float = STEP


@dataclass(frozen=True)
class Trial:
    """One set of constants and, once it is known, its score."""

    number: int
    constants: Mapping[str, float]
    score: float | None = None


def parse_space(words: Sequence[str]) -> dict[str, Range]:
    """``("lr=0.1:1", "penalty_k=0:0.3:0.05")`` to ranges; the step is 0.01 where none is given, ``SPACE`` for no words.

    Raises UserError for a word that cannot be read or a constant that is none.
    """
    found = {}
    for word in words or [f"{name}={text}" for name, text in SPACE.items()]:
        name, separator, text = word.partition("=")
        if separator and name not in CONSTANTS:
            raise unknown_name("test-time constant", name, CONSTANTS)
        try:
            low, high, *rest = (float(part) for part in text.split(":"))
            (step,) = rest or [STEP]
        except ValueError as error:
            raise UserError(f"--space wants name=first:last or name=first:last:step, not '{word}'") from error
        if not (all(map(math.isfinite, (low, high, step))) and 0 <= low < high and 0 < step <= high - low):
            raise UserError(f"--space {word}: first must be below last, neither below 0, and the step no larger")
        found[name] = Range(low, round(low + math.floor((high - low) / step + 1e-9) * step, 10), step)
    return found


class Proposals:
    """Trials of one study in a file.

    Optuna's sampler starts anew for each trial from a seed of its own and what is known by then, so that a tuning that
    was interrupted proposes what it would have proposed.

    Args:
        path: the study's log; made when missing.
        space: constant -> range.
        seed: of the sampler.
        facts: what the study is of. A log of another one is refused.

    Raises:
        UserError: Optuna is not installed, or the log is of another tuning or cannot be read.
    """

    def __init__(self, path: Path, space: Mapping[str, Range], seed: int, facts: Mapping[str, Any]) -> None:
        self.space, self.seed = space, seed
        self._optuna = demand_optuna()
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            backend = JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path)))
            self._study = self._optuna.create_study(
                storage=JournalStorage(backend), study_name=STUDY, direction="maximize", load_if_exists=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"cannot use the tuning's log {path} ({error}): choose another --out") from error
        known = self._study.user_attrs
        for name, value in facts.items():
            if name not in known:
                self._study.set_user_attr(name, value)
            elif known[name] != value:
                raise UserError(
                    f"{path.parent} holds a tuning with another {name} ({_short(known[name])}, not {_short(value)}): "
                    "choose another --out"
                )

    @property
    def finished(self) -> list[Trial]:
        """Trials whose score is known, in order."""
        return [trial for trial in self._trials() if trial.score is not None]

    def batch(self, size: int) -> list[Trial]:
        """So many trials to score: those that were proposed and not scored yet, then new ones."""
        waiting = [trial for trial in self._trials() if trial.score is None][:size]
        return [*waiting, *(self._propose() for _ in range(size - len(waiting)))]

    def tell(self, scores: Mapping[int, float]) -> None:
        """Enter scores: number of a trial -> score, the higher the better."""
        for number, score in scores.items():
            self._study.tell(number, score)

    def _propose(self) -> Trial:
        number = len(self._study.get_trials(deepcopy=False))
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)  # multivariate
            self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        trial = self._study.ask(
            {
                name: self._optuna.distributions.FloatDistribution(each.low, each.high, step=each.step)
                for name, each in self.space.items()
            }
        )
        return Trial(trial.number, _rounded(trial.params))

    def _trials(self) -> list[Trial]:
        return [Trial(t.number, _rounded(t.params), t.value) for t in self._study.get_trials(deepcopy=False)]


def demand_optuna() -> Any:
    """The module, told to be quiet. Raises UserError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise UserError(
            "tuning needs Optuna, which is not installed: pip install -c constraints.txt -e '.[tune]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _rounded(params: Mapping[str, float]) -> dict[str, float]:
    """Without the last bits of low + k * step: 0.3 and not 0.30000000000000004, which would have another hash."""
    return {name: round(value, 10) for name, value in params.items()}


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
