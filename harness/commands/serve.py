"""A tracker of ours for TraX clients."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from inmo.errors import Exit
from inmo.harness.commands.options import Flag, NetworkOptions
from inmo.harness.commands.shared import setups_of
from inmo.harness.live.serve import serve as start


@dataclass(frozen=True)
class Serve:
    """Be a TraX tracker for the VOT toolkit or any other TraX client, on standard input and output.

    Example: python run_all.py serve --tracker transinmo --weights transinmo.pth
    """

    tracker: str
    """Tracker to serve."""
    network: NetworkOptions = NetworkOptions()
    allow_random_weights: Flag = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    tuned_for: str = "vot2019"
    """Benchmark whose test-time constants are used; one without its own takes LaSOT's."""
    device: str = "auto"
    """auto, cpu, cuda ..."""


def run(command: Serve) -> int:
    setup = setups_of([command.tracker], command.network, command.allow_random_weights)[0]
    failure = start(setup, command.tuned_for, command.device)
    if failure:
        print(f"error: {failure}", file=sys.stderr)
    return Exit.FAILED if failure else 0
