"""Weights that come with the project: small trackers, trained by its own commands. ``weights/`` holds a card for each.

A small preset without ``weights`` takes the shipped file that was trained for exactly its architecture:
``<name>.safetensors``, or ``<name>-seed-1.safetensors`` where its ``seed`` is 1. One that would make the package too
large lies elsewhere in a checkout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from inmo.paths import ROOT
from inmo.trackers.pipeline.caution import Caution
from inmo.trackers.pipeline.config import NeuralConfig, Tuning

FOLDER = ROOT / "trackers" / "weights"

_NOT_ARCHITECTURE = frozenset(
    {"weights", "seed", "attention", "precision", "runtime", "compile", *Tuning._fields}
    | {item.name for item in fields(Caution)}
)


@dataclass(frozen=True)
class Shipped:
    """One architecture whose weights are shipped, under the project's own licence.

    Attributes:
        command: words of the command that trained it with seed 0.
        settings: that differ from the tracker's default.
        origin: what the training started from and under which licence that is; empty where from nothing.
        curve: file of its scores over the pairs seen, where it was kept.
        file: where the weights of seed 0 lie beneath the project's folder, if not in ``weights/``: a checkout has them,
            an installed package does not.
    """

    command: str
    settings: Mapping[str, Any] = field(default_factory=lambda: {"preset": "nano"})
    origin: str = ""
    curve: str = ""
    file: str = ""

    def path(self, name: str, seed: int = 0) -> Path:
        """Where the weights of a seed lie, if they are there; the card has the suffix ``.md``."""
        return ROOT / self.file if self.file and not seed else file_of(name, seed)


def file_of(name: str, seed: int = 0) -> Path:
    """Where the weights of a name and a seed lie, if they come with the package and are there."""
    return FOLDER / (f"{name}-seed-{seed}.safetensors" if seed else f"{name}.safetensors")


def parts(stem: str) -> tuple[str, int]:
    """Name and seed of a file's stem: ``("transt-nano", 1)`` for ``transt-nano-seed-1``."""
    name, _, seed = stem.partition("-seed-")
    return name, int(seed or 0)


def architecture(config: NeuralConfig[Any]) -> dict[str, Any]:
    """The values of a config that decide its network, the preset's in the place of None.

    As in its hash, a field that came later is left out while it has the value that stood for all before.
    """
    full = config.filled()
    return {
        item.name: getattr(full, item.name)
        for item in fields(full)
        if item.name not in _NOT_ARCHITECTURE
        and item.metadata.get("identity", True)
        and not ("since" in item.metadata and getattr(full, item.name) == item.metadata["since"])
    }
