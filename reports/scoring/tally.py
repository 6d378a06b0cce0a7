"""A score in the making: sequence by sequence, of boxes that come from files, from memory or from a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Hole
from inmo.errors import UserError
from inmo.reports.scoring.measure import Target, mean_measures, measure, prepare
from inmo.reports.scoring.protocols import Protocol
from inmo.reports.scoring.score import Measures, Score
from inmo.terminal import listed

Found = Boxes | Hole | UserError
"""A result, or that there is none, or why it cannot be read."""


@dataclass
class Tally:
    """One tracker on one dataset under one protocol.

    Attributes:
        dataset, tracker: as printed.
        rule: the protocol, resolved for the benchmark.
        holes: sequences without a result; refusals: those whose result cannot be read or the protocol refuses. Each
            with its reason.
        done: measures of the others, in the order they came.
        remarks: key of ``REMARKS`` -> the sequences in ``done`` that it is about.
    """

    dataset: str
    tracker: str
    rule: Protocol
    holes: list[Hole] = field(default_factory=list)
    refusals: list[Hole] = field(default_factory=list)
    done: dict[str, Measures] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def add(self, sequence: str, target: Target | UserError, runs: Sequence[Found]) -> None:
        """Take in one sequence, averaged over its runs."""
        unreadable = next((run for run in runs if isinstance(run, UserError)), None)
        missing = next((run for run in runs if isinstance(run, Hole)), None)
        if missing and not unreadable:
            self.holes.append(Hole(sequence, missing.reason))
            return
        try:
            if isinstance(target, UserError):
                raise target
            if unreadable is not None:
                raise unreadable
            parts = [measure(run, target, sequence) for run in runs if isinstance(run, np.ndarray)]
        except UserError as refusal:
            self.refusals.append(Hole(sequence, str(refusal)))
            return
        short = "shorter" if self.rule.shorter == "cut" else "filled"
        kinds = {"filled": "late", "broken": "broken", "longer": "longer", "shorter": short}
        of_rows = [remark for key, remark in kinds.items() if any(getattr(part, key) for part in parts)]
        for remark in (*target.remarks, *of_rows):
            self.remarks.setdefault(remark, []).append(sequence)
        self.done[sequence] = parts[0] if len(parts) == 1 else mean_measures(parts, replace(self.rule, drop_zero=False))

    def score(self, expected: int, *, forgiving: bool = False, reason: str = "") -> Score:
        """The score of what was taken in.

        Args:
            expected: sequences the whole benchmark has.
            forgiving: refused sequences are holes; otherwise one of them leaves the whole score without numbers.
            reason: why there are no numbers where nothing was refused; empty where there are.
        """
        if self.refusals and not forgiving:
            more = f" (and {len(self.refusals) - 1} more sequences)" if len(self.refusals) > 1 else ""
            reason = f"{self.refusals[0].sequence}: {self.refusals[0].reason}{more}"
        elif not self.done and not reason:
            first = [*self.refusals, *self.holes][:1]
            reason = "nothing to score" + "".join(f": {hole.sequence}: {hole.reason}" for hole in first)
        mean = Measures() if reason else mean_measures(self.done.values(), self.rule)
        holes = (*self.holes, *self.refusals)
        about = self.remarks | ({"refused": [hole.sequence for hole in self.refusals]} if self.refusals else {})
        remarks = {} if reason else {key: tuple(names) for key, names in about.items()}
        return Score(
            self.dataset, self.tracker, self.rule.name, expected, mean, self.done, holes, reason, tuple(self.refusals),
            remarks=remarks,
        )  # fmt: skip


ONE_BOX = "its annotation is the first frame's box alone: annotate the other frames to score it"
"""Why a sequence of one's own data is not scored, where no server keeps the rest."""


def one_box(names: Sequence[str], shown: int = 8) -> str:
    """The same of a dataset that has no other sequences."""
    return f"the annotation of {listed(names, shown)} is the first frame's box alone: annotate the other frames"


Tallies = Mapping[tuple[str, str], Tally]
"""(Tracker, name of the protocol) -> its tally."""


def tallies(dataset: str, benchmark: str, trackers: Iterable[str], rules: Iterable[Protocol]) -> Tallies:
    """An empty tally for every tracker under every protocol, trackers first."""
    rules = list(rules)
    return {(name, rule.name): Tally(dataset, name, rule.on(benchmark)) for name in trackers for rule in rules}


def take_in(
    into: Tallies,
    found: Mapping[str, Sequence[Found]],
    annotation: Annotation,
    rules: Iterable[Protocol],
    benchmark: str,
    sequence: str,
) -> None:
    """Measure one sequence under every protocol. ``found``: tracker -> what each of its runs has."""
    for rule in rules:
        target: Target | UserError
        try:
            target = prepare(annotation, rule, benchmark, sequence)
        except UserError as error:
            target = error
        for tracker, runs in found.items():
            into[tracker, rule.name].add(sequence, target, runs)


def scores_by_attribute(
    scores: Sequence[Score], attributes: Mapping[str, Sequence[str]], rule: Protocol, codes: Iterable[str]
) -> dict[str, tuple[Score, ...]]:
    """Attribute code -> every score on the scored sequences that have it, without codes that none has.

    The MATLAB toolkits leave out attributes with fewer than two sequences: look at ``Score.expected``.

    Args:
        scores: with their per-sequence measures.
        attributes: sequence -> its codes.
        rule: the scores' protocol, resolved for the benchmark.
        codes: attributes wanted, in order.
    """
    scored = {name for score in scores for name in score.per_sequence}
    having = {code: {name for name in scored if code in attributes.get(name, ())} for code in codes}

    def part(score: Score, names: set[str]) -> Score:
        own = {name: measures for name, measures in score.per_sequence.items() if name in names}
        mean = mean_measures(own.values(), rule) if own and not score.reason else Measures()
        return replace(score, expected=len(names), mean=mean, per_sequence=own, readings=())

    return {code: tuple(part(score, names) for score in scores) for code, names in having.items() if names}
