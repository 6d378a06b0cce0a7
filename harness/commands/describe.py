"""What a network is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from inmo.errors import UserError
from inmo.harness.commands.options import NetworkOptions
from inmo.harness.commands.shared import setups_of


@dataclass(frozen=True)
class Describe:
    """Print a tracker's parameters and multiply-adds per part, with the shares of WP, CSA and TCA, and among how many
    template tokens each TCA chooses; or, with --table 1, the paper's Table 1 beside what the networks really are.

    Example: python run_all.py describe --tracker cnninmo --interaction paper
    """

    tracker: str = ""
    """Name of a neural tracker; with --table 1 one that is not the paper's two."""
    table: Literal[1] | None = None
    """Print Table 1 of the paper beside what the networks really are, in place of the parts."""
    network: NetworkOptions = NetworkOptions()


def run(command: Describe) -> int:
    from inmo.trackers.inspect import describe as parts
    from inmo.trackers.inspect import keys

    if command.table:
        return _table_1(command)
    if not command.tracker:
        raise UserError("name a tracker with --tracker, or ask for the paper's --table 1")
    setup = setups_of([command.tracker], command.network, random_weights=True)[0]
    if setup.spec.network is None:
        raise UserError(f"{command.tracker} has no network to describe: name one of the neural trackers")
    network = setup.spec.network(setup.config)
    config = setup.on("lasot")
    sense = [str(value) for name in ("preset", "interaction") if (value := getattr(config, name, None))]
    print(f"{setup.spec.title}, {', '.join(sense) or 'default settings'}")
    print(parts.table(parts.describe(network)))
    if asked := keys.network_keys(network):
        print(f"\n{keys.table(asked)}")
    return 0


def _table_1(command: Describe) -> int:
    from inmo.harness.experiment.built import PAPER, built_backbones
    from inmo.reports.paper.backbones import BACKBONES, backbones_block

    names = [command.tracker] if command.tracker else list(PAPER)
    for name in names:
        if name not in BACKBONES:
            raise UserError(f"Table 1 has no backbone of {name}: name {', '.join(BACKBONES)}, or none")
    options = command.network if command.network.interaction else replace(command.network, interaction="paper")
    block = backbones_block(built_backbones(setups_of(names, options, random_weights=True)))
    print("\n".join(table.to_text() for table in block.tables.values()), end="")
    return 0
