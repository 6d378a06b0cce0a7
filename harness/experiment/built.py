"""The networks of Table 1 as they are built, for the page and for ``describe --table 1``."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inmo.harness.run.setup import Setup, configure
from inmo.reports.paper.backbones import BACKBONES
from inmo.trackers.inspect.stages import BuiltStage, built_stages

PAPER = ("cnninmo", "transinmo-star")
"""Registry names of the trackers whose backbones Table 1 describes."""


def built_backbones(setups: Sequence[Setup] = ()) -> dict[str, tuple[str, Sequence[BuiltStage]]]:
    """Backbone of Table 1 -> the name of a tracker with it, and its stages; the paper's own without ``setups``.

    Raises UserError for a network whose backbone does not interact in stages.
    """
    chosen = setups or [configure(name, {"interaction": "paper", "allow_random_weights": "true"}) for name in PAPER]
    found: dict[str, tuple[str, Sequence[BuiltStage]]] = {}
    for setup in chosen:
        assert setup.spec.network is not None  # those of BACKBONES are neural
        with torch.device("meta"):  # sizes need no values
            network = setup.spec.network(setup.config)
        found[BACKBONES[setup.spec.name]] = (setup.spec.title, built_stages(network))
    return found
