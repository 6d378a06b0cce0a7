"""What the InMo paper (Guo et al., IJCAI 2022) prints in its Tables 2 to 5, as data: ``reports/paper/*.csv``.

A value is the printed string, with where it stands; ``-`` is a cell for which the paper prints a dash.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from inmo.errors import UserError, unknown_name

MEASURES = ("success_auc", "norm_precision", "precision_20", "fps")
TITLES: Mapping[int, str] = {
    2: "Comparison with other trackers",
    3: "TrackingNet and OTB100",
    4: "Window process and target-aware cross-attention in TransInMo*",
    5: "Matching",
}
PRINTED_DASH = "-"

FOLDER = resources.files("inmo.reports.paper")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Row:
    """One row: its key in the data, its words, and where and when the paper says it was published (may be empty)."""

    key: str
    title: str
    source: str = ""
    year: str = ""


@dataclass(frozen=True)
class Printed:
    """One cell: the printed string, ``-`` for a dash, and where it stands."""

    value: str
    origin: str

    @property
    def number(self) -> float | None:
        """The value as a number in the printed unit, None for a dash."""
        return None if self.value == PRINTED_DASH else float(self.value)


@dataclass(frozen=True)
class Slip:
    """A footnote on something of note in print, which is kept: of a row, a benchmark's cells of it, or one of these."""

    row: str
    dataset: str
    measure: str
    note: str


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper.

    Attributes:
        number, title: 2 .. 5, and what it shows.
        rows: in the paper's order.
        columns: (benchmark, measure) in the paper's order; the benchmark of ``fps`` is empty.
        cells: (row key, benchmark, measure) -> what is printed; every row has every column.
        slips: footnotes.
    """

    number: int
    title: str
    rows: tuple[Row, ...]
    columns: tuple[tuple[str, str], ...]
    cells: Mapping[Key, Printed]
    slips: tuple[Slip, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the benchmarks in the columns."""
        return tuple(dict.fromkeys(dataset for dataset, _ in self.columns if dataset))

    def slip(self, row: str, dataset: str = "", measure: str = "") -> str:
        """The footnote on a cell, or on a row as a whole; empty where there is none."""
        of_row = [slip for slip in self.slips if slip.row == row]
        exact = [slip.note for slip in of_row if (slip.dataset, slip.measure) == (dataset, measure)]
        wider = [slip.note for slip in of_row if dataset and (slip.dataset, slip.measure) == (dataset, "")]
        return next(iter([*exact, *wider]), "")


@lru_cache
def paper_table(number: int) -> PaperTable:
    """A table of the paper. Raises UserError for a number that is none, and for a data file that does not fit."""
    if number not in TITLES:
        raise unknown_name("table of the paper", str(number), map(str, TITLES))
    rows = tuple(
        Row(line["row"], line["title"], line["source"], line["year"]) for line in paper_lines("rows.csv", number)
    )
    slips = tuple(
        Slip(line["row"], line["dataset"], line["measure"], line["note"]) for line in paper_lines("slips.csv", number)
    )
    name = f"table_{number}.csv"
    lines = paper_lines(name)
    columns = tuple(dict.fromkeys((line["dataset"], line["measure"]) for line in lines))
    cells: dict[Key, Printed] = {}
    for position, line in enumerate(lines, start=2):
        where, key = f"reports/paper/{name}, line {position}", (line["row"], line["dataset"], line["measure"])
        if key in cells:
            raise UserError(f"{where}: {', '.join(key)} stands there twice")
        cells[key] = _printed(line["value"].strip(), line["origin"].strip(), where)
    wanted = {(row.key, *column) for row in rows for column in columns}
    if wanted != set(cells):
        odd = sorted(wanted ^ set(cells))[0]
        raise UserError(f"reports/paper/{name}: {', '.join(odd)} is missing, or belongs to no row of rows.csv")
    return PaperTable(number, TITLES[number], rows, columns, cells, slips)


def _printed(value: str, origin: str, where: str) -> Printed:
    if not value or not origin:
        raise UserError(f"{where}: a cell needs its value ({PRINTED_DASH} for a printed dash) and its origin")
    try:
        float(0 if value == PRINTED_DASH else value)
    except ValueError as error:
        raise UserError(f"{where}: '{value}' is no number: write it as printed, without a unit") from error
    return Printed(value, origin)


def paper_lines(name: str, number: int | None = None) -> list[dict[str, str]]:
    """The lines of one of the paper's files, those of a table where ``number`` is given."""
    text = FOLDER.joinpath(name).read_text(encoding="utf-8")
    lines = list(csv.DictReader(text.splitlines()))
    return [line for line in lines if number is None or line["table"] == str(number)]
