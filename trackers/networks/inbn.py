"""The paper's transformer backbone (InMo paper, Table 1): four stages of GIMs on a feature hierarchy.

Patch embeddings P = 4, 2, 2, 1; widths 96, 192, 384, 768; outputs at H/4, H/8, H/16, H/16; 2, 2, 6, 2 GIMs, with TCA
in the last GIM of each stage only. The four outputs are mapped to one width, resized to H/8, concatenated and mapped
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Unpack

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.gim import GIM, GIMs, GIMValues, Memories, group, ungroup
from inmo.trackers.networks.layers import init_transformer, rising

PATCHES = (4, 2, 2, 1)


class StageSize(NamedTuple):
    """Numbers of one stage: patch side P, channels C, number of GIMs, heads n, how many of its last GIMs have TCA."""

    patch: int
    width: int
    depth: int
    heads: int
    tca: int


def stage_gims(size: StageSize, rates: Iterator[float], **values: Unpack[GIMValues]) -> GIMs:
    """The GIMs of a stage; each takes the next of the ``rates`` of stochastic depth."""
    tcas = (index >= size.depth - size.tca for index in range(size.depth))
    return GIMs(GIM(size.width, heads=size.heads, tca=tca, drop_path=next(rates), **values) for tca in tcas)


class Stage(nn.Module):
    """Patch embedding and GIMs. WP is the same regrouping in all GIMs of a stage, so it is done once."""

    def __init__(
        self, size: StageSize, inputs: int, window: int, rates: Iterator[float], **values: Unpack[GIMValues]
    ) -> None:
        super().__init__()
        self.window = window
        self.embed = nn.Conv2d(inputs, size.width, size.patch, size.patch)
        self.norm = nn.LayerNorm(size.width) if values["prenorm"] else nn.Identity()
        self.gims = stage_gims(size, rates, **values)

    def template(self, features: Tensor) -> tuple[Tensor, Memories]:
        """(B, H, W, C) of the stage before to this stage's (B, H/P, W/P, C'), and the memories of its GIMs."""
        groups, memories = self.gims.template(group(self._patches(features), self.window))
        return ungroup(groups), memories

    def search(self, features: Tensor, memories: Memories) -> Tensor:
        """As ``template`` for the search branch."""
        return ungroup(self.gims.search(group(self._patches(features), self.window), memories))

    def _patches(self, features: Tensor) -> Tensor:
        out: Tensor = self.norm(self.embed(features.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return out


class Fusion(nn.Module):
    """1x1 maps of the four stage outputs to one width, bilinear to the second's size, concatenation, 1x1 map."""

    def __init__(self, widths: tuple[int, ...], width: int, prenorm: bool) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(w) if prenorm else nn.Identity() for w in widths)
        self.maps = nn.ModuleList(nn.Linear(w, width) for w in widths)
        self.join = nn.Linear(width * len(widths), width)

    def forward(self, stages: list[Tensor]) -> Tensor:
        size = stages[1].shape[1:3]
        levels = []
        for features, norm, linear in zip(stages, self.norms, self.maps, strict=True):
            level = linear(norm(features)).permute(0, 3, 1, 2)
            if level.shape[2:] != size:
                level = F.interpolate(level, size=size, mode="bilinear", align_corners=False)
            levels.append(level.permute(0, 2, 3, 1))
        fused: Tensor = self.join(torch.cat(levels, dim=-1))
        return fused.permute(0, 3, 1, 2)


class InBN(nn.Module):
    """The paper's backbone.

    Args:
        sizes: one StageSize per stage.
        width: channels of the fused output (paper: 256).
        window: side of WP's windows (paper: 7), one for all stages or one per stage; 1 = without WP.
        dim, csa, tca_first, mlp_ratio, prenorm, fused: see ``networks.gim.GIM``.
        drop_path: rate of stochastic depth of the last GIM, rising linearly from 0 at the first.
    """

    def __init__(
        self,
        sizes: tuple[StageSize, ...],
        *,
        width: int,
        window: int | tuple[int, ...],
        drop_path: float = 0.0,
        **values: Unpack[GIMValues],
    ) -> None:
        super().__init__()
        rates = rising(drop_path, sum(size.depth for size in sizes))
        inputs = (3, *(size.width for size in sizes))
        windows = window if isinstance(window, tuple) else (window,) * len(sizes)
        self.stages = nn.ModuleList(Stage(size, inputs[i], windows[i], rates, **values) for i, size in enumerate(sizes))
        self.fusion = Fusion(inputs[1:], width, values["prenorm"])
        self.apply(init_transformer)

    def template(self, images: Tensor) -> tuple[Tensor, tuple[Memories, ...]]:
        """(B, 3, H, W) to the fused map (B, width, H/8, W/8) and every stage's memories."""
        features, outputs, memories = images.permute(0, 2, 3, 1), [], []
        for stage in self.stages:
            features, memory = stage.template(features)  # type: ignore[operator]
            outputs.append(features)
            memories.append(memory)
        return self.fusion(outputs), tuple(memories)

    def search(self, images: Tensor, memories: tuple[Memories, ...]) -> Tensor:
        """(B, 3, H, W) and the template's memories to the fused map (B, width, H/8, W/8)."""
        features, outputs = images.permute(0, 2, 3, 1), []
        for stage, own in zip(self.stages, memories, strict=True):
            features = stage.search(features, own)  # type: ignore[operator]
            outputs.append(features)
        fused: Tensor = self.fusion(outputs)
        return fused
