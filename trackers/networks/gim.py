"""The General Interaction Modeler (GIM) of the InMo paper (IJCAI 2022, section 3): WP, CSA, TCA.

Features are channels-last maps (B, H, W, C); inside a GIM they are *groups* (B, G, N, C): attention runs along N and
never between groups.

* WP, the window process, cuts the map in non-overlapping win x win windows and gathers the tokens that stand at the
  same position inside their window: G = win^2 groups of N = HW / win^2 tokens. Attention so runs *across* windows.
  A map that is no multiple of win is padded with zeros right and below, and padded tokens are masked out as keys.
  win = 1 makes one group of all HW tokens, which is what "without WP" means: the switch is a value, not a branch.
* CSA:  f_CSA = f_WP + MultiHead(f_WP W_Q, f_WP W_K, f_WP W_V)                      on both branches
* TCA:  f_TCA = f_x + MultiHead(f_x_WP W_Q, f_z_WP W_K, f_z_WP W_V)                 on the search branch only
* MultiHead(Q, K, V) = Concat(head_1 ... head_n) W_map,  head_i = softmax(Q_i K_i^T / sqrt(d_i)) V_i,
  heads by channel split, W_Q, W_K, W_V from C to d and W_map from d to C, without biases as in the formulas.

TCA takes both branches as CSA of the same GIM leaves them. Two values are additions to the paper and on by default,
because without them twelve GIMs do not train well: ``prenorm`` (a LayerNorm in front of each part) and
``mlp_ratio`` (a GELU MLP with its own residual after TCA). ``prenorm=False, mlp_ratio=0`` gives the bare formulas.

Cost of the attention products for one branch: 2 G N^2 d = 2 (HW)^2 d / win^2 = 2 HW N d multiply-adds: linear in HW
as long as the number of windows N is fixed, and win^2 times less than the 2 (HW)^2 d without WP.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Required, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inmo.trackers.networks.layers import DropPath, Mlp, Skip, attention, join_heads

MASKED = -1e9  # finite, so that a group without any key stays finite (its result is set to zero)


class Groups(NamedTuple):
    """Tokens of one branch in groups: (B, G, N, C), with the size of the map and the window they were cut with."""

    tokens: Tensor
    height: int
    width: int
    window: int


class Memory(NamedTuple):
    """What the TCA of one GIM keeps of the template, computed once per target: keys and values (B, G, n, Nz, d / n),
    and the template map's size and window."""

    key: Tensor
    value: Tensor
    height: int
    width: int
    window: int


