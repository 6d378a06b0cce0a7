"""The commands, a file each: what can be said to it, a frozen dataclass, and ``run``, which does it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Union

from tyro.conf import subcommand

from inmo.registry import resolve

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "main": "inmo.harness.commands.main:MainJob",
        "track": "inmo.harness.commands.track:Track",
        "workers": "inmo.harness.commands.workers:Workers",
        "plan": "inmo.harness.commands.plan:Plan",
        "score": "inmo.harness.commands.score:ScoreResults",
        "export": "inmo.harness.commands.export:Export",
        "distractors": "inmo.harness.commands.distractors:MeasureDistractors",
        "report": "inmo.harness.commands.report:MakeReport",
        "plot": "inmo.harness.commands.plot:PlotFigures",
        "status": "inmo.harness.commands.status:Status",
        "merge": "inmo.harness.commands.merge:MergeStores",
        "rm": "inmo.harness.commands.rm:Remove",
        "compare": "inmo.harness.commands.compare:CompareStores",
        "check": "inmo.harness.commands.check:Check",
        "describe": "inmo.harness.commands.describe:Describe",
        "convert": "inmo.harness.commands.convert:Convert",
        "bench": "inmo.harness.commands.bench:Bench",
        "train": "inmo.harness.commands.train:Train",
        "ablate": "inmo.harness.commands.ablate:Ablate",
        "sweep": "inmo.harness.commands.sweep:Sweep",
        "maps": "inmo.harness.commands.maps:ShowMaps",
        "serve": "inmo.harness.commands.serve:Serve",
        "tune": "inmo.harness.commands.tune:Tune",
        "label": "inmo.harness.commands.label:Label",
        "play": "inmo.harness.commands.play:Play",
        "draw": "inmo.harness.commands.draw:Draw",
        "validate": "inmo.harness.commands.validate:Validate",
        "list": "inmo.harness.commands.list:List",
    }
)
"""Name -> the class of its words."""


def kind(name: str) -> type:
    """The class of a command's words. Raises UserError with a did-you-mean."""
    found: type = resolve(COMMANDS, name, "command")
    return found


def grammar() -> Any:
    """The type that the command line is parsed to: one of the commands' kinds."""
    return Union[tuple(Annotated[kind(name), subcommand(name)] for name in COMMANDS)]  # noqa: UP007


def run(command: Any) -> int:
    """Carry out a parsed command; returns the exit status. Raises UserError."""
    status: int = sys.modules[type(command).__module__].run(command)
    return status
