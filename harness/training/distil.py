"""Distillation: beside its own objective a network learns to say in its backbone's map what a trained one says there.

Small transformer trackers that start from nothing spend most of a short training on learning what pixels mean. A
teacher that knows (a tracker on an ImageNet backbone, without any interaction) gives its maps of both crops; a linear
layer that is thrown away afterwards reads the student's map, and the mean square difference of the two is part of the
loss (Romero et al., FitNets, ICLR 2015). Nothing of the teacher's outputs is used, and nothing in the student changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.harness.training.config import DistilConfig
from inmo.harness.training.pair_files import PairFiles, made_once
from inmo.records import as_words
from inmo.trackers.base import file_sha256
from inmo.trackers.pipeline.assembly import MatchingNetwork
from inmo.trackers.pipeline.family import family

BATCH = 64  # crops per call when maps are made for a cache
MAPS = ("template_map", "search_map")


class Tap:
    """Keeps the maps that a backbone gives, as its network's own calls make them.

    Args:
        network: its ``backbone`` has ``template(images) -> (map, memories)`` and ``search(images, memories) -> map``.
    """

    def __init__(self, network: nn.Module) -> None:
        backbone: Any = network.backbone
        template, search = backbone.template, backbone.search

        def tapped_template(images: Tensor) -> Any:
            maps, memories = template(images)
            self.template: Tensor = maps
            return maps, memories

        def tapped_search(images: Tensor, memories: Any) -> Tensor:
            maps: Tensor = search(images, memories)
            self.search = maps
            return maps

        object.__setattr__(backbone, "template", tapped_template)
        object.__setattr__(backbone, "search", tapped_search)

    def maps(self) -> tuple[Tensor, Tensor]:
        """(B, C, h, w) of the last template and (B, C, H, W) of the last search region."""
        return self.template, self.search


class Adapter(nn.Module):
    """Reads the student's map: LayerNorm and a linear layer; (B, C, h, w) to (B, h, w, channels)."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.linear = nn.Linear(inputs, channels)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.linear(self.norm(maps.permute(0, 2, 3, 1)))
        return out


@dataclass(frozen=True)
class Teacher:
    """A trained network that gives maps.

    Attributes:
        network: frozen.
        channels: of its maps.
        digest: SHA-256 of its weights.
    """

    network: nn.Module
    channels: int
    digest: str

    @torch.no_grad()
    def maps(self, template: Tensor, search: Tensor, sides: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Maps of crops of any size, on the student's grids.

        Args:
            template, search: (B, Z, Z, 3), (B, X, X, 3) uint8 BGR.
            sides: of the student's maps in cells.

        Returns:
            (B, h, h, channels) and (B, H, H, channels), of mean 0 and variance 1 over the channels of each cell.
        """
        network: Any = self.network
        sizes, found = (network.template_size, network.search_size), []
        for crops, size, side in zip((template, search), sizes, sides, strict=True):
            images = crops.permute(0, 3, 1, 2).float()
            images = F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
            images = network.normalise(images).contiguous(memory_format=torch.channels_last)
            maps = network.backbone.template(images)[0]
            if maps.shape[-1] != side:
                maps = F.interpolate(maps, size=(side, side), mode="bilinear", align_corners=False)
            cells = maps.permute(0, 2, 3, 1)
            found.append(F.layer_norm(cells, cells.shape[-1:]))
        return found[0], found[1]


def open_teacher(config: DistilConfig, device: torch.device) -> Teacher:
    """The teacher of a config.

    Raises UserError: an unknown tracker, one whose backbone gives several maps or asks the other branch, or no weights.
    """
    row = family(config.tracker, "teacher")
    full = configure(config.tracker, as_words(config.settings)).on("lasot")
    if not full.weights:
        raise UserError(f"the teacher {config.tracker} has no weights: name some in distil.settings.weights")
    network = row.load(full)
    network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not isinstance(network, MatchingNetwork):
        raise UserError(f"the teacher {config.tracker} gives several maps: choose its preset nano or lite, or another")
    size = network.template_size
    with torch.no_grad():
        maps = network.backbone.template(torch.zeros(1, 3, size, size, device=device))[0]  # type: ignore[operator]
    return Teacher(network, int(maps.shape[1]), file_sha256(Path(full.weights)))


def difference(found: Tensor, wanted: Tensor) -> Tensor:
    """(B,) mean square difference over cells and channels of maps (B, h, w, C)."""
    return (found.float() - wanted.float()).square().flatten(1).mean(dim=1)


def cache_maps(folder: Path, teacher: Teacher, sides: tuple[int, int]) -> Path:
    """A folder with the teacher's maps of all cached pairs in ``folder``, fp16, made when it is not there.

    Raises UserError when it cannot be written.
    """
    final = folder / f"maps-{teacher.digest[:12]}-{sides[0]}-{sides[1]}"
    return made_once(final, "the teacher's maps", lambda building: _fill(building, PairFiles(folder), teacher, sides))


def _fill(folder: Path, pairs: PairFiles, teacher: Teacher, sides: tuple[int, int]) -> None:
    count = len(pairs["box"])
    arrays = [
        np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.float16, shape=(count, side, side, teacher.channels)
        )
        for name, side in zip(MAPS, sides, strict=True)
    ]
    device = next(teacher.network.parameters()).device
    for start in tqdm(range(0, count, BATCH), desc="the teacher's maps", unit="batch", disable=None):
        part = range(start, min(start + BATCH, count))
        template, search = (
            torch.from_numpy(np.stack([pairs[name][row] for row in part])).to(device) for name in ("template", "search")
        )
        for array, maps in zip(arrays, teacher.maps(template, search, sides), strict=True):
            array[part.start : part.stop] = maps.cpu().numpy()
    for array in arrays:
        array.flush()
