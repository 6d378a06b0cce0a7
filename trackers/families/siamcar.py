"""SiamCAR (Guo et al., CVPR 2020): ResNet-50, depth-wise correlation on three levels, anchor-free head.

CNNInMo shares the neck, the head and the test-time pipeline of this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from inmo.trackers.base import TrackerSpec
from inmo.trackers.families.fused import fused_preset
from inmo.trackers.networks.matching import crop_centre, depthwise_correlation
from inmo.trackers.networks.resnet import SiamCARResNet, fold_batch_norms
from inmo.trackers.networks.winograd import speed_up
from inmo.trackers.pipeline.checkpoint import KeyMap
from inmo.trackers.pipeline.crop import Floats, siamcar_search_side, siamcar_template_side
from inmo.trackers.pipeline.hyperparameters import FALLBACK, fill_in
from inmo.trackers.pipeline.neural import NeuralTracker, Recipe, constants_of, load_network, resolve_device, unchanged
from inmo.trackers.pipeline.postprocess import Located, Targets
from inmo.trackers.pipeline.postprocess_car import Maps, Rules, locate
from inmo.trackers.pipeline.shipped import with_weights

STAGES = 4
LEVELS = (2, 3, 4)  # ResNet stages whose maps are matched


class Sizes(NamedTuple):
    """Numbers of a network of the SiamCAR kind.

    Attributes:
        template_size, search_size: sides of the inputs in pixels.
        stem, widths, depths: of the ResNet; a stage gives 4 * width channels.
        neck: channels of the matched maps and of the head.
        kernel: side of the template maps' centre that is correlated, in cells.
        towers: convolutions in each of the head's towers.
    """

    template_size: int
    search_size: int
    stem: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    neck: int
    kernel: int
    towers: int


PRESETS: dict[str, Sizes] = {
    "full": Sizes(127, 255, 64, (64, 128, 256, 512), (3, 4, 6, 3), 256, 7, 4),
    "nano": Sizes(63, 127, 16, (8, 16, 24, 32), (1, 1, 2, 1), 64, 3, 2),
}


@dataclass(frozen=True)
class SiamCARConfig:
    """SiamCAR. Released and paper are the same network here.

    Attributes:
        weights: checkpoint file, the authors' or a converted one.
        allow_random_weights: run without weights, for trying things out.
        seed: of random weights, and of the training whose shipped weights a small preset takes.
        interaction: accepted for symmetry with the other trackers.
        preset: ``full`` (the paper's sizes), ``nano`` (about half a million parameters) or ``lite``, the network of
            CNNInMo's preset without its interactions, see families.fused.
        pixelwise: the parts of families.fused instead of SiamCAR's neck and head; None = for nano and lite.
        widths: of the ResNet's stages, a quarter of their channels; None = the preset's.
        depths: blocks per stage; None = the preset's.
        precision: see ``pipeline.neural.NeuralTracker``.
        compile: through torch.compile.
        window_influence: weight of the Hanning window; None = the dataset's own.
        penalty_k: strength of the change penalty; None = the dataset's own.
        lr: of the size's smoothing; None = the dataset's own.
    """

    weights: str = field(default="", metadata={"file": True})
    allow_random_weights: bool = field(default=False, metadata={"identity": False})
    seed: int = 0
    interaction: Literal["released", "paper"] = field(default="released", metadata={"identity": False})
    preset: Literal["full", "nano", "lite"] = "full"
    pixelwise: bool | None = None
    widths: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    precision: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32"
    compile: bool = False
    window_influence: float | None = None
    penalty_k: float | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        check_values(self)


def check_values(config: Any) -> None:
    """Check the values that SiamCAR's and CNNInMo's configs share. Raises ValueError for one that cannot be."""
    for name in ("widths", "depths"):
        value = getattr(config, name)
        if value is not None and (len(value) != STAGES or min(value) < 1):
            raise ValueError(f"{name} wants {STAGES} numbers above 0, not {list(value)}")
    for name in ("window_influence", "lr"):
        value = getattr(config, name)
        if value is not None and not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} wants a number from 0 to 1, not {value}")
    if config.penalty_k is not None and config.penalty_k < 0.0:
        raise ValueError(f"penalty_k wants a number from 0 up, not {config.penalty_k}")
    if config.preset not in (*PRESETS, "lite"):
        raise ValueError(f"preset wants {', '.join(PRESETS)} or lite, not {config.preset}")
    if config.pixelwise is not None and config.pixelwise is not (config.preset == "lite") and config.preset != "nano":
        raise ValueError(f"pixelwise: the preset {config.preset} is {'always' if config.preset == 'lite' else 'never'}")
    if config.preset == "lite" and (config.widths or config.depths):
        raise ValueError("widths and depths: the preset lite has those of EfficientNet-Lite0")


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


class SiamCAR(nn.Module):
    """The network; inputs are BGR, 0..255.

    Args:
        backbone: gives four maps, of which the last three are matched.
        neck, head: see there.
        sizes: of the inputs and of the template maps' centre.
    """

    normalise = staticmethod(unchanged)

    def __init__(self, backbone: SiamCARResNet, neck: Neck, head: CARHead, sizes: Sizes) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.template_size, self.search_size, self.kernel = sizes.template_size, sizes.search_size, sizes.kernel

    def template(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, Z, Z) to the correlation kernels of the three levels, (B, C, k, k) each."""
        outputs = self.backbone(images)
        maps = self.neck([outputs[i - 1] for i in LEVELS])
        return tuple(crop_centre(m, self.kernel).contiguous() for m in maps)

    def search(self, images: Tensor, features: tuple[Tensor, ...]) -> CAROutputs:
        """(B, 3, X, X) and the kernels of B templates."""
        outputs = self.backbone(images)
        found: CAROutputs = self.head(self.neck([outputs[i - 1] for i in LEVELS]), features)
        return found


def build_network(config: SiamCARConfig) -> nn.Module:
    """The network of a config, with random parameters."""
    if fused := fused_preset(config):
        return fused.build(config)
    sizes = choose_sizes(config.preset, config.widths, config.depths)
    backbone = SiamCARResNet(sizes.widths, sizes.depths, sizes.stem)
    neck = Neck([backbone.channels[i - 1] for i in LEVELS], sizes.neck)
    head = CARHead(len(LEVELS), sizes.neck, sizes.towers)
    network = SiamCAR(backbone, neck, head, sizes)
    init_siamcar(network)
    return network


def choose_sizes(preset: str, widths: tuple[int, ...] | None, depths: tuple[int, ...] | None) -> Sizes:
    """The preset's numbers with the given ones in their place."""
    sizes = PRESETS[preset]
    return sizes._replace(widths=widths or sizes.widths, depths=depths or sizes.depths)


def init_siamcar(network: SiamCAR) -> None:
    """He's initialisation for backbone and neck; the head's normal 0.01 with the class bias of a rare foreground."""
    for part in (network.backbone, network.neck):
        for module in part.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    for module in network.head.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    nn.init.constant_(network.head.cls_logits.bias, -math.log(99.0))  # type: ignore[arg-type]


def key_map(key: str) -> str:
    """The authors' name of a parameter to ours."""
    part, _, rest = key.partition(".")
    if part == "neck":
        return f"neck.levels.{int(rest[len('downsample')]) - LEVELS[0]}.{rest.split('.', 2)[2]}"
    return {"car_head": f"head.{rest}", "down": f"head.down.{rest}"}.get(part, key)


def released() -> tuple[nn.Module, KeyMap]:
    """The released network without values, and its key map; see ``pipeline.checkpoint.RELEASED``."""
    with torch.device("meta"):
        return build_network(SiamCARConfig()), key_map


def car_recipe(
    sizes: Sizes, config: Any, *, smallest: float, reports_score: bool, search_side: Callable[..., Floats]
) -> Recipe:
    """The pipeline around a network of the SiamCAR kind; ``config`` has its hyper-parameters filled in."""
    inputs = sizes.template_size, sizes.search_size
    rules = Rules(*inputs, smallest=smallest, reports_score=reports_score)
    return Recipe(
        template_size=sizes.template_size,
        search_size=sizes.search_size,
        template_side=siamcar_template_side,
        search_side=partial(search_side, template_size=inputs[0], search_size=inputs[1]),
        normalise=unchanged,
        locate=lambda outputs, targets: _locate(outputs, targets, rules),
        constants=constants_of(config),
    )


def _locate(outputs: tuple[Tensor, ...], targets: Targets, rules: Rules) -> Located:
    logits, distances, centerness = outputs
    probability = torch.softmax(logits, dim=1)[:, 1]
    return locate(Maps(probability, centerness[:, 0], distances), targets, rules)


def resolved(config: SiamCARConfig) -> SiamCARConfig:
    """The config with what its preset decides filled in."""
    if fused := fused_preset(config):
        return fused.with_constants(replace(config, pixelwise=True, **fused.body_sizes(config)))
    sizes = choose_sizes(config.preset, config.widths, config.depths)
    return replace(config, pixelwise=False, widths=sizes.widths, depths=sizes.depths)


def for_dataset(config: SiamCARConfig, dataset: str) -> SiamCARConfig:
    """The config with its sizes, shipped weights and the dataset's hyper-parameters filled in."""
    filled: SiamCARConfig = fill_in("siamcar", resolved(config), dataset)
    return with_weights(filled, resolved)


def build(config: SiamCARConfig, device: str) -> NeuralTracker:
    """The tracker. Raises UserError for weights that are missing or do not fit, or an unusable device."""
    return around(load_network(partial(build_network, config), config, SIAMCAR.title, key_map), config, device)


def around(network: nn.Module, config: SiamCARConfig, device: str) -> NeuralTracker:
    """The tracker around a network with values, which it takes over."""
    config = for_dataset(config, FALLBACK)
    if fused := fused_preset(config):
        return fused.around(network, config, device)
    sizes = choose_sizes(config.preset, config.widths, config.depths)
    recipe = car_recipe(sizes, config, smallest=0.0, reports_score=False, search_side=siamcar_search_side)
    return deploy(network, recipe, config, device)


def deploy(network: nn.Module, recipe: Recipe, config: Any, device: str) -> NeuralTracker:
    """The tracker with its network made quicker without changing its function: batch norms folded into convolutions,
    and on a CPU in float32 the large 3x3 convolutions by Winograd's filters. The network is altered in place."""
    network = fold_batch_norms(network)
    if resolve_device(device).type == "cpu" and config.precision == "fp32" and not config.compile:
        network = speed_up(network)
    return NeuralTracker(network, recipe, device, precision=config.precision, compiled=config.compile)


def _tower(width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(32, width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


SIAMCAR = TrackerSpec("siamcar", "SiamCAR", SiamCARConfig(), build, for_dataset, build_network)
