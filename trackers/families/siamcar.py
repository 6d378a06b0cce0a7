"""SiamCAR (Guo et al., CVPR 2020): ResNet-50, depth-wise correlation on three levels, anchor-free head.

CNNInMo shares the neck, the head and the test-time pipeline of this file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.trackers.families.fused import IMAGENET_BODY, LITE, NANO, FusedSizes, build_fused
from inmo.trackers.networks.interactions import InteractiveBody
from inmo.trackers.networks.layers import init_he
from inmo.trackers.networks.matching import crop_centre, depthwise_correlation
from inmo.trackers.networks.resnet import SiamCARResNet, fold_batch_norms
from inmo.trackers.pipeline.assembly import tracker_around
from inmo.trackers.pipeline.config import NeuralConfig, Sizes, Tuning, choice
from inmo.trackers.pipeline.crop import siamcar_crops
from inmo.trackers.pipeline.family import Family
from inmo.trackers.pipeline.neural import NeuralTracker, Recipe, unchanged
from inmo.trackers.pipeline.postprocess import Located, Targets
from inmo.trackers.pipeline.postprocess_car import Maps, Rules, locate
from inmo.trackers.pipeline.shipped import Shipped

STAGES = 4
LEVELS = (2, 3, 4)  # ResNet stages whose maps are matched
CONSTANTS = {
    "otb100": Tuning(0.2, 0.35, 0.45),
    "lasot": Tuning(0.04, 0.33, 0.3),
    "got10k": Tuning(0.06, 0.7, 0.1),
    "uav123": Tuning(0.2, 0.4, 0.3),
}
"""Of the authors' code."""


@dataclass(frozen=True, kw_only=True)
class CARSizes(Sizes):
    """Numbers of a network of the SiamCAR kind.

    Attributes:
        stem, widths, depths: of the ResNet; a stage gives 4 * width channels.
        neck: channels of the matched maps and of the head.
        kernel: side of the template maps' centre that is correlated, in cells.
        towers: convolutions in each of the head's towers.
        pixelwise: what the configs say of such a network.
    """

    stem: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    neck: int
    kernel: int
    towers: int
    pixelwise: bool = field(default=False, init=False)


CAR_FULL: dict[str, Any] = {
    "template_size": 127,
    "search_size": 255,
    "stem": 64,
    "widths": (64, 128, 256, 512),
    "depths": (3, 4, 6, 3),
    "neck": 256,
    "kernel": 7,
    "towers": 4,
}
CAR_NANO: dict[str, Any] = {
    "template_size": 63,
    "search_size": 127,
    "stem": 16,
    "widths": (8, 16, 24, 32),
    "depths": (1, 1, 2, 1),
    "neck": 64,
    "kernel": 3,
    "towers": 2,
}
S = TypeVar("S", bound=Sizes)


@dataclass(frozen=True, kw_only=True)
class CARConfig(NeuralConfig[S]):
    """What the configs of SiamCAR and CNNInMo share.

    Attributes:
        preset: ``full`` (the paper's sizes), ``nano`` (below a million parameters) or ``lite``, see families.fused.
        pixelwise: the parts of families.fused instead of SiamCAR's neck and head; None = for lite, and for nano in the
            paper's sense.
        widths: of the ResNet's stages, a quarter of their channels; None = the preset's.
        depths: blocks per stage; None = the preset's.
    """

    pixelwise: bool | None = None
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None

    def check(self, sizes: S) -> None:
        for name in ("widths", "depths"):
            value = getattr(self, name)
            if value is not None and (len(value) != STAGES or min(value) < 1):
                raise UserError(f"{name} wants {STAGES} numbers above 0, not {list(value)}")
        lite = self.preset == "lite"
        if self.preset != "nano" and self.pixelwise not in (None, lite):
            raise UserError(
                f"the preset {self.preset} is {'always' if lite else 'never'} pixelwise: leave the setting out"
            )
        if lite and (self.widths or self.depths):
            raise UserError("widths and depths: the preset lite has those of EfficientNet-Lite0")


@dataclass(frozen=True, kw_only=True)
class SiamCARConfig(CARConfig[CARSizes | FusedSizes]):
    """SiamCAR. Its preset ``lite`` is the network of CNNInMo's without interactions.

    Attributes:
        interaction: accepted for symmetry with the other trackers; released and paper are one network here.
    """

    PRESETS: ClassVar[Mapping[str, CARSizes | FusedSizes]] = {
        "full": CARSizes(**CAR_FULL, crops=siamcar_crops, constants=CONSTANTS),
        "nano": NANO,
        "nano car": CARSizes(**CAR_NANO, crops=siamcar_crops, constants=CONSTANTS),
        "lite": LITE,
    }

    interaction: str = choice("released", "paper", identity=False)

    def row(self) -> str:
        return "nano car" if self.preset == "nano" and self.pixelwise is False else self.preset


