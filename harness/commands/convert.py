"""Checkpoints as safetensors, and networks as graphs for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inmo.errors import UserError
from inmo.harness.commands.options import Names
from inmo.harness.run.setup import configure, parse_overrides


@dataclass(frozen=True)
class Convert:
    """Turn the authors' checkpoint into safetensors, after checking that it fits, or a network into graphs.

    Example: python run_all.py convert --tracker cnninmo --preset lite --to onnx --out cnninmo-lite
    """

    tracker: str
    """Of safetensors transinmo, transinmo-star, cnninmo, transt or siamcar; of graphs any tracker with a network."""
    out: Path
    """FILE.safetensors, or the folder of template.* and search.*"""
    checkpoint: Path | None = None
    """The file as the authors published it, which safetensors are made of; graphs take any weights, or the preset's."""
    to: Literal["safetensors", "onnx", "openvino", "torchscript"] = "safetensors"
    """Weights alone, or template and search graphs for one target with what they need in their metadata."""
    preset: str | None = None
    """Size of a graph's network, e.g. full or nano."""
    interaction: Literal["paper", "released"] | None = None
    """Sense of a graph's network."""
    set: Names = ()
    """Any other setting of a graph's tracker, as name=value; may be given several times."""
    tuned_for: str = "folder"
    """Benchmark whose test-time constants the graphs carry; one without its own takes LaSOT's."""


def run(command: Convert) -> int:
    if command.to == "safetensors":
        from inmo.trackers.pipeline.family import convert as write

        if command.checkpoint is None:
            raise UserError("--checkpoint FILE is what safetensors are made of: name it, or give --to onnx")
        facts = write(command.checkpoint, command.tracker, command.out)
        print(f"{command.out}: {facts['tracker']} from {facts['source']} (SHA-256 {facts['source_sha256']})")
        return 0
    from inmo.trackers.pipeline.deploy import write_graphs
    from inmo.trackers.pipeline.family import family

    family(command.tracker)
    shared = {"preset": command.preset, "interaction": command.interaction}
    weights = None if command.checkpoint is None else str(command.checkpoint)
    setup = configure(command.tracker, parse_overrides(command.set), {**shared, "weights": weights})
    config = setup.on(command.tuned_for)
    for part, path in write_graphs(command.tracker, config, command.to, command.out).items():
        print(f"{part}: {path}")
    if config.caution.online:
        print("the graphs are without online learning: their boxes are those of --set online=0")
    return 0
