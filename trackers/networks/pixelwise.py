"""What the small presets change in the paper's transformer trackers, the same in every row of the ablations.

Trained on few pairs, a tracker of a million parameters with the paper's matching and heads finds its target but not
the target's size. Two config values mend that; others give the paper's parts back:

* ``pixelwise``: next to the matching's own result the head sees how alike every search cell is to every template
  cell (cosines, with a learned temperature), and the search feature itself.
* ``box_reference="anchor"``: a cell predicts the box relative to the target's in the template: centre = cell + offset
  times that size, size = that size times exp(d). Nothing predicted then means nothing changed.
* with it goes a convolutional head, so that a cell can see where the likeness ends around it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.heads import Outputs
from inmo.trackers.networks.layers import cell_centres, to_tokens

GROUPS = 8
LARGEST = 2.0  # |d|: sizes between exp(-2) and exp(2) times the template's


class PixelwiseCache(NamedTuple):
    """The matching's own cache, and the template's cells (B, cells, C), of unit length."""

    inner: Any
    cells: Tensor


class PixelwiseNeck(nn.Module):
    """A matching neck, joined with pixel-wise correlation.

    Args:
        neck: gives tokens (B, L, width).
        inputs: channels of the backbone's map.
        cells: of the template's map.
        width: channels of the result.
    """

    def __init__(self, neck: nn.Module, inputs: int, cells: int, width: int) -> None:
        super().__init__()
        self.neck, self.cells = neck, cells
        self.temperature = nn.Parameter(torch.tensor(2.0))
        self.gain, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.join = nn.Linear(width + inputs + cells, width)
        self.norm = nn.GroupNorm(GROUPS, width)

    def template(self, features: Tensor) -> PixelwiseCache:
        """(B, inputs, h, w) to the cache."""
        return PixelwiseCache(self.neck.template(features), _unit(features))  # type: ignore[operator]

    def search(self, features: Tensor, cache: PixelwiseCache) -> Tensor:
        """(B, inputs, H, W) to (B, H W, width)."""
        matched = self.neck.search(features, cache.inner) * self.gain + self.bias  # type: ignore[operator]
        alike = (_unit(features) @ cache.cells.transpose(1, 2)) * self.temperature.exp()
        joined = self.join(torch.cat((matched, to_tokens(features), alike), dim=-1))
        side = round(joined.shape[1] ** 0.5)
        maps = joined.view(len(joined), side, side, -1).permute(0, 3, 1, 2)  # channels-last, as the norm is quickest
        return to_tokens(F.relu(self.norm(maps)))


def _unit(features: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H W, C): normalised over channels, then of unit length."""
    tokens = to_tokens(features)
    return F.normalize(F.layer_norm(tokens, tokens.shape[-1:]), dim=-1)


def other_cells(join: Tensor, had: int, cells: int) -> Tensor:
    """``PixelwiseNeck.join``'s weights (width, rest + had) for a square template map of ``cells``, not ``had``, cells:
    bilinear between the cells, and over their number, so that what equal cosines add up to stays."""
    sides = round(had**0.5), round(cells**0.5)
    maps = join[:, -had:].reshape(len(join), 1, sides[0], sides[0]).float()
    spread = F.interpolate(maps, size=(sides[1], sides[1]), mode="bilinear", align_corners=False)
    return torch.cat((join[:, :-had].float(), spread.flatten(1) * (had / cells)), dim=1)


class ConvBlock(nn.Module):
    """x + ReLU(GroupNorm(1x1(depth-wise 5x5(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False)
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.norm = nn.GroupNorm(GROUPS, width)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + F.relu(self.norm(self.mix(self.spread(maps))))


class ConvHead(nn.Module):
    """Class and box of every cell of a square map, by convolutions: two blocks for the class, three for the box."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.class_tower = nn.Sequential(ConvBlock(width), ConvBlock(width))
        self.box_tower = nn.Sequential(ConvBlock(width), ConvBlock(width), ConvBlock(width))
        self.class_out = nn.Conv2d(width, 1, 3, padding=1)
        self.box_out = nn.Conv2d(width, 4, 3, padding=1)
        for layer in (self.class_out, self.box_out):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.constant_(self.class_out.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, tokens: Tensor, anchors: Tensor) -> Outputs:
        """(B, L, width) and (B, 2) to Outputs; the second logit is zero."""
        batch, length, width = tokens.shape
        side = round(length**0.5)
        # channels-last: no copy, quicker convolutions
        maps = tokens.reshape(batch, side, side, width).permute(0, 3, 1, 2)
        score = to_tokens(self.class_out(self.class_tower(maps)))
        moves = to_tokens(self.box_out(self.box_tower(maps)))
        return Outputs(torch.cat((score, torch.zeros_like(score)), dim=-1), self.boxes(moves, anchors, side))

    @staticmethod
    def boxes(moves: Tensor, anchors: Tensor, side: int) -> Tensor:
        """Moves (B, L, 4) relative to the anchors (B, 2) to boxes cx, cy, w, h as fractions of the search region."""
        centres = cell_centres(side, moves.device, moves.dtype)
        anchor = anchors[:, None].to(moves.dtype)
        sizes = anchor * moves[..., 2:].clamp(-LARGEST, LARGEST).exp()
        return torch.cat((centres + moves[..., :2] * anchor, sizes), dim=-1)


def search_anchors(anchors: Tensor) -> Tensor:
    """Sizes (B, 2) as fractions of the template crop's side to fractions of the search crop's, cut for the same target:
    over sqrt((w + 3 p)(h + 3 p)), p = (w + h) / 2, which has no unit."""
    padding = anchors.sum(dim=-1, keepdim=True) * 1.5
    return anchors / (anchors + padding).prod(dim=-1, keepdim=True).sqrt()
