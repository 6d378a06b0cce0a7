"""What the ImageNet weights of a public Swin-T can tell the paper's backbone, whose attention has other sizes.

Taken are the patch embeddings and every block's MLP with its norm: two thirds of Swin's numbers. Attention stays at its
initial values: Swin's projections are C wide in 3, 6, 12 and 24 heads and have biases, the paper's are 256 wide in 4.

A patch merging of Swin is a LayerNorm over four cells and a linear map; the paper's patch embedding is a convolution
with a LayerNorm behind it (``prenorm``), which undoes any common factor of its channels. So the norm's gain and the
taking off of its mean go into the convolution, and its division need not: without biases both are the same. A patch of
one cell, as in the paper's last stage, takes the sum over the four: what they give where four neighbours are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.trackers.networks.inbn import InBN


@dataclass(frozen=True)
class Mapped:
    """What came of it: keys of the network that were set and that were not, keys of the file that nothing took."""

    taken: tuple[str, ...]
    left: tuple[str, ...]
    unused: tuple[str, ...]
    numbers: tuple[int, int]
    """Parameters that were set, of all."""

    def words(self, where: str) -> str:
        """In one line."""
        some, whole = self.numbers
        return (
            f"{where}: {len(self.taken)} tensors of the backbone ({some:,} of {whole:,} numbers) come from it, patch "
            f"embeddings and MLPs; {len(self.left)} keep their initial values (attention, fusion); "
            f"{len(self.unused)} tensors of the file are unused"
        )


def init_inbn_from_swin(backbone: InBN, state: Mapping[str, Tensor], where: str) -> Mapped:
    """Set what a Swin state dict knows of the paper's backbone.

    Args:
        backbone: already initialised.
        state: ``patch_embed.*``, ``layers.*``.
        where: the file in words.

    Raises:
        UserError: for a file and a network that have not one tensor in common.
    """
    own = backbone.state_dict()
    taken, used = dict[str, Tensor](), set[str]()
    for key, value, sources in _told(backbone, state):
        if key in own and own[key].shape == value.shape:
            taken[key] = value.to(own[key].dtype)
            used.update(sources)
    if not taken:
        raise UserError(
            f"{where} is a Swin file that knows nothing of this backbone: it wants widths of 96, 192, 384 and "
            "768, and MLPs of ratio 4; leave initial out"
        )
    with torch.no_grad():
        backbone.load_state_dict(taken, strict=False)
    numbers = sum(value.numel() for value in taken.values()), sum(value.numel() for value in own.values())
    left, unused = (tuple(key for key in keys if key not in some) for keys, some in ((own, taken), (state, used)))
    return Mapped(tuple(taken), left, unused, numbers)


def _told(backbone: InBN, state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor, tuple[str, ...]]]:
    """(key of the backbone, value, keys of the file that it is made of) for all that the file could tell."""
    for kind in ("weight", "bias"):
        for own, theirs in (("embed", "proj"), ("norm", "norm")):
            if (name := f"patch_embed.{theirs}.{kind}") in state:
                yield f"stages.0.{own}.{kind}", state[name], (name,)
    for number, stage in enumerate(backbone.stages):
        for block in range(len(stage.gims)):  # type: ignore[arg-type]
            for own, theirs in (("norm", "norm2"), ("mlp.fc1", "mlp.fc1"), ("mlp.fc2", "mlp.fc2")):
                for kind in ("weight", "bias"):
                    if (name := f"layers.{number}.blocks.{block}.{theirs}.{kind}") in state:
                        yield f"stages.{number}.gims.{block}.feed.{own}.{kind}", state[name], (name,)
        if number:
            yield from _embedding(number, stage.embed, state)  # type: ignore[arg-type]


def _embedding(
    number: int, embed: nn.Conv2d, state: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor, tuple[str, ...]]]:
    names = tuple(f"layers.{number - 1}.downsample.{n}" for n in ("reduction.weight", "norm.weight", "norm.bias"))
    if any(name not in state for name in names) or embed.kernel_size[0] not in (1, 2):
        return
    reduction, gain, offset = (state[name].float() for name in names)
    weight = reduction * gain
    weight = weight - weight.mean(dim=1, keepdim=True)
    cells = weight.view(len(weight), 2, 2, -1).permute(0, 3, 2, 1)  # Swin goes down the columns: (O, C, row, column)
    if embed.kernel_size[0] == 1:
        cells = cells.sum(dim=(2, 3), keepdim=True)
    yield f"stages.{number}.embed.weight", cells, names
    yield f"stages.{number}.embed.bias", reduction @ offset, names
