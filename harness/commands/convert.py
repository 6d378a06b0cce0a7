"""Checkpoints as safetensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Convert:
    """Turn the authors' checkpoint into safetensors, after checking that every parameter fits.

    Example: python run_all.py convert --checkpoint transt.pth --tracker transt --out transt.safetensors
    """

    checkpoint: Path
    """The file as the authors published it. Nothing in it is executed."""
    tracker: str
    """transinmo, transinmo-star, cnninmo, transt or siamcar."""
    out: Path
    """FILE.safetensors"""


def run(command: Convert) -> int:
    from inmo.trackers.pipeline.family import convert as write

    facts = write(command.checkpoint, command.tracker, command.out)
    print(f"{command.out}: {facts['tracker']} from {facts['source']} (SHA-256 {facts['source_sha256']})")
    return 0
