"""CNNInMo and SiamCAR with the parts of ``networks.pixelwise``: their presets ``lite`` and ``nano``.

CNNInMo has General Interaction Modelers after the stages of its CNN; SiamCAR is the same network without them. All
stages are fused to one map at stride 8. Matching, head and box are those of the small presets: depth-wise and
pixel-wise correlation, a convolutional head, boxes relative to the target's size in the template.

``lite`` is EfficientNet-Lite0 with ImageNet weights, for machines without a GPU that shall track for real; its
interactions start as nothing, so that the ImageNet features reach the head as they are. ``nano`` is SiamCAR's ResNet
made small, padded so that the cells of its maps lie evenly over the image, and learns from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from torch import Tensor, nn

from inmo.trackers.networks.efficientnet import CHANNELS, EfficientNetLite0, init_scratch, normalise
from inmo.trackers.networks.gim import CSA, TCA, Feed
from inmo.trackers.networks.inbn import Fusion
from inmo.trackers.networks.layers import init_transformer
from inmo.trackers.networks.matching import DepthwiseNeck
from inmo.trackers.networks.pixelwise import ConvHead, PixelwiseNeck
from inmo.trackers.networks.resnet import PaddedResNet, fold_batch_norms
from inmo.trackers.pipeline.assembly import STRIDE, AnchoredNetwork, tracker_around
from inmo.trackers.pipeline.crop import transinmo_template_side
from inmo.trackers.pipeline.neural import NeuralTracker

C = TypeVar("C", bound=Any)


class FusedSizes(NamedTuple):
    """Sides of the inputs in pixels, channels of the fused map, side of WP's windows, d of the attention."""

    template_size: int
    search_size: int
    width: int
    window: int
    dim: int


class Pipeline(NamedTuple):
    """What ``pipeline.assembly.tracker_around`` reads of a config."""

    template_size: int
    search_size: int
    preset: str
    box_reference: str
    precision: str
    compile: bool
    penalty_k: float
    lr: float
    window_influence: float


