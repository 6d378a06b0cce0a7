"""Which cells of the output map are the target. Boxes are (B, 4) cx, cy, w, h as fractions of the search region."""

from __future__ import annotations

import torch
from torch import Tensor

from inmo.trackers.networks.layers import cell_centres, cells

STRIDE = 8
NOTHING, TARGET, IGNORED = 0, 1, -1


def corners(boxes: Tensor) -> Tensor:
    """(..., 4) cx, cy, w, h to left, top, right, bottom."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat((centre - half, centre + half), dim=-1)


def token_labels(boxes: Tensor, side: int) -> Tensor:
    """TransT: every token whose index lies in the box is the target: (B, side * side) of 0 and 1, row by row.

    Columns ceil(left * side) to ceil(right * side) - 1, rows alike, at least one of each. What lies outside the map is
    cut; at least the nearest row and column stays.
    """
    first, last = torch.ceil(corners(boxes) * side).long().chunk(2, dim=-1)
    last = torch.maximum(last, first + 1)
    first, last = first.clamp(0, side - 1), last.clamp(1, side)
    return _rectangle(first, last, side)


def released_token_labels(boxes: Tensor, side: int) -> Tensor:
    """SOTS: as ``token_labels``, but a negative first index counts from the far end, as Python slices do there, and
    so may leave a target that crosses the left or upper border without any token."""
    first, last = torch.ceil(corners(boxes) * side).long().chunk(2, dim=-1)
    last = torch.where(last == first, first + 1, last)
    wrapped_first = torch.where(first < 0, (first + side).clamp(min=0), first)
    wrapped_last = torch.where(last < 0, (last + side).clamp(min=0), last).clamp(max=side)
    return _rectangle(wrapped_first, wrapped_last, side)


def _rectangle(first: Tensor, last: Tensor, side: int) -> Tensor:
    """(B, side^2) one inside columns first[0] .. last[0] - 1 and rows first[1] .. last[1] - 1."""
    places = torch.arange(side, device=first.device)
    inside = (places >= first[..., None]) & (places < last[..., None])  # (B, 2, side): columns, rows
    return (inside[:, 1, :, None] & inside[:, 0, None, :]).flatten(1).long()


def inner_labels(boxes: Tensor, side: int) -> Tensor:
    """For small maps: (B, side * side): target where the cell's centre lies in the inner half of the box (half as wide
    and high), at least the nearest cell; ignored in the rest of the box; nothing elsewhere."""
    centres = cell_centres(side, boxes.device)
    offset = (centres[None] - boxes[:, None, :2]).abs()
    inner, whole = ((offset <= boxes[:, None, 2:] * share).all(dim=-1) for share in (0.25, 0.5))
    labels = torch.where(whole, IGNORED, NOTHING)
    labels[inner] = TARGET
    nearest = (offset.square().sum(dim=-1)).argmin(dim=1)
    labels[torch.arange(len(boxes), device=boxes.device), nearest] = TARGET
    return labels


def grid_points(side: int, search_size: int, device: torch.device) -> Tensor:
    """SiamCAR: (side * side, 2) x, y in pixels of the search crop: 32 + 8 k for 25 cells and 255 pixels."""
    return cells(((search_size - (side - 1) * STRIDE) // 2 + 1 + STRIDE * torch.arange(side, device=device)).float())


def car_labels(boxes: Tensor, side: int, search_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """SiamCAR: the central 40 % of the box is the target.

    Returns:
        labels (B, side^2) of 0 and 1: l and r above 0.6 w / 2, t and b above 0.6 h / 2;
        distances (B, side^2, 4) l, t, r, b in pixels of the search crop;
        centerness (B, side^2): sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)), 0 where nothing is.
    """
    points = grid_points(side, search_size, boxes.device)
    first, last = (corners(boxes) * search_size).chunk(2, dim=-1)
    distances = torch.cat((points[None] - first[:, None], last[:, None] - points[None]), dim=-1)
    size = (last - first)[:, None]
    margin = 0.6 * size / 2
    positive = ((distances[..., :2] > margin) & (distances[..., 2:] > margin)).all(dim=-1)
    low = torch.minimum(distances[..., :2], distances[..., 2:])
    high = torch.maximum(distances[..., :2], distances[..., 2:])
    centerness = (low.clamp(min=0) / high.clamp(min=1e-6)).prod(dim=-1).sqrt()
    return positive.long(), distances, torch.where(positive, centerness, 0.0)
