"""AUC of chosen and own constants on the parts of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inmo.errors import UserError
from inmo.harness.store.store import Store
from inmo.reports.scoring.statistics import FRACTIONS, Interval, bootstrap_interval
from inmo.reports.scoring.stored import evaluate_runs

WHO = {"chosen": "tuned", "own": "its own", "difference": "tuned less its own"}


@dataclass(frozen=True)
class Auc:
    """Success AUC per sequence, in the order of the sequences asked for."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over sequences, each counting once; one that was lost at once counts 0 under every protocol."""
        return float(np.mean(self.values))

    @property
    def interval(self) -> Interval | None:
        """95 % bootstrap interval of the mean; None for fewer than 6 sequences."""
        return bootstrap_interval(self.values, within=FRACTIONS)


@dataclass(frozen=True)
class Half:
    """One part of a split: ``tuned on`` or ``held out``, and AUC of the chosen and the own constants on it."""

    name: str
    sequences: tuple[str, ...]
    chosen: Auc
    own: Auc

    @property
    def difference(self) -> Auc:
        """Per sequence the chosen constants less the own ones."""
        return Auc(tuple(a - b for a, b in zip(self.chosen.values, self.own.values, strict=True)))

    def plain(self) -> dict[str, Any]:
        """As fractions with 6 digits: who -> AUC and its interval."""
        found: dict[str, Any] = {"sequences": len(self.sequences)}
        for who in WHO:
            auc: Auc = getattr(self, who)
            ends = auc.interval
            interval = [round(ends.low, 6), round(ends.high, 6)] if ends else None
            found[who] = {"auc": round(auc.mean, 6), "interval": interval}
        return found


def aucs(store: Store, label: str, folders: Sequence[str], names: Sequence[str]) -> dict[str, Auc]:
    """Folder of a run -> its success AUC on these sequences under the dataset's own protocol.

    Raises UserError where a sequence has no score: a mean over fewer would be no comparison.
    """
    data = evaluate_runs(store, label, set(folders))
    found = {}
    for run, score in zip(data.runs, data.default, strict=True):
        values = {name: m.success_auc for name, m in score.per_sequence.items() if m.success_auc is not None}
        missing = [name for name in names if name not in values]
        if missing:
            why = score.reason or next((h.reason for h in run.holes if h.sequence == missing[0]), "not scored")
            raise UserError(f"{run.name} has no score on {missing[0]} ({why}): mend it and repeat the command")
        found[run.run.folder] = Auc(tuple(values[name] for name in names))
    return found
