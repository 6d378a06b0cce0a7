"""A table has one source and several renderings: text, CSV, LaTeX, JSON and rows for the page, a file each.

Values are kept as fractions and in the measure's own unit; ``Column.scale`` turns them into what is printed (percent
with one decimal). A value that is missing says why. This module imports nothing heavy: it is on the path of the
``score`` command, whose start-up time is part of its speed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from inmo.registry import resolve

T = TypeVar("T")
Value = float | int | str | None
DASH = "–"
RENDERINGS = {
    "text": "inmo.reports.tables.text:to_text",
    "csv": "inmo.reports.tables.csv_file:to_csv",
    "md": "inmo.reports.tables.markdown:to_markdown",
    "tex": "inmo.reports.tables.latex:to_latex",
    "json": "inmo.reports.tables.json_file:to_json",
}
SAME = 12  # decimals beyond which values differ by rounding alone
FILES = ("csv", "tex", "json")  # the renderings that a report writes, by their suffix


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: name in JSON.
        label: heading; unit: printed in brackets behind it (``%``, ``frames/s``), empty for none.
        digits: decimals; None for a column of words.
        scale: what values are multiplied by for printing, 100 for percent.
        better: 1 when higher is better, -1 when lower is, 0 when the column is not ranked.
        least: values below it print as "<" and this value (p-values); 0 for none.
        about: one sentence for the reader who asks what it is.
        sub: what belongs to the label and may stand under it, the protocol of a dataset's column.
        group: what neighbouring columns have in common and a heading above them says once, a benchmark's name.
    """

    key: str
    label: str
    unit: str = ""
    digits: int | None = None
    scale: float = 1.0
    better: int = 0
    about: str = ""
    least: float = 0.0
    sub: str = ""
    group: str = ""

    @property
    def name(self) -> str:
        """The label with its group, where nothing above it says the group."""
        return f"{self.group} {self.label}" if self.group else self.label

    @property
    def heading(self) -> str:
        label = f"{self.name} ({self.sub})" if self.sub else self.name
        return f"{label} [{self.unit}]" if self.unit else label

    def number(self, value: float, extra: int = 0) -> str:
        """A value of this column as printed; ``extra`` more decimals for files that are read by machines."""
        if self.least and value < self.least:
            return f"<{self.least}"
        digits = 0 if abs(value) >= 1000 and not extra else (self.digits or 0) + extra  # 4251, not 4251.3 FPS
        text = f"{value * self.scale:.{digits}f}"
        return text.removeprefix("-") if float(text) == 0 else text  # no "-0.0"

    def signed(self, value: float, extra: int = 0) -> str:
        """A difference of this column's values as printed, with its sign; 0 has none."""
        text = self.number(value, extra)
        return f"+{text}" if float(text) > 0 else text

    def printed(self, cell: Cell, *, extra: int = 0, missing: str = DASH) -> str:
        """The value of a cell of this column as printed; words stay as they are."""
        if isinstance(cell.value, str):
            return cell.value
        return missing if cell.number is None else self.number(cell.number, extra if self.digits else 0)

    def bounds(self, cell: Cell) -> str:
        """The interval of a cell as printed: ``[64.1, 67.2]``; empty where it has none."""
        return f"[{', '.join(self.number(v) for v in cell.interval)}]" if cell.interval else ""

    def difference(self, cell: Cell) -> str:
        """The difference to the published value: ``+0.3``; empty where there is none."""
        return "" if cell.difference is None else self.signed(cell.difference).replace("-", "−")

    def against(self, cell: Cell) -> str:
        """The published value and the difference to it: ``65.7, +0.3``."""
        return ", ".join(filter(None, (cell.published_words, self.difference(cell))))


def percent(key: str, label: str, about: str = "", *, better: int = 1) -> Column:
    """A column of fractions printed in percent with one decimal."""
    return Column(key, label, "%", 1, 100.0, better, about)


def p_column(about: str) -> Column:
    """A column of p-values."""
    return Column("p_value", "p", "", 4, about=about, least=0.0001)


@dataclass(frozen=True)
class Cell:
    """One value with what belongs to it.

    Attributes:
        value: number or words; None when missing, and then ``reason`` says why.
        interval: 95 % interval in the unit of the value, or None.
        rank: 1, 2, 3 for the best three, else 0.
        note: further words for whoever asks (a title on the page).
        link: anchor on the page, without ``#``.
        published: the string that a paper prints for it, ``-`` for a dash. Beside a measured value it is shown for
            comparison; without one it stands alone, in italics, and is never ranked.
        published_mark: a sign behind it, which a footnote of the table explains.
        difference: the value as printed minus the published one, in the unit of the value, or None.
        mark: a sign printed behind it, which a footnote of the table explains.
    """

    value: Value
    interval: tuple[float, float] | None = None
    reason: str = ""
    rank: int = 0
    note: str = ""
    link: str = ""
    published: str = ""
    difference: float | None = None
    mark: str = ""
    published_mark: str = ""

    @property
    def published_text(self) -> str:
        """The published value as it is shown, a dash as one."""
        return DASH if self.published == "-" else self.published

    @property
    def published_words(self) -> str:
        """The published value as it is shown, with its mark."""
        return self.published_text + self.published_mark

    @property
    def number(self) -> float | None:
        """The value where it is a finite number."""
        return self.value if isinstance(self.value, int | float) and math.isfinite(self.value) else None


