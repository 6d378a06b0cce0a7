"""Blocks about networks as they are built, whatever was measured with them: Table 1, and the cost of interaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import torch

from inmo.harness.bench.command import machine_words
from inmo.harness.bench.complexity import costs
from inmo.harness.experiment.paper import Work
from inmo.harness.run.setup import Setup, configure
from inmo.reports.blocks.block import Block
from inmo.reports.blocks.complexity import Cost, complexity_block
from inmo.reports.paper.backbones import BACKBONES
from inmo.trackers.inspect.stages import BuiltStage, built_stages
from inmo.whole_files import fitting, read_json, write_json

PAPER = ("cnninmo", "transinmo-star")
"""Registry names of the trackers whose backbones Table 1 describes."""

SIDES, ROUNDS = range(96, 353, 32), 5
"""Sides of the search regions, in pixels, and timed passes of each, for the page's curves."""
_SMALL = {"interaction": "paper", "preset": "nano", "allow_random_weights": "true"}


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


def complexity(work: Work) -> Block:
    """The cost of CSA and TCA against the number of tokens, at small size.

    Measured once and kept in OUT/complexity.json, so that the same results give the same page.
    """
    kept = work.out / "complexity.json"
    if not kept.is_file():
        found = []
        for wp in ("true", "false"):
            setup = configure("transinmo", {**_SMALL, "wp": wp})
            assert setup.spec.network is not None
            found += costs(setup.spec.network(setup.config).eval(), f"wp={wp}", SIDES, ROUNDS)
        measured = {"machine": machine_words(torch.get_num_threads()), "costs": [asdict(cost) for cost in found]}
        write_json(kept, measured)
    facts = read_json(kept)
    with fitting(kept):
        return complexity_block([Cost(**cost) for cost in facts["costs"]], "TransInMo nano", facts["machine"])
