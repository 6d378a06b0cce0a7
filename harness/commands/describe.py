"""What a network is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tyro.conf import OmitArgPrefixes

from inmo.errors import UserError
from inmo.harness.commands.options import NetworkOptions
from inmo.harness.commands.shared import setups_of


@dataclass(frozen=True)
class Describe:
    """Print a tracker's parameters and multiply-adds per part, with the shares of WP, CSA and TCA.

    Example: python run_all.py describe --tracker cnninmo --interaction paper
    """

    tracker: str
    """Name of a neural tracker."""
    network: OmitArgPrefixes[NetworkOptions] = NetworkOptions()


def run(command: Describe) -> int:
    from inmo.trackers.inspect import describe as parts

    setup = setups_of([command.tracker], command.network, random_weights=True)[0]
    if setup.spec.network is None:
        raise UserError(f"{command.tracker} has no network to describe: name one of the neural trackers")
    network = setup.spec.network(setup.config)
    print(f"{setup.spec.title}, {_sense(setup.on('lasot'))}")
    print(parts.table(parts.describe(network)))
    return 0


def _sense(config: Any) -> str:
    """Preset and interaction of a config in words."""
    known = [str(getattr(config, name)) for name in ("preset", "interaction") if getattr(config, name, None)]
    return ", ".join(known) or "default settings"
