"""TransInMo (depth-wise matching) and TransInMo* (TransT-like matching), in two senses that must not be confused.

``interaction="released"`` computes what the authors' code computes, so that their checkpoints give their boxes;
``interaction="paper"`` is the architecture that the InMo paper (IJCAI 2022) defines. The depth-wise TransInMo was
never released: its ``released`` sense is the released backbone and head around a padded 32 x 32 response over 256.

``lite``, in the paper's sense alone, has blocks of EfficientNet-Lite0 with ImageNet weights where the paper has patch
embeddings: their strides are the paper's 4, 2, 2, 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, ClassVar

from torch import nn

from inmo.errors import UserError
from inmo.trackers.families.fused import IMAGENET_BODY, LITE, FusedBackbone, LiteNetwork, lite_body
from inmo.trackers.networks.efficientnet import CHANNELS
from inmo.trackers.networks.gim import GIMValues
from inmo.trackers.networks.inbn import PATCHES, InBN, StageSize, stage_gims
from inmo.trackers.networks.interactions import PaperInteraction
from inmo.trackers.networks.matching import DepthwiseNeck, FusionNeck
from inmo.trackers.networks.swin import InteractionSwin
from inmo.trackers.pipeline.assembly import (
    FULL,
    NANO,
    SMALL,
    STRIDE,
    TRANST_NECK,
    AnchoredNetwork,
    MatchingConfig,
    MatchingNetwork,
    MatchingSizes,
    assemble,
    fusion_neck,
    tracker_around,
)
from inmo.trackers.pipeline.config import Tuning, choice, per_stage, row_in_sense
from inmo.trackers.pipeline.crop import transinmo_crops
from inmo.trackers.pipeline.family import Family
from inmo.trackers.pipeline.shipped import Shipped

CONSTANTS = {
    "otb100": Tuning(0.147, 0.699, 0.49),
    "lasot": Tuning(0.0, 1.0, 0.49),
    "tnl2k": Tuning(0.0, 1.0, 0.49),
    "got10k": Tuning(0.049, 1.0, 0.49),
    "trackingnet": Tuning(0.049, 1.0, 0.49),
    "uav123": Tuning(0.128, 0.913, 0.49),
    "nfs": Tuning(0.015, 0.944, 0.49),
    "vot2019": Tuning(0.143, 0.803, 0.49),
    "totb": Tuning(0.103, 0.82, 0.49),
    "tc128": Tuning(0.063, 0.519, 0.49),
}
"""Of the authors' code (SOTS), both trackers."""


@dataclass(frozen=True, kw_only=True)
class TransInMoSizes(MatchingSizes):
    """Values of ``TransInMoConfig``, see there; ``tca`` has one per stage."""

    interaction: str = "released"
    tca: tuple[bool, ...] = (True,) * len(PATCHES)
    widths: tuple[int, ...] = (96, 192, 384, 768)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    window: int | tuple[int, ...] = 7
    mlp_ratio: float = 4.0
    prenorm: bool = True
    drop_path: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PaperSizes(TransInMoSizes):
    """The same in the paper's sense, whose CSA and TCA are ``dim`` wide."""

    interaction: str = "paper"
    heads: tuple[int, ...] = (4, 4, 4, 4)
    dim: int = 256
    patches: tuple[int, ...] = PATCHES


@dataclass(frozen=True, kw_only=True)
class LiteSizes(PaperSizes):
    """The same with the stages of EfficientNet-Lite0 as patch embeddings; interactions start as nothing, so that the
    ImageNet features reach the head as they are."""

    widths: tuple[int, ...] = CHANNELS
    depths: tuple[int, ...] = (1, 1, 2, 2)
    window: int | tuple[int, ...] = (4, 4, 2, 2)  # every TCA has 4 template tokens or more to choose among
    mlp_ratio: float = 1.0


_FULL: dict[str, Any] = {**FULL, "drop_path": 0.2, "crops": transinmo_crops, "constants": CONSTANTS}
# Windows of 3 instead of 7, because the template's last maps are 3 x 3: windows of 7 would leave most in-window
# positions without any template token, and 3 divides the maps of all stages.
_NANO: dict[str, Any] = {
    **NANO,
    "widths": (32, 64, 128, 192),
    "depths": (1, 1, 2, 1),
    "window": 3,
    "mlp_ratio": 1.0,
    "crops": transinmo_crops,
}


_LITE: dict[str, Any] = {**NANO, **SMALL, "template_size": 64, "search_size": 128, "crops": transinmo_crops}
_LITE |= {"constants": LITE.constants, "online": LITE.online}