def window_process(features: Tensor, window: int) -> Tensor:
    """WP: (B, H, W, C) to (B, win^2, N, C), zero-padded to a multiple of ``window``; N counts windows row by row.

    >>> cells = torch.arange(16).view(1, 4, 4, 1)  # numbered row by row
    >>> window_process(cells, 2)[0, :, :, 0]  # four groups: the cells that stand at one place of their windows
    tensor([[ 0,  2,  8, 10],
            [ 1,  3,  9, 11],
            [ 4,  6, 12, 14],
            [ 5,  7, 13, 15]])
    >>> window_process(cells, 1).shape  # without WP all cells are one group
    torch.Size([1, 1, 16, 1])
    """
    height, width = features.shape[1:3]
    below, right = -height % window, -width % window
    if below or right:
        features = F.pad(features, (0, 0, 0, right, 0, below))
    batch, height, width, channels = features.shape
    grid = features.reshape(batch, height // window, window, width // window, window, channels)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(batch, window * window, -1, channels)


def window_restore(tokens: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of ``window_process``: (B, win^2, N, C) to (B, height, width, C), padding cut away."""
    batch, channels = tokens.shape[0], tokens.shape[-1]
    rows, columns = -(-height // window), -(-width // window)
    grid = tokens.reshape(batch, window, window, rows, columns, channels).permute(0, 3, 1, 4, 2, 5)
    return grid.reshape(batch, rows * window, columns * window, channels)[:, :height, :width]


def group(features: Tensor, window: int) -> Groups:
    """Cut a map (B, H, W, C) in groups; ``window`` 1 = without WP."""
    height, width = features.shape[1:3]
    return Groups(window_process(features, window), height, width, window)


def ungroup(groups: Groups) -> Tensor:
    """The map (B, H, W, C) of groups."""
    return window_restore(groups.tokens, groups.window, groups.height, groups.width)


@lru_cache(maxsize=64)
def padding_masks(height: int, width: int, window: int, device: torch.device) -> tuple[Tensor | None, Tensor | None]:
    """What keeps padded tokens out of attention.

    Returns:
        bias: (G, 1, 1, N) added to the scores, MASKED at padded keys; None when nothing is padded.
        alive: (G, 1, 1) zero for groups that hold padding alone, else one; None when every group holds a token.
    """
    if height % window == 0 and width % window == 0:
        return None, None
    with torch.inference_mode(False):
        real = window_process(torch.ones(1, height, width, 1, device=device), window)[0, :, :, 0]
        bias = ((1.0 - real) * MASKED)[:, None, None, :]
        alive = real.amax(dim=1)[:, None, None] if height < window or width < window else None
    return bias, alive


def grouped_attention(query: Tensor, memory: Memory, fused: bool) -> Tensor:
    """Multi-head attention inside every group: (B, G, n, L, d / n) asks the memory; (B, G, L, d).

    A group without a single key gets zero.
    """
    batch, groups = query.shape[:2]
    bias, alive = padding_masks(memory.height, memory.width, memory.window, query.device)
    if bias is not None:
        bias = bias.to(query.dtype).repeat(batch, 1, 1, 1)
    scale = query.shape[-1] ** -0.5
    key, value = memory.key.flatten(0, 1), memory.value.flatten(0, 1)
    out = join_heads(attention(query.flatten(0, 1), key, value, bias=bias, scale=scale, fused=fused))
    joined = out.view(batch, groups, *out.shape[1:])
    return joined if alive is None else joined * alive.to(joined.dtype)


def _heads(tokens: Tensor, heads: int) -> Tensor:
    """(B, G, N, d) to (B, G, n, N, d / n)."""
    batch, groups, count, width = tokens.shape
    return tokens.view(batch, groups, count, heads, width // heads).transpose(2, 3)


class CSA(nn.Module):
    """Context-aware self-attention over the tokens of each group, with its residual."""

    part = "CSA"

    def __init__(self, channels: int, dim: int, heads: int, prenorm: bool, fused: bool, drop_path: float) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.norm = nn.LayerNorm(channels) if prenorm else nn.Identity()
        self.qkv = nn.Linear(channels, 3 * dim, bias=False)
        self.map = nn.Linear(dim, channels, bias=False)
        self.drop_path = DropPath(drop_path)

    def forward(self, groups: Groups) -> Groups:
        query, key, value = (_heads(t, self.heads) for t in self.qkv(self.norm(groups.tokens)).chunk(3, dim=-1))
        out = grouped_attention(query, Memory(key, value, *groups[1:]), self.fused)
        return groups._replace(tokens=groups.tokens + self.drop_path(self.map(out)))


class TCA(nn.Module):
    """Target-aware cross-attention, with its residual: search tokens ask the template tokens of their group."""

    part = "TCA"

    def __init__(self, channels: int, dim: int, heads: int, prenorm: bool, fused: bool, drop_path: float) -> None:
        super().__init__()
        self.heads, self.fused = heads, fused
        self.norm = nn.LayerNorm(channels) if prenorm else nn.Identity()
        self.query = nn.Linear(channels, dim, bias=False)
        self.key = nn.Linear(channels, dim, bias=False)
        self.value = nn.Linear(channels, dim, bias=False)
        self.map = nn.Linear(dim, channels, bias=False)
        self.drop_path = DropPath(drop_path)

    def memory(self, template: Groups) -> Memory | None:
        """Keys and values of the template."""
        tokens = self.norm(template.tokens)
        key, value = (_heads(linear(tokens), self.heads).contiguous() for linear in (self.key, self.value))
        return Memory(key, value, *template[1:])

    def forward(self, groups: Groups, memory: Memory) -> Groups:
        query = _heads(self.query(self.norm(groups.tokens)), self.heads)
        out = grouped_attention(query, memory, self.fused)
        return groups._replace(tokens=groups.tokens + self.drop_path(self.map(out)))


class Feed(nn.Module):
    """The MLP with its residual; an addition to the paper."""

    def __init__(self, channels: int, hidden: int, prenorm: bool, drop_path: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels) if prenorm else nn.Identity()
        self.mlp = Mlp(channels, hidden)
        self.drop_path = DropPath(drop_path)

    def forward(self, groups: Groups) -> Groups:
        return groups._replace(tokens=groups.tokens + self.drop_path(self.mlp(self.norm(groups.tokens))))


class GIMValues(TypedDict, total=False):
    """What all GIMs of a network have in common, see ``GIM``."""

    dim: int
    csa: bool
    tca_first: bool
    mlp_ratio: float
    prenorm: Required[bool]
    fused: bool


class GIM(nn.Module):
    """One GIM: CSA on both branches, TCA on the search branch, then (an addition) an MLP.

    Args:
        channels: C of the features.
        dim: d of the attention (paper: 256).
        heads: n (paper: 4).
        csa, tca: whether the part is there.
        tca_first: TCA in front of CSA, an alternative to the paper's order; it then takes both branches as they come.
        mlp_ratio: hidden width of the MLP over C; 0 leaves it out.
        prenorm: a LayerNorm in front of each part.
        fused: see ``networks.layers.attention``.
        drop_path: rate of stochastic depth in training.
    """

    def __init__(
        self,
        channels: int,
        *,
        dim: int = 256,
        heads: int = 4,
        csa: bool = True,
        tca: bool = True,
        tca_first: bool = False,
        mlp_ratio: float = 4.0,
        prenorm: bool = True,
        fused: bool = True,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.tca_first = tca_first
        self.csa = CSA(channels, dim, heads, prenorm, fused, drop_path) if csa else Skip()
        self.tca = TCA(channels, dim, heads, prenorm, fused, drop_path) if tca else Skip()
        self.feed = Feed(channels, round(channels * mlp_ratio), prenorm, drop_path) if mlp_ratio > 0 else Skip()

    def template(self, groups: Groups) -> tuple[Groups, Memory | None]:
        """The template branch: new tokens, and what the search branch's TCA will ask."""
        attended = self.csa(groups)
        return self.feed(attended), self.tca.memory(groups if self.tca_first else attended)

    def search(self, groups: Groups, memory: Memory | None) -> Groups:
        """The search branch, with the memory that ``template`` of this GIM gave."""
        groups = self.csa(self.tca(groups, memory)) if self.tca_first else self.tca(self.csa(groups), memory)
        out: Groups = self.feed(groups)
        return out


Memories = tuple[Memory | None, ...]
"""What each GIM of a stage keeps of the template, None without TCA."""


class GIMs(nn.ModuleList):
    """GIMs of one stage, one after the other."""

    def template(self, groups: Groups) -> tuple[Groups, Memories]:
        """As ``GIM.template``, with the memory of each."""
        memories = []
        for gim in self:
            groups, memory = gim.template(groups)  # type: ignore[operator]
            memories.append(memory)
        return groups, tuple(memories)

    def search(self, groups: Groups, memories: Memories) -> Groups:
        """As ``GIM.search``."""
        for gim, memory in zip(self, memories, strict=True):
            groups = gim.search(groups, memory)  # type: ignore[operator]
        return groups
