"""Backbone, neck and head put together: the network of TransT, TransInMo and TransInMo*, and its pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from inmo.trackers.networks.heads import BoxHead, Outputs
from inmo.trackers.networks.matching import DepthwiseNeck, FusionNeck, FusionSizes, PlainAttention, ProjectedAttention
from inmo.trackers.networks.pixelwise import ConvHead, PixelwiseNeck, search_anchors
from inmo.trackers.pipeline.config import NeuralConfig, Sizes, choice, everywhere, one_of
from inmo.trackers.pipeline.neural import NeuralTracker, Recipe, normalise_rgb
from inmo.trackers.pipeline.postprocess import Located, Targets, locate, mirrored, weighed
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


class MappedOutputs(NamedTuple):
    """``Outputs``, and the map (B, C, S, S) of the search region that the neck was given."""

    logits: Tensor
    boxes: Tensor
    maps: Tensor


class MatchingNetwork(nn.Module):
    """A stateless Siamese network made of built parts.

    Args:
        backbone: ``template(images) -> (map, memories)``, ``search(images, memories) -> map``.
        neck: ``template(map) -> cache``, ``search(map, cache) -> tokens``.
        head: tokens to Outputs.
        template_size, search_size: sides of the inputs in pixels.
    """

    normalise = staticmethod(normalise_rgb)
    anchored = False
    """Whether ``template`` is also told the target's size."""
    shows_maps = False
    """Whether ``search`` also gives the map that its neck was given."""
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

    def search(self, images: Tensor, features: Features) -> Outputs | MappedOutputs:
        """(B, 3, X, X) normalised images of B search regions."""
        maps = self.backbone.search(images, features.memories)  # type: ignore[operator]
        out = self.predict(self.neck.search(maps, features.cache), features)  # type: ignore[operator]
        return MappedOutputs(*out, maps) if self.shows_maps else out

    def predict(self, tokens: Tensor, features: Any) -> Outputs:
        """What the head says of the tokens (B, L, D) of search regions."""
        del features
        outputs: Outputs = self.head(tokens)
        return outputs


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

    def predict(self, tokens: Tensor, features: AnchoredFeatures) -> Outputs:
        """What the head says of the tokens (B, L, D) of search regions; boxes by the targets' first size."""
        outputs: Outputs = self.head(tokens, features.anchors)
        return outputs


