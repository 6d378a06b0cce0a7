"""What the parts of an interaction do in chosen frames."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from inmo.harness.commands.options import NetworkOptions, Trackers
from inmo.harness.commands.shared import setups_of
from inmo.harness.experiment.activation_maps import run_maps
from inmo.harness.run.setup import parse_dataset
from inmo.harness.store.store import file_name
from inmo.reports.blocks.block import write_block


@dataclass(frozen=True)
class ShowMaps:
    """Draw what CSA and TCA do in chosen frames: template, search region, CSA, TCA and score map of each.

    Example: python run_all.py maps --tracker transinmo-star --preset nano --dataset mini-lasot --sequence hound-1
    --frames 10 40 --out maps
    """

    tracker: Trackers
    """Tracker with CSA and TCA; may be given several times."""
    dataset: str
    """NAME=ROOT, or NAME alone where the root is known."""
    sequence: str
    """Name of the sequence, which is followed from its first frame."""
    frames: tuple[int, ...]
    """Frames to look into, counted from 0; the first one holds the template."""
    out: Path = Path("maps")
    """The arrays go to OUT/arrays, the drawings to OUT/figures/*.svg and *.pdf."""
    stage: int = -1
    """Which interaction, from 0 for the first; negative numbers count from the last."""
    network: NetworkOptions = NetworkOptions()
    device: str = "auto"
    """auto, cpu, cuda ..."""


def run(command: ShowMaps) -> int:
    from inmo.reports.blocks.response_maps import maps_block

    dataset = parse_dataset(command.dataset).open()
    setups = setups_of(command.tracker, command.network, random_weights=False)
    found = [
        (item, command.stage)
        for setup in setups
        for item in run_maps(
            command.out / "arrays", setup, dataset, command.sequence, command.frames, device=command.device
        )
    ]
    block = maps_block(found, stem=f"maps_{file_name(command.sequence)}", title="Activation maps")
    for note in block.notes:
        print(note, file=sys.stderr)
    print(*write_block(block, command.out), sep="\n")
    return 0
