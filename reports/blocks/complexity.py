"""How the cost of an interaction grows with the number of tokens: a table with fitted exponents and log-log figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inmo.reports.blocks.block import Block, Drawing
from inmo.reports.figures import for_papers, svg
from inmo.reports.figures.style import styles
from inmo.reports.tables.table import Cell, Column, Table, tabled

_WORDS = (
    "{network}. Section 3.1 of the paper says that the cost of attention is linear in HW with window process. "
    "Multiply-adds are counted with the padding to whole windows; of them the two products of attention, QK and AV, "
    "stand apart, because these alone can grow faster than the tokens. With windows of a fixed side the number of "
    "groups stays and each grows with HW: the products of CSA still grow with its square, divided by that number; "
    "those of TCA, which asks a template of fixed size, are linear with and without. Milliseconds: {machine}."
)


@dataclass(frozen=True)
class Cost:
    """What one part of a backbone costs for one search region.

    Attributes:
        case: which network, "wp=true".
        part: CSA or TCA.
        side: of the search region in pixels.
        tokens: that it has in all GIMs with this part.
        macs: multiply-adds of the part; products: of them, those of the attention's two products.
        milliseconds: median time; None where it was not measured.
    """

    case: str
    part: str
    side: int
    tokens: int
    macs: int
    products: int
    milliseconds: float | None = None


def exponent(tokens: Sequence[float], values: Sequence[float]) -> float | None:
    """b of the least-squares fit ``value = a tokens^b`` in logarithms; None for fewer than two different sizes."""
    pairs = [(math.log(t), math.log(v)) for t, v in zip(tokens, values, strict=True) if t > 0 and v > 0]
    if len({x for x, _ in pairs}) < 2:
        return None
    x, y = zip(*pairs, strict=True)
    return float(np.polyfit(x, y, 1)[0])


def complexity_block(costs: Sequence[Cost], network: str, machine: str) -> Block:
    """The cost of CSA and TCA against the number of tokens.

    Args:
        costs: cases, parts and sizes in any order.
        network: whose they are.
        machine: on what the milliseconds were measured, with how many threads and when.
    """
    lines = {name: [cost for cost in costs if _name(cost) == name] for name in dict.fromkeys(map(_name, costs))}
    drawings, figures = [], {}
    look = styles(lines)
    for stem, title, values in (
        ("complexity_macs", "Multiply-adds", {n: [(c.tokens, c.macs / 1e6) for c in own] for n, own in lines.items()}),
        ("complexity_time", "Time", {n: [(c.tokens, c.milliseconds or 0.0) for c in own] for n, own in lines.items()}),
    ):
        unit = "million multiply-adds" if stem == "complexity_macs" else "milliseconds"
        drawn = {n: kept for n, points in values.items() if (kept := [p for p in points if min(p) > 0])}
        if drawn:
            drawings.append(Drawing(title, "both axes logarithmic", svg.loglog_plot(drawn, "Tokens", unit, look)))
            figures[stem] = for_papers.loglog_figure(drawn, "Tokens", unit, look)
    return Block(
        stem="complexity",
        title="Cost of the interaction against the number of tokens",
        words=_WORDS.format(network=network, machine=machine),
        tables={"complexity_exponents": _exponents(lines), "complexity": _table(costs)},
        folded=("complexity",),
        drawings=tuple(drawings),
        figures=figures,
    )


def _name(cost: Cost) -> str:
    return f"{cost.part}, {cost.case}" if cost.case else cost.part


def _table(costs: Sequence[Cost]) -> Table:
    return tabled(
        "Every size", "", costs,
        (Column("case", "Case"), lambda cost: cost.case),
        (Column("part", "Part"), lambda cost: cost.part),
        (Column("side", "Search region", "px", 0), lambda cost: cost.side),
        (Column("tokens", "Tokens", "", 0, about="in all GIMs that have the part"), lambda cost: cost.tokens),
        (Column("macs", "Multiply-adds", "millions", 2, 1e-6), lambda cost: cost.macs),
        (Column("products", "Of these, products", "millions", 2, 1e-6, about="QK and AV"), lambda cost: cost.products),
        (Column("milliseconds", "Time", "ms", 3),
         lambda cost: Cell(cost.milliseconds, reason="" if cost.milliseconds else "not timed")),
    )  # fmt: skip


def _exponents(lines: dict[str, list[Cost]]) -> Table:
    columns = (
        Column("line", "Part and case"),
        Column("macs", "Multiply-adds", "", 2, about="exponent of all multiply-adds"),
        Column("products", "Products", "", 2, about="exponent of the attention's products"),
        Column("milliseconds", "Time", "", 2, about="exponent of the milliseconds"),
    )
    rows = []
    for name, own in lines.items():
        tokens = [cost.tokens for cost in own]
        values = zip(*((c.macs, c.products, c.milliseconds or 0.0) for c in own), strict=True)
        fits = [exponent(tokens, each) for each in values]
        rows.append((Cell(name), *(Cell(fit, reason="" if fit is not None else "too few sizes") for fit in fits)))
    caption = "b of the fit cost = a · tokens^b: 1 is linear, 2 is quadratic."
    return Table("Fitted exponents", caption, columns, tuple(rows))
