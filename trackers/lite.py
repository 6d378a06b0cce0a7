"""The ``lite`` preset: EfficientNet-Lite0 with ImageNet weights, with or without interactions after its stages.

CNNInMo with ``preset="lite"`` has General Interaction Modelers after the stages at strides 8, 16 and 16; SiamCAR with
``preset="lite"`` is the same network without them. Matching, head and box are those of the small presets
(``trackers.small``): depth-wise and pixel-wise correlation, a convolutional head, boxes relative to the target's size
in the template. For machines without a GPU that shall track for real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from torch import Tensor, nn

from trackers.assembly import STRIDE, AnchoredNetwork, tracker_around
from trackers.crop import transinmo_template_side
from trackers.efficientnet import CHANNELS, EfficientNetLite0, init_scratch, normalise
from trackers.gim import CSA, TCA, Feed
from trackers.inbn import Fusion
from trackers.layers import init_transformer
from trackers.matching import DepthwiseNeck
from trackers.neural import NeuralTracker
from trackers.resnet import fold_batch_norms
from trackers.small import ConvHead, PixelwiseNeck

FIRST = 1  # stage after which the first interaction stands; stage 0 is frozen in training


C = TypeVar("C", bound=Any)


class LiteSizes(NamedTuple):
    """Sides of the inputs in pixels, channels of the fused map, side of WP's windows, d of the attention."""

    template_size: int = 64
    search_size: int = 128
    width: int = 96
    window: int = 4
    dim: int = 96


SIZES = LiteSizes()
INTERACTIVE = CHANNELS[FIRST:]
"""Channels of the maps that interactions work on."""
CONSTANTS: Mapping[str, Any] = MappingProxyType({"penalty_k": 0.1, "lr": 0.3, "window_influence": 0.35})
"""Test-time constants, chosen on rendered clips."""


class Pipeline(NamedTuple):
    """What ``trackers.assembly.tracker_around`` reads of a config."""

    template_size: int
    search_size: int
    preset: str
    box_reference: str
    precision: str
    compile: bool
    penalty_k: float
    lr: float
    window_influence: float


class LiteBackbone(nn.Module):
    """The body with an interaction after each of the later stages, and the fusion of all stages at stride 8.

    Args:
        interactions: one for each stage from ``FIRST`` on; none for a backbone without interaction.
        width: channels of the fused map.
    """

    def __init__(self, interactions: list[nn.Module], width: int) -> None:
        super().__init__()
        self.body = EfficientNetLite0()
        self.interactions = nn.ModuleList(interactions)
        self.fusion = Fusion(CHANNELS, width, prenorm=True)
        self.norm = nn.LayerNorm(width)

    def template(self, images: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """(B, 3, Z, Z) to the fused map (B, width, Z / 8, Z / 8) and a memory per interaction."""
        maps, outputs, memories = images, [], []
        for number in range(len(CHANNELS)):
            maps = self.body.stage(number, maps)
            if number >= FIRST and self.interactions:
                maps, memory = self.interactions[number - FIRST].template(maps)  # type: ignore[operator]
                memories.append(memory)
            outputs.append(maps)
        return self._fused(outputs), tuple(memories)

    def search(self, images: Tensor, memories: tuple[Any, ...]) -> Tensor:
        """(B, 3, X, X) and the template's memories to the fused map (B, width, X / 8, X / 8)."""
        maps, outputs = images, []
        for number in range(len(CHANNELS)):
            maps = self.body.stage(number, maps)
            if memories and number >= FIRST:
                maps = self.interactions[number - FIRST].search(maps, memories[number - FIRST])  # type: ignore[operator]
            outputs.append(maps)
        return self._fused(outputs)

    def _fused(self, outputs: list[Tensor]) -> Tensor:
        fused: Tensor = self.fusion([maps.permute(0, 2, 3, 1) for maps in outputs])
        normed: Tensor = self.norm(fused.permute(0, 2, 3, 1))
        return normed.permute(0, 3, 1, 2)


class LiteNetwork(AnchoredNetwork):
    """See the module."""

    normalise = staticmethod(normalise)
    geometry = "transinmo"
    """How its crops are cut, in training too: row of ``harness.training.geometry``."""


def build_network(interactions: list[nn.Module], sizes: LiteSizes = SIZES) -> LiteNetwork:
    """The network with random parameters.

    Args:
        interactions: for the stages of ``INTERACTIVE``, or none. They change nothing at first: their outputs start at
            zero, so that the body's ImageNet features reach the head as they are.
        sizes: see LiteSizes.
    """
    backbone = LiteBackbone(interactions, sizes.width)
    init_scratch(backbone.body)
    backbone.fusion.apply(init_transformer)
    for interaction in interactions:
        interaction.apply(init_transformer)
        for module in interaction.modules():
            if isinstance(module, CSA | TCA):
                nn.init.zeros_(module.map.weight)
            elif isinstance(module, Feed):
                nn.init.zeros_(module.mlp.fc2.weight)
    cells = sizes.template_size // STRIDE
    neck = DepthwiseNeck(sizes.width, learned=True, centre=cells // 2)
    matching = PixelwiseNeck(neck, sizes.width, cells**2, sizes.width)
    return LiteNetwork(
        backbone, matching, ConvHead(sizes.width), template_size=sizes.template_size, search_size=sizes.search_size
    )


def with_constants(config: C) -> C:
    """``config`` with every test-time constant that is None filled in."""
    return replace(config, **{k: v for k, v in CONSTANTS.items() if getattr(config, k) is None})


def around(network: nn.Module, config: Any, device: str) -> NeuralTracker:
    """The tracker around a network with values, its batch norms folded in place. Raises UserError: unusable device."""
    pipeline = Pipeline(
        SIZES.template_size,
        SIZES.search_size,
        config.preset,
        "anchor",
        config.precision,
        config.compile,
        config.penalty_k,
        config.lr,
        config.window_influence,
    )
    folded = fold_batch_norms(network)
    return tracker_around(folded, pipeline, device, template_side=transinmo_template_side, clamp_output=True)
