"""Tuned test-time constants: the file that ``tune`` writes, and the mark that it leaves on runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inmo.errors import UserError
from inmo.harness.run.setup import Setup
from inmo.records import read_yaml, structure
from inmo.seals import check_seal
from inmo.trackers.base import CONSTANTS

SEAL = "# seal: "
"""How the last line of the file begins, which holds its checksum: a comment to all who read YAML."""
_MEND = "make it again with `tune`, or take out its last line if you changed it by hand"


@dataclass(frozen=True)
class TunedOn:
    """What constants were tuned on.

    Attributes:
        dataset: label; benchmark: registry name; title: as papers print it.
        protocol: whose success AUC was maximised.
        sequences: name -> fingerprint of its annotation, by which a sequence is known wherever it turns up again.
    """

    dataset: str
    benchmark: str
    title: str
    protocol: str
    sequences: Mapping[str, str]


@dataclass(frozen=True)
class Tuned:
    """The outcome of a tuning, as its file holds it.

    Attributes:
        tracker: registry name of the tracker that was tuned.
        settings: the chosen constants, as for ``--set``.
        tuned_on: see there.
        held_out: sequences of the same dataset that were not tuned on.
        own: the constants that the tracker has without a tuning.
        scores: half -> who -> AUC with its interval, for readers.
        made_by: space, trials, seed, config, versions, for readers.
    """

    tracker: str
    settings: Mapping[str, float]
    tuned_on: TunedOn
    held_out: tuple[str, ...] = ()
    own: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    made_by: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> dict[str, Any]:
        """What is kept beside every run with these constants."""
        on = self.tuned_on
        return {"dataset": on.dataset, "benchmark": on.benchmark, "title": on.title, "sequences": dict(on.sequences)}


def read_tuned(path: str | Path) -> Tuned:
    """Read a file that ``tune`` wrote. Raises UserError for one that cannot be read, is damaged or is none."""
    file = Path(path).expanduser()
    data = file.read_bytes() if file.is_file() else b""
    if not check_seal(file, data, _MEND) and SEAL.encode() in data:
        raise UserError(f"{file} is damaged (its checksum is no longer there): {_MEND}")
    tuned = structure(Tuned, read_yaml(path, "file of tuned constants"), str(path))
    for name, value in tuned.settings.items():
        if name not in CONSTANTS or isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(f"{path}: settings must be numbers for {', '.join(CONSTANTS)}, not {name}: {value!r}")
    if not tuned.settings or not tuned.tuned_on.sequences:
        raise UserError(f"{path} names no constants or no sequences that they were tuned on: write it with `tune`")
    return tuned


def with_tuned(setup: Setup, tuned: Tuned, source: str | Path) -> Setup:
    """The setup with tuned constants, and with the mark of where they come from.

    Args:
        source: the file, for messages.

    Raises:
        UserError: another tracker's constants, or constants that are given another value already.
    """
    if tuned.tracker != setup.spec.name:
        raise UserError(f"{source} holds constants of {tuned.tracker}, not of {setup.spec.name}: tune each tracker")
    values = {name: float(value) for name, value in tuned.settings.items()}
    for name, value in values.items():
        given = getattr(setup.config, name, None)
        if given is not None and given != value:
            raise UserError(f"{name} is {given:g} by --set and {value:g} in {source}: give it once")
    try:
        config = replace(setup.config, **values)
    except ValueError as error:
        raise UserError(f"{source}: {error}") from error
    return replace(setup, config=config, tuned=(tuned.mark,))


def with_files(setups: Sequence[Setup], files: Sequence[str]) -> list[Setup]:
    """The setups, each with the tuned constants of its tracker where a file has them.

    Raises UserError for a file of a tracker that is not among them, or two of one tracker.
    """
    tuned = {str(path): read_tuned(path) for path in files}
    made = []
    for setup in setups:
        mine = [(path, each) for path, each in tuned.items() if each.tracker == setup.spec.name]
        if len(mine) > 1:
            raise UserError(f"{mine[0][0]} and {mine[1][0]} are both of {setup.spec.name}: give one of them")
        made.append(with_tuned(setup, mine[0][1], mine[0][0]) if mine else setup)
    for path, each in tuned.items():
        if each.tracker not in [setup.spec.name for setup in setups]:
            raise UserError(f"{path} holds constants of {each.tracker}, which is not among the trackers: leave it out")
    return made
