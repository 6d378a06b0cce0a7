"""The stages of a backbone as they were built, read off its modules: what Table 1 of the InMo paper describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.trackers.inspect.describe import without_values
from inmo.trackers.networks.gim import GIM

STAGES = ("stages", "interactions")  # where InBN and the CNN's body keep what belongs to a stage


@dataclass(frozen=True)
class BuiltStage:
    """One stage, or the backbone's output.

    Attributes:
        side: tokens along one side of its output for a search region.
        reduction: the search region's side over ``side``, rounded: 4 for H/4.
        patch: by how much it reduces the side of what it is given, rounded.
        channels: of its output.
        gims: GIMs, counted by their CSA; 0 for the output.
        tca: which of them have TCA, counted from 1.
        window: side of WP's windows, 1 without WP.
    """

    side: int
    reduction: int
    patch: int
    channels: int
    gims: int = 0
    tca: tuple[int, ...] = ()
    window: int = 1


def built_stages(network: nn.Module) -> tuple[BuiltStage, ...]:
    """The stages of a network's backbone in order, then the map that it hands to the matching.

    Sizes are those of tensors that run through a copy without values. Args: a network with ``template`` and ``search``,
    its weights do not matter. Raises UserError for a backbone whose stages do not interact.
    """
    twin, template, search = without_values(network)
    backbone, region = twin.backbone, search.shape[-1]
    stages = next((found for name in STAGES if isinstance(found := getattr(backbone, name, None), nn.ModuleList)), None)
    if not stages:
        raise UserError("this backbone has no stages with interaction: Table 1 describes interaction='paper'")
    seen: list[Tensor] = []
    for stage in stages:
        _watch(stage, "search", seen)
    last = backbone.fusion if hasattr(backbone, "fusion") else twin.neck
    _watch(last, "forward", seen)
    with torch.no_grad():
        features = twin.template(template)
        seen.clear()
        twin.search(search, features)
    found, before = [], region
    for stage, maps in zip((*stages, None), seen, strict=True):
        side = maps.shape[2]  # of (B, H, W, C) as of (B, C, H, W)
        channels = maps.shape[1] if maps.shape[3] == side else maps.shape[3]
        gims = [] if stage is None else _interactions(stage)
        found.append(
            BuiltStage(
                side=side,
                reduction=round(region / side),
                patch=max(1, round(before / side)),
                channels=channels,
                gims=len(gims),
                tca=tuple(number for number, parts in enumerate(gims, 1) if "TCA" in parts),
                window=int(getattr(stage, "window", 1)),
            )
        )
        before = side
    return tuple(found)


def _interactions(stage: nn.Module) -> list[set[str]]:
    """The parts, CSA and TCA, of every interaction of a stage; a GIM is one."""
    gims: list[nn.Module] = [module for module in stage.modules() if isinstance(module, GIM)] or [stage]
    return [{str(module.part) for module in gim.modules() if getattr(module, "part", "")} for gim in gims]


def _watch(module: Any, method: str, seen: list[Tensor]) -> None:
    """Keep what a method returns; of several maps the first."""
    call = getattr(module, method)

    def watched(*args: Any) -> Any:
        out = call(*args)
        seen.append(out if isinstance(out, Tensor) else out[0])
        return out

    setattr(module, method, watched)
