"""TransT (Chen et al., CVPR 2021): dilated ResNet-50 to stage 3, feature fusion by attention, two MLP heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from inmo.trackers.base import TrackerSpec
from inmo.trackers.networks.resnet import TransTResNet, fold_batch_norms
from inmo.trackers.pipeline.assembly import MatchingNetwork, assemble, fusion_neck, tracker_around
from inmo.trackers.pipeline.crop import transt_template_side
from inmo.trackers.pipeline.hyperparameters import FALLBACK, fill_in
from inmo.trackers.pipeline.neural import NeuralTracker, load_network
from inmo.trackers.pipeline.presets import TRANST_PRESETS, check_common, filled, one_of
from inmo.trackers.pipeline.shipped import with_weights


@dataclass(frozen=True)
class TransTConfig:
    """Config of TransT. What is None comes from the preset or, for the last three, from the dataset.

    Attributes:
        preset: full (published size) or nano (about a million parameters).
        interaction: accepted for symmetry with the other trackers; released and paper are one network here.
        encoder_layers: of the fusion.
        widths, depths, stem: of the ResNet's stages and first convolution.
        width: channels of the neck and the head.
        neck_heads, neck_hidden, neck_projections: of the fusion's attention and feed-forwards.
        box_reference: search or cell, see networks.heads.BoxHead, or anchor, see networks.pixelwise.
        pixelwise: pixel-wise correlation beside the matching, see networks.pixelwise.
        template_size, search_size: sides of the inputs in pixels.
        dropout: in training only.
        attention: fused or written.
        precision: see ``pipeline.neural.NeuralTracker``.
        compile: run the network through torch.compile.
        weights: a checkpoint file.
        allow_random_weights: run without weights.
        seed: of random weights, and of the training whose shipped weights a small preset takes.
        window_influence, penalty_k, lr: test-time constants; the released tracker has no penalty (0, 1).
    """

    preset: str = "full"
    interaction: Literal["released", "paper"] = field(default="released", metadata={"identity": False})
    encoder_layers: int = 4
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    stem: int | None = None
    width: int | None = None
    neck_heads: int | None = None
    neck_hidden: int | None = None
    neck_projections: bool | None = None
    box_reference: str | None = None
    pixelwise: bool | None = None
    template_size: int | None = None
    search_size: int | None = None
    dropout: float | None = field(default=None, metadata={"identity": False})
    attention: str = "fused"
    precision: str = "fp32"
    compile: bool = False
    weights: str = field(default="", metadata={"file": True})
    allow_random_weights: bool = field(default=False, metadata={"identity": False})
    seed: int = 0
    window_influence: float | None = None
    penalty_k: float | None = None
    lr: float | None = None


class Backbone(nn.Module):
    """The ResNet as a backbone without interaction: the same for both branches, nothing remembered."""

    def __init__(self, body: TransTResNet) -> None:
        super().__init__()
        self.body = body

    def template(self, images: Tensor) -> tuple[Tensor, tuple[()]]:
        """(B, 3, H, W) to the last stage's map (B, C, H / 8, W / 8)."""
        return self.body(images)[-1], ()

    def search(self, images: Tensor, memories: tuple[()]) -> Tensor:
        """As ``template``."""
        out: Tensor = self.body(images)[-1]
        return out


def resolved(config: TransTConfig) -> TransTConfig:
    """The config with its sizes filled in from the preset. Raises UserError for values that cannot be."""
    check_common(config)
    full: TransTConfig = filled(config, TRANST_PRESETS[config.preset])
    one_of("box_reference", str(full.box_reference), "search", "cell", "anchor")
    return full


def build_network(config: TransTConfig) -> MatchingNetwork:
    """The network of a config, with its initial parameters."""
    config = resolved(config)
    body = TransTResNet(config.widths or (), config.depths or (), config.stem or 0)
    neck = fusion_neck(config, body.channels[-1])
    return assemble(Backbone(body), neck, config, config.box_reference or "", body.channels[-1])


def key_map(official: str) -> str:
    """The authors' name of a parameter to ours."""
    for theirs, ours in (
        ("backbone.0.", "backbone."),
        ("featurefusion_network.", "neck."),
        ("input_proj.", "neck.input_proj."),
        ("class_embed.", "head.class_embed."),
        ("bbox_embed.", "head.bbox_embed."),
    ):
        if official.startswith(theirs):
            return ours + official.removeprefix(theirs)
    return official


def released() -> tuple[nn.Module, Callable[[str], str]]:
    """The released network without values, on the meta device, and the key map of its files."""
    with torch.device("meta"):
        return build_network(TransTConfig()), key_map


def for_dataset(config: TransTConfig, dataset: str) -> TransTConfig:
    """The config with all sizes, shipped weights and test-time constants filled in."""
    chosen: TransTConfig = fill_in("transt", resolved(config), dataset)
    return with_weights(chosen, resolved)


def build(config: TransTConfig, device: str) -> NeuralTracker:
    """The tracker. Raises UserError for weights that are missing or do not fit, or an unusable device."""
    return around(load_network(partial(build_network, config), config, "TransT", key_map), config, device)


def around(network: nn.Module, config: TransTConfig, device: str) -> NeuralTracker:
    """The tracker around a network with values, which it takes over: batch norms are folded."""
    full = for_dataset(config, FALLBACK)
    folded = fold_batch_norms(network)
    return tracker_around(folded, full, device, template_side=transt_template_side, clamp_output=False)


TRANST = TrackerSpec("transt", "TransT", TransTConfig(), build, for_dataset, build_network)
