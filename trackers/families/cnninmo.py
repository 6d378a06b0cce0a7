"""CNNInMo: SiamCAR with an interaction of template and search region after every ResNet stage.

``interaction="paper"``: one General Interaction Modeler (``networks.gim``) after every stage, on both branches, its
attention d = 256 wide in n = 4 heads, windows of 7. No MLP by default: the next stage's convolutions do its work.
The presets ``lite`` and ``nano`` join them with the parts of small trackers, see ``families.fused``.
``interaction="released"``: what the authors' code computes: 3x3 convolutions for q, k, v and the output, windows of
8, a linear attention (softmax over the query's channels), TCA before CSA, and both on the search branch alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import nn

from inmo.errors import UserError
from inmo.trackers.families.fused import IMAGENET_BODY, LITE, NANO, FusedSizes, build_fused
from inmo.trackers.families.siamcar import (
    CAR_FULL,
    CAR_NANO,
    LEVELS,
    STAGES,
    CARConfig,
    CARHead,
    CARSizes,
    Neck,
    SiamCAR,
    car_around,
)
from inmo.trackers.families.siamcar import key_map as siamcar_key_map
from inmo.trackers.networks.gim import GIM
from inmo.trackers.networks.interactions import ConvAttention, InteractiveBody, PaperInteraction, ReleasedInteraction
from inmo.trackers.networks.layers import init_he, init_transformer
from inmo.trackers.networks.resnet import SiamCARResNet
from inmo.trackers.pipeline.config import Tuning, choice, demand_positive, per_stage, row_in_sense
from inmo.trackers.pipeline.crop import cnninmo_crops
from inmo.trackers.pipeline.family import Family
from inmo.trackers.pipeline.shipped import Shipped

CONSTANTS = {
    "otb100": Tuning(0.2, 0.35, 0.45),
    "lasot": Tuning(0.04, 0.33, 0.3),
    "tnl2k": Tuning(0.04, 0.33, 0.3),
    "got10k": Tuning(0.06, 0.7, 0.1),
    "trackingnet": Tuning(0.04, 0.33, 0.3),
    "uav123": Tuning(0.2, 0.4, 0.3),
    "nfs": Tuning(0.2, 0.35, 0.45),
    "vot2019": Tuning(0.2, 0.35, 0.45),
    "totb": Tuning(0.103, 0.82, 0.49),
    "tc128": Tuning(0.063, 0.519, 0.49),
}
"""Of the authors' code (SOTS)."""


@dataclass(frozen=True, kw_only=True)
class CNNInMoSizes(CARSizes):
    """With SiamCAR's neck and head.

    Attributes:
        interaction: the sense.
        window: side of WP's windows in cells. The nano template's maps are 7 x 7 in the last stages: windows of 7 would
            leave one token to attend to.
        dim: d, width of the paper's attention.
    """

    interaction: str
    window: int
    dim: int


_FULL = partial(CNNInMoSizes, **CAR_FULL, dim=256, crops=cnninmo_crops, constants=CONSTANTS)
_NANO = partial(CNNInMoSizes, **CAR_NANO, window=4, dim=64, crops=cnninmo_crops, constants=CONSTANTS)


@dataclass(frozen=True, kw_only=True)
class CNNInMoConfig(CARConfig[CNNInMoSizes | FusedSizes]):
    """CNNInMo.

    Attributes:
        interaction: ``paper``, the GIM as the paper defines it, or ``released``, what the authors' code computes;
            None: released for full, paper for nano and lite.
        wp: window process; without it attention runs among all positions (released: in TCA alone, as released).
        tca: target-aware cross-attention, for all stages or one value per stage.
        csa: context-aware self-attention.
        window: side of WP's windows in cells; None = the preset's, 7 for paper and 8 for released when full.
        dim: d, width of the paper's attention; None = the neck's (256).
        heads: n, attention heads.
        mlp_ratio: hidden width of an MLP in each paper GIM over its channels; 0 = none.
        prenorm: a LayerNorm in front of each part of a paper GIM (an addition).
        attention: fused (scaled_dot_product_attention) or written (the formula); the paper's attention only.
    """

    PRESETS: ClassVar[Mapping[str, CNNInMoSizes | FusedSizes]] = {
        "full released": _FULL(interaction="released", window=8),
        "full paper": _FULL(interaction="paper", window=7),
        "nano released": _NANO(interaction="released"),
        "nano paper": NANO,
        "nano paper car": _NANO(interaction="paper"),
        "lite paper": LITE,
    }

    interaction: str | None = None
    wp: bool = True
    tca: bool | tuple[bool, ...] = True
    csa: bool = True
    window: int | None = None
    dim: int | None = None
    heads: int = 4
    mlp_ratio: float = 0.0
    prenorm: bool = True
    attention: str = choice("fused", "written")

    def row(self) -> str:
        row = row_in_sense(self, self.interaction)
        return f"{row} car" if row == "nano paper" and self.pixelwise is False else row

    def check(self, sizes: CNNInMoSizes | FusedSizes) -> None:
        super().check(sizes)
        if isinstance(self.tca, tuple) and len(self.tca) != self.stages:
            raise UserError(f"tca wants one value or {self.stages}, not {list(self.tca)}")
        demand_positive(self, "window", "dim", "heads")
        if sizes.dim % self.heads:
            raise UserError(f"dim {sizes.dim} cannot be split in {self.heads} heads")

    @property
    def stages(self) -> int:
        """Stages with interactions."""
        sizes = self.sizes()
        return sizes.stages if isinstance(sizes, FusedSizes) else STAGES


