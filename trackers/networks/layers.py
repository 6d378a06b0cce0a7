"""Small modules that several networks share. Token tensors are (..., length, channels), feature maps (B, C, H, W)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def attention(
    query: Tensor, key: Tensor, value: Tensor, *, bias: Tensor | None = None, scale: float, fused: bool
) -> Tensor:
    """softmax(scale * Q K^T + bias) V.

    Args:
        query, key, value: (B, heads, L, d), (B, heads, S, d), (B, heads, S, e).
        bias: added to the scores, broadcastable to (B, heads, L, S); a masked key holds a large negative number.
        scale: factor on the scores.
        fused: PyTorch's scaled_dot_product_attention, else the formula written out; equal to about 1e-6.

    Returns:
        (B, heads, L, e).
    """
    if fused:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)
    scores = (query * scale) @ key.transpose(-2, -1)
    if bias is not None:
        scores = scores + bias
    return torch.softmax(scores, dim=-1) @ value


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """(B, L, C) to (B, heads, L, C / heads), heads by consecutive channels."""
    batch, length, channels = tokens.shape
    return tokens.view(batch, length, heads, channels // heads).transpose(1, 2)


def join_heads(tokens: Tensor) -> Tensor:
    """(B, heads, L, d) to (B, L, heads * d): the inverse of ``split_heads``."""
    return tokens.transpose(1, 2).flatten(2)


def to_tokens(maps: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H * W, C), row by row."""
    return maps.flatten(2).transpose(1, 2)


def cells(places: Tensor) -> Tensor:
    """(n * n, 2) x, y of the cells of a square map, row by row, whose columns and rows stand at ``places`` (n,)."""
    rows, columns = torch.meshgrid(places, places, indexing="ij")
    return torch.stack((columns, rows), dim=-1).view(-1, 2)


def cell_centres(side: int, device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """(side * side, 2) x, y of the cells' centres as fractions of a square map's side, row by row."""
    return cells((torch.arange(side, device=device, dtype=dtype) + 0.5) / side)


class Skip(nn.Module):
    """Stands where a part of an interaction is switched off: nothing remembered, nothing changed."""

    def memory(self, *template: Any) -> Any:
        return None

    def forward(self, features: Any, *more: Any) -> Any:
        return features


class Mlp(nn.Module):
    """Linear, exact GELU, linear."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return out


class DropPath(nn.Module):
    """Stochastic depth: in training each sample of the batch loses this branch with probability ``rate``."""

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return branch
        keep = torch.rand(branch.shape[0], *[1] * (branch.dim() - 1), device=branch.device) >= self.rate
        return branch * keep / (1.0 - self.rate)


@lru_cache(maxsize=64)
def sine_encoding(height: int, width: int, channels: int, device: torch.device) -> Tensor:
    """The position encoding of DETR, normalised: (1, channels, height, width) float32; kept, so never change it.

    The first half of the channels encodes the row, the second the column. Positions count from 1 and are scaled to
    2 pi; sines stand at even, cosines at odd channels; periods grow to 10000.
    """
    half = channels // 2

    def axis(length: int) -> Tensor:
        steps = torch.arange(half, dtype=torch.float32, device=device)
        periods = 10000.0 ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)
        places = torch.arange(1, length + 1, dtype=torch.float32, device=device)
        angles = (places / (length + 1e-6) * 2 * math.pi)[:, None] / periods
        return torch.stack((angles[:, 0::2].sin(), angles[:, 1::2].cos()), dim=2).flatten(1)

    with torch.inference_mode(False):
        rows = axis(height).t()[:, :, None].expand(half, height, width)
        columns = axis(width).t()[:, None, :].expand(half, height, width)
        return torch.cat((rows, columns))[None]


def rising(rate: float, count: int) -> Iterator[float]:
    """Rates of stochastic depth for ``count`` blocks, rising linearly from 0 at the first to ``rate`` at the last."""
    return (rate * index / max(count - 1, 1) for index in range(count))


def init_he(network: nn.Module) -> None:
    """He's initialisation (fan out) of all convolutions, with zero biases."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_transformer(module: nn.Module) -> None:
    """Swin's initialisation, for ``nn.Module.apply``: truncated normal 0.02, zero biases, norms at one."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LayerNorm):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
