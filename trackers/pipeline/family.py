"""A family of neural trackers as one record, at the end of its file; its row in ``TRACKERS`` leads to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from inmo.errors import UserError, unknown_name
from inmo.seals import BLANK, KEY, sealed
from inmo.trackers import TRACKERS, tracker
from inmo.trackers.base import Tracker, TrackerSpec, file_sha256
from inmo.trackers.pipeline.checkpoint import KeyMap, apply_either, apply_strict, load_state_dict
from inmo.trackers.pipeline.config import NeuralConfig
from inmo.trackers.pipeline.neural import NeuralTracker
from inmo.trackers.pipeline.shipped import Shipped, architecture
from inmo.whole_files import place


@dataclass(frozen=True, kw_only=True)
class Family(TrackerSpec):
    """A registry row of a neural tracker: all that is known of it by name.

    Sizes, test-time constants per benchmark and crop geometry are in the presets of its config's class.

    Attributes:
        config: the default config, a ``NeuralConfig``.
        network: (config) -> the network with random parameters.
        around: (network with values, config, device) -> the tracker around it, which takes the network over.
        key_map: the authors' name of a parameter -> ours; None where the authors released no weights.
        shipped: name -> weights that come with the project.
        recipes: preset (and sense, or geometry) -> the file below the project's root that trains it.
    """

    network: Callable[[Any], nn.Module]
    around: Callable[[nn.Module, Any, str], NeuralTracker]
    key_map: KeyMap | None = None
    shipped: Mapping[str, Shipped] = field(default_factory=dict, compare=False)
    recipes: Mapping[str, str] = field(default_factory=dict, compare=False)
    build: Callable[[Any, str], Tracker] = field(init=False, repr=False, compare=False)
    for_dataset: Callable[[Any, str], Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "build", self._build)
        object.__setattr__(self, "for_dataset", self._for_dataset)

    def load(self, config: NeuralConfig[Any]) -> nn.Module:
        """The network of a config with its weights, or the random ones that it allows, which depend on ``seed`` alone.

        Raises UserError: no weights and random ones not allowed, or weights that do not fit.
        """
        if config.weights:
            with torch.device("meta"):
                network = self.network(config)
            state = load_state_dict(config.weights)
            apply_either(network, state, self.key_map, f"{config.weights} as {self.title}")
            return network
        if not config.allow_random_weights:
            raise UserError(
                f"{self.title} has no weights: name a checkpoint with --weights FILE, take a preset that comes with "
                "some (--preset nano), or say --allow-random-weights"
            )
        words = "%s runs with RANDOM weights (seed %d): its boxes mean nothing"
        logging.getLogger(__name__).warning(words, self.title, config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            return self.network(config)

    def released(self) -> tuple[nn.Module, KeyMap]:
        """The network as released, without values (on the meta device), and the key map of the authors' files.

        Raises UserError where nothing was released.
        """
        if self.key_map is None:
            raise UserError(f"of {self.title} no weights were released: train it, or choose another tracker")
        senses = {"interaction": "released"} if hasattr(self.config, "interaction") else {}
        with torch.device("meta"):
            return self.network(replace(self.config, **senses)), self.key_map

    def _build(self, config: NeuralConfig[Any], device: str) -> NeuralTracker:
        """The tracker. Raises UserError for weights that are missing or do not fit, or an unusable device."""
        return self.around(self.load(config), config, device)

    def _for_dataset(self, config: NeuralConfig[Any], dataset: str) -> NeuralConfig[Any]:
        """The config with its sizes, the constants for the benchmark and, where it is a small preset that names no
        weights, the shipped ones of its architecture."""
        config = replace(config.filled(), **config.tuning(dataset)._asdict())
        if config.weights or config.allow_random_weights or config.preset == "full":
            return config
        return replace(config, weights=str(find(config, config.seed) or ""))


def family(name: str, kind: str = "neural tracker") -> Family:
    """The family behind a registry name. Raises UserError with a did-you-mean for a name that has none."""
    found = tracker(name) if name in TRACKERS else None
    if not isinstance(found, Family):
        raise unknown_name(kind, name, families())
    return found


def families() -> dict[str, Family]:
    """Every row of the registry that is a neural tracker."""
    rows = ((name, tracker(name)) for name in TRACKERS)
    return {name: row for name, row in rows if isinstance(row, Family)}


def shipped_weights() -> dict[str, tuple[Family, Shipped]]:
    """Name -> family and facts of all that is shipped."""
    return {name: (row, item) for row in families().values() for name, item in row.shipped.items()}


def find(config: NeuralConfig[Any], seed: int = 0) -> Path | None:
    """The shipped file for a config's architecture and the seed of its training; None when there is none."""
    wanted, home = architecture(config), type(config).__module__
    relatives = [tracker(name) for name, row in TRACKERS.items() if row.partition(":")[0] == home]
    for row in relatives:
        for name, item in row.shipped.items() if isinstance(row, Family) else ():
            path = item.path(name, seed)
            if path.is_file() and architecture(replace(row.config, **item.settings)) == wanted:
                return path
    return None


def convert(checkpoint: str | Path, tracker_name: str, out: str | Path) -> dict[str, str]:
    """Write the weights of a released checkpoint as safetensors, after checking that they fit the tracker exactly.

    The authors' names are kept, so that the result loads wherever the original did.

    Returns:
        The metadata written: ``tracker``, ``source`` (file name) and ``source_sha256``.

    Raises:
        UserError: the checkpoint cannot be read or does not fit, or ``out`` cannot be written.
    """
    network, key_map = family(tracker_name, "tracker with released weights").released()
    state = load_state_dict(checkpoint)
    apply_strict(network, state, key_map, f"{checkpoint} as {tracker_name}")
    source = Path(checkpoint).expanduser()
    metadata = {"tracker": tracker_name, "source": source.name, "source_sha256": file_sha256(source)}
    place(Path(out).expanduser(), sealed(save(state, metadata | {KEY: BLANK})))
    return metadata