@dataclass(frozen=True, kw_only=True)
class TransInMoConfig(MatchingConfig[TransInMoSizes]):
    """Config of both trackers. What is None comes from the preset.

    Attributes:
        interaction: released or paper; None: released for full, paper for nano and lite.
        matching: dw (depth-wise correlation) or transt (feature fusion).
        wp: window process (paper only); False: one attention over all tokens.
        csa: context-aware self-attention (paper only).
        tca: target-aware cross-attention, for all stages or one value per stage.
        tcas: how many of the last GIMs of a stage that has TCA have one (paper only).
        order: csa-tca, or tca-csa for TCA in front of CSA (paper only).
        cross_window: released only: -1 is TCA as shipped, a positive value the paper's layout in TCA.
        heads: of the stages.
        dim: d of CSA and TCA (paper only).
        window: side of a window, or one per stage (paper only).
        patches: sides of the stages' patches (paper only); the first two make the stride of 8.
        mlp_ratio: hidden width of the MLPs over the stage's width; 0 leaves them out (paper only).
        prenorm: LayerNorm in front of each part (paper only).
        drop_path: in training only.
    """

    PRESETS: ClassVar[Mapping[str, TransInMoSizes]] = {
        "full released": TransInMoSizes(
            **_FULL, neck_heads=4, neck_hidden=1024, neck_projections=False, box_reference="search"
        ),
        "full paper": PaperSizes(**_FULL, **TRANST_NECK, box_reference="cell"),
        "nano released": TransInMoSizes(**_NANO, heads=(1, 2, 4, 6), box_reference="search", constants=CONSTANTS),
        "nano paper": PaperSizes(**_NANO, **SMALL, dim=96),
        "lite paper": LiteSizes(**_LITE, dim=96),
        "lite-192 paper": LiteSizes(**{**_LITE, "template_size": 96, "search_size": 192}, dim=96),
    }

    interaction: str | None = None
    matching: str = choice("dw", "transt")
    wp: bool = True
    csa: bool = True
    tca: bool | tuple[bool, ...] = True
    tcas: int = field(default=1, metadata={"since": 1})
    order: str = choice("csa-tca", "tca-csa", since="csa-tca")
    cross_window: int = -1
    heads: tuple[int, ...] | None = None
    dim: int | None = None
    window: int | tuple[int, ...] | None = None
    patches: tuple[int, ...] | None = field(default=None, metadata={"since": PATCHES})
    mlp_ratio: float | None = None
    prenorm: bool | None = None
    drop_path: float | None = field(default=None, metadata={"identity": False})

    def row(self) -> str:
        return row_in_sense(self, self.interaction)

    def sizes(self) -> TransInMoSizes:
        chosen = super().sizes()
        return replace(chosen, tca=per_stage(self.tca, len(PATCHES)))

    def check(self, sizes: TransInMoSizes) -> None:
        super().check(sizes)
        if {*map(len, (sizes.widths, sizes.depths, sizes.heads, sizes.tca))} != {len(PATCHES)}:
            raise UserError("widths, depths, heads and a tca per stage need four values each, one for every stage")
        if sizes.interaction == "released" and not (self.wp and self.csa and sizes.prenorm and sizes.mlp_ratio):
            raise UserError(
                "the released backbone has no switch for wp, csa, prenorm or the MLPs: add interaction=paper"
            )
        if isinstance(sizes, LiteSizes) and (sizes.widths != CHANNELS or sizes.patches != PATCHES):
            raise UserError("widths and patches are those of EfficientNet-Lite0 in the preset lite: leave them out")
        if sizes.interaction == "released" and (self.patches or isinstance(self.window, tuple)):
            raise UserError("the released backbone has one window and its own patches: add interaction=paper")
        if sizes.interaction == "released" and (self.tcas != 1 or self.order != "csa-tca"):
            raise UserError("the released backbone has one TCA in a stage, in its own place: add interaction=paper")
        if not 1 <= self.tcas <= max(sizes.depths):
            raise UserError(f"tcas wants a number from 1 to {max(sizes.depths)}, the GIMs of a stage, not {self.tcas}")
        windows = per_stage(sizes.window, len(PATCHES))
        patches = sizes.patches if isinstance(sizes, PaperSizes) else PATCHES
        if {len(windows), len(patches)} != {len(PATCHES)} or min(*windows, *patches) < 1:
            raise UserError("window and patches want one side of 1 or more for each of the four stages")
        if math.prod(patches[:2]) != STRIDE:
            raise UserError(
                f"the first two patches are {patches[:2]}: their product must be {STRIDE}, the map's stride"
            )


def build_network(config: TransInMoConfig) -> MatchingNetwork:
    """The network of a config, with its initial parameters."""
    sizes, fused = config.sizes(), config.attention == "fused"
    if isinstance(sizes, PaperSizes):
        backbone = _paper_backbone(config, sizes)
    else:
        assert isinstance(sizes.window, int)  # as checked
        backbone = InteractionSwin(
            widths=sizes.widths,
            depths=sizes.depths,
            heads=sizes.heads,
            window=sizes.window,
            width=sizes.width,
            tca=sizes.tca,
            cross_window=config.cross_window,
            mlp_ratio=sizes.mlp_ratio,
            fused=fused,
            drop_path=sizes.drop_path,
        )
    lite = isinstance(sizes, LiteSizes)
    if config.matching == "dw":
        centre = sizes.template_size // STRIDE // 2 if lite else 0
        neck: DepthwiseNeck | FusionNeck = DepthwiseNeck(sizes.width, isinstance(sizes, PaperSizes), centre)
    else:
        neck = fusion_neck(sizes, sizes.width, config.encoder_layers, fused=fused)
    return assemble(backbone, neck, sizes, sizes.width, anchored=LiteNetwork if lite else AnchoredNetwork)


