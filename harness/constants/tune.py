"""Tuning test-time constants on a part of a dataset, and what they are worth on the rest of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from inmo.datasets.base import Dataset
from inmo.errors import UserError, unknown_name
from inmo.harness.constants.halves import Auc, Half, aucs
from inmo.harness.constants.sweep import variant
from inmo.harness.constants.trials import Proposals, Range, Trial, demand_optuna
from inmo.harness.constants.tuned_file import SEAL, Tuned, TunedOn
from inmo.harness.run.jobs import Outcome, merge_variants, plan
from inmo.harness.run.setup import Setup
from inmo.harness.store import provenance
from inmo.harness.store.store import Store, open_store
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.seals import BLANK, sealed
from inmo.trackers.base import config_hash
from inmo.whole_files import place

FILE, STUDY, STORE = "tuned.yaml", "study.log", "store"
"""What a tuning keeps in its folder: its outcome, Optuna's log, the results of all trials."""


@dataclass(frozen=True)
class Split:
    """Names of sequences, in the dataset's order: those to tune on, and those that the tuning never sees."""

    tuned_on: tuple[str, ...]
    held_out: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """What is tuned on what.

    Attributes:
        base: the tracker with the constants it has anyway.
        space: constant -> values it may have.
        seed: of the proposals.
    """

    base: Setup
    dataset: Dataset
    space: Mapping[str, Range]
    split: Split
    seed: int = 0

    @property
    def own(self) -> dict[str, float]:
        """The tracker's own values of the constants on the dataset. Raises UserError for a tracker without them."""
        variant(self.base, dict.fromkeys(self.space, 0.0))
        config = self.base.on(self.dataset.benchmark.name)
        return {name: float(getattr(config, name)) for name in self.space}


@dataclass(frozen=True)
class Tuning:
    """The outcome.

    Attributes:
        chosen: the best trial on the sequences tuned on; its number is -1 where the tracker's own constants are best.
        halves: scores of the chosen and the own constants on the sequences tuned on and held out; none held out, one.
        trials: all that were scored.
    """

    task: Task
    chosen: Trial
    halves: tuple[Half, ...]
    trials: tuple[Trial, ...]


