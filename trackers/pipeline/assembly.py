"""Backbone, neck and head put together: the network of TransT, TransInMo and TransInMo*, and its pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from inmo.trackers.networks.heads import BoxHead, Outputs
from inmo.trackers.networks.matching import DepthwiseNeck, FusionNeck, PlainAttention, ProjectedAttention, Sizes
from inmo.trackers.networks.pixelwise import ConvHead, PixelwiseNeck, search_anchors
from inmo.trackers.pipeline.crop import Floats, transt_search_side
from inmo.trackers.pipeline.neural import NeuralTracker, Recipe, constants_of, normalise_rgb
from inmo.trackers.pipeline.postprocess import Located, Targets, locate
from inmo.trackers.pipeline.postprocess_small import locate_gently

STRIDE = 8  # pixels of the input per cell of the backbones' maps


class Features(NamedTuple):
    """All that depends on the template alone.

    Attributes:
        memories: what the backbone's interaction asks, per stage.
        cache: what the neck asks.
    """

    memories: Any
    cache: Any


class MatchingNetwork(nn.Module):
    """A stateless Siamese network made of built parts.

    Args:
        backbone: ``template(images) -> (map, memories)``, ``search(images, memories) -> map``.
        neck: ``template(map) -> cache``, ``search(map, cache) -> tokens``.
        head: tokens to Outputs.
        template_size, search_size: sides of the inputs in pixels.
    """

    normalise = staticmethod(normalise_rgb)
    repeated_by_release = ("neck",)
    """Parts whose work on the template alone the authors' code repeats for every frame; here it is done once."""

    def __init__(
        self, backbone: nn.Module, neck: nn.Module, head: nn.Module, *, template_size: int, search_size: int
    ) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.template_size, self.search_size = template_size, search_size

    def template(self, images: Tensor) -> Features:
        """(B, 3, Z, Z) normalised images of B templates."""
        features, memories = self.backbone.template(images)  # type: ignore[operator]
        return Features(memories, self.neck.template(features))  # type: ignore[operator]

    def search(self, images: Tensor, features: Features) -> Outputs:
        """(B, 3, X, X) normalised images of B search regions."""
        maps = self.backbone.search(images, features.memories)  # type: ignore[operator]
        out: Outputs = self.head(self.neck.search(maps, features.cache))  # type: ignore[operator]
        return out


class AnchoredFeatures(NamedTuple):
    """All that depends on the template alone.

    Attributes:
        memories, cache: as in ``Features``.
        anchors: (B, 2) w, h of the target as fractions of a search region's side that is cut for its first size.
    """

    memories: Any
    cache: Any
    anchors: Tensor


class AnchoredNetwork(MatchingNetwork):
    """A matching network whose head predicts boxes relative to the target's size in the template."""

    anchored = True

    def template(self, images: Tensor, anchors: Tensor | None = None) -> AnchoredFeatures:  # type: ignore[override]
        """(B, 3, Z, Z) normalised images, and (B, 2) w, h of the targets as fractions of the template crop's side.

        Without anchors the targets are taken for squares.
        """
        memories, cache = super().template(images)
        if anchors is None:
            anchors = images.new_full((len(images), 2), 0.5)
        return AnchoredFeatures(memories, cache, search_anchors(anchors))

    def search(self, images: Tensor, features: AnchoredFeatures) -> Outputs:  # type: ignore[override]
        """(B, 3, X, X) normalised images of B search regions."""
        maps = self.backbone.search(images, features.memories)  # type: ignore[operator]
        tokens = self.neck.search(maps, features.cache)  # type: ignore[operator]
        out: Outputs = self.head(tokens, features.anchors)
        return out


class NeckConfig(Protocol):
    """The values of a config that the fusion neck is built from."""

    @property
    def width(self) -> int | None: ...
    @property
    def neck_heads(self) -> int | None: ...
    @property
    def neck_hidden(self) -> int | None: ...
    @property
    def neck_projections(self) -> bool | None: ...
    @property
    def dropout(self) -> float | None: ...
    @property
    def encoder_layers(self) -> int: ...
    @property
    def attention(self) -> str: ...


def fusion_neck(config: NeckConfig, inputs: int) -> FusionNeck:
    """The TransT-like neck of a filled config on a map of ``inputs`` channels."""
    assert config.width and config.neck_heads and config.neck_hidden and config.dropout is not None
    sizes = Sizes(config.width, config.neck_heads, config.neck_hidden, config.dropout)
    kind = ProjectedAttention if config.neck_projections else PlainAttention
    fused = config.attention == "fused"
    return FusionNeck(inputs, sizes, config.encoder_layers, lambda: kind(sizes.width, sizes.heads, fused))


def assemble(
    backbone: nn.Module, neck: DepthwiseNeck | FusionNeck, config: Any, reference: str, inputs: int
) -> MatchingNetwork:
    """The network of built parts, with the sizes of a filled config and, where it asks for them, the changes of
    ``networks.pixelwise``."""
    sizes = {"template_size": config.template_size, "search_size": config.search_size}
    matching: nn.Module = neck
    if config.pixelwise:
        matching = PixelwiseNeck(neck, inputs, (config.template_size // STRIDE) ** 2, config.width)
    if reference == "anchor":
        return AnchoredNetwork(backbone, matching, ConvHead(config.width), **sizes)
    return MatchingNetwork(backbone, matching, BoxHead(config.width, reference), **sizes)


def tracker_around(
    network: nn.Module,
    config: Any,
    device: str,
    *,
    template_side: Callable[[Floats], Floats],
    clamp_output: bool,
) -> NeuralTracker:
    """The tracker around a network of this family.

    Args:
        network: with its values; it is put on ``device``.
        config: filled in, sizes and test-time constants.
        template_side: target sizes (B, 2) to the template crop's side.
        clamp_output: SOTS's habit of keeping x and y of the reported boxes at 0 or above.

    Raises:
        UserError: an unusable device.
    """

    def place(outputs: tuple[Tensor, ...], targets: Targets) -> Located:
        probability = torch.softmax(outputs[0], dim=-1)[..., 0]
        if config.box_reference == "anchor":
            return locate_gently(probability, outputs[1], targets)
        if config.preset != "full":  # only the published sizes keep the released code's mixture of units
            targets = targets._replace(template_scale=torch.ones_like(targets.template_scale))
        return locate(probability, outputs[1], targets)

    recipe = Recipe(
        template_size=config.template_size,
        search_size=config.search_size,
        template_side=template_side,
        search_side=transt_search_side,
        normalise=network.normalise,  # type: ignore[arg-type]
        locate=place,
        constants=constants_of(config),
        clamp_output=clamp_output,
        anchored=config.box_reference == "anchor",
    )
    return NeuralTracker(network, recipe, device, precision=config.precision, compiled=config.compile)
