"""TransT (Chen et al., CVPR 2021): dilated ResNet-50 to stage 3, feature fusion by attention, two MLP heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from inmo.trackers.networks.resnet import TransTResNet, fold_batch_norms
from inmo.trackers.pipeline.assembly import (
    FULL,
    NANO,
    SMALL,
    TRANST_NECK,
    MatchingConfig,
    MatchingNetwork,
    MatchingSizes,
    assemble,
    fusion_neck,
    tracker_around,
)
from inmo.trackers.pipeline.config import choice, everywhere
from inmo.trackers.pipeline.crop import transt_crops
from inmo.trackers.pipeline.family import Family
from inmo.trackers.pipeline.neural import NeuralTracker
from inmo.trackers.pipeline.shipped import Shipped


@dataclass(frozen=True, kw_only=True)
class TransTSizes(MatchingSizes):
    """With the stem's channels."""

    stem: int


@dataclass(frozen=True, kw_only=True)
class TransTConfig(MatchingConfig[TransTSizes]):
    """Config of TransT. What is None comes from the preset. The released tracker has no penalty.

    Attributes:
        interaction: accepted for symmetry with the other trackers; released and paper are one network here.
        stem: channels of the first convolution.
    """

    PRESETS: ClassVar[Mapping[str, TransTSizes]] = {
        "full": TransTSizes(
            **FULL,
            **TRANST_NECK,
            widths=(64, 128, 256),
            depths=(3, 4, 6),
            stem=64,
            box_reference="search",
            crops=transt_crops,
            constants=everywhere(0.0, 1.0, 0.49),
        ),
        "nano": TransTSizes(**NANO, **SMALL, widths=(16, 32, 64), depths=(1, 1, 2), stem=16, crops=transt_crops),
    }

    interaction: str = choice("released", "paper", identity=False)
    stem: int | None = None


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


def build_network(config: TransTConfig) -> MatchingNetwork:
    """The network of a config, with its initial parameters."""
    sizes = config.sizes()
    body = TransTResNet(sizes.widths, sizes.depths, sizes.stem)
    neck = fusion_neck(sizes, body.channels[-1], config.encoder_layers, fused=config.attention == "fused")
    return assemble(Backbone(body), neck, sizes, body.channels[-1])


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


def around(network: nn.Module, config: TransTConfig, device: str) -> NeuralTracker:
    """The tracker around a network with values, which it takes over: batch norms are folded."""
    return tracker_around(fold_batch_norms(network), config, device, clamp_output=False)


TRANST = Family(
    "transt",
    "TransT",
    TransTConfig(),
    network=build_network,
    around=around,
    key_map=key_map,
    shipped={"transt-nano": Shipped("train configs/nano/transt.yaml")},
    recipes={"full": "configs/full/transt.yaml", "nano": "configs/nano/transt.yaml"},
)
