"""Timings, ratios and ceilings as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inmo.harness.bench.ceiling import Ceiling
from inmo.harness.bench.compare import Ratio, Timing
from inmo.harness.bench.scopes import PARTS
from inmo.terminal import aligned

NOTE = """Milliseconds per frame: the median of the rounds, and their least and most. read and decode are spent in
threads where frames are read ahead; wait is what of them held the run up. init is the template's. device: share of the
time that the network computed. first s: seconds from nothing to the end of a first round. ceiling: its multiply-adds a
second over those of PyTorch's large matrix product of its precision after each round; other runtimes may pass 100%."""


def timings_text(timings: Sequence[Timing]) -> str:
    """One line each."""
    head = ["tracker", "case", "scope", "lanes", "ms/frame", "rounds", "frames/s", *PARTS]
    rows = [[*head, "device", "MiB", "first s", "ceiling"]]
    rows += [
        [
            one.tracker,
            one.case or "-",
            one.scope,
            str(one.lanes),
            f"{one.median:.2f}",
            f"{min(one.milliseconds):.2f}..{max(one.milliseconds):.2f}",
            f"{1e3 / one.median:.1f}",
            *(f"{one.parts[part]:.2f}" if part in one.parts else "-" for part in PARTS),
            "-" if one.computing is None else f"{100 * one.computing:.1f}%",
            f"{one.memory / 2**20:.0f}" if one.memory else "-",
            f"{one.first:.1f}",
            "-" if one.of_ceiling is None else f"{100 * one.of_ceiling:.0f}%",
        ]
        for one in timings
    ]
    return "\n".join([*aligned(rows, left=3), NOTE])


def ceilings_text(ceilings: Mapping[str, Ceiling]) -> str:
    """What the machine can do, empty without ceilings."""
    return "\n".join(
        f"{one.precision}: a matrix product makes {one.gmacs:.0f} GMAC/s, a copy {one.gigabytes:.1f} GB/s"
        for one in ceilings.values()
    )


def ratios_text(ratios: Sequence[Ratio]) -> str:
    """One line each, empty without ratios."""
    return "\n".join(
        f"{one.tracker}, {one.scope}: ({one.second or 'as it is'}) is {one.median:.2f} times as fast as "
        f"({one.first or 'as it is'}), {min(one.rounds):.2f} to {max(one.rounds):.2f} in {len(one.rounds)} rounds"
        for one in ratios
    )
