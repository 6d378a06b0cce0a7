"""Prediction heads on tokens (TransT, section 3.3): two three-layer MLPs for class and box."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.layers import cell_centres


class Outputs(NamedTuple):
    """What a transformer tracker predicts for every token of the search region, row by row.

    Attributes:
        logits: (B, L, 2), class 0 is the target.
        boxes: (B, L, 4) centre x, centre y, w, h as fractions of the search region's side, in (0, 1).
    """

    logits: Tensor
    boxes: Tensor


class MlpHead(nn.Module):
    """Three linear layers with ReLU between: (B, L, width) to (B, L, outputs)."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, outputs)])

    def forward(self, tokens: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            tokens = F.relu(layer(tokens))
        out: Tensor = self.layers[-1](tokens)
        return out


class BoxHead(nn.Module):
    """Class and box of every token.

    Args:
        width: channels of the tokens.
        reference: ``search``: the box is the plain sigmoid of the MLP, as released. ``cell``: the logit of the
            token's own place is added to its centre before the sigmoid, as in Deformable DETR. A token of the
            depth-wise response carries no position, so it could not know an absolute centre otherwise.
    """

    def __init__(self, width: int, reference: str = "search") -> None:
        super().__init__()
        self.class_embed = MlpHead(width, 2)
        self.bbox_embed = MlpHead(width, 4)
        self.reference = reference

    def forward(self, tokens: Tensor) -> Outputs:
        raw = self.bbox_embed(tokens)
        if self.reference == "cell":
            raw = raw + cell_logits(tokens.shape[1], raw.device).to(raw.dtype)
        return Outputs(self.class_embed(tokens), raw.sigmoid())


def cell_logits(count: int, device: torch.device) -> Tensor:
    """(count, 4): logits of the cells' centres in a square map of ``count`` cells, row by row; zero for w and h."""
    return F.pad(torch.logit(cell_centres(round(count**0.5), device)), (0, 2))
