"""What is timed: a tracker as configured, in so many lanes, its frames read in turn or ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inmo.errors import UserError
from inmo.harness.run.setup import Setup
from inmo.trackers.base import Tracker

OWN = ("lanes", "ahead")
"""Settings of the measurement; all others are the tracker's."""


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
    """``"lanes=8,precision=bf16"`` to a mapping. Raises UserError for a part without ``=``."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if "=" not in part:
            raise UserError(f"a case is name=value,name=value, as lanes=8,precision=bf16; '{part}' is neither")
    return dict(part.split("=", 1) for part in parts)


def make_case(
    text: str, lanes: int, setup_of: Callable[[Mapping[str, str]], Setup], *, ahead: bool | None = None
) -> Case:
    """A case from its words.

    Args:
        text: see ``parse_case``.
        lanes: where the words do not say.
        setup_of: the tracker's own settings to its setup.
        ahead: where the words do not say; None: with more lanes than one.

    Raises:
        UserError: settings that are none, or have no such value.
    """
    words = parse_case(text)
    own: dict[str, Any] = {name: words.pop(name) for name in OWN if name in words}
    try:
        lanes = int(own.get("lanes", lanes))
    except ValueError as error:
        raise UserError(f"lanes={own['lanes']}: give a number from 1 up") from error
    if lanes < 1:
        raise UserError(f"lanes={lanes}: give a number from 1 up")
    chosen = lanes > 1 if ahead is None else ahead
    if "ahead" in own:
        if own["ahead"] not in ("true", "false"):
            raise UserError(f"ahead={own['ahead']}: true or false")
        chosen = own["ahead"] == "true"
    if lanes > 1 and not chosen:
        raise UserError("lanes always read ahead: ahead=false is for lanes=1")
    return Case(setup_of(words), text, lanes, chosen)