def _paper_backbone(config: TransInMoConfig, sizes: PaperSizes) -> nn.Module:
    tcas = (min(config.tcas, depth) if tca else 0 for depth, tca in zip(sizes.depths, sizes.tca, strict=True))
    rows = zip(sizes.patches, sizes.widths, sizes.depths, sizes.heads, tcas, strict=True)
    stages = tuple(StageSize(*row) for row in rows)
    values: GIMValues = {
        "dim": sizes.dim,
        "csa": config.csa,
        "tca_first": config.order == "tca-csa",
        "mlp_ratio": sizes.mlp_ratio,
        "prenorm": sizes.prenorm,
        "fused": config.attention == "fused",
    }
    window = sizes.window if config.wp else 1
    if not isinstance(sizes, LiteSizes):
        return InBN(stages, width=sizes.width, window=window, drop_path=sizes.drop_path, **values)
    interactions = [
        PaperInteraction(stage_gims(stage, repeat(sizes.drop_path), **values), side)
        for stage, side in zip(stages, per_stage(window, len(PATCHES)), strict=True)
    ]
    return FusedBackbone(lite_body(), CHANNELS, interactions, sizes.width, silent=True)


def key_map(official: str) -> str:
    """The authors' name of a parameter to ours."""
    return official.replace("backbone.0.body.", "backbone.").replace(".attn.fc.", ".fc.")


def _row(table: str, row: str, **settings: Any) -> Shipped:
    """Weights of a row of an ablation, as trained by ``ablate``."""
    return Shipped(f"ablate {table} --rows {row}", {"preset": "nano", **settings})


TRANSINMO = Family(
    "transinmo",
    "TransInMo",
    TransInMoConfig(),
    network=build_network,
    around=tracker_around,
    key_map=key_map,
    shipped={
        "transinmo-nano": _row("table5", "dw"),
        "transinmo-lite": Shipped(
            "train configs/lite/transinmo-longer.yaml "
            "--set data.seed=2 initial=experiments/ablations/longer-lite/shipped-272k.safetensors",
            {"preset": "lite"},
            IMAGENET_BODY,
            "experiments/ablations/longer-lite/curves.csv",
        ),
        "transinmo-lite-192": Shipped(
            "train configs/lite/transinmo-192.yaml",
            {"preset": "lite-192"},
            IMAGENET_BODY,
            "experiments/ablations/resolution/curves.csv",
            "experiments/ablations/resolution/lite-192-seed0.safetensors",
        ),
    },
    recipes={
        "full": "configs/full/transinmo.yaml",
        "full choice": "configs/full/transinmo-choice.yaml",
        "nano": "configs/nano/transinmo.yaml",
        "nano choice": "configs/nano/transinmo-choice.yaml",
        "lite": "configs/lite/transinmo.yaml",
        "lite longer": "configs/lite/transinmo-longer.yaml",
        "lite-192": "configs/lite/transinmo-192.yaml",
    },
)
TRANSINMO_STAR = Family(
    "transinmo-star",
    "TransInMo*",
    TransInMoConfig(matching="transt"),
    network=build_network,
    around=tracker_around,
    key_map=key_map,
    shipped={
        "transinmo-star-nano": _row("table4", "wp-tca"),
        "transinmo-star-nano-wp": _row("table4", "wp", tca=False),
        "transinmo-star-nano-tca": _row("table4", "tca", wp=False),
        "transinmo-star-nano-no-wp-no-tca": _row("table4", "no-wp-no-tca", wp=False, tca=False),
        **{f"transinmo-star-nano-transt-{n}": _row("table5", f"transt-{n}", encoder_layers=n) for n in range(4)},
        "transinmo-star-lite": Shipped("train configs/lite/transinmo-star.yaml", {"preset": "lite"}, IMAGENET_BODY),
        "transinmo-star-lite-192": Shipped(
            "train configs/lite/transinmo-star-192.yaml",
            {"preset": "lite-192"},
            IMAGENET_BODY,
            "experiments/ablations/resolution-star/curves.csv",
            "experiments/ablations/resolution-star/lite-192-seed0.safetensors",
        ),
    },
    recipes={
        "full": "configs/full/transinmo-star.yaml",
        "full choice": "configs/full/transinmo-star-choice.yaml",
        "full released": "configs/full/transinmo-star-released.yaml",
        "nano": "configs/nano/transinmo-star.yaml",
        "nano choice": "configs/nano/transinmo-star-choice.yaml",
        "lite": "configs/lite/transinmo-star.yaml",
        "lite-192": "configs/lite/transinmo-star-192.yaml",
    },
)
