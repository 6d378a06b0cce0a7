"""ResNet-50 in the two shapes the trackers use; keys are torchvision's (``layer2.0.conv1.weight`` ...).

Sources: He et al., "Deep Residual Learning" (the network); SiamRPN++ and SiamCAR (stride 8 with dilation and 3x3
shortcuts); TransT (stride 8, three stages).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

EXPANSION = 4


@dataclass(frozen=True)
class Stage:
    """How one stage convolves; ``first`` is its first block, ``rest`` the others.

    Attributes:
        stride, padding, dilation: of the first block's 3x3 convolution.
        shortcut: kernel of the first block's shortcut: 1, or 3 with the first block's padding and dilation.
        rest: dilation (and padding) of the other blocks' 3x3 convolutions.
    """

    stride: int = 1
    padding: int = 1
    dilation: int = 1
    shortcut: int = 1
    rest: int = 1


SIAMCAR_STAGES = (
    Stage(),
    Stage(stride=2, padding=0, shortcut=3),
    Stage(shortcut=3, rest=2),
    Stage(padding=2, dilation=2, shortcut=3, rest=4),
)
PADDED_STAGES = (Stage(), Stage(stride=2), Stage(rest=2), Stage(padding=2, dilation=2, rest=4))
TRANST_STAGES = (Stage(), Stage(stride=2), Stage(padding=2, dilation=2))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions with batch norm around a shortcut: (B, inputs, H, W) to (B, 4 width, H', W')."""

    def __init__(self, inputs: int, width: int, stage: Stage, *, first: bool) -> None:
        super().__init__()
        outputs = EXPANSION * width
        stride, padding, dilation = (stage.stride, stage.padding, stage.dilation) if first else (1,) + 2 * (stage.rest,)
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, outputs, stage) if first else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y = y + self.downsample(x)
        out: Tensor = self.relu(y)
        return out


class Stem(NamedTuple):
    """First convolution's channels and padding."""

    channels: int = 64
    padding: int = 3


class ResNet(nn.Module):
    """The stem and its stages; ``forward`` gives every stage's output, finest first."""

    def __init__(self, stages: Sequence[Stage], widths: Sequence[int], depths: Sequence[int], stem: Stem) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem.channels, 7, stride=2, padding=stem.padding, bias=False)
        self.bn1 = nn.BatchNorm2d(stem.channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.channels: list[int] = [EXPANSION * width for width in widths]
        self.stage_names: list[str] = [f"layer{i}" for i in range(1, len(stages) + 1)]
        inputs = stem.channels
        for name, stage, width, depth in zip(self.stage_names, stages, widths, depths, strict=True):
            blocks = [Bottleneck(inputs, width, stage, first=True)]
            blocks += [Bottleneck(EXPANSION * width, width, stage, first=False) for _ in range(depth - 1)]
            self.add_module(name, nn.Sequential(*blocks))
            inputs = EXPANSION * width

    def stem(self, image: Tensor) -> Tensor:
        """Image (B, 3, H, W) to (B, channels, H / 4, W / 4)."""
        out: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        return out

    @property
    def stages(self) -> list[nn.Module]:
        """The stages in order."""
        return [self.get_submodule(name) for name in self.stage_names]

    def stage(self, number: int, maps: Tensor) -> Tensor:
        """Maps of the stage before (the image for stage 0) to this stage's."""
        out: Tensor = self.stages[number](self.stem(maps) if number == 0 else maps)
        return out

    def forward(self, image: Tensor) -> list[Tensor]:
        features, outputs = self.stem(image), []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs

    def template(self, image: Tensor) -> tuple[list[Tensor], tuple[()]]:
        """As a backbone without interaction: every stage's output, and nothing remembered."""
        return self(image), ()

    def search(self, image: Tensor, memories: tuple[()]) -> list[Tensor]:
        """As ``template``."""
        found: list[Tensor] = self(image)
        return found


class SiamCARResNet(ResNet):
    """SiamCAR's and CNNInMo's ResNet-50: strides 4, 8, 8, 8; 256, 512, 1024, 2048 channels.

    A 255 image gives maps of 63, 31, 31, 31; a 127 image 31, 15, 15, 15. No padding in the stem and in the first
    block of stage 2; dilation 2 and 4 in stages 3 and 4.
    """

    def __init__(
        self, widths: Sequence[int] = (64, 128, 256, 512), depths: Sequence[int] = (3, 4, 6, 3), stem: int = 64
    ) -> None:
        super().__init__(SIAMCAR_STAGES, widths, depths, Stem(stem, padding=0))


class PaddedResNet(ResNet):
    """SiamCAR's stages with padding everywhere: an image of S pixels gives maps of S/4, S/8, S/8 and S/8, whose cells
    lie evenly over it."""

    def __init__(self, widths: Sequence[int], depths: Sequence[int], stem: int) -> None:
        super().__init__(PADDED_STAGES, widths, depths, Stem(stem, padding=3))


class TransTResNet(ResNet):
    """TransT's ResNet-50 without its last stage: strides 4, 8, 8; 256, 512, 1024 channels.

    A 256 image ends as (1024, 32, 32). Only the first block of stage 3 is dilated, as released.
    """

    def __init__(
        self, widths: Sequence[int] = (64, 128, 256), depths: Sequence[int] = (3, 4, 6), stem: int = 64
    ) -> None:
        super().__init__(TRANST_STAGES, widths, depths, Stem(stem, padding=3))


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution registered right before it, in place; for evaluation only.

    The same function with fewer passes over memory; outputs agree to float rounding. Returns the network.
    """
    network.eval()
    for module in list(network.modules()):
        children = list(module.named_children())
        for (name, before), (after_name, after) in pairwise(children):
            if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(before, after))
                setattr(module, after_name, nn.Identity())
    return network


def _shortcut(inputs: int, outputs: int, stage: Stage) -> nn.Sequential:
    padding, dilation = (0, 1) if stage.shortcut == 1 else (stage.padding, stage.dilation)
    convolution = nn.Conv2d(inputs, outputs, stage.shortcut, stage.stride, padding, dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))
