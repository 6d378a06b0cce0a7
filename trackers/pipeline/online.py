"""A classifier of a target against what surrounds it, learnt while it is tracked. Off unless asked, of no paper's.

Ridge regression from the network's map of a search region to a bump over the target, in closed form as correlation
filters have it, but over cells instead of shifts: all that is remembered of the frames are their normal equations. The
first frame's, whose box is true, keep a share of their own; later ones fade. What the classifier says is a factor on
the network's foreground probability: a look-alike that was there in earlier frames has been learnt as not the target.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

RATE = 0.1  # what a frame takes of the later ones' share
FIRST = 0.3  # the first frame's share
RIDGE = 0.1  # times the mean of the diagonal
SPREAD = 0.25  # of the bump, standard deviation over the target's w and h
SURE = 0.5  # score from which a frame is learnt
LEAST = 1e-3  # what no cell's factor is under
TARGET, AROUND = 0.3, 0.05  # from and to which bump a cell is of the target, of what surrounds it
BETWEEN = 0.3  # weight of the cells between them


class Equations(NamedTuple):
    """Normal equations of weighted cells: (B, C + 1, C + 1) and (B, C + 1)."""

    gram: Tensor
    right: Tensor


class Online(NamedTuple):
    """What has been learnt of B targets: of their first frames, and of later ones."""

    first: Equations
    later: Equations


def cells_of(maps: Tensor, dtype: torch.dtype) -> Tensor:
    """What is learnt from: maps (B, C, S, S) of search regions to (B, S * S, C + 1), the cells row by row, normalised
    over the channels, and a one."""
    cells = maps.flatten(2).transpose(1, 2).to(dtype)
    return F.pad(F.layer_norm(cells, cells.shape[-1:]), (0, 1), value=1.0)


def begin(cells: Tensor, size: Tensor) -> Online:
    """Learn the first frames.

    Args:
        cells: of search regions with the targets in their middle, see ``cells_of``; on any device.
        size: (B, 2) w, h of the targets as fractions of the regions' sides.
    """
    first = _equations(cells, torch.full_like(size, 0.5), size)
    return Online(first, first)


def likeness(online: Online, cells: Tensor) -> Tensor:
    """(B, S * S) in [``LEAST``, 1]: how much the cells are like the targets."""
    shares = (FIRST * first + (1.0 - FIRST) * later for first, later in zip(*online, strict=True))
    gram, right = shares
    mean = gram.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
    ridge = RIDGE * mean * torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    weights = torch.linalg.solve(gram + ridge, right)
    return torch.einsum("blc,bc->bl", cells, weights).clamp(LEAST, 1.0)


def learn(online: Online, cells: Tensor, centre: Tensor, size: Tensor, score: Tensor) -> Online:
    """What is known after frames in which the targets were found at ``centre`` with ``size``, (B, 2) each, as fractions
    of the search regions that the cells are of, with ``score`` (B,)."""
    seen = _equations(cells, centre, size)
    rate = RATE * (score >= SURE).to(size.dtype)
    return Online(
        online.first,
        Equations(
            torch.lerp(online.later.gram, seen.gram, rate[:, None, None]),
            torch.lerp(online.later.right, seen.right, rate[:, None]),
        ),
    )


def _equations(cells: Tensor, centre: Tensor, size: Tensor) -> Equations:
    """Of one frame: target and surroundings weigh the same, however many cells they have."""
    side = round(cells.shape[1] ** 0.5)
    places = (torch.arange(side, device=cells.device, dtype=cells.dtype) + 0.5) / side
    x, y = (((places - centre[:, i, None]) / (SPREAD * size[:, i, None])) ** 2 for i in range(2))
    bump = torch.exp(-(x[:, None, :] + y[:, :, None]) / 2).flatten(1)
    clear = torch.where((bump > TARGET) | (bump < AROUND), 1.0, BETWEEN).to(cells.dtype)
    tiny = torch.finfo(cells.dtype).tiny
    target, around = (part / part.sum(1, keepdim=True).clamp(min=tiny) for part in (clear * bump, clear * (1.0 - bump)))
    weighted = (cells * (target + around)[..., None]).transpose(1, 2)
    return Equations(weighted @ cells, torch.einsum("bcl,bl->bc", weighted, bump))