class Interrupted(Exception):
    """Sequences could not be run, so that trials have no score yet. Carries the outcomes that say why."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__("sequences could not be run")
        self.outcomes = outcomes


def split(dataset: Dataset, *, sequences: Sequence[str] = (), holdout: float = 0.5, seed: int = 0) -> Split:
    """Which sequences are tuned on.

    Args:
        sequences: these, and the others are held out; drawn by ``seed`` when empty.
        holdout: share to hold out, from 0 to below 1. The draw depends on the names alone, not on their order.

    Raises:
        UserError: an unknown name, a share that leaves nothing to tune on, or a dataset without ground truth.
    """
    names = [s.name for s in dataset.sequences]
    if any(s.first_only for s in dataset.sequences):
        raise UserError(f"{dataset.benchmark.title} has no public ground truth to tune on: choose another dataset")
    for name in sequences:
        if name not in names:
            raise unknown_name("sequence", name, names)
    if not sequences:
        if not 0 <= holdout < 1:
            raise UserError(f"--holdout is {holdout:g}: give a share of the sequences, from 0 to below 1")
        order = np.random.default_rng(seed).permutation(sorted(names))
        held = max(round(holdout * len(names)), 1 if holdout else 0)
        if held >= len(names):
            raise UserError(f"{dataset.label} has {len(names)} sequences: nothing would be left to tune on")
        sequences = [str(name) for name in order[held:]]
    chosen = set(sequences)
    return Split(tuple(n for n in names if n in chosen), tuple(n for n in names if n not in chosen))


def run_tuning(task: Task, out: Path, *, trials: int, batch: int = 8, resources: Resources = Resources()) -> Tuning:
    """Score trials until there are so many; what is in OUT already is not run again.

    Args:
        out: folder of the tuning, see ``FILE``.
        trials: how many sets of constants to score, beside the tracker's own.
        batch: how many are proposed at a time. They and the tracker's own run as one batch, which decodes every frame
            and computes every template once.
        resources: where and how.

    Raises:
        UserError: whatever the user can mend.
        Interrupted: sequences that could not be run.
    """
    if trials < 1 or batch < 1:
        raise UserError("--trials and --batch must be 1 or more")
    own, _ = task.own, demand_optuna()  # what is wrong is said before any work
    resources.check([task.base], [task.dataset])
    proposals = Proposals(out / STUDY, task.space, task.seed, _facts(task))
    runner = _Runner(open_store(out / STORE, write=True), task, resources)
    as_it_is = variant(task.base, own)
    while (left := trials - len(proposals.finished)) > 0:
        asked = proposals.batch(min(batch, left))
        found = runner.aucs([*(variant(task.base, trial.constants) for trial in asked), as_it_is], task.split.tuned_on)
        proposals.tell({trial.number: auc.mean for trial, auc in zip(asked, found[:-1], strict=True)})
        best = max(proposals.finished, key=lambda trial: trial.score or 0.0)
        words = ", ".join(f"{name} {value:g}" for name, value in best.constants.items())
        say(f"{len(proposals.finished)} of {trials} trials, best AUC {100 * (best.score or 0.0):.1f} ({words})")
    finished = tuple(proposals.finished[:trials])
    (auc,) = runner.aucs([as_it_is], task.split.tuned_on)
    chosen = max((Trial(-1, own, auc.mean), *finished), key=lambda trial: trial.score or 0.0)  # the first of equals
    halves = []
    for name, sequences in (("tuned on", task.split.tuned_on), ("held out", task.split.held_out)):
        if sequences:
            found = runner.aucs([variant(task.base, chosen.constants), as_it_is], sequences)
            halves.append(Half(name, sequences, chosen=found[0], own=found[1]))
    say(f"{runner.wanted} runs of a sequence were not there before")
    return Tuning(task, chosen, tuple(halves), finished)


def tuned_of(tuning: Tuning) -> Tuned:
    """The outcome as its file holds it."""
    task, dataset = tuning.task, tuning.task.dataset
    annotations = {s.name: s.annotation().fingerprint() for s in dataset.sequences if s.name in task.split.tuned_on}
    facts = _facts(task)
    made_by = {
        "trials": len(tuning.trials), **{name: facts[name] for name in ("seed", "space", "config")},
        "code": provenance.versions()["code"],
    }  # fmt: skip
    title = dataset.benchmark.title if dataset.label == dataset.benchmark.name else dataset.label
    return Tuned(
        tracker=task.base.spec.name,
        settings=dict(tuning.chosen.constants),
        tuned_on=TunedOn(dataset.label, dataset.benchmark.name, title, dataset.benchmark.protocol, annotations),
        held_out=task.split.held_out,
        own=task.own,
        scores={half.name: half.plain() for half in tuning.halves},
        made_by=made_by,
    )


def write_tuned(tuned: Tuned, path: Path) -> Path:
    """Write the file that ``--tuned`` and an experiment's ``tuned:`` take. Raises UserError when it cannot be."""
    text = yaml.safe_dump(asdict(tuned), sort_keys=False, allow_unicode=True, width=110)
    place(path, sealed(f"{text}{SEAL}{BLANK}\n".encode()))
    return path


def say(words: str) -> None:
    """Progress and the like, where it does not mix with results."""
    sys.stderr.write(f"{words}\n")


class _Runner:
    """Runs setups on sequences into a store, and counts."""

    def __init__(self, store: Store, task: Task, resources: Resources) -> None:
        self.store, self.task, self.resources = store, task, resources
        self.wanted = 0

    def aucs(self, setups: Sequence[Setup], names: Sequence[str]) -> list[Auc]:
        """Success AUC of every setup on the sequences, each run where it is missing."""
        dataset = self.task.dataset
        jobs, _ = plan(self.store, [dataset], setups, names=names, device=self.resources.device, partial=True)
        outcomes = run_jobs(merge_variants(jobs), self.resources)
        self.wanted += len(jobs)
        if any(outcome.reason for outcome in outcomes):
            raise Interrupted(outcomes)
        folders = [setup.folder(dataset) for setup in setups]
        found = aucs(self.store, dataset.label, folders, names)
        return [found[folder] for folder in folders]


def _facts(task: Task) -> dict[str, Any]:
    """What a study is of, in plain values."""
    dataset = task.dataset
    return {
        "tracker": task.base.spec.name,
        "config": config_hash(task.base.spec.name, task.base.on(dataset.benchmark.name)),
        "dataset": [dataset.label, dataset.benchmark.name],
        "split": [list(task.split.tuned_on), list(task.split.held_out)],
        "space": {name: [each.low, each.high, each.step] for name, each in task.space.items()},
        "seed": task.seed,
    }
