"""Matching of template and search features: depth-wise correlation, or the feature fusion of TransT.

A neck has two calls: ``template(map) -> cache`` once per target, ``search(map, cache) -> tokens (B, L, C)`` per frame.
Sources: SiamRPN++ (depth-wise correlation), TransT section 3.2, SOTS (fusion without projections).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.layers import attention, join_heads, sine_encoding, split_heads, to_tokens


def depthwise_correlation(search: Tensor, kernel: Tensor, *, padded: bool) -> Tensor:
    """Correlate every channel of ``search`` (B, C, H, W) with the same channel of ``kernel`` (B, C, h, w).

    Returns:
        The plain sums: (B, C, H, W) if ``padded`` (zeros, h // 2 above and left, the rest below and right), else
        (B, C, H - h + 1, W - w + 1).
    """
    batch, channels, height, width = kernel.shape
    if padded:
        above, left = height // 2, width // 2
        search = F.pad(search, (left, width - 1 - left, above, height - 1 - above))
    stacked = search.reshape(1, batch * channels, *search.shape[2:])
    response = F.conv2d(stacked, kernel.reshape(batch * channels, 1, height, width), groups=batch * channels)
    return response.view(batch, channels, *response.shape[2:])


def crop_centre(maps: Tensor, side: int) -> Tensor:
    """The middle (B, C, side, side) of square maps, which holds the target itself without its surroundings."""
    first = (maps.shape[-1] - side) // 2
    return maps[..., first : first + side, first : first + side]


class DepthwiseNeck(nn.Module):
    """Depth-wise correlation with the whole template map, zero-padded so that the response keeps the search map's
    size (32 x 32): one token per cell, as the head, the labels and the Hanning window of the family expect.

    The sum over the template's h w cells is divided by h w, which makes it a mean: with unit-variance features the
    raw sum has a deviation of 16 and more, which saturates the head's sigmoid. The mean is kept (no norm over the
    response), since how strong a match is must survive. ``learned`` adds a factor per channel, initially one.
    ``centre`` takes only the middle ``centre`` x ``centre`` cells of the template, the target itself; 0 takes all.
    """

    def __init__(self, width: int, learned: bool, centre: int = 0) -> None:
        super().__init__()
        self.centre = centre
        self.gain = nn.Parameter(torch.ones(width, 1, 1)) if learned else None

    def template(self, features: Tensor) -> Tensor:
        """The kernel: the template map (B, C, h, w) over h w, times the learned factor."""
        if self.centre:
            features = crop_centre(features, self.centre)
        kernel = features / (features.shape[2] * features.shape[3])
        return kernel if self.gain is None else kernel * self.gain

    def search(self, features: Tensor, cache: Tensor) -> Tensor:
        """(B, C, H, W) to (B, H W, C)."""
        return to_tokens(depthwise_correlation(features, cache, padded=True))


class ProjectedAttention(nn.Module):
    """TransT's attention: query, key, value and output projections with biases. Names are torch's own."""

    def __init__(self, width: int, heads: int, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        parts = [
            split_heads(F.linear(tokens, weight, bias), self.heads)
            for tokens, weight, bias in zip((query, key, value), weights, biases, strict=True)
        ]
        return _attend(parts, self.out_proj, self.fused)


class PlainAttention(nn.Module):
    """The attention of SOTS's fusion: heads by channel split, no input projections, output linear without bias."""

    def __init__(self, width: int, heads: int, fused: bool) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.fc = nn.Linear(width, width, bias=False)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return _attend([split_heads(tokens, self.heads) for tokens in (query, key, value)], self.fc, self.fused)


def _attend(parts: list[Tensor], output: nn.Module, fused: bool) -> Tensor:
    query, key, value = parts
    out: Tensor = output(join_heads(attention(query, key, value, scale=query.shape[-1] ** -0.5, fused=fused)))
    return out


class FusionSizes(NamedTuple):
    """Numbers of a fusion neck: channels, heads, hidden width of the feed-forwards, dropout in training."""

    width: int
    heads: int
    hidden: int
    dropout: float