class FusedBackbone(nn.Module):
    """A body with an interaction after each of the later stages, and the fusion of all stages at stride 8.

    Args:
        body: ``stage(number, maps)`` goes from one stage's maps, or the image, to the next's.
        channels: of every stage's maps.
        interactions: one for each of the last stages; none for a backbone without interaction.
        width: channels of the fused map.
    """

    def __init__(self, body: nn.Module, channels: Sequence[int], interactions: Sequence[nn.Module], width: int) -> None:
        super().__init__()
        self.body = body
        self.interactions = nn.ModuleList(interactions)
        self.fusion = Fusion(tuple(channels), width, prenorm=True)
        self.norm = nn.LayerNorm(width)
        self.stages, self.first = len(channels), len(channels) - len(interactions)

    def template(self, images: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """(B, 3, Z, Z) to the fused map (B, width, Z / 8, Z / 8) and a memory per interaction."""
        maps, outputs, memories = images, [], []
        for number in range(self.stages):
            maps = self.body.stage(number, maps)  # type: ignore[operator]
            if number >= self.first:
                maps, memory = self.interactions[number - self.first].template(maps)  # type: ignore[operator]
                memories.append(memory)
            outputs.append(maps)
        return self._fused(outputs), tuple(memories)

    def search(self, images: Tensor, memories: tuple[Any, ...]) -> Tensor:
        """(B, 3, X, X) and the template's memories to the fused map (B, width, X / 8, X / 8)."""
        maps, outputs = images, []
        for number in range(self.stages):
            maps = self.body.stage(number, maps)  # type: ignore[operator]
            if number >= self.first:
                own = number - self.first
                maps = self.interactions[own].search(maps, memories[own])  # type: ignore[operator]
            outputs.append(maps)
        return self._fused(outputs)

    def _fused(self, outputs: list[Tensor]) -> Tensor:
        fused: Tensor = self.fusion([maps.permute(0, 2, 3, 1) for maps in outputs])
        normed: Tensor = self.norm(fused.permute(0, 2, 3, 1))
        return normed.permute(0, 3, 1, 2)


class FusedNetwork(AnchoredNetwork):
    """The nano network, see the module."""

    geometry = "transinmo"
    """How its crops are cut, in training too: row of ``training.geometry``."""


class LiteNetwork(FusedNetwork):
    """The lite network, see the module."""

    normalise = staticmethod(normalise)


@dataclass(frozen=True)
class FusedPreset:
    """One preset.

    Attributes:
        sizes: see FusedSizes.
        stages: how many of the last stages have interactions.
        body: the values of ``sized`` -> the body with random parameters, and the channels of its stages' maps.
        network: class of the whole.
        constants: test-time constants, chosen on rendered clips.
        sized: widths and depths of the body where they may be chosen.
        silent: interactions change nothing at first: their outputs start at zero.
    """

    sizes: FusedSizes
    stages: int
    body: Callable[..., tuple[nn.Module, Sequence[int]]]
    network: type[FusedNetwork]
    constants: Mapping[str, Any]
    sized: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    silent: bool = False

    def body_sizes(self, config: Any) -> dict[str, Any]:
        """Widths and depths of the body: a config's own where they may be chosen, else the preset's; empty where the
        body has but one size."""
        own = {"widths": config.widths, "depths": config.depths}
        return {name: tuple(own[name] or value) for name, value in self.sized.items()}

    def build(self, config: Any, interaction: Callable[[int, int], nn.Module] | None = None) -> FusedNetwork:
        """The network with random parameters.

        Args:
            config: for ``body_sizes``.
            interaction: (number among ``stages``, channels of that stage's maps) -> module; None: no interactions.
        """
        sizes = self.sizes
        made, channels = self.body(**self.body_sizes(config))
        interactions = []
        if interaction is not None:
            interactions = [interaction(i, c) for i, c in enumerate(channels[len(channels) - self.stages :])]
        backbone = FusedBackbone(made, channels, interactions, sizes.width)
        backbone.fusion.apply(init_transformer)
        for interaction in interactions:
            interaction.apply(init_transformer)
            for module in interaction.modules() if self.silent else ():
                if isinstance(module, CSA | TCA):
                    nn.init.zeros_(module.map.weight)
                elif isinstance(module, Feed):
                    nn.init.zeros_(module.mlp.fc2.weight)
        cells = sizes.template_size // STRIDE
        neck = DepthwiseNeck(sizes.width, learned=True, centre=cells // 2)
        matching = PixelwiseNeck(neck, sizes.width, cells**2, sizes.width)
        head = ConvHead(sizes.width)
        return self.network(backbone, matching, head, template_size=sizes.template_size, search_size=sizes.search_size)

    def with_constants(self, config: C) -> C:
        """``config`` with every test-time constant that is None filled in."""
        return replace(config, **{k: v for k, v in self.constants.items() if getattr(config, k) is None})

    def around(self, network: nn.Module, config: Any, device: str) -> NeuralTracker:
        """The tracker around a network with values, its batch norms folded in place. Raises UserError: unusable
        device."""
        pipeline = Pipeline(
            self.sizes.template_size,
            self.sizes.search_size,
            config.preset,
            "anchor",
            config.precision,
            config.compile,
            config.penalty_k,
            config.lr,
            config.window_influence,
        )
        folded = fold_batch_norms(network)
        return tracker_around(folded, pipeline, device, template_side=transinmo_template_side, clamp_output=True)


def _lite_body() -> tuple[nn.Module, Sequence[int]]:
    body = EfficientNetLite0()
    init_scratch(body)
    return body, CHANNELS


def _nano_body(widths: Sequence[int], depths: Sequence[int]) -> tuple[nn.Module, Sequence[int]]:
    body = PaddedResNet(widths, depths, stem=16)
    init_scratch(body)
    return body, body.channels


FUSED: Mapping[str, FusedPreset] = MappingProxyType(
    {
        "lite": FusedPreset(
            FusedSizes(64, 128, 96, 4, 96),
            len(CHANNELS) - 1,  # the first stage is frozen in training
            _lite_body,
            LiteNetwork,
            MappingProxyType({"penalty_k": 0.1, "lr": 0.1, "window_influence": 0.35}),
            silent=True,
        ),
        "nano": FusedPreset(
            FusedSizes(48, 96, 96, 3, 96),
            4,
            _nano_body,
            FusedNetwork,
            MappingProxyType({"penalty_k": 0.1, "lr": 0.15, "window_influence": 0.35}),
            sized=MappingProxyType({"widths": (16, 24, 32, 48), "depths": (1, 1, 2, 1)}),
        ),
    }
)


def fused_preset(config: Any, sense: str = "paper") -> FusedPreset | None:
    """The preset that a config of SiamCAR or CNNInMo asks for; None where it has the neck and head of SiamCAR.

    ``lite`` is always such a one; ``nano`` in the paper's ``sense`` unless ``pixelwise`` is False.
    """
    if config.preset == "lite":
        return FUSED["lite"]
    wanted = config.preset in FUSED and sense == "paper" and config.pixelwise is not False
    return FUSED[config.preset] if wanted else None
