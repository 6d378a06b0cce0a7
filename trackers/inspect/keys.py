"""How many template tokens every TCA of a network really chooses among: keys that are not padding.

A search token of the in-window position g asks the template tokens of position g. A template map that is no multiple of
the window is padded right and below: the number of windows says how many keys a group *holds*, not how many of them are
tokens of the template.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inmo.terminal import aligned
from inmo.trackers.base import RealKeys
from inmo.trackers.inspect.describe import patch, without_values
from inmo.trackers.networks.gim import TCA, Groups, Memory
from inmo.trackers.networks.interactions import ConvAttention
from inmo.trackers.networks.swin import Block, ShippedTCA, Windows, WindowTCA


@dataclass(frozen=True)
class Asked:
    """What one TCA asks.

    Attributes:
        name: the module's path in the network.
        template, search: sides of both maps in cells.
        window: side of the windows; 1 without window process.
        keys: of the search map's cells; None where no softmax runs over the keys.
    """

    name: str
    template: int
    search: int
    window: int
    keys: RealKeys | None

    @property
    def padding(self) -> float:
        """Padded cells of the search map over real ones: what the stage's linear maps do for nothing."""
        padded = -(-self.search // self.window) * self.window
        return (padded / self.search) ** 2 - 1


def real_keys(template: int, search: int, window: int, shift: int = 0) -> RealKeys:
    """Keys of every cell of a square search map of side ``search`` in a template map of side ``template``, both in
    cells, where both were rolled by ``-shift`` before they were cut."""
    tokens = np.bincount((np.arange(template) - shift) % window, minlength=window)  # of a position along one side
    own = tokens[(np.arange(search) - shift) % window]
    counts, cells = np.unique(np.outer(own, own), return_counts=True)
    return RealKeys(dict(zip(counts.tolist(), cells.tolist(), strict=True)))


def network_keys(network: nn.Module) -> tuple[Asked, ...]:
    """Every TCA of a network in the order in which they run; none for a network without.

    Sizes are those of tensors that run through a copy without values. Args: a network with ``template`` and ``search``,
    its weights do not matter.
    """
    twin, template, search = without_values(network)
    with torch.no_grad(), _listening(twin) as found:
        twin.search(search, twin.template(template))
    return tuple(found)


def table(found: tuple[Asked, ...]) -> str:
    """What TCAs ask, as text."""
    cells = [["TCA", "window", "template", "search", "padding", "least", "median", "keys: cells"], *map(_row, found)]
    lines = aligned(cells, left=[True, False, False, False, False, False, False, True])
    lines.append("keys: tokens of the template that are not padding, among which a cell of the search map chooses")
    lines.append("padding: cells of the search map that windows add, over its own; they are computed and cut away")
    return "\n".join(lines)


def _row(one: Asked) -> list[str]:
    sides = (f"{side} x {side}" for side in (one.template, one.search))
    padding = f"{one.padding:+.0%}" if one.padding else "none"
    counts = ["", "", "no softmax over keys"]
    if (keys := one.keys) is not None:
        counts = [str(keys.least), str(keys.median), ", ".join(f"{n}: {keys.share(n):.0%}" for n in keys.cells)]
    return [one.name, str(one.window), *sides, padding, *counts]


@contextmanager
def _listening(network: nn.Module) -> Iterator[list[Asked]]:
    """While open, every TCA that runs on a search region says what it asks."""
    found: list[Asked] = []
    with ExitStack() as stack:
        for name, module in network.named_modules():
            if isinstance(module, TCA):
                stack.callback(module.register_forward_pre_hook(partial(_of_groups, found, name)).remove)
            elif isinstance(module, ConvAttention) and module.part == "TCA":
                _of_maps(stack, found, name, module)
            elif isinstance(module, Block) and isinstance(module.attn.tca, WindowTCA):
                _of_windows(stack, found, f"{name}.attn.tca", module)
        yield found


def _of_groups(found: list[Asked], name: str, module: nn.Module, inputs: tuple[Groups, Memory]) -> None:
    groups, memory = inputs
    keys = real_keys(memory.height, groups.height, groups.window)
    found.append(Asked(name, memory.height, groups.height, groups.window, keys))


def _of_maps(stack: ExitStack, found: list[Asked], name: str, module: ConvAttention) -> None:
    """The released CNN interaction: products with the keys are not normalised over them."""
    memory, side = module.memory, 0

    def remember(maps: Tensor) -> Any:
        nonlocal side
        side = maps.shape[-1]
        return memory(maps)

    def ask(module: Any, inputs: tuple[Tensor, Any]) -> None:
        found.append(Asked(name, side, inputs[0].shape[-1], module.window, None))

    patch(stack, module, "memory", remember)
    stack.callback(module.register_forward_pre_hook(ask).remove)


def _of_windows(stack: ExitStack, found: list[Asked], name: str, block: Block) -> None:
    """Released Swin. As shipped a whole window is one key; in the paper's layout a position is, as in ``gim``."""
    grids: list[Windows] = []
    template, search = block.template, block.search

    def remember(features: Tensor, grid: Windows) -> Any:
        grids[:] = [grid]
        return template(features, grid)

    def ask(features: Tensor, grid: Windows, memory: Any) -> Any:
        own = grids[0].height
        if isinstance(block.attn.tca, ShippedTCA):
            keys = RealKeys({(-(-own // grid.window)) ** 2: grid.height * grid.width})
        else:
            keys = real_keys(own, grid.height, grid.window, grid.shift)
        found.append(Asked(name, own, grid.height, grid.window, keys))
        return search(features, grid, memory)

    patch(stack, block, "template", remember)
    patch(stack, block, "search", ask)