class Neck(nn.Module):
    """1x1 convolution and batch norm per matched level: maps (B, C_i, H, W) to (B, width, H, W)."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, width, 1, bias=False), nn.BatchNorm2d(width)) for c in channels
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return [level(m) for level, m in zip(self.levels, maps, strict=True)]


class CAROutputs(NamedTuple):
    """What SiamCAR's head predicts for the R x R cells.

    Attributes:
        logits: (B, 2, R, R), class 1 is the target.
        distances: (B, 4, R, R) left, top, right, bottom in pixels of the search crop.
        centerness: (B, 1, R, R) logits.
    """

    logits: Tensor
    distances: Tensor
    centerness: Tensor


class CARHead(nn.Module):
    """SiamCAR's head: reduction of the correlations, two towers, class, centerness and box."""

    def __init__(self, levels: int, width: int, towers: int) -> None:
        super().__init__()
        self.down = nn.ConvTranspose2d(levels * width, width, 1)
        self.cls_tower = _tower(width, towers)
        self.bbox_tower = _tower(width, towers)
        self.cls_logits = nn.Conv2d(width, 2, 3, padding=1)
        self.bbox_pred = nn.Conv2d(width, 4, 3, padding=1)
        self.centerness = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, search: Sequence[Tensor], kernels: Sequence[Tensor]) -> CAROutputs:
        levels = [depthwise_correlation(s, k, padded=False) for s, k in zip(search, kernels, strict=True)]
        response = self.down(torch.cat(levels, dim=1))
        classes, boxes = self.cls_tower(response), self.bbox_tower(response)
        return CAROutputs(self.cls_logits(classes), torch.exp(self.bbox_pred(boxes)), self.centerness(classes))


class Features(NamedTuple):
    """What is remembered of the template.

    Attributes:
        kernels: of the correlation, (B, C, k, k) for each of three levels.
        memories: what the interaction of every stage asks.
    """

    kernels: tuple[Tensor, ...]
    memories: tuple[Any, ...]


class SiamCAR(nn.Module):
    """The network; inputs are BGR, 0..255.

    Args:
        backbone: gives four maps, of which the last three are matched, and remembers what interaction asks.
        neck, head: see there.
        sizes: of the inputs and of the template maps' centre.
    """

    normalise = staticmethod(unchanged)
    outputs = "car"
    """Kind of its outputs, see ``training.objectives.Objective``."""

    def __init__(self, backbone: SiamCARResNet | InteractiveBody, neck: Neck, head: CARHead, sizes: CARSizes) -> None:
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


def build_network(config: SiamCARConfig) -> nn.Module:
    """The network of a config, with random parameters."""
    sizes = config.sizes()
    if isinstance(sizes, FusedSizes):
        return build_fused(sizes)
    backbone = SiamCARResNet(sizes.widths, sizes.depths, sizes.stem)
    neck = Neck([backbone.channels[i - 1] for i in LEVELS], sizes.neck)
    network = SiamCAR(backbone, neck, CARHead(len(LEVELS), sizes.neck, sizes.towers), sizes)
    init_siamcar(network)
    return network


def init_siamcar(network: SiamCAR) -> None:
    """He's initialisation for backbone and neck; the head's normal 0.01 with the class bias of a rare foreground."""
    init_he(network.backbone)
    init_he(network.neck)
    for module in network.head.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    nn.init.constant_(network.head.cls_logits.bias, -math.log(99.0))  # type: ignore[arg-type]


def key_map(key: str) -> str:
    """The authors' name of a parameter to ours."""
    if found := re.fullmatch(r"neck\.downsample(\d)\.downsample\.(.*)", key):
        return f"neck.levels.{int(found[1]) - LEVELS[0]}.{found[2]}"
    part, _, rest = key.partition(".")
    return {"car_head": f"head.{rest}", "down": f"head.down.{rest}"}.get(part, key)


def _locate(rules: Rules, outputs: tuple[Tensor, ...], targets: Targets) -> Located:
    logits, distances, centerness = outputs
    probability = torch.softmax(logits, dim=1)[:, 1]
    return locate(Maps(probability, centerness[:, 0], distances), targets, rules)


def car_around(
    network: nn.Module,
    config: CARConfig[Any],
    device: str,
    *,
    smallest: float = 0.0,
    reports_score: bool = False,
    clamp_output: bool = False,
) -> NeuralTracker:
    """The tracker around a network with values, which it takes over: it is made quicker without changing its function.

    Batch norms are folded into convolutions.

    Args:
        network, config: SiamCAR's or CNNInMo's.
        smallest, reports_score: see ``postprocess_car.Rules``.
        clamp_output: see ``Recipe``.

    Raises:
        UserError: an unusable device.
    """
    network, sizes = fold_batch_norms(network), config.sizes()
    if isinstance(sizes, FusedSizes):
        return tracker_around(network, config, device)
    recipe = Recipe(
        geometry=sizes.geometry,
        normalise=unchanged,
        locate=partial(_locate, Rules(sizes.template_size, sizes.search_size, smallest, reports_score)),
        constants=config.tuning(),
        clamp_output=clamp_output,
    )
    return NeuralTracker(network, recipe, device, config)


def _tower(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(32, width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


SIAMCAR = Family(
    "siamcar",
    "SiamCAR",
    SiamCARConfig(),
    network=build_network,
    around=car_around,
    key_map=key_map,
    shipped={
        "siamcar-lite": Shipped(
            "train configs/lite/siamcar.yaml",
            {"preset": "lite"},
            IMAGENET_BODY,
            "experiments/ablations/family-lite/curves.csv",
        ),
        "siamcar-nano": Shipped("train configs/nano/siamcar.yaml"),
    },
    recipes={size: f"configs/{size}/siamcar.yaml" for size in ("full", "nano", "lite")},
)
