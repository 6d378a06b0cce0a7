"""One process or several: the processes that torchrun starts find each other through its environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from inmo.trackers.pipeline.neural import resolve_device


@dataclass(frozen=True)
class Group:
    """This process among all: its number, how many there are, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """Sum over all processes."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in one process at least."""
        return bool(self.total(torch.tensor([float(flag)], device=self.device)).item()) if self.world > 1 else flag

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over all processes."""
        if self.world == 1:
            return module
        devices = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=devices)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            dist.barrier()


def processes() -> int:
    """How many processes torchrun started; 1 where it did not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """The processes that torchrun started, as long as the block lasts; alone when it did not. Raises UserError for an
    unusable device.

    They leave together. Gloo's threads hold a sum's tensor for a moment after it is done, and where the interpreter
    ends in that moment, they abort it: the last word to each other must be that all are there.
    """
    group = _join(device)
    try:
        yield group
        group.wait()
    finally:
        if group.world > 1:
            dist.destroy_process_group()


def _join(device: str) -> Group:
    world, rank = processes(), int(os.environ.get("RANK", "0"))
    if world > 1 and device in ("auto", "cuda") and torch.cuda.is_available():
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    elif world > 1 and device == "auto":
        device = "cpu"
    place = resolve_device(device)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if world > 1:
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return Group(rank, world, place)
