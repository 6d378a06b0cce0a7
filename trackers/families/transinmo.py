"""TransInMo (depth-wise matching) and TransInMo* (TransT-like matching), in two senses that must not be confused.

``interaction="released"`` computes what the authors' code computes, so that their checkpoints give their boxes;
``interaction="paper"`` is the architecture that the InMo paper (IJCAI 2022) defines. The depth-wise TransInMo was
never released: its ``released`` sense is the released backbone and head around a padded 32 x 32 response over 256.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import nn

from inmo.errors import UserError
from inmo.trackers.base import TrackerSpec
from inmo.trackers.networks.inbn import PATCHES, InBN, StageSize
from inmo.trackers.networks.matching import DepthwiseNeck, FusionNeck
from inmo.trackers.networks.swin import InteractionSwin
from inmo.trackers.pipeline.assembly import MatchingNetwork, assemble, fusion_neck, tracker_around
from inmo.trackers.pipeline.checkpoint import same_names
from inmo.trackers.pipeline.crop import transinmo_template_side
from inmo.trackers.pipeline.hyperparameters import FALLBACK, fill_in
from inmo.trackers.pipeline.neural import NeuralTracker, load_network
from inmo.trackers.pipeline.presets import TRANSINMO_PRESETS, check_common, filled, one_of
from inmo.trackers.pipeline.shipped import with_weights


@dataclass(frozen=True)
class TransInMoConfig:
    """Config of both trackers. What is None comes from the preset or, for the last three, from the dataset.

    Attributes:
        preset: full (published size) or nano (about a million parameters).
        interaction: released or paper; None: released for full, paper for nano.
        matching: dw (depth-wise correlation) or transt (feature fusion).
        encoder_layers: of the fusion, 0 to 4 in the paper's Table 5.
        wp: window process (paper only); False: one attention over all tokens.
        csa: context-aware self-attention (paper only).
        tca: target-aware cross-attention, for all stages or one value per stage.
        cross_window: released only: -1 is TCA as shipped, a positive value the paper's layout in TCA.
        widths, depths, heads: of the stages.
        dim: d of CSA and TCA (paper only).
        window: side of a window.
        mlp_ratio: hidden width of the MLPs over the stage's width; 0 leaves them out (paper only).
        prenorm: LayerNorm in front of each part (paper only).
        width: channels of the fused map, the neck and the head.
        neck_heads, neck_hidden, neck_projections: of the fusion's attention and feed-forwards.
        box_reference: search or cell, see networks.heads.BoxHead, or anchor, see networks.pixelwise.
        pixelwise: pixel-wise correlation beside the matching, see networks.pixelwise.
        template_size, search_size: sides of the inputs in pixels.
        drop_path, dropout: in training only.
        attention: fused or written.
        precision: see ``pipeline.neural.NeuralTracker``.
        compile: run the network through torch.compile.
        weights: a checkpoint file.
        allow_random_weights: run without weights.
        seed: of random weights, and of the training whose shipped weights a small preset takes.
        window_influence, penalty_k, lr: test-time constants; None: tuned for the dataset.
    """

    preset: str = "full"
    interaction: str | None = None
    matching: str = "dw"
    encoder_layers: int = 4
    wp: bool = True
    csa: bool = True
    tca: bool | tuple[bool, ...] = True
    cross_window: int = -1
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None
    dim: int | None = None
    window: int | None = None
    mlp_ratio: float | None = None
    prenorm: bool | None = None
    width: int | None = None
    neck_heads: int | None = None
    neck_hidden: int | None = None
    neck_projections: bool | None = None
    box_reference: str | None = None
    pixelwise: bool | None = None
    template_size: int | None = None
    search_size: int | None = None
    drop_path: float | None = field(default=None, metadata={"identity": False})
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


def resolved(config: TransInMoConfig) -> TransInMoConfig:
    """The config with its sizes filled in from the preset. Raises UserError for values that cannot be."""
    check_common(config)
    one_of("matching", config.matching, "dw", "transt")
    sense = config.interaction or {"full": "released", "nano": "paper"}[config.preset]
    one_of("interaction", sense, "released", "paper")
    config = filled(replace(config, interaction=sense), TRANSINMO_PRESETS[config.preset, sense])
    one_of("box_reference", str(config.box_reference), "search", "cell", "anchor")
    stages = len(config.widths or ())
    tca = config.tca if isinstance(config.tca, tuple) else (config.tca,) * stages
    if not len(tca) == len(config.depths or ()) == len(config.heads or ()) == stages == len(PATCHES):
        raise UserError("widths, depths, heads and a tca per stage need four values each, one for every stage")
    if sense == "released" and not (config.wp and config.csa and config.prenorm and config.mlp_ratio):
        raise UserError("the released backbone has no switch for wp, csa, prenorm or the MLPs: add interaction=paper")
    return replace(config, tca=tca)


def build_network(config: TransInMoConfig) -> MatchingNetwork:
    """The network of a config, with its initial parameters."""
    config = resolved(config)
    backbone = {"released": _released_backbone, "paper": _paper_backbone}[config.interaction or ""](config)
    neck = (_depthwise if config.matching == "dw" else _fusion)(config)
    return assemble(backbone, neck, config, config.box_reference or "", config.width or 0)


def _released_backbone(config: TransInMoConfig) -> nn.Module:
    assert config.widths and config.depths and config.heads and config.window and config.width and config.mlp_ratio
    assert isinstance(config.tca, tuple)
    return InteractionSwin(
        widths=config.widths,
        depths=config.depths,
        heads=config.heads,
        window=config.window,
        width=config.width,
        tca=config.tca,
        cross_window=config.cross_window,
        mlp_ratio=config.mlp_ratio,
        fused=config.attention == "fused",
        drop_path=config.drop_path or 0.0,
    )


def _paper_backbone(config: TransInMoConfig) -> nn.Module:
    assert config.widths and config.depths and config.heads and config.window and config.width and config.dim
    assert isinstance(config.tca, tuple)
    rows = zip(PATCHES, config.widths, config.depths, config.heads, config.tca, strict=True)
    return InBN(
        tuple(StageSize(*row) for row in rows),
        width=config.width,
        window=config.window if config.wp else 1,
        dim=config.dim,
        csa=config.csa,
        mlp_ratio=config.mlp_ratio or 0.0,
        prenorm=bool(config.prenorm),
        fused=config.attention == "fused",
        drop_path=config.drop_path or 0.0,
    )


def _depthwise(config: TransInMoConfig) -> DepthwiseNeck:
    return DepthwiseNeck(config.width or 0, learned=config.interaction == "paper")


def _fusion(config: TransInMoConfig) -> FusionNeck:
    return fusion_neck(config, config.width or 0)


def key_map(official: str) -> str:
    """The authors' name of a parameter to ours."""
    return official.replace("backbone.0.body.", "backbone.").replace(".attn.fc.", ".fc.")


