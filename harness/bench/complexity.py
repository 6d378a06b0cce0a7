"""What CSA and TCA cost against the size of the search region: multiply-adds counted, milliseconds measured."""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from inmo.errors import UserError
from inmo.reports.blocks.complexity import Cost
from inmo.trackers.inspect.describe import INTERACTION, copy_on_meta
from inmo.trackers.networks.gim import GIM, Groups

PRODUCTS = (torch.ops.aten.bmm, torch.ops.aten.baddbmm)  # QK and AV, written out; linear maps are mm or addmm
OVER = "search_size"


def parse_over(text: str) -> list[int]:
    """``"search_size=128:384:64"`` to sides in pixels, both ends included. Raises UserError for anything else."""
    name, _, span = text.partition("=")
    try:
        first, last, step = map(int, span.split(":"))
        sides = list(range(first, last + 1, step))
    except ValueError:
        sides = []
    if name != OVER or len(sides) < 2 or sides[0] < 32:
        raise UserError(f"--over wants {OVER}=FIRST:LAST:STEP with two sizes or more from 32 px on, not '{text}'")
    return sides


def costs(network: nn.Module, case: str, sides: Sequence[int], rounds: int) -> list[Cost]:
    """What the parts of a backbone's GIMs cost for search regions of several sides.

    Args:
        network: with ``backbone`` and ``template_size``; on the processor, in eval mode.
        case: its name in the result.
        sides: of the search regions in pixels.
        rounds: timed passes per size, after one to warm up; 0 counts alone.

    Raises:
        UserError: the backbone has no GIMs.
    """
    backbone: Any = network.backbone
    if not any(isinstance(module, GIM) for module in network.modules()):
        raise UserError("its backbone has no GIMs whose cost could be measured: use --interaction paper")
    size = int(network.template_size)  # type: ignore[arg-type]
    counted = copy_on_meta(network)
    found = []
    for side in sides:
        macs = _pass(counted.backbone, size, side, "meta", _Meter(counting=True))
        times: dict[str, list[float]] = defaultdict(list)
        for number in range(rounds + 1 if rounds else 0):
            meter = _pass(backbone, size, side, "cpu", _Meter(counting=False))
            for part, seconds in meter.seconds.items() if number else ():
                times[part].append(seconds * 1e3)
        for part in INTERACTION:
            if macs.macs[part]:
                middle = statistics.median(times[part]) if times[part] else None
                found.append(Cost(case, part, side, macs.tokens[part], macs.macs[part], macs.products[part], middle))
    return found


@dataclass
class _Meter:
    """Sums over the calls of all modules of a part."""

    counting: bool
    tokens: Counter[str] = field(default_factory=Counter)
    macs: Counter[str] = field(default_factory=Counter)
    products: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def call(self, part: str, method: Any, args: tuple[Any, ...]) -> Any:
        groups: Groups = args[0]
        self.tokens[part] += groups.height * groups.width
        start = time.perf_counter()
        if not self.counting:
            out = method(*args)
            self.seconds[part] += time.perf_counter() - start
            return out
        with FlopCounterMode(display=False) as counter:
            out = method(*args)
        self.macs[part] += counter.get_total_flops() // 2
        own = counter.get_flop_counts()["Global"]
        self.products[part] += sum(own.get(operation, 0) for operation in PRODUCTS) // 2
        return out


def _pass(backbone: Any, template: int, side: int, device: str, meter: _Meter) -> _Meter:
    """One template and one search region through a backbone; the parts of the latter pass go through the meter."""
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(1, 3, s, s, generator=generator).to(device) for s in (template, side)]
    with torch.inference_mode() if device != "meta" else torch.no_grad():
        _, memories = backbone.template(images[0])
        with _metered(backbone, meter):
            backbone.search(images[1], memories)
    return meter


@contextmanager
def _metered(backbone: nn.Module, meter: _Meter) -> Iterator[None]:
    parts = [module for module in backbone.modules() if getattr(module, "part", "") in INTERACTION]

    def through(module: Any) -> Any:
        method = module.forward
        return lambda *args: meter.call(module.part, method, args)

    for module in parts:
        module.forward = through(module)
    try:
        yield
    finally:
        for module in parts:
            del module.forward