@dataclass(frozen=True, kw_only=True)
class MatchingSizes(Sizes):
    """Of the transformer trackers.

    Attributes:
        width: channels of the fused map, the neck and the head.
        neck_heads, neck_hidden, neck_projections: of the fusion's attention and feed-forwards.
        box_reference: search or cell, see networks.heads.BoxHead, or anchor, see networks.pixelwise.
        pixelwise: pixel-wise correlation beside the matching, see networks.pixelwise.
        dropout: in training only.
        widths, depths: of the backbone's stages.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    width: int
    neck_heads: int
    neck_hidden: int
    neck_projections: bool
    box_reference: str
    pixelwise: bool = False
    dropout: float = 0.0


M = TypeVar("M", bound=MatchingSizes)


@dataclass(frozen=True, kw_only=True)
class MatchingConfig(NeuralConfig[M]):
    """What the configs of the transformer trackers share.

    Attributes:
        preset: full (published size), nano (about a million parameters) or another of the family's.
        encoder_layers: of the fusion, 0 to 4 in the paper's Table 5.
        widths, depths: of the backbone's stages.
        width, neck_heads, neck_hidden, neck_projections, box_reference, pixelwise, dropout: see ``MatchingSizes``.
        template_size, search_size: sides of the inputs in pixels.
        attention: fused (scaled_dot_product_attention) or written (the formula).
    """

    encoder_layers: int = 4
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    width: int | None = None
    neck_heads: int | None = None
    neck_hidden: int | None = None
    neck_projections: bool | None = None
    box_reference: str | None = None
    pixelwise: bool | None = None
    template_size: int | None = None
    search_size: int | None = None
    dropout: float | None = field(default=None, metadata={"identity": False})
    attention: str = choice("fused", "written")

    def check(self, sizes: M) -> None:
        one_of("box_reference", sizes.box_reference, "search", "cell", "anchor")


FULL: dict[str, Any] = {"template_size": 128, "search_size": 256, "width": 256, "dropout": 0.1}
"""What the published sizes of the transformer trackers have in common."""
TRANST_NECK: dict[str, Any] = {"neck_heads": 8, "neck_hidden": 2048, "neck_projections": True}
NANO: dict[str, Any] = {
    "template_size": 48,
    "search_size": 96,
    "width": 96,
    "neck_heads": 4,
    "neck_hidden": 96,
    "neck_projections": False,
}
"""For machines without a GPU: about a million parameters, the same code."""
SMALL: dict[str, Any] = {"box_reference": "anchor", "pixelwise": True, "constants": everywhere(0.1, 0.15, 0.35)}
"""The changes of ``networks.pixelwise``, with constants of their own, the same for every row of the ablations."""


def fusion_neck(sizes: MatchingSizes, inputs: int, layers: int, *, fused: bool) -> FusionNeck:
    """The TransT-like neck with ``layers`` encoder layers on a map of ``inputs`` channels."""
    numbers = FusionSizes(sizes.width, sizes.neck_heads, sizes.neck_hidden, sizes.dropout)
    kind = ProjectedAttention if sizes.neck_projections else PlainAttention
    return FusionNeck(inputs, numbers, layers, lambda: kind(sizes.width, sizes.neck_heads, fused))


def assemble(
    backbone: nn.Module,
    neck: DepthwiseNeck | FusionNeck,
    sizes: MatchingSizes,
    inputs: int,
    anchored: type[AnchoredNetwork] = AnchoredNetwork,
) -> MatchingNetwork:
    """The network of built parts and, where its sizes ask for them, the changes of ``networks.pixelwise``; then its
    class is ``anchored``."""
    sides = {"template_size": sizes.template_size, "search_size": sizes.search_size}
    matching: nn.Module = neck
    if sizes.pixelwise:
        matching = PixelwiseNeck(neck, inputs, (sizes.template_size // STRIDE) ** 2, sizes.width)
    if sizes.box_reference == "anchor":
        return anchored(backbone, matching, ConvHead(sizes.width), **sides)
    return MatchingNetwork(backbone, matching, BoxHead(sizes.width, sizes.box_reference), **sides)


def tracker_around(
    network: nn.Module, config: NeuralConfig[Any], device: str, *, clamp_output: bool = True
) -> NeuralTracker:
    """The tracker around a ``MatchingNetwork``.

    Args:
        network: with its values; it is put on ``device``.
        config: what it was built from.
        clamp_output: SOTS's habit of keeping x and y of the reported boxes at 0 or above.

    Raises:
        UserError: an unusable device.
    """
    anchored = bool(network.anchored)
    network.shows_maps = config.caution.online > 0.0  # type: ignore[assignment]

    def place(outputs: tuple[Tensor, ...], targets: Targets) -> Located:
        probability = torch.softmax(outputs[0], dim=-1)[..., 0]
        if anchored:
            return locate_gently(probability, outputs[1], targets)
        if config.preset != "full":  # only the published sizes keep the released code's mixture of units
            targets = targets._replace(template_scale=torch.ones_like(targets.template_scale))
        return locate(probability, outputs[1], targets)

    recipe = Recipe(
        geometry=config.sizes().geometry,
        normalise=network.normalise,  # type: ignore[arg-type]
        locate=place,
        constants=config.tuning(),
        clamp_output=clamp_output,
        anchored=anchored,
        mirrored=mirrored,
        weighed=weighed,
    )
    return NeuralTracker(network, recipe, device, config)