class CNNInMo(SiamCAR):
    """SiamCAR's network around a backbone with interactions."""

    repeated_by_release = tuple(f"backbone.interactions.{i}.tca" for i in range(STAGES))
    """Parts whose work on the template alone the authors' code repeats for every frame; here it is done once."""


def build_network(config: CNNInMoConfig) -> nn.Module:
    """The network of a config, with random parameters."""
    sizes, tca = config.sizes(), per_stage(config.tca, config.stages)
    # One window as large as a cell leaves a single group of all positions: the map without WP.
    window = sizes.window if config.wp else 1

    def paper(stage: int, channels: int) -> PaperInteraction:
        gim = GIM(
            channels,
            dim=sizes.dim,
            heads=config.heads,
            csa=config.csa,
            tca=tca[stage],
            mlp_ratio=config.mlp_ratio,
            prenorm=config.prenorm,
            fused=config.attention == "fused",
        )
        return PaperInteraction(gim, window)

    if isinstance(sizes, FusedSizes):
        return build_fused(sizes, paper)
    body = SiamCARResNet(sizes.widths, sizes.depths, sizes.stem)
    interactions: list[nn.Module] = []
    for stage, channels in enumerate(body.channels):
        if sizes.interaction == "paper":
            interactions.append(paper(stage, channels))
        else:
            # The released switch (group -1) takes the windows from TCA alone. CSA keeps them: its products are not
            # normalised over keys, and among all positions they overflow float32 within four stages.
            sides = {"tca_window": window, "csa_window": sizes.window}
            interactions.append(ReleasedInteraction(channels, config.heads, **sides, csa=config.csa, tca=tca[stage]))
    neck = Neck([body.channels[i - 1] for i in LEVELS], sizes.neck)
    head = CARHead(len(LEVELS), sizes.neck, sizes.towers)
    network = CNNInMo(InteractiveBody(body, STAGES, interactions), neck, head, sizes)
    init_cnninmo(network)
    return network


def init_cnninmo(network: CNNInMo) -> None:
    """He's initialisation (fan out) for all convolutions with zero biases, Xavier for ``down``, Swin's for paper GIMs.

    The released q, k and v start a hundred times smaller than the authors let them: the products of their attention
    grow with the cube of the features and overflow float32 on a backbone that is not trained yet.
    """
    init_he(network)
    nn.init.xavier_uniform_(network.head.down.weight)
    for part in network.modules():
        if isinstance(part, PaperInteraction):
            part.apply(init_transformer)
        elif isinstance(part, ConvAttention):
            with torch.no_grad():
                for convolution in (part.query, part.key, part.value):
                    convolution.weight.mul_(0.01)


def key_map(key: str) -> str:
    """The authors' name of a parameter to ours."""
    found = re.fullmatch(r"backbone\.(cross|self)_(map_[qkv]|proj)\.(\d)\.(weight|bias)", key)
    if not found:
        part, _, rest = key.partition(".")
        return f"backbone.body.{rest}" if part == "backbone" else siamcar_key_map(key)
    branch, role, stage, leaf = found.groups()
    part = {"cross": "tca", "self": "csa"}[branch]
    name = {"map_q": "query", "map_k": "key", "map_v": "value", "proj": "map"}[role]
    return f"backbone.interactions.{stage}.{part}.{name}.{leaf}"


around = partial(car_around, smallest=10.0, reports_score=True, clamp_output=True)
"""The tracker around a network with values, which it takes over: (network, config, device)."""

CNNINMO = Family(
    "cnninmo",
    "CNNInMo",
    CNNInMoConfig(),
    network=build_network,
    around=around,
    key_map=key_map,
    shipped={
        "cnninmo-lite": Shipped(
            "train configs/lite/cnninmo.yaml",
            {"preset": "lite"},
            IMAGENET_BODY,
            "experiments/ablations/family-lite/curves.csv",
        ),
        "cnninmo-nano": Shipped("train configs/nano/cnninmo.yaml"),
    },
    recipes={
        **{size: f"configs/{size}/cnninmo.yaml" for size in ("full", "nano", "lite")},
        "full choice": "configs/full/cnninmo-choice.yaml",
        "full released": "configs/full/cnninmo-released.yaml",
    },
)
