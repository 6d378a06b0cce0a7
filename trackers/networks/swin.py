"""The released transformer backbone: Swin-T whose last block of each stage lets search windows ask template windows.

This is what the authors' code computes, not what the paper writes: CSA is Swin's attention *inside* shifted windows,
and TCA has no parameters of its own, comes first, and only reaches CSA's projections. Key names are those of the
public Swin files. Sources: Liu et al., "Swin Transformer", section 3; SOTS (the interaction).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.layers import DropPath, Mlp, Skip, attention, cells, init_transformer, join_heads, rising

BETWEEN_REGIONS = -100.0


class Windows(NamedTuple):
    """Numbers of one window grid: sides of the map, of a window, and the cyclic shift."""

    height: int
    width: int
    window: int
    shift: int


class Memory(NamedTuple):
    """Keys and values of the template's windows in one block, laid out as its TCA needs them."""

    key: Tensor
    value: Tensor


def cut_windows(features: Tensor, grid: Windows) -> Tensor:
    """(B, H, W, C), zero-padded right and below, rolled, to windows (B * nW, window^2, C), row by row."""
    side = grid.window
    below, right = -grid.height % side, -grid.width % side
    if below or right:
        features = F.pad(features, (0, 0, 0, right, 0, below))
    if grid.shift:
        features = features.roll((-grid.shift, -grid.shift), dims=(1, 2))
    batch, height, width, channels = features.shape
    cells = features.reshape(batch, height // side, side, width // side, side, channels)
    return cells.transpose(2, 3).reshape(-1, side * side, channels)


def merge_windows(windows: Tensor, grid: Windows) -> Tensor:
    """The inverse of ``cut_windows``: (B * nW, window^2, C) to (B, H, W, C)."""
    side, channels = grid.window, windows.shape[-1]
    rows, columns = -(-grid.height // side), -(-grid.width // side)
    cells = windows.view(-1, rows, columns, side, side, channels).transpose(2, 3)
    features = cells.reshape(-1, rows * side, columns * side, channels)
    if grid.shift:
        features = features.roll((grid.shift, grid.shift), dims=(1, 2))
    return features[:, : grid.height, : grid.width]


@lru_cache(maxsize=64)
def shift_mask(grid: Windows, device: torch.device) -> Tensor | None:
    """(nW, 1, window^2, window^2): -100 between tokens that the roll brought together; None without shift."""
    if grid.shift == 0:
        return None
    side = grid.window
    with torch.inference_mode(False):
        height, width = (-(-length // side) * side for length in (grid.height, grid.width))
        rows, columns = (_regions(length, grid, device) for length in (height, width))
        labels = (3 * rows[:, None] + columns[None, :]).view(height // side, side, width // side, side)
        flat = labels.transpose(1, 2).reshape(-1, side * side)
        apart = flat[:, None, :] != flat[:, :, None]
        return (apart.float() * BETWEEN_REGIONS)[:, None]


def _regions(length: int, grid: Windows, device: torch.device) -> Tensor:
    """0, 1, 2 along one axis of the padded map: untouched, in the last window, wrapped around."""
    places = torch.arange(length, device=device)
    return (places >= length - grid.window).long() + (places >= length - grid.shift).long()


def relative_positions(window: int) -> Tensor:
    """(window^2, window^2) int64: the row of the bias table for every pair of tokens in a window."""
    places = cells(torch.arange(window))
    right, down = (places[:, None] - places + window - 1).unbind(-1)
    return down * (2 * window - 1) + right


class WindowTCA(nn.Module):
    """TCA of the released backbone, in one of two layouts; it has no parameters."""

    part = "TCA"

    def __init__(self, heads: int, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused

    def memory(self, key: Tensor, value: Tensor, batch: int) -> Memory:
        """Template windows (B * nWz, n, 49, C / n) in the layout."""
        return Memory(*(self.lay_out(t.reshape(batch, -1, *t.shape[1:])).contiguous() for t in (key, value)))

    def lay_out(self, windows: Tensor) -> Tensor:
        """From (B, nWz, n, 49, C / n)."""
        raise NotImplementedError


class ShippedTCA(WindowTCA):
    """TCA as shipped (``CROSS_WINDOW_SIZE: -1``): every window is one token of 49 C numbers, cut in n heads.

    The template's keys and values are split by channel, (head, position, channel of the head); the query is the
    plain memory order (position, channel) cut in n equal pieces, and the result is read back in that order. The two
    do not agree, and checkpoints are trained with it: the reshapes below are literal.
    """

    def lay_out(self, windows: Tensor) -> Tensor:
        """(B, nWz, n, 49, C / n) to (B, n, nWz, 49 C / n)."""
        return windows.transpose(1, 2).flatten(3)

    def forward(self, tokens: Tensor, memory: Memory, project: nn.Module) -> Tensor:
        """Search windows (B * nWx, 49, C) to the same plus the projected answers."""
        batch, length, channels = memory.key.shape[0], tokens.shape[1], tokens.shape[2]
        query = tokens.reshape(batch, -1, self.heads, length * channels // self.heads).transpose(1, 2)
        scale = (channels // self.heads) ** -0.5
        answer = attention(query, memory.key, memory.value, scale=scale, fused=self.fused)
        out: Tensor = tokens + project(answer.transpose(1, 2).reshape(tokens.shape))
        return out


class PositionTCA(WindowTCA):
    """TCA in the paper's WP layout (a positive ``CROSS_WINDOW_SIZE``): for each of the 49 positions across windows."""

    def lay_out(self, windows: Tensor) -> Tensor:
        """(B, nWz, n, 49, C / n) to (B, 49, n, nWz, C / n)."""
        return windows.permute(0, 3, 2, 1, 4)

    def forward(self, tokens: Tensor, memory: Memory, project: nn.Module) -> Tensor:
        """Search windows (B * nWx, 49, C) to the same plus the projected answers."""
        batch, length, channels = memory.key.shape[0], tokens.shape[1], tokens.shape[2]
        split = tokens.view(batch, -1, length, self.heads, channels // self.heads)
        query = split.permute(0, 2, 3, 1, 4).flatten(0, 1)
        scale = (channels // self.heads) ** -0.5
        key, value = memory.key.flatten(0, 1), memory.value.flatten(0, 1)
        answer = attention(query, key, value, scale=scale, fused=self.fused)
        answer = answer.view(batch, length, *answer.shape[1:])
        out: Tensor = tokens + project(answer.permute(0, 3, 1, 2, 4).reshape(tokens.shape))
        return out


class WindowAttention(nn.Module):
    """Swin's attention inside windows with relative position bias; TCA, where there is one, comes first."""

    part = "CSA"

    def __init__(self, channels: int, heads: int, window: int, tca: nn.Module, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_positions(window))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.tca = tca
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def template(self, tokens: Tensor, mask: Tensor | None, batch: int) -> tuple[Tensor, Memory | None]:
        """Windows (B * nW, 49, C) of B templates: new tokens, and the memory for TCA."""
        out, key, value = self._attend(tokens, mask)
        return out, self.tca.memory(key, value, batch)  # type: ignore[operator]

    def search(self, tokens: Tensor, mask: Tensor | None, memory: Memory | None) -> Tensor:
        """Windows (B * nW, 49, C) of B search regions."""
        return self._attend(self.tca(tokens, memory, self.proj), mask)[0]

    def _attend(self, tokens: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        count, length, channels = tokens.shape
        qkv = self.qkv(tokens).view(count, length, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        bias = self._bias(mask, count).to(query.dtype)
        scale = (channels // self.heads) ** -0.5
        out: Tensor = self.proj(join_heads(attention(query, key, value, bias=bias, scale=scale, fused=self.fused)))
        return out, key, value

    def _bias(self, mask: Tensor | None, count: int) -> Tensor:
        """(1 or B * nW, heads, 49, 49)."""
        table = self.relative_position_bias_table[self.relative_position_index]  # type: ignore[index]
        bias = table.permute(2, 0, 1)[None]
        return bias if mask is None else (bias + mask).repeat(count // len(mask), 1, 1, 1)


class Block(nn.Module):
    """Pre-norm window attention and MLP, each with its residual, on (B, H, W, C)."""

    def __init__(self, channels: int, heads: int, attn: WindowAttention, mlp_ratio: float, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = attn
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, round(channels * mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def template(self, features: Tensor, grid: Windows) -> tuple[Tensor, Memory | None]:
        """New features, and the memory for TCA."""
        windows = cut_windows(self.norm1(features), grid)
        out, memory = self.attn.template(windows, shift_mask(grid, features.device), len(features))
        return self._residuals(features, merge_windows(out, grid)), memory

    def search(self, features: Tensor, grid: Windows, memory: Memory | None) -> Tensor:
        """New features, with the memory of the same block."""
        windows = cut_windows(self.norm1(features), grid)
        out = self.attn.search(windows, shift_mask(grid, features.device), memory)
        return self._residuals(features, merge_windows(out, grid))

    def _residuals(self, features: Tensor, attended: Tensor) -> Tensor:
        features = features + self.drop_path(attended)
        out: Tensor = features + self.drop_path(self.mlp(self.norm2(features)))
        return out


class PatchMerging(nn.Module):
    """2 x 2 neighbours to one token: LayerNorm on 4 C, linear to 2 C. (B, H, W, C) to (B, H / 2, W / 2, 2 C)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, outputs, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[1:3]
        if height % 2 or width % 2:
            features = F.pad(features, (0, 0, 0, width % 2, 0, height % 2))
        corners = [features[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(corners, dim=-1)))
        return out


class PatchEmbedding(nn.Module):
    """4 x 4 convolution of stride 4 and LayerNorm: (B, 3, H, W) to (B, H / 4, W / 4, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, 4, 4)
        self.norm = nn.LayerNorm(channels)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.norm(self.proj(images).permute(0, 2, 3, 1))
        return out


class Stage(nn.Module):
    """Blocks with shift 0, 3, 0, 3 ..., and patch merging behind all stages but the last."""

    def __init__(self, blocks: list[Block], window: int, downsample: PatchMerging | None) -> None:
        super().__init__()
        self.window = window
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample if downsample is not None else nn.Identity()

    def template(self, features: Tensor) -> tuple[Tensor, Memory | None]:
        """Features (B, H, W, C) before merging, and the memory of the last block."""
        memory = None
        for index, block in enumerate(self.blocks):
            features, memory = block.template(features, self._grid(features, index))  # type: ignore[operator]
        return features, memory

    def search(self, features: Tensor, memory: Memory | None) -> Tensor:
        """Features (B, H, W, C) before merging; only the last block can use the memory."""
        for index, block in enumerate(self.blocks):
            features = block.search(features, self._grid(features, index), memory)  # type: ignore[operator]
        return features

    def _grid(self, features: Tensor, index: int) -> Windows:
        height, width = features.shape[1:3]
        return Windows(height, width, self.window, self.window // 2 if index % 2 else 0)


class InteractionSwin(nn.Module):
    """The released backbone.

    Args:
        widths, depths, heads: per stage.
        window: side of a window.
        width: channels of the fused output.
        tca: per stage, whether its last block has TCA.
        cross_window: -1 for TCA as shipped, any positive number for the paper's layout (a window's positions).
        mlp_ratio: hidden width of the MLPs over C.
        fused: see ``networks.layers.attention``.
        drop_path: rate of stochastic depth of the last block, rising linearly from 0 at the first.
    """

    def __init__(
        self,
        *,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        heads: tuple[int, ...],
        window: int,
        width: int,
        tca: tuple[bool, ...],
        cross_window: int = -1,
        mlp_ratio: float = 4.0,
        fused: bool = True,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        cross = PositionTCA if cross_window > 0 else ShippedTCA
        rates = rising(drop_path, sum(depths))

        def block(stage: int, index: int) -> Block:
            last = index == depths[stage] - 1
            crossing = cross(heads[stage], fused) if last and tca[stage] else Skip()
            attn = WindowAttention(widths[stage], heads[stage], window, crossing, fused)
            return Block(widths[stage], heads[stage], attn, mlp_ratio, next(rates))

        def merging(stage: int) -> PatchMerging | None:
            return PatchMerging(widths[stage], widths[stage + 1]) if stage + 1 < len(widths) else None

        self.patch_embed = PatchEmbedding(widths[0])
        self.layers = nn.ModuleList(
            Stage([block(stage, index) for index in range(depths[stage])], window, merging(stage))
            for stage in range(len(widths))
        )
        for stage, channels in enumerate(widths):
            self.add_module(f"norm{stage}", nn.LayerNorm(channels))
        maps = [nn.Conv2d(channels, width, 1) for channels in widths]
        self.down_and_cat = nn.ModuleList([*maps, nn.Conv2d(width * len(widths), width, 1)])
        self.apply(init_transformer)

    def template(self, images: Tensor) -> tuple[Tensor, tuple[Memory | None, ...]]:
        """(B, 3, H, W) to the fused map (B, width, H/8, W/8) and one memory per stage (None without TCA)."""
        features, outputs, memories = self.patch_embed(images), [], []
        for stage in self.layers:
            features, memory = stage.template(features)  # type: ignore[operator]
            outputs.append(features)
            memories.append(memory)
            features = stage.downsample(features)  # type: ignore[operator]
        return self._fuse(outputs), tuple(memories)

    def search(self, images: Tensor, memories: tuple[Memory | None, ...]) -> Tensor:
        """(B, 3, H, W) and the template's memories to the fused map (B, width, H/8, W/8)."""
        features, outputs = self.patch_embed(images), []
        for stage, memory in zip(self.layers, memories, strict=True):
            features = stage.search(features, memory)  # type: ignore[operator]
            outputs.append(features)
            features = stage.downsample(features)  # type: ignore[operator]
        return self._fuse(outputs)

    def _fuse(self, outputs: list[Tensor]) -> Tensor:
        """Norm, 1x1 map, bicubic to the second stage's size; concatenation, 1x1 map."""
        size = outputs[1].shape[1:3]
        levels = []
        for stage, features in enumerate(outputs):
            normed = self.get_submodule(f"norm{stage}")(features).permute(0, 3, 1, 2)
            level = self.down_and_cat[stage](normed)
            if level.shape[2:] != size:
                level = F.interpolate(level, size=size, mode="bicubic", align_corners=False)
            levels.append(level)
        fused: Tensor = self.down_and_cat[-1](torch.cat(levels, dim=1))
        return fused