@dataclass(frozen=True)
class Table:
    """Rows of one cell per column.

    Attributes:
        title, caption: words above and below it.
        footnotes: mark of cells -> what it says.
        legend: what the columns mean, which a page says once for all of its tables and a paper in the table's caption.
        explained: anchor on the page of what explains the differences to published values, without ``#``.
    """

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: Mapping[str, str] = field(default_factory=dict)
    legend: str = ""
    explained: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of '{self.title}' has {len(row)} cells for {len(self.columns)} columns")

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings above the columns with how many columns each spans; empty where no column has a group."""
        runs = [(name, len(list(own))) for name, own in groupby(column.group for column in self.columns)]
        return runs if any(name for name, _ in runs) else []

    @property
    def words(self) -> str:
        """Caption and footnotes."""
        return " ".join(filter(None, (self.caption, *(f"{mark} {words}" for mark, words in self.footnotes.items()))))

    def by_name(self) -> dict[str, dict[str, Cell]]:
        """First cell of a row -> key of a column -> cell."""
        keys = [column.key for column in self.columns]
        return {str(row[0].value): dict(zip(keys, row, strict=True)) for row in self.rows}

    def reasons(self, row: Sequence[Cell]) -> dict[str, str]:
        """Key of a column -> why a row has no value there."""
        return {c.key: cell.reason for c, cell in zip(self.columns, row, strict=True) if cell.reason}

    def render(self, rendering: str) -> str:
        """The table as one of ``RENDERINGS``."""
        text: str = resolve(RENDERINGS, rendering, "rendering")(self)
        return text

    def to_text(self) -> str:
        return self.render("text")

    def to_csv(self) -> str:
        return self.render("csv")

    def to_latex(self) -> str:
        return self.render("tex")

    def to_json(self) -> str:
        return self.render("json")


def write_tables(tables: Mapping[str, Table], folder: Path) -> list[Path]:
    """Write FOLDER/<stem>.csv|tex|json of every table. Returns the paths; a folder that is missing is made."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for stem, table in tables.items():
        for suffix in FILES:
            written.append(folder / f"{stem}.{suffix}")
            written[-1].write_text(table.render(suffix), encoding="utf-8")
    return written


def tabled(
    title: str,
    caption: str,
    items: Iterable[T],
    *columns: tuple[Column, Callable[[T], Cell | Value]],
    footnotes: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """A table with a row per item. ``columns``: each with what its cell is of an item, or the cell's value alone."""

    def cell(found: Cell | Value) -> Cell:
        return found if isinstance(found, Cell) else Cell(found)

    rows = tuple(tuple(cell(of(item)) for _, of in columns) for item in items)
    return Table(title, caption, tuple(column for column, _ in columns), rows, footnotes)


def rank_columns(table: Table, eligible: Sequence[bool] | None = None) -> Table:
    """Mark the best three of every column that says which way is better; see ``ranked``."""
    if not table.rows:
        return table
    columns = zip(table.columns, zip(*table.rows, strict=True), strict=True)
    return replace(table, rows=tuple(zip(*(ranked(*column, eligible) for column in columns), strict=True)))


def ranked(column: Column, cells: Sequence[Cell], eligible: Sequence[bool] | None = None) -> Sequence[Cell]:
    """The cells of a column with the best three marked, where the column says which way is better.

    Ranks are those of the measured values, not of the printed digits; equal values share one. One of n rows is
    never marked alone, nor is the last of them: among two rows one is marked, among three rows two. Rows that are
    not ``eligible`` (a lower coverage, say) get no mark.
    """
    numbers = [cell.number if eligible is None or eligible[place] else None for place, cell in enumerate(cells)]
    measured = [None if number is None else round(float(number), SAME) for number in numbers]
    order = sorted((value for value in measured if value is not None), reverse=column.better > 0)
    if not column.better or not order or order[0] == order[-1]:
        return cells
    ranks = [0 if value is None else order.index(value) + 1 for value in measured]
    marked = min(3, len(order) - 1)
    return [replace(cell, rank=r) if 0 < r <= marked else cell for cell, r in zip(cells, ranks, strict=True)]
