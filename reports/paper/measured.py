"""What was measured for one cell of a paper's table: a tracker, or several trainings of one, on one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from inmo.reports.scoring.measure import mean_measures
from inmo.reports.scoring.protocols import Protocol
from inmo.reports.scoring.score import MEASURES, Score
from inmo.reports.scoring.statistics import FRACTIONS, bootstrap_interval, ends, interval_words
from inmo.reports.scoring.stored import DatasetEvaluation, TrackerRun


@dataclass(frozen=True)
class Timed:
    """The speed of one tracker by itself: median over the calls of so many frames of a sequence, and on what."""

    fps: float
    frames: int
    sequence: str
    machine: str
    device: str
    date: str

    @property
    def words(self) -> str:
        """What was measured, in a sentence."""
        where = f"one process, {self.machine}, {self.device}, {self.date}"
        return f"median of {self.frames} frames of {self.sequence}, {where}"


@dataclass(frozen=True)
class Source:
    """What stands for a row of a table: one tracker, or several trainings of it that differ in the seed alone.

    Attributes:
        label: its name.
        runs: one per training: dataset label -> folder of its run in the store.
        missing: why trainings, or the tracker itself, are not here; one sentence each.
        names: what each run is called, where they are told apart.
        timed: folder of a run -> its speed, where its sequences tell none because they ran in lanes.
    """

    label: str
    runs: tuple[Mapping[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    timed: Mapping[str, Timed] = field(default_factory=dict)

    @property
    def absence(self) -> str:
        """Why nothing of it is here, in one sentence; empty where nothing is known to be missing."""
        first, more = "".join(self.missing[:1]), len(self.missing) - 1
        return f"{first}, nor for {more} more run{'s' if more > 1 else ''}" if more > 0 else first

    @property
    def wanted(self) -> int:
        """How many trainings there should be."""
        return len(self.runs) + len(self.missing)


@dataclass(frozen=True)
class Measured:
    """One cell.

    Attributes:
        value: the mean over trainings; None where nothing was measured, and ``reason`` says why.
        parts: the value of every training.
        interval: 95 % bootstrap interval over sequences of the mean over trainings.
        names: sequences that entered; ``expected``: how many the benchmark has.
        server: who scored it, where a server did; then there are no sequences.
        note: further words.
        timed: of a speed that was measured apart.
    """

    value: float | None = None
    parts: tuple[float, ...] = ()
    interval: tuple[float, float] | None = None
    names: frozenset[str] = frozenset()
    expected: int = 0
    server: str = ""
    reason: str = ""
    note: str = ""
    runs: tuple[TrackerRun, ...] = field(default=(), repr=False)
    timed: tuple[Timed, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it is a score on the whole benchmark."""
        return bool(self.server) or (self.value is not None and len(self.names) == self.expected)

    @property
    def coverage(self) -> str:
        """``270 of 280``; what the server says of itself where it scored."""
        return self.server or f"{len(self.names)} of {self.expected}"

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the trainings (n - 1), None for fewer than two."""
        return float(np.std(self.parts, ddof=1)) if len(self.parts) > 1 else None


def measured(source: Source, measure: str, data: DatasetEvaluation) -> Measured:
    """A measure (``success_auc``, ``precision_20`` or ``norm_precision``) of a source under the benchmark's protocol.

    ``norm_precision`` is the scalar that the protocol prints. With several trainings only sequences that all of them
    have enter, so that no training is averaged over easier ones.
    """
    pairs = _pairs(source, data)
    if not pairs:
        reason = source.absence or f"{source.label} was not run on {data.dataset.title}"
        return Measured(expected=data.dataset.expected, reason=reason)
    runs, scores = tuple(run for run, _ in pairs), [score for _, score in pairs]
    expected = data.dataset.expected
    if any(run.server for run in runs):
        return _told(runs, measure, expected)
    refused = next((score.reason for score in scores if score.reason), "")
    if refused:
        return Measured(expected=expected, reason=refused, runs=runs)
    shared = [name for name in scores[0].per_sequence if all(name in score.per_sequence for score in scores)]
    if not shared:
        return Measured(expected=expected, reason="no sequence that every training has", runs=runs)
    scalar = data.rule.norm_scalar if measure == "norm_precision" else measure
    means = [mean_measures([score.per_sequence[name] for name in shared], data.rule) for score in scores]
    parts = tuple(float(part) for mean in means if (part := getattr(mean, scalar)) is not None)
    if len(parts) < len(means):
        return Measured(expected=expected, reason=f"{data.dataset.protocol} has no such measure", runs=runs)
    values = list(_values(scores, shared, measure, data.rule).values())
    return Measured(
        value=float(np.mean(parts)),
        parts=parts,
        interval=ends(bootstrap_interval(values, within=FRACTIONS)),
        names=frozenset(shared),
        expected=expected,
        note=interval_words(len(values)),
        runs=runs,
    )


def speed(source: Source, datasets: Sequence[DatasetEvaluation]) -> Measured:
    """Frames per second over all timed frames of the datasets, or as measured apart; the mean over trainings."""
    parts, used, apart = [], [], []
    for training in source.runs:
        found = [run for data in datasets for run, _ in _pairs(Source(source.label, (training,)), data) if run.fps]
        if found:
            parts.append(sum(run.timed for run in found) / sum(run.timed / (run.fps or 1.0) for run in found))
            used += found
        elif known := [source.timed[folder] for folder in training.values() if folder in source.timed]:
            parts.append(known[0].fps)
            apart.append(known[0])
    if not parts:
        lanes = (
            "no frame was timed: sequences ran in lanes or were not tracked here; speed_frames: 200 measures it apart"
        )
        return Measured(reason=source.absence or lanes)
    words = apart[0].words if apart else ""
    return Measured(float(np.mean(parts)), tuple(parts), note=words, runs=tuple(used), timed=tuple(apart))


def comparable(cells: Sequence[Measured]) -> bool:
    """Whether all speeds come from the same processor and device, and were measured by one process alone on it."""
    facts = {
        tuple((key, values) for key, values in run.provenance.items() if key.split(" ")[0] in ("machine", "device"))
        for cell in cells
        for run in cell.runs
    }
    alone = all(run.provenance.get("processes") == ("1",) for cell in cells for run in cell.runs)
    apart = {(timed.machine, timed.device) for cell in cells for timed in cell.timed}
    return len(facts) + len(apart) <= 1 and alone


def _pairs(source: Source, data: DatasetEvaluation) -> list[tuple[TrackerRun, Score]]:
    known = {run.run.folder: (run, score) for run, score in zip(data.runs, data.default, strict=True)}
    folders = [training.get(data.dataset.label, "") for training in source.runs]
    return [known[folder] for folder in folders if folder in known]


def _told(runs: tuple[TrackerRun, ...], measure: str, expected: int) -> Measured:
    """The mean over trainings of what the server said."""
    key = {"success_auc": "success", "precision_20": "precision", "norm_precision": "norm_precision"}[measure]
    parts = [run.server.get(key) for run in runs if run.server]
    known = tuple(float(part) for part in parts if part is not None)
    if len(known) < len(runs):
        return Measured(expected=expected, reason="the server's score is not entered", runs=runs)
    source = next(str(run.server.get("source", "")) for run in runs if run.server) or "the server"
    return Measured(float(np.mean(known)), known, expected=expected, server=source, runs=runs,
                    note="scored from the submitted files; a server gives no interval")  # fmt: skip


def paired(one: Source, other: Source, measure: str, data: DatasetEvaluation) -> Measured:
    """The mean difference of two sources over the sequences that all trainings of both have, with its interval.

    A sequence that the protocol leaves out of one of the means is left out of the difference.
    """
    whole = [measured(source, measure, data) for source in (one, other)]
    refused = next((cell for cell in whole if cell.value is None), None)
    served = next((cell for cell in whole if cell.server), None)
    if refused or served:
        reason = refused.reason if refused else "a server gives one number, which cannot be paired"
        return Measured(reason=reason, expected=data.dataset.expected)
    a, b = (
        _values([score for _, score in _pairs(source, data)], sorted(cell.names), measure, data.rule)
        for source, cell in zip((one, other), whole, strict=True)
    )
    shared = [name for name in a if name in b]
    if not shared:
        return Measured(reason="no sequence that both have", expected=data.dataset.expected)
    differences = [a[name] - b[name] for name in shared]
    return Measured(
        value=float(np.mean(differences)),
        interval=ends(bootstrap_interval(differences)),
        names=frozenset(shared),
        expected=data.dataset.expected,
        note=interval_words(len(differences)),
    )


def _values(scores: Sequence[Score], names: Sequence[str], measure: str, rule: Protocol) -> dict[str, float]:
    """Sequence -> its mean over trainings, without sequences whose curve the protocol leaves out for being zero."""
    scalar = MEASURES[rule.norm_scalar if measure == "norm_precision" else measure]
    found = {}
    for name in names:
        parts = [score.per_sequence[name] for score in scores]
        curves = [getattr(part, scalar.curve) for part in parts]
        if rule.drop_zero and not any(curve is not None and curve.any() for curve in curves):
            continue
        found[name] = float(np.mean([getattr(part, scalar.key) for part in parts]))
    return found
