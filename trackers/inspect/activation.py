"""What the parts of the interaction do: maps of CSA and TCA over a search region, as in the InMo paper's Figure 3.

Two maps per part. ``change`` is the Euclidean norm, over channels, of what the part adds to the features.
``response`` is the activation behind the part: how far the features of a cell, layer-normalised, lie from their mean
over all cells, so that what is the same everywhere is dark and what stands out is bright.

Any tracker whose backbone has these parts can be watched; nothing in it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import ActivationMap
from inmo.trackers.inspect.describe import patch
from inmo.trackers.inspect.keys import network_keys
from inmo.trackers.networks.gim import CSA, TCA, Groups, window_restore
from inmo.trackers.networks.interactions import ConvAttention
from inmo.trackers.networks.swin import Block, Windows, WindowTCA, merge_windows
from inmo.trackers.pipeline.crop import crop
from inmo.trackers.pipeline.neural import NeuralTracker, State


@dataclass(frozen=True)
class Watched:
    """One step of a tracker, looked into.

    Attributes:
        search: (X, X, 3) uint8 BGR, the search region.
        parts: maps of every CSA and TCA that ran, in the order in which they ran.
        score: (R, R) float64 foreground probability of the output map.
        state: the tracker's state after the step.
        box: (4,) x, y, w, h found, counted from 0.
        region: (4,) x, y, w, h of the search region in the frame, counted from 0.
    """

    search: Frame
    parts: tuple[ActivationMap, ...]
    score: NDArray[np.float64]
    state: Any
    box: NDArray[np.float64]
    region: NDArray[np.float64]

    def on_search(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """A box of the frame, (4,) x, y, w, h counted from 0, as fractions of the search region's sides."""
        x, y, side, _ = self.region
        return np.array([box[0] - x, box[1] - y, box[2], box[3]]) / float(side)

    def last(self, part: str) -> ActivationMap:
        """The last map of a part, the deepest stage's. Raises UserError when the tracker has no such part."""
        found = [item for item in self.parts if item.part == part]
        if not found:
            raise UserError(f"this tracker has no {part}: choose one with an interaction, or switch it on")
        return found[-1]


def watch_step(tracker: NeuralTracker, frame: Frame, state: State) -> Watched:
    """Step one target (B = 1) and keep what its interaction did.

    Raises:
        UserError: a tracker whose backbone has neither CSA nor TCA.
    """
    scores: list[Tensor] = []
    centre, side = tracker.region(state)
    search = crop(frame, centre[0], float(side[0]), tracker.recipe.geometry.search_size, state.fill[0])
    with watching(tracker.network) as parts, ExitStack() as stack:
        patch(stack, tracker, "search", partial(_keep, tracker.search, scores))
        step = tracker.step([frame], state)
    if not parts:
        raise UserError("this tracker has no CSA and no TCA to look at: name one with an interaction")
    keys = {asked.name: asked.keys for asked in network_keys(tracker.network)}
    first = {(part.part, part.name): part for part in reversed(parts)}  # of several templates, or a mirror image too
    return Watched(
        search,
        tuple(replace(part, keys=keys.get(part.name)) for part in reversed(first.values())),
        _foreground(scores[0]),
        step.state,
        step.boxes[0],
        tracker.regions(state)[0],
    )


@contextmanager
def watching(network: nn.Module) -> Iterator[list[ActivationMap]]:
    """While open, every CSA and TCA that runs on a search region appends its map (of the first target)."""
    found: list[ActivationMap] = []
    with ExitStack() as stack:
        for name, module in network.named_modules():
            if isinstance(module, CSA | TCA):
                stack.callback(module.register_forward_hook(partial(_of_groups, found, name)).remove)
            elif isinstance(module, ConvAttention):
                stack.callback(module.register_forward_hook(partial(_of_maps, found, name)).remove)
            elif isinstance(module, Block):
                _watch_block(stack, found, name, module)
        _only_search(stack, network, found)
        yield found


def _keep(call: Callable[..., Any], kept: list[Tensor], *arguments: Any) -> Any:
    outputs = call(*arguments)
    kept.append(outputs[0])
    return outputs


def _foreground(logits: Tensor) -> NDArray[np.float64]:
    """(1, L, 2) with class 0 the target, or (1, 2, R, R) with class 1, to (R, R)."""
    values = logits.detach().float().cpu()
    if values.dim() == 3:
        side = round(values.shape[1] ** 0.5)
        return np.asarray(torch.softmax(values, -1)[0, :, 0].view(side, side).double().numpy())
    return np.asarray(torch.softmax(values, 1)[0, 1].double().numpy())


def _only_search(stack: ExitStack, network: nn.Module, found: list[ActivationMap]) -> None:
    """CSA runs on templates too: what a call of ``template`` leaves is dropped."""
    backbone: Any = network.backbone
    if not hasattr(backbone, "template"):  # no interaction: both branches are one call
        return
    call = backbone.template

    def template(*arguments: Any) -> Any:
        before = len(found)
        out = call(*arguments)
        del found[before:]
        return out

    patch(stack, backbone, "template", template)


def _of_groups(found: list[ActivationMap], name: str, module: Any, inputs: tuple[Any, ...], out: Groups) -> None:
    before, after = (
        window_restore(tokens[:1], out.window, out.height, out.width)[0] for tokens in (inputs[0].tokens, out.tokens)
    )
    found.append(_part(module.part, name, after - before, after))


def _of_maps(found: list[ActivationMap], name: str, module: Any, inputs: tuple[Any, ...], out: Tensor) -> None:
    before, after = (maps[0].permute(1, 2, 0) for maps in (inputs[0], out))
    found.append(_part(module.part, name, after - before, after))


def _watch_block(stack: ExitStack, found: list[ActivationMap], name: str, block: Block) -> None:
    """Released Swin: windows are put back in their places with the grid that the block was called with."""
    calls: list[tuple[Tensor, Windows]] = []
    block_call, attend_call = block.search, block.attn.search

    def search(features: Tensor, grid: Windows, memory: Any) -> Tensor:
        calls[:] = [(features, grid)]
        return block_call(features, grid, memory)

    def attend(tokens: Tensor, mask: Tensor | None, memory: Any) -> Tensor:
        out = attend_call(tokens, mask, memory)
        features, grid = calls[0]
        added = merge_windows(out, grid)[0]
        found.append(_part("CSA", f"{name}.attn", added, features[0] + added))
        return out

    patch(stack, block, "search", search)
    patch(stack, block.attn, "search", attend)
    if isinstance(block.attn.tca, WindowTCA):

        def of_tca(module: Any, inputs: tuple[Any, ...], out: Tensor) -> None:
            before, after = (merge_windows(tokens, calls[0][1])[0] for tokens in (inputs[0], out))
            found.append(_part("TCA", f"{name}.attn.tca", after - before, after))

        stack.callback(block.attn.tca.register_forward_hook(of_tca).remove)


def _part(part: str, name: str, added: Tensor, after: Tensor) -> ActivationMap:
    """Maps of what was added to, and what are then, the features (H, W, C)."""
    normed = F.layer_norm(after.float(), after.shape[-1:])
    stands_out = (normed - normed.mean(dim=(0, 1))).norm(dim=-1)
    return ActivationMap(part, name, _array(added.float().norm(dim=-1)), _array(stands_out))


def _array(values: Tensor) -> NDArray[np.float64]:
    return np.asarray(values.detach().cpu().double().numpy())
