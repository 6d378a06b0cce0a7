"""The commands: what can be said to each, a frozen dataclass, and below it the function that does it.

Imports are local to the functions: a command pays only for what it uses, and ``--help`` for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union

from tyro.conf import subcommand

from inmo.harness.commands import constants, networks, running, scoring, watching

COMMANDS: Mapping[str, tuple[type, Callable[[Any], int]]] = {
    "main": (running.MainJob, running.main_job),
    "track": (running.Track, running.track),
    "workers": (running.Workers, running.workers),
    "plan": (running.Plan, running.plan),
    "score": (scoring.ScoreResults, scoring.score),
    "export": (scoring.Export, scoring.export),
    "report": (scoring.MakeReport, scoring.report),
    "check": (scoring.Check, scoring.check),
    "describe": (networks.Describe, networks.describe),
    "convert": (networks.Convert, networks.convert),
    "bench": (networks.Bench, networks.bench),
    "train": (networks.Train, networks.train),
    "ablate": (networks.Ablate, networks.ablate),
    "sweep": (constants.Sweep, constants.sweep),
    "maps": (networks.ShowMaps, networks.show_maps),
    "serve": (running.Serve, running.serve),
    "tune": (constants.Tune, constants.tune),
    "play": (watching.Play, watching.play),
    "draw": (watching.Draw, watching.draw),
    "validate": (scoring.Validate, scoring.validate),
    "list": (scoring.List, scoring.list_names),
}

Command: Any = Union[tuple(Annotated[kind, subcommand(name)] for name, (kind, _) in COMMANDS.items())]  # noqa: UP007
"""What the command line is parsed to: one of the kinds."""


def run(command: Any) -> int:
    """Carry out a parsed command; returns the exit status. Raises UserError."""
    return dict(COMMANDS.values())[type(command)](command)
