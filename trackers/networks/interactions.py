"""What CNNInMo does between the stages of its ResNet: the released interaction, and the paper's on convolution maps.

Maps are (B, C, H, W). Every interaction has two calls: ``template(maps) -> maps, memory`` once per target, and
``search(maps, memory) -> maps`` per frame. Sources: SOTS (released), the InMo paper, section 3 (paper).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.gim import GIM, GIMs, Memories, Memory, group, ungroup
from inmo.trackers.networks.layers import Skip

DROPOUT = 0.1


class ConvAttention(nn.Module):
    """The released attention, TCA or CSA, with its residual: search maps (B, C, H, W) ask the maps remembered.

    q, k, v are 3x3 convolutions from C to C / 4 on maps zero-padded right and below to a multiple of the window;
    attention runs among positions that are alike inside their windows; the weights are softmax(q) K^T, the softmax
    over the query's own channels, so the result is linear in the keys.
    """

    def __init__(self, channels: int, heads: int, window: int, part: str) -> None:
        super().__init__()
        self.part, self.heads, self.window = part, heads, window
        width = channels // 4
        self.query = nn.Conv2d(channels, width, 3, padding=1)
        self.key = nn.Conv2d(channels, width, 3, padding=1)
        self.value = nn.Conv2d(channels, width, 3, padding=1)
        self.map = nn.Conv2d(width, channels, 3, padding=1)
        self.dropout = nn.Dropout(DROPOUT)

    def memory(self, maps: Tensor) -> tuple[Tensor, ...]:
        """Keys and values (B, n, window^2, N, h) of the maps that will be asked."""
        padded = self._pad(maps)
        return self._cut(self.key(padded)), self._cut(self.value(padded))

    def forward(self, maps: Tensor, memory: tuple[Tensor, ...]) -> Tensor:
        key, value = memory
        height, width = maps.shape[-2:]
        query = self.query(self._pad(maps))
        rows, columns = query.shape[-2] // self.window, query.shape[-1] // self.window
        found = linear_attention(self._cut(query), key, value)
        grid = found.view(*found.shape[:2], self.window, self.window, rows, columns, -1)
        joined = grid.permute(0, 1, 6, 4, 2, 5, 3).reshape(query.shape)[..., :height, :width]
        out: Tensor = maps + self.dropout(self.map(joined))
        return out

    def _pad(self, maps: Tensor) -> Tensor:
        height, width = maps.shape[-2:]
        return F.pad(maps, (0, -width % self.window, 0, -height % self.window))

    def _cut(self, maps: Tensor) -> Tensor:
        """(B, n h, H, W) to (B, n, window^2, N, h): N windows row by row, heads by channel split."""
        batch, _, height, width = maps.shape
        rows, columns, side = height // self.window, width // self.window, self.window
        grid = maps.reshape(batch, self.heads, -1, rows, side, columns, side)
        return grid.permute(0, 1, 4, 6, 3, 5, 2).flatten(4, 5).flatten(2, 3)


def linear_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(q h^-0.5) K^T V, the softmax over the h channels: (..., L, h), (..., S, h) twice to (..., L, h).

    Nothing is normalised over keys, so the products may be taken in either order. The keys' sum comes first where
    that is far less work, as without windows.
    """
    weights = torch.softmax(query * query.shape[-1] ** -0.5, dim=-1)
    if key.shape[-2] > 4 * key.shape[-1]:
        return weights @ (key.transpose(-2, -1) @ value)
    return weights @ key.transpose(-2, -1) @ value


class ReleasedInteraction(nn.Module):
    """The released GIM of one stage: TCA, then CSA, on the search branch; the template branch passes unchanged.

    Args:
        channels, heads: C and n.
        tca_window, csa_window: sides of the windows; 1 = one group of all positions.
        csa, tca: whether the part is there.
    """

    def __init__(self, channels: int, heads: int, *, tca_window: int, csa_window: int, csa: bool, tca: bool) -> None:
        super().__init__()
        self.tca = ConvAttention(channels, heads, tca_window, "TCA") if tca else Skip()
        self.csa = ConvAttention(channels, heads, csa_window, "CSA") if csa else Skip()

    def template(self, maps: Tensor) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """The template's maps (B, C, H, W) as they are, and TCA's keys and values of them."""
        return maps, self.tca.memory(maps)

    def search(self, maps: Tensor, memory: tuple[Tensor, ...] | None) -> Tensor:
        """The search branch's maps (B, C, H, W)."""
        maps = self.tca(maps, memory)
        out: Tensor = self.csa(maps, self.csa.memory(maps))
        return out


class PaperInteraction(nn.Module):
    """The paper's GIM, or several, on the maps (B, C, H, W) of one stage, in both branches."""

    def __init__(self, gim: GIM | GIMs, window: int) -> None:
        super().__init__()
        self.gim, self.window = gim, window

    def template(self, maps: Tensor) -> tuple[Tensor, Memory | Memories | None]:
        """The template's new maps, and what TCA will ask."""
        groups, memory = self.gim.template(group(maps.permute(0, 2, 3, 1), self.window))
        return ungroup(groups).permute(0, 3, 1, 2), memory

    def search(self, maps: Tensor, memory: Any) -> Tensor:
        """The search branch's new maps."""
        return ungroup(self.gim.search(group(maps.permute(0, 2, 3, 1), self.window), memory)).permute(0, 3, 1, 2)


class InteractiveBody(nn.Module):
    """A body with an interaction after each of its last stages, whose output the next stage takes.

    Args:
        body: ``stage(number, maps)`` goes from one stage's maps, or the image, to the next's.
        stages: of the body.
        interactions: one for each of the last stages; none for a backbone without interaction.
    """

    def __init__(self, body: nn.Module, stages: int, interactions: Sequence[nn.Module]) -> None:
        super().__init__()
        self.body, self.interactions = body, nn.ModuleList(interactions)
        self.stages, self.first = stages, stages - len(interactions)

    def template(self, images: Tensor) -> tuple[Any, tuple[Any, ...]]:
        """(B, 3, Z, Z) to the maps of every stage, finest first, and every interaction's memory."""
        maps, outputs, memories = images, [], []
        for number in range(self.stages):
            maps = self.body.stage(number, maps)  # type: ignore[operator]
            if number >= self.first:
                maps, memory = self.interactions[number - self.first].template(maps)  # type: ignore[operator]
                memories.append(memory)
            outputs.append(maps)
        return outputs, tuple(memories)

    def search(self, images: Tensor, memories: tuple[Any, ...]) -> Any:
        """(B, 3, X, X) and the template's memories to the maps of every stage, finest first."""
        maps, outputs = images, []
        for number in range(self.stages):
            maps = self.body.stage(number, maps)  # type: ignore[operator]
            if number >= self.first:
                own = number - self.first
                maps = self.interactions[own].search(maps, memories[own])  # type: ignore[operator]
            outputs.append(maps)
        return outputs