def released() -> tuple[nn.Module, Callable[[str], str]]:
    """The released TransInMo without values, on the meta device, and the key map of its files."""
    with torch.device("meta"):
        return build_network(TransInMoConfig(interaction="released")), key_map


def released_star() -> tuple[nn.Module, Callable[[str], str]]:
    """The released TransInMo* without values, on the meta device, and the key map of its files."""
    with torch.device("meta"):
        return build_network(TransInMoConfig(interaction="released", matching="transt")), key_map


def for_dataset(config: TransInMoConfig, dataset: str) -> TransInMoConfig:
    """The config with all sizes, shipped weights and the dataset's own test-time constants filled in."""
    chosen: TransInMoConfig = fill_in("transinmo", resolved(config), dataset)
    return with_weights(chosen, resolved)


def build(config: TransInMoConfig, device: str) -> NeuralTracker:
    """The tracker. Constants still at None are LaSOT's.

    Raises UserError for weights that are missing or do not fit, or an unusable device.
    """
    title = {"dw": "TransInMo", "transt": "TransInMo*"}.get(config.matching, "TransInMo")
    names = key_map if resolved(config).interaction == "released" else same_names
    return around(load_network(partial(build_network, config), config, title, names), config, device)


def around(network: nn.Module, config: TransInMoConfig, device: str) -> NeuralTracker:
    """The tracker around a network with values, which it takes over."""
    full = for_dataset(config, FALLBACK)
    return tracker_around(network, full, device, template_side=transinmo_template_side, clamp_output=True)


TRANSINMO = TrackerSpec("transinmo", "TransInMo", TransInMoConfig(), build, for_dataset, build_network)
TRANSINMO_STAR = TrackerSpec(
    "transinmo-star", "TransInMo*", TransInMoConfig(matching="transt"), build, for_dataset, build_network
)
