"""What is timed: a tracker as configured, in so many lanes, its frames read in turn or ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inmo.errors import UserError
from inmo.harness.run.setup import Setup
from inmo.trackers.base import Tracker


@dataclass(frozen=True)
class Case:
    """One configuration of one tracker.

    Attributes:
        setup: the tracker.
        label: how the case is called in tables; empty for the tracker as it is.
        lanes: targets in lock-step.
        ahead: whether threads decode frames before they are asked for; lanes always read ahead.
    """

    setup: Setup
    label: str
    lanes: int
    ahead: bool

    @property
    def precision(self) -> str:
        """Of the network; fp32 for trackers without one."""
        return str(getattr(self.setup.config, "precision", "fp32"))

    def build(self, device: str) -> Tracker:
        """Raises UserError for an unusable device."""
        return self.setup.spec.build(self.setup.on("lasot"), device)


def parse_case(text: str) -> dict[str, str]:
    """``"lanes=8,precision=bf16"`` to a mapping: ``lanes`` and ``ahead`` of the measurement, all others the tracker's.

    Raises UserError for a part without ``=``.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if "=" not in part:
            raise UserError(f"a case is name=value,name=value, as lanes=8,precision=bf16; '{part}' is neither")
    return dict(part.split("=", 1) for part in parts)


def make_case(text: str, lanes: int, setup_of: Callable[[Mapping[str, str]], Setup]) -> Case:
    """A case from its words, which reads ahead with more lanes than one where they do not say.

    Args:
        text: see ``parse_case``.
        lanes: where the words do not say.
        setup_of: the tracker's own settings to its setup.

    Raises:
        UserError: settings that are none, or have no such value.
    """
    words = parse_case(text)
    number = words.pop("lanes", str(lanes))
    if not number.strip().isdecimal() or int(number) < 1:
        raise UserError(f"lanes={number}: give a number from 1 up")
    lanes = int(number)
    ahead = words.pop("ahead", "true" if lanes > 1 else "false")
    if ahead not in ("true", "false"):
        raise UserError(f"ahead={ahead}: true or false")
    if lanes > 1 and ahead == "false":
        raise UserError("lanes always read ahead: ahead=false is for lanes=1")
    return Case(setup_of(words), text, lanes, ahead == "true")
