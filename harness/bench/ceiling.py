"""What the machine could do at best: a large matrix product, timed in turn with the trackers, and a large copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from time import perf_counter

import torch

FIRST, LAST = 256, 16384
LONG = 0.02  # seconds: a product that takes less is too small to show what the machine can do
COPIED = {"cpu": 256 << 20, "cuda": 1 << 30}
REPEATS = 5
DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Ceiling:
    """The best of some repetitions.

    Attributes:
        precision: of the matrix product.
        gmacs: 10^9 multiply-adds a second of a square matrix product.
        gigabytes: 10^9 bytes a second copied, read and written counted once.
    """

    precision: str
    gmacs: float
    gigabytes: float


def measure_ceiling(device: torch.device, precision: str) -> Ceiling:
    """Time both on a device."""
    source = torch.zeros(COPIED.get(device.type, COPIED["cpu"]), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = _least(lambda: target.copy_(source), device)
    return Ceiling(precision, product_gmacs(device, precision), len(source) / copy / 1e9)


def product_gmacs(device: torch.device, precision: str) -> float:
    """10^9 multiply-adds a second of a large product at this moment; no memory is kept for the next time."""
    side = _large(device, precision)
    return side**3 / _product(side, device, precision) / 1e9


@cache
def _large(device: torch.device, precision: str) -> int:
    """The side of a product that takes long enough."""
    side = FIRST
    while side < LAST and _product(side, device, precision) < LONG:
        side *= 2  # some processors take minutes for fp16, so the size is found, not given
    return side


def _product(side: int, device: torch.device, precision: str) -> float:
    """Seconds of the product of two square matrices."""
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"  # a tracker sets its own before every call
    left, right = (torch.randn(side, side, device=device, dtype=DTYPES[precision]) for _ in range(2))
    out = torch.empty_like(left)
    return _least(lambda: torch.mm(left, right, out=out), device)


def _least(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of the quickest repetition, after one to warm up."""
    seconds = []
    for _ in range(REPEATS + 1):
        wait_for(device)
        started = perf_counter()
        work()
        wait_for(device)
        seconds.append(perf_counter() - started)
    return min(seconds[1:])


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
