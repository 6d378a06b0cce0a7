"""How many template tokens a TCA really chooses among: keys that are not padding, counted from the masks.

A search token of the in-window position g asks the template tokens of position g. A template map that is no multiple of
the window is padded right and below, and padded tokens are masked out: the number of windows says how many keys a
group *holds*, not how many of them can be looked at. Of one key the softmax always takes all, of none nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import floordiv

import torch

from inmo.trackers.networks.gim import padding_masks, window_process


@dataclass(frozen=True)
class RealKeys:
    """Real keys of the cells of one stage's search map.

    Attributes:
        least, median: over the cells (the lower median).
        cells: number of keys -> cells that have as many.
    """

    least: int
    median: int
    cells: Mapping[int, int]

    def share(self, keys: int) -> float:
        """Share (0..1) of the cells with exactly this many keys."""
        return self.cells.get(keys, 0) / sum(self.cells.values())


def real_keys(template: int, search: int, window: int) -> RealKeys:
    """Keys of every cell of a square search map of side ``search`` in a template map of side ``template``, both in
    cells, as ``gim.padding_masks`` leaves them."""
    bias, _ = padding_masks(template, template, window, torch.device("cpu"))
    if bias is None:
        groups = window_process(torch.ones(1, template, template, 1), window)[0, :, :, 0].sum(dim=1)
    else:
        groups = (bias == 0).sum(dim=(1, 2, 3)).float()
    places = torch.arange(search) % window
    counts = groups.view(window, window)[places][:, places].flatten().long()
    found = Counter(counts.tolist())
    return RealKeys(int(counts.min()), int(counts.median()), dict(sorted(found.items())))


def stage_keys(
    template_size: int, search_size: int, patches: Sequence[int], window: int | Sequence[int]
) -> tuple[RealKeys, ...]:
    """``real_keys`` of every stage of a backbone.

    Args:
        template_size, search_size: sides of the inputs in pixels.
        patches: sides of the stages' patches; what is left over of a map is not looked at.
        window: side of the windows, one or one per stage; 1: without window process.
    """
    windows = [window] * len(patches) if isinstance(window, int) else list(window)
    sides = [list(accumulate(patches, floordiv, initial=size))[1:] for size in (template_size, search_size)]
    return tuple(real_keys(z, x, w) for z, x, w in zip(*sides, windows, strict=True))
