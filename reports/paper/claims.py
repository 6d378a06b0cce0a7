"""What the paper says of its tables in words: differences of two of their cells, beside those measured here.

A claim is what section 4 says: "WP alone gains 3.5 over neither" is the difference of two cells of Table 4. The printed
one is computed in decimal digits; the measured one is paired over sequences, where both rows were measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from inmo.datasets import benchmark
from inmo.reports.blocks.block import Block
from inmo.reports.paper.blocks import LABELS, MINI, Found
from inmo.reports.paper.measured import Source, comparable, paired, speed
from inmo.reports.paper.printed import PRINTED_DASH, paper_lines, paper_table
from inmo.reports.scoring.stored import DatasetEvaluation
from inmo.reports.tables.table import Cell, Column, Table

CONTRADICTED = "*"
SAID = (
    Column("claim", "Claim"),
    Column("table", "Table", digits=0, about="the paper's table that has both cells"),
    Column("cells", "Cells"),
    Column("says", "Text says", "", about="what the paper's text says of the difference"),
)


@dataclass(frozen=True)
class Claim:
    """One claim about one difference.

    Attributes:
        words: the claim in our words.
        table: the paper's table that holds both cells.
        row, less: keys of its rows; the claim is about ``row`` less ``less``.
        dataset, measure: the column, as in ``PaperTable.columns``.
        says: "more", "less" or "on par".
        stated: the difference that the text names, as printed; empty where it names none.
    """

    words: str
    table: int
    row: str
    less: str
    dataset: str
    measure: str
    says: str
    stated: str

    @property
    def printed(self) -> Decimal | None:
        """The difference of the two printed cells, in percent or frames per second; None where one is a dash."""
        cells = paper_table(self.table).cells
        one, other = (cells[row, self.dataset, self.measure].value for row in (self.row, self.less))
        return None if PRINTED_DASH in (one, other) else Decimal(one) - Decimal(other)

    @property
    def borne_out(self) -> bool:
        """Whether the printed cells differ the way the claim says; "on par" is left to the reader."""
        printed = self.printed
        return printed is None or {"more": printed > 0, "less": printed < 0}.get(self.says, True)


@lru_cache
def claims() -> tuple[Claim, ...]:
    """Every claim, in the order of the tables that they are about."""
    keys = ("row", "less", "dataset", "measure", "says", "stated")
    lines = paper_lines("claims.csv")
    return tuple(Claim(line["claim"], int(line["table"]), *(line[key] for key in keys)) for line in lines)


@dataclass(frozen=True)
class Rows:
    """What was measured for one table: what stands for its rows, and what its columns were measured on."""

    sources: Mapping[str, Sequence[Source]]
    found: Found


def claims_block(measured: Mapping[int, Rows]) -> Block:
    """Every claim beside what was measured. ``measured``: number of a table -> its rows; tables may be missing."""
    accuracy = [claim for claim in claims() if claim.measure != "fps"]
    speeds = [claim for claim in claims() if claim.measure == "fps"]
    return Block(
        stem="claims",
        title="What the paper says of its tables",
        words=(
            "Each claim is a difference of two printed cells. Beside it stands the paired difference measured here: "
            "the mean over the sequences that both rows have, with a 95 % bootstrap interval over sequences, in "
            "points of percent."
        ),
        tables={"claims": _accuracy(accuracy, measured), "claims_speed": _speeds(speeds, measured)},
    )


def _accuracy(chosen: Sequence[Claim], measured: Mapping[int, Rows]) -> Table:
    columns = (
        *SAID,
        Column("printed", "In print", "", 1, 100.0, about="the difference of the two printed cells"),
        Column("measured", "Measured", "", 1, 100.0, about="mean paired difference and its interval"),
        Column("on", "On"),
        Column("reading", "Interval", about="where the interval of the measured difference lies"),
    )
    rows = tuple(
        (*_said(claim, f"{benchmark(claim.dataset).title} {LABELS[claim.measure][0]}", 100), *_found(claim, measured))
        for claim in chosen
    )
    return Table("Accuracy", _words(measured), columns, rows, _footnotes(chosen))


def _said(claim: Claim, column: str, scale: int) -> tuple[Cell, ...]:
    titles = {row.key: row.title for row in paper_table(claim.table).rows}
    says = f"{'−' if claim.says == 'less' else '+'}{claim.stated}" if claim.stated else claim.says
    printed = Cell(None, reason="the paper prints a dash")
    if claim.printed is not None:
        printed = Cell(float(claim.printed / scale), mark="" if claim.borne_out else CONTRADICTED)
    cells = Cell(f"{titles[claim.row]} less {titles[claim.less]}, {column}")
    return Cell(claim.words), Cell(claim.table), cells, Cell(says), printed


def _found(claim: Claim, measured: Mapping[int, Rows]) -> tuple[Cell, Cell, Cell]:
    pair, why = _sources(claim, measured)
    data = measured[claim.table].found.get(claim.dataset, "") if claim.table in measured else ""
    if pair is None or not isinstance(data, DatasetEvaluation):
        return Cell(None, reason=why or str(data)), Cell(""), Cell("")
    difference = paired(*pair, claim.measure, data)
    if difference.value is None:
        return Cell(None, reason=difference.reason), Cell(""), Cell("")
    reading = ""
    if difference.interval:
        low, high = difference.interval
        reading = "holds 0" if low <= 0 <= high else "above 0" if low > 0 else "below 0"
    return (
        Cell(difference.value, difference.interval, note=difference.note),
        Cell(f"{benchmark(data.dataset.benchmark).title}, {difference.coverage}"),
        Cell(reading),
    )


def _speeds(chosen: Sequence[Claim], measured: Mapping[int, Rows]) -> Table:
    columns = (
        *SAID,
        Column("printed", "In print", "", 0, about="the difference of the two printed cells"),
        Column("printed_ratio", "Ratio in print", "", 2, about="the first printed speed over the second"),
        Column("ratio", "Ratio measured here", "", 2, about="the first measured speed over the second"),
    )
    rows = []
    for claim in chosen:
        cells = paper_table(claim.table).cells
        one, other = (cells[row, "", "fps"].number for row in (claim.row, claim.less))
        printed = Cell(one / other) if one and other else Cell(None, reason="the paper prints a dash")
        rows.append((*_said(claim, "FPS", 1), printed, _ratio(claim, measured)))
    return Table("Speed", "Speeds of another machine compare as ratios alone.", columns, tuple(rows),
                 _footnotes(chosen))  # fmt: skip


def _ratio(claim: Claim, measured: Mapping[int, Rows]) -> Cell:
    pair, why = _sources(claim, measured)
    if pair is None:
        return Cell(None, reason=why)
    evaluations = [data for data in measured[claim.table].found.values() if isinstance(data, DatasetEvaluation)]
    speeds = [speed(source, evaluations) for source in pair]
    reason = next((one.reason for one in speeds if one.value is None), "")
    if not reason and not comparable(speeds):
        reason = "these speeds were not measured by one process at a time on one machine (--jobs 1)"
    return Cell(None, reason=reason) if reason else Cell((speeds[0].value or 0.0) / (speeds[1].value or 1.0))


def _sources(claim: Claim, measured: Mapping[int, Rows]) -> tuple[tuple[Source, Source] | None, str]:
    if claim.table not in measured:
        return None, f"Table {claim.table} is not part of this experiment"
    known = measured[claim.table].sources
    titles = {row.key: row.title for row in paper_table(claim.table).rows}
    for row in (claim.row, claim.less):
        if not known.get(row):
            return None, f"{titles[row]} was not measured here"
    return (known[claim.row][0], known[claim.less][0]), ""


def _footnotes(chosen: Sequence[Claim]) -> dict[str, str]:
    odd = not all(claim.borne_out for claim in chosen)
    return {CONTRADICTED: "The printed cells do not bear out what the text says."} if odd else {}


def _words(measured: Mapping[int, Rows]) -> str:
    mini = any(
        isinstance(data, DatasetEvaluation) and data.dataset.benchmark.startswith(MINI)
        for rows in measured.values() for data in rows.found.values()
    )  # fmt: skip
    return "Measured on the mini-suite, which says nothing about the paper's benchmarks." if mini else ""
