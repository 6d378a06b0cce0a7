"""CNNInMo: SiamCAR with an interaction of template and search region after every ResNet stage.

``interaction="paper"``: one General Interaction Modeler (``networks.gim``) after every stage, on both branches, its
attention d = 256 wide in n = 4 heads, windows of 7. No MLP by default: the next stage's convolutions do its work.
The presets ``lite`` and ``nano`` join them with the parts of small trackers, see ``families.fused``.
``interaction="released"``: what the authors' code computes: 3x3 convolutions for q, k, v and the output, windows of
8, a linear attention (softmax over the query's channels), TCA before CSA, and both on the search branch alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from inmo.trackers.base import TrackerSpec
from inmo.trackers.families.fused import FusedPreset, fused_preset
from inmo.trackers.families.siamcar import (
    LEVELS,
    PRESETS,
    STAGES,
    CARHead,
    CAROutputs,
    Neck,
    Sizes,
    car_recipe,
    check_values,
    choose_sizes,
    deploy,
)
from inmo.trackers.families.siamcar import key_map as siamcar_key_map
from inmo.trackers.networks.gim import GIM
from inmo.trackers.networks.interactions import ConvAttention, InteractiveResNet, PaperInteraction, ReleasedInteraction
from inmo.trackers.networks.layers import init_transformer
from inmo.trackers.networks.matching import crop_centre
from inmo.trackers.networks.resnet import SiamCARResNet
from inmo.trackers.pipeline.checkpoint import KeyMap, same_names
from inmo.trackers.pipeline.crop import cnninmo_search_side
from inmo.trackers.pipeline.hyperparameters import FALLBACK, fill_in
from inmo.trackers.pipeline.neural import NeuralTracker, load_network, unchanged
from inmo.trackers.pipeline.shipped import with_weights

WINDOWS = {
    ("full", "paper"): 7,
    ("full", "released"): 8,
    ("nano", "paper"): 4,
    ("nano", "released"): 4,
}
"""Preset and interaction -> side of the windows where the heads are SiamCAR's. The nano template's maps are 7 x 7 in
the last stages: windows of 7 would leave one token to attend to."""

SENSES: dict[str, Literal["paper", "released"]] = {"full": "released", "nano": "paper", "lite": "paper"}
"""Preset -> interaction when the config does not say: published sizes come with published weights."""


@dataclass(frozen=True)
class CNNInMoConfig:
    """CNNInMo.

    Attributes:
        weights: checkpoint file, the authors' (with interaction released) or a converted one.
        allow_random_weights: run without weights, for trying things out.
        seed: of random weights, and of the training whose shipped weights a small preset takes.
        interaction: ``paper``, the GIM as the paper defines it, or ``released``, what the authors' code computes;
            None: released for full, paper for nano.
        preset: ``full`` (the paper's sizes), ``nano`` (below a million parameters) or ``lite``, see families.fused.
        pixelwise: the parts of families.fused instead of SiamCAR's neck and head; None = for lite, and for nano in the
            paper's sense.
        wp: window process; without it attention runs among all positions (released: in TCA alone, as released).
        tca: target-aware cross-attention, for all stages or one value per stage.
        csa: context-aware self-attention.
        window: side of WP's windows in cells; None = the preset's, 7 for paper and 8 for released when full.
        dim: d, width of the paper's attention; None = the neck's (256).
        heads: n, attention heads.
        mlp_ratio: hidden width of an MLP in each paper GIM over its channels; 0 = none.
        prenorm: a LayerNorm in front of each part of a paper GIM (an addition).
        widths: of the ResNet's stages, a quarter of their channels; None = the preset's.
        depths: blocks per stage; None = the preset's.
        attention: fused (scaled_dot_product_attention) or written (the formula); the paper's attention only.
        precision: see ``pipeline.neural.NeuralTracker``.
        compile: through torch.compile.
        window_influence: weight of the Hanning window; None = the dataset's own.
        penalty_k: strength of the change penalty; None = the dataset's own.
        lr: of the size's smoothing; None = the dataset's own.
    """

    weights: str = field(default="", metadata={"file": True})
    allow_random_weights: bool = field(default=False, metadata={"identity": False})
    seed: int = 0
    interaction: Literal["paper", "released"] | None = None
    preset: Literal["full", "nano", "lite"] = "full"
    pixelwise: bool | None = None
    wp: bool = True
    tca: bool | tuple[bool, ...] = True
    csa: bool = True
    window: int | None = None
    dim: int | None = None
    heads: int = 4
    mlp_ratio: float = 0.0
    prenorm: bool = True
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    attention: Literal["fused", "written"] = "fused"
    precision: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32"
    compile: bool = False
    window_influence: float | None = None
    penalty_k: float | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        check_values(self)
        stages = _stages(self)
        if isinstance(self.tca, tuple) and len(self.tca) != stages:
            raise ValueError(f"tca wants one value or {stages}, not {list(self.tca)}")
        if self.preset == "lite" and self.interaction == "released":
            raise ValueError("interaction: the preset lite exists in the paper's sense alone")
        for name in ("window", "dim", "heads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} wants a number above 0, not {value}")
        fused = _fused(self)
        dim = self.dim or (fused.sizes.dim if fused else PRESETS[self.preset].neck)
        if dim % self.heads:
            raise ValueError(f"dim {dim} cannot be split in {self.heads} heads")


class Features(NamedTuple):
    """What is remembered of the template.

    Attributes:
        kernels: of the correlation, (B, C, k, k) for each of three levels.
        memories: what the interaction of every stage asks.
    """

    kernels: tuple[Tensor, ...]
    memories: tuple[Any, ...]


class CNNInMo(nn.Module):
    """The network; inputs are BGR, 0..255.

    Args:
        backbone: gives four maps, of which the last three are matched, and remembers what interaction asks.
        neck, head, sizes: as in ``families.siamcar.SiamCAR``.
    """

    normalise = staticmethod(unchanged)
    repeated_by_release = tuple(f"backbone.interactions.{i}.tca" for i in range(STAGES))
    """Parts whose work on the template alone the authors' code repeats for every frame; here it is done once."""

    def __init__(self, backbone: InteractiveResNet, neck: Neck, head: CARHead, sizes: Sizes) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.template_size, self.search_size, self.kernel = sizes.template_size, sizes.search_size, sizes.kernel

    def template(self, images: Tensor) -> Features:
        """(B, 3, Z, Z) to all that depends on the template alone."""
        outputs, memories = self.backbone.template(images)
        maps = self.neck([outputs[i - 1] for i in LEVELS])
        return Features(tuple(crop_centre(m, self.kernel).contiguous() for m in maps), memories)

    def search(self, images: Tensor, features: Features) -> CAROutputs:
        """(B, 3, X, X) and the features of B templates."""
        outputs = self.backbone.search(images, features.memories)
        found: CAROutputs = self.head(self.neck([outputs[i - 1] for i in LEVELS]), features.kernels)
        return found


def resolved(config: CNNInMoConfig) -> CNNInMoConfig:
    """The config with its sense and sizes filled in from the preset."""
    sense = config.interaction or SENSES[config.preset]
    if fused := _fused(config):
        window, dim = config.window or fused.sizes.window, config.dim or fused.sizes.dim
        known: dict[str, Any] = {"interaction": sense, "pixelwise": True, "window": window, "dim": dim}
        return fused.with_constants(replace(config, **known, **fused.body_sizes(config)))
    sizes = choose_sizes(config.preset, config.widths, config.depths)
    return replace(
        config,
        interaction=sense,
        pixelwise=False,
        widths=sizes.widths,
        depths=sizes.depths,
        dim=config.dim or sizes.neck,
        window=config.window or WINDOWS[config.preset, sense],
    )


def build_network(config: CNNInMoConfig) -> nn.Module:
    """The network of a config, with random parameters."""
    config = resolved(config)
    if fused := _fused(config):
        return fused.build(config, lambda number, channels: _paper(config, channels, _tca(config)[number]))
    sizes = choose_sizes(config.preset, config.widths, config.depths)
    body = SiamCARResNet(sizes.widths, sizes.depths, sizes.stem)
    make = _INTERACTIONS[config.interaction or ""]
    interactions = [make(config, channels, on) for channels, on in zip(body.channels, _tca(config), strict=True)]
    neck = Neck([body.channels[i - 1] for i in LEVELS], sizes.neck)
    network = CNNInMo(
        InteractiveResNet(body, interactions), neck, CARHead(len(LEVELS), sizes.neck, sizes.towers), sizes
    )
    init_cnninmo(network)
    return network


def _released(config: CNNInMoConfig, channels: int, tca: bool) -> nn.Module:
    # The released switch (group -1) takes the windows from TCA alone. CSA keeps them: its products are not normalised
    # over keys, and among all positions they overflow float32 within four stages.
    return ReleasedInteraction(
        channels, config.heads, tca_window=_window(config), csa_window=config.window or 1, csa=config.csa, tca=tca
    )


def _paper(config: CNNInMoConfig, channels: int, tca: bool) -> nn.Module:
    gim = GIM(
        channels,
        dim=config.dim or channels,
        heads=config.heads,
        csa=config.csa,
        tca=tca,
        mlp_ratio=config.mlp_ratio,
        prenorm=config.prenorm,
        fused=config.attention == "fused",
    )
    return PaperInteraction(gim, _window(config))


def _fused(config: CNNInMoConfig) -> FusedPreset | None:
    return fused_preset(config, config.interaction or SENSES[config.preset])


def _stages(config: CNNInMoConfig) -> int:
    """Stages with interactions."""
    fused = _fused(config)
    return fused.stages if fused else STAGES


def _tca(config: CNNInMoConfig) -> tuple[bool, ...]:
    return config.tca if isinstance(config.tca, tuple) else (config.tca,) * _stages(config)


def _window(config: CNNInMoConfig) -> int:
    """One window as large as a cell leaves a single group of all positions: the map without WP."""
    return (config.window or 1) if config.wp else 1


_INTERACTIONS = {"released": _released, "paper": _paper}


def init_cnninmo(network: CNNInMo) -> None:
    """He's initialisation (fan out) for all convolutions with zero biases, Xavier for ``down``, Swin's for paper GIMs.

    The released q, k and v start a hundred times smaller than the authors let them: the products of their attention
    grow with the cube of the features and overflow float32 on a backbone that is not trained yet.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.xavier_uniform_(network.head.down.weight)
    for interaction in network.backbone.interactions:
        if isinstance(interaction, PaperInteraction):
            interaction.apply(init_transformer)
        for part in interaction.modules():
            if isinstance(part, ConvAttention):
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


def released() -> tuple[nn.Module, KeyMap]:
    """The released network without values, and its key map; see ``pipeline.checkpoint.RELEASED``."""
    with torch.device("meta"):
        return build_network(replace(CNNINMO.config, interaction="released")), key_map


def for_dataset(config: CNNInMoConfig, dataset: str) -> CNNInMoConfig:
    """The config with its sizes, shipped weights and the dataset's hyper-parameters filled in."""
    filled: CNNInMoConfig = fill_in("cnninmo", resolved(config), dataset)
    return with_weights(filled, resolved)


def build(config: CNNInMoConfig, device: str) -> NeuralTracker:
    """The tracker. Raises UserError for weights that are missing or do not fit, or an unusable device."""
    names = key_map if resolved(config).interaction == "released" else same_names
    return around(load_network(partial(build_network, config), config, CNNINMO.title, names), config, device)


def around(network: nn.Module, config: CNNInMoConfig, device: str) -> NeuralTracker:
    """The tracker around a network with values, which it takes over."""
    config = for_dataset(config, FALLBACK)
    if fused := _fused(config):
        return fused.around(network, config, device)
    sizes = choose_sizes(config.preset, config.widths, config.depths)
    recipe = car_recipe(sizes, config, smallest=10.0, reports_score=True, search_side=cnninmo_search_side)
    return deploy(network, replace(recipe, clamp_output=True), config, device)


CNNINMO = TrackerSpec("cnninmo", "CNNInMo", CNNInMoConfig(), build, for_dataset, build_network)