class EncoderLayer(nn.Module):
    """Self-attention on both branches, cross-attention both ways from the same values, feed-forwards; post-norm.

    Branch 1 is the template, branch 2 the search region; names are those of the official state dicts.
    """

    def __init__(self, sizes: FusionSizes, attend: Callable[[], nn.Module]) -> None:
        super().__init__()
        width, hidden = sizes.width, sizes.hidden
        self.self_attn1, self.self_attn2 = attend(), attend()
        self.multihead_attn1, self.multihead_attn2 = attend(), attend()
        self.linear11, self.linear12 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.linear21, self.linear22 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm11, self.norm12, self.norm13 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.norm21, self.norm22, self.norm23 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(sizes.dropout)

    def template(self, tokens: Tensor, position: Tensor) -> Tensor:
        """The template's self-attention, which in the first layer depends on the template alone."""
        placed = tokens + position
        out: Tensor = self.norm11(tokens + self.dropout(self.self_attn1(placed, placed, tokens)))
        return out

    def forward(self, template: Tensor, search: Tensor, position1: Tensor, position2: Tensor) -> tuple[Tensor, Tensor]:
        """Template tokens as ``template`` left them and search tokens as they came, both encoded."""
        placed = search + position2
        search = self.norm21(search + self.dropout(self.self_attn2(placed, placed, search)))
        placed1, placed2 = template + position1, search + position2
        cross1 = self.multihead_attn1(placed1, placed2, search)
        cross2 = self.multihead_attn2(placed2, placed1, template)
        template = self.norm12(template + self.dropout(cross1))
        search = self.norm22(search + self.dropout(cross2))
        forward1 = self.linear12(self.dropout(F.relu(self.linear11(template))))
        forward2 = self.linear22(self.dropout(F.relu(self.linear21(search))))
        return self.norm13(template + self.dropout(forward1)), self.norm23(search + self.dropout(forward2))


class DecoderLayer(nn.Module):
    """Search tokens ask template tokens, then a feed-forward; post-norm."""

    def __init__(self, sizes: FusionSizes, attend: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.multihead_attn = attend()
        self.linear1, self.linear2 = nn.Linear(sizes.width, sizes.hidden), nn.Linear(sizes.hidden, sizes.width)
        self.norm1, self.norm2 = nn.LayerNorm(sizes.width), nn.LayerNorm(sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, template: Tensor, search: Tensor, position1: Tensor, position2: Tensor) -> Tensor:
        answer = self.multihead_attn(search + position2, template + position1, template)
        search = self.norm1(search + self.dropout(answer))
        hidden = self.linear2(self.dropout(F.relu(self.linear1(search))))
        out: Tensor = self.norm2(search + self.dropout(hidden))
        return out


class Encoder(nn.Module):
    """A stack of encoder layers, possibly empty."""

    def __init__(self, layers: list[EncoderLayer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


class Decoder(nn.Module):
    """One decoder layer and the closing LayerNorm."""

    def __init__(self, layer: DecoderLayer, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([layer])
        self.norm = nn.LayerNorm(width)

    def forward(self, template: Tensor, search: Tensor, position1: Tensor, position2: Tensor) -> Tensor:
        out: Tensor = self.norm(self.layers[0](template, search, position1, position2))
        return out


class FusionCache(NamedTuple):
    """Template tokens (B, L, C) after all that needs no search region, and the sides of their map."""

    tokens: Tensor
    height: int
    width: int


class FusionNeck(nn.Module):
    """TransT's feature fusion: ``layers`` encoder layers and one decoder layer.

    The template side is encoded anew for every frame, because it looks at the search region; what comes before its
    first look (projection, encoding, the first layer's self-attention) is cached.

    Args:
        inputs: channels of the backbone's map.
        sizes: see FusionSizes.
        layers: encoder layers, 0 or more.
        attend: makes one attention module.
    """

    def __init__(self, inputs: int, sizes: FusionSizes, layers: int, attend: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.width = sizes.width
        self.input_proj = nn.Conv2d(inputs, sizes.width, 1)
        self.encoder = Encoder([EncoderLayer(sizes, attend) for _ in range(layers)])
        self.decoder = Decoder(DecoderLayer(sizes, attend), sizes.width)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1 and not name.startswith("input_proj"):
                nn.init.xavier_uniform_(parameter)

    def template(self, features: Tensor) -> FusionCache:
        """(B, inputs, h, w) to what the search side will ask."""
        tokens = to_tokens(self.input_proj(features))
        position = self._position(tokens, *features.shape[2:])
        for layer in self.encoder.layers[:1]:
            tokens = layer.template(tokens, position)  # type: ignore[operator]
        return FusionCache(tokens, *features.shape[2:])

    def search(self, features: Tensor, cache: FusionCache) -> Tensor:
        """(B, inputs, H, W) to tokens (B, H W, C)."""
        search, template = to_tokens(self.input_proj(features)), cache.tokens
        position1 = self._position(template, cache.height, cache.width)
        position2 = self._position(search, *features.shape[2:])
        for index, layer in enumerate(self.encoder.layers):
            if index:
                template = layer.template(template, position1)  # type: ignore[operator]
            template, search = layer(template, search, position1, position2)
        out: Tensor = self.decoder(template, search, position1, position2)
        return out

    def _position(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """(1, H W, C): the sine encoding in the tokens' own type."""
        return to_tokens(sine_encoding(height, width, self.width, tokens.device)).to(tokens.dtype)
