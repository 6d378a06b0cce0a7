"""Weights that come with the project: small trackers, trained by its own commands. ``weights/`` holds a card for each.

A small preset without ``weights`` takes the shipped file that was trained for exactly its architecture:
``<name>.safetensors``, or ``<name>-seed-1.safetensors`` where its ``seed`` is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from inmo.paths import ROOT

C = TypeVar("C", bound=Any)

FOLDER = ROOT / "trackers" / "weights"

SHIPPED: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "cnninmo-lite": ("cnninmo", {"preset": "lite"}),
        "siamcar-lite": ("siamcar", {"preset": "lite"}),
        "transinmo-nano": ("transinmo", {"preset": "nano"}),
        "transinmo-star-nano": ("transinmo-star", {"preset": "nano"}),
        "transinmo-star-nano-wp": ("transinmo-star", {"preset": "nano", "tca": False}),
        "transinmo-star-nano-tca": ("transinmo-star", {"preset": "nano", "wp": False}),
        "transinmo-star-nano-no-wp-no-tca": ("transinmo-star", {"preset": "nano", "wp": False, "tca": False}),
        "transinmo-star-nano-transt-0": ("transinmo-star", {"preset": "nano", "encoder_layers": 0}),
        "transinmo-star-nano-transt-1": ("transinmo-star", {"preset": "nano", "encoder_layers": 1}),
        "transinmo-star-nano-transt-2": ("transinmo-star", {"preset": "nano", "encoder_layers": 2}),
        "transinmo-star-nano-transt-3": ("transinmo-star", {"preset": "nano", "encoder_layers": 3}),
        "cnninmo-nano": ("cnninmo", {"preset": "nano"}),
        "transt-nano": ("transt", {"preset": "nano"}),
        "siamcar-nano": ("siamcar", {"preset": "nano"}),
    }
)
"""Name -> tracker and the settings that differ from its default."""

_NOT_ARCHITECTURE = frozenset(
    {"weights", "seed", "attention", "precision", "compile", "window_influence", "penalty_k", "lr"}
)


def with_weights(config: C, resolved: Callable[[C], C]) -> C:
    """``config`` with the shipped weights of its architecture, where it is a small preset that names none.

    Args:
        config: of a neural tracker.
        resolved: fills in its sizes; two configs are the same architecture when the filled-in ones agree in
            everything that decides the network.
    """
    if config.weights or config.allow_random_weights or config.preset == "full":
        return config
    path = find(config, resolved, config.seed)
    return config if path is None else replace(config, weights=str(path))


def find(config: C, resolved: Callable[[C], C], seed: int = 0) -> Path | None:
    """The shipped file for a config's architecture and the seed of its training; None when there is none."""
    from inmo.trackers import tracker

    wanted = architecture(resolved(config))
    for name, (kind, values) in SHIPPED.items():
        path = FOLDER / (f"{name}-seed-{seed}.safetensors" if seed else f"{name}.safetensors")
        base = tracker(kind).config
        if type(base) is not type(config) or not path.is_file():
            continue
        if architecture(resolved(replace(base, **values))) == wanted:
            return path
    return None


def parts(stem: str) -> tuple[str, int]:
    """Name in ``SHIPPED`` and seed of a file's stem: ``("transt-nano", 1)`` for ``transt-nano-seed-1``."""
    name, _, seed = stem.partition("-seed-")
    return name, int(seed or 0)


def architecture(config: Any) -> dict[str, Any]:
    """The values of a filled-in config that decide its network."""
    return {
        item.name: getattr(config, item.name)
        for item in fields(config)
        if item.name not in _NOT_ARCHITECTURE and item.metadata.get("identity", True)
    }
