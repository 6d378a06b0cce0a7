"""EfficientNet-Lite0 (Tan and Le, ICML 2019; the Lite variant without squeeze-and-excitation, ReLU6 throughout).

Stem and blocks 0 to 10 in four stages that end at strides 4, 8, 16 and 16; what follows (stride 32, classifier) is of
no use to a tracker. Images are RGB, (u - 127.5) / 128.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-3


class BlockSize(NamedTuple):
    """Kernel side, stride, expansion of the inner width, channels in and out of an inverted residual block."""

    kernel: int
    stride: int
    expand: int
    inputs: int
    outputs: int


STEM = 32
BLOCKS = (
    BlockSize(3, 1, 1, 32, 16),
    BlockSize(3, 2, 6, 16, 24),
    BlockSize(3, 1, 6, 24, 24),
    BlockSize(5, 2, 6, 24, 40),
    BlockSize(5, 1, 6, 40, 40),
    BlockSize(3, 2, 6, 40, 80),
    BlockSize(3, 1, 6, 80, 80),
    BlockSize(3, 1, 6, 80, 80),
    BlockSize(5, 1, 6, 80, 112),
    BlockSize(5, 1, 6, 112, 112),
    BlockSize(5, 1, 6, 112, 112),
)
STAGES = ((0, 3), (3, 5), (5, 8), (8, 11))
"""First block and the one after the last of each stage."""
CHANNELS = tuple(BLOCKS[last - 1].outputs for _, last in STAGES)


class Conv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow does: as evenly as can be, the odd row below and right."""

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1) -> None:
        even = side // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, side, stride, even, groups=groups, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        if self.stride[0] > 1:
            (height, width), side, stride = maps.shape[2:], self.kernel_size[0], self.stride[0]
            below, right = (max(side - (size - 1) % stride - 1, 0) for size in (height, width))
            maps = F.pad(maps, (right // 2, right - right // 2, below // 2, below - below // 2))
        return super().forward(maps)


class Block(nn.Module):
    """Inverted residual: 1x1 to the inner width, depth-wise, 1x1 back, with the input added where it fits."""

    def __init__(self, size: BlockSize) -> None:
        super().__init__()
        inner = size.inputs * size.expand
        self.expand = _unit(Conv(size.inputs, inner, 1)) if size.expand > 1 else nn.Identity()
        self.depthwise = _unit(Conv(inner, inner, size.kernel, size.stride, inner))
        self.project = nn.Sequential(Conv(inner, size.outputs, 1), nn.BatchNorm2d(size.outputs, EPSILON))
        self.residual = size.stride == 1 and size.inputs == size.outputs

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.project(self.depthwise(self.expand(maps)))
        return out + maps if self.residual else out


class EfficientNetLite0(nn.Module):
    """The body. Its batch norms keep their statistics in training too: batches are small, and both branches of a
    tracker must see the same features."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _unit(Conv(3, STEM, 3, 2))
        self.blocks = nn.ModuleList(Block(size) for size in BLOCKS)

    def stage(self, number: int, maps: Tensor) -> Tensor:
        """Maps of the stage before (of the image for stage 0) to this stage's."""
        if number == 0:
            maps = self.stem(maps)
        for block in self.blocks[slice(*STAGES[number])]:
            maps = block(maps)
        return maps

    def train(self, mode: bool = True) -> EfficientNetLite0:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def normalise(images: Tensor) -> Tensor:
    """(B, 3, S, S) float32 BGR 0..255 to the body's input."""
    return (images.flip(1) - 127.5) / 128.0


def key_map(theirs: str) -> str:
    """A name of the published PyTorch file to ours; empty for what is not used here."""
    if found := re.fullmatch(r"_conv_stem\.(.*)|_bn0\.(.*)", theirs):
        return f"stem.0.{found[1]}" if found[1] else f"stem.1.{found[2]}"
    found = re.fullmatch(r"_blocks\.(\d+)\._(expand_conv|depthwise_conv|project_conv|bn0|bn1|bn2)\.(.*)", theirs)
    if not found or int(found[1]) >= len(BLOCKS):
        return ""
    part, place = {
        "expand_conv": ("expand", 0), "bn0": ("expand", 1), "depthwise_conv": ("depthwise", 0),
        "bn1": ("depthwise", 1), "project_conv": ("project", 0), "bn2": ("project", 1),
    }[found[2]]  # fmt: skip
    return f"blocks.{found[1]}.{part}.{place}.{found[3]}"


def _unit(convolution: Conv) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels, EPSILON), nn.ReLU6(inplace=True))
