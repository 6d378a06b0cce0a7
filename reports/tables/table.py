"""A table has one source and several renderings: text, CSV, LaTeX, JSON and rows for the page.

Values are kept as fractions and in the measure's own unit; ``Column.scale`` turns them into what is printed (percent
with one decimal). A value that is missing says why. This module imports nothing heavy: it is on the path of the
``score`` command, whose start-up time is part of its speed.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Value = float | int | str | None
DASH = "–"
MOST_NARROW = 8  # columns that fit into one column of a paper
MARKS = {1: "¹", 2: "²", 3: "³"}
_LATEX_MARKS = {1: r"\textbf{%s}", 2: r"\underline{%s}", 3: r"\textit{%s}"}
_LATEX_COLOURS = {1: "red", 2: "green!50!black", 3: "blue"}
_LATEX_WORDS = {1: "best: red and bold", 2: "second: green and underlined", 3: "third: blue and italic"}
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "−": "$-$", "Δ": r"$\Delta$", "±": r"$\pm$", "×": r"$\times$", "≥": r"$\geq$",
    "≤": r"$\leq$", "†": r"$^\dagger$",
}  # fmt: skip


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

    @property
    def heading(self) -> str:
        label = f"{self.label} ({self.sub})" if self.sub else self.label
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


def percent(key: str, label: str, about: str = "", *, better: int = 1) -> Column:
    """A column of fractions printed in percent with one decimal."""
    return Column(key, label, "%", 1, 100.0, better, about)


@dataclass(frozen=True)
class Cell:
    """One value with what belongs to it.

    Attributes:
        value: number or words; None when missing, and then ``reason`` says why.
        interval: 95 % interval in the unit of the value, or None.
        rank: 1, 2, 3 for the best three, else 0.
        note: further words for whoever asks (a title on the page).
        link: anchor on the page, without ``#``.
        published: the string that a paper prints for it. Beside a measured value it is shown for comparison; without
            one it stands alone, in italics, and is never ranked.
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


@dataclass(frozen=True)
class Table:
    """Rows of one cell per column.

    Attributes:
        title, caption: words above and below it.
        footnotes: mark of cells -> what it says.
        legend: what the columns mean, which a page says once for all of its tables and a paper in the table's caption.
    """

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: Mapping[str, str] = field(default_factory=dict)
    legend: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of '{self.title}' has {len(row)} cells for {len(self.columns)} columns")

    @property
    def words(self) -> str:
        """Caption and footnotes."""
        return " ".join(filter(None, (self.caption, *(f"{mark} {words}" for mark, words in self.footnotes.items()))))

    def to_text(self) -> str:
        return to_text(self)

    def to_csv(self) -> str:
        return to_csv(self)

    def to_latex(self) -> str:
        return to_latex(self)

    def to_json(self) -> str:
        return to_json(self)


def rank_columns(table: Table, eligible: Sequence[bool] | None = None) -> Table:
    """Mark the best three of every column that says which way is better.

    Values that print alike share a rank. One of n rows is never marked alone, nor is the last of them: among two
    rows one is marked, among three rows two. Rows that are not ``eligible`` (a lower coverage, say) get no mark.
    """
    eligible = [True] * len(table.rows) if eligible is None else eligible
    rows = [list(row) for row in table.rows]
    for index, column in enumerate(table.columns):
        if not column.better:
            continue
        printed = {
            r: float(column.number(float(row[index].value)))  # type: ignore[arg-type]
            for r, row in enumerate(table.rows)
            if eligible[r] and _is_number(row[index].value)
        }
        order = sorted(printed.values(), reverse=column.better > 0)
        for r, value in printed.items():
            rank = order.index(value) + 1
            if rank <= min(3, len(order) - 1) and order[0] != order[-1]:
                rows[r][index] = replace(rows[r][index], rank=rank)
    return replace(table, rows=tuple(tuple(row) for row in rows))


# ---- renderings


def to_text(table: Table) -> str:
    """Aligned for a terminal; reasons for missing values follow as notes."""
    notes: dict[str, int] = {}
    body = [[_text_cell(c, cell, notes) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    grid = [[plain(c.heading) for c in table.columns], *body]
    widths = [max(len(row[i]) for row in grid) for i in range(len(table.columns))]
    lines = [_text_line(row, widths, table.columns) for row in grid]
    lines.insert(1, "  ".join("─" * w for w in widths))
    head = [plain(table.title), ""] if table.title else []
    tail = [f"[{number}] {plain(reason)}" for reason, number in notes.items()]
    caption = [plain(table.words)] if table.words else []
    return "\n".join([*head, *lines, *([""] if tail or caption else []), *tail, *caption]) + "\n"


def to_csv(table: Table) -> str:
    """Comma-separated, in the printed unit with two more decimals; intervals as columns ``low`` and ``high``, published
    values and the differences to them as columns ``published`` and ``difference``."""
    further = [_further(c, [row[i] for row in table.rows]) for i, c in enumerate(table.columns)]
    noted = any(_notes(table, row) for row in table.rows)
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    heads = [[plain(c.heading), *names] for c, names in zip(table.columns, further, strict=True)]
    writer.writerow([*(h for head in heads for h in head), *(["note"] if noted else [])])
    for row in table.rows:
        values: list[str] = []
        for column, cell, names in zip(table.columns, row, further, strict=True):
            values.append(plain(_printed(column, cell, extra=2, missing="")))
            values += [text for name, text in _beside(column, cell).items() if name in names]
        writer.writerow([*values, *(["; ".join(dict.fromkeys(_notes(table, row)))] if noted else [])])
    return sink.getvalue()


def to_latex(table: Table) -> str:
    """A ``table`` environment, ready to paste; needs the packages booktabs and xcolor.

    The best three are red, green and blue, as in tracking papers, and bold, underlined and italic for print without
    colours; the caption says so. Reasons for missing values follow as comments.
    """
    spec = "".join("l" if c.digits is None else "r" for c in table.columns)
    wide = len(table.columns) > MOST_NARROW
    kind = "table*" if wide else "table"
    lines = [
        r"% \usepackage{booktabs,xcolor}",
        rf"\begin{{{kind}}}",
        r"\centering",
        *([r"\tiny\setlength{\tabcolsep}{2pt}"] if wide else []),
        rf"\caption{{{latex_escape(_latex_caption(table))}}}",
        rf"\begin{{tabular}}{{{spec}}}",
        r"\toprule",
        " & ".join(_latex_heading(c) for c in table.columns) + r" \\",
        r"\midrule",
        *(_latex_row(table.columns, row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\end{{{kind}}}",
    ]
    for row in table.rows:
        for key, reason in _reasons(table, row).items():
            lines.append(f"% {plain(str(row[0].value))}, {key}: {plain(reason)}")
    return "\n".join(lines) + "\n"


def to_json(table: Table) -> str:
    """One object; values as fractions with 8 significant digits, null with an entry in ``reasons`` where missing.
    Published values are strings, as printed."""
    rows = []
    for row in table.rows:
        values: dict[str, Any] = {}
        for column, cell in zip(table.columns, row, strict=True):
            values[column.key] = _rounded(cell.value)
            if cell.interval:
                values[f"{column.key}_interval"] = [_rounded(v) for v in cell.interval]
            if cell.published:
                values[f"{column.key}_published"] = cell.published
            if cell.difference is not None:
                values[f"{column.key}_difference"] = _rounded(cell.difference)
            if cell.mark:
                values[f"{column.key}_mark"] = cell.mark
        reasons = _reasons(table, row)
        rows.append(values | ({"reasons": reasons} if reasons else {}))
    columns = [
        {"key": c.key, "label": c.label, "about": c.about} | ({"sub": c.sub} if c.sub else {}) for c in table.columns
    ]
    whole: dict[str, Any] = {"title": table.title, "caption": table.caption, "columns": columns, "rows": rows}
    whole |= {"footnotes": dict(table.footnotes)} if table.footnotes else {}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_html(table: Table) -> dict[str, Any]:
    """The table as plain values for the page's template, which does the escaping."""
    columns = [
        {"label": c.label, "sub": c.sub, "unit": c.unit, "about": c.about, "numeric": c.digits is not None, "link": "",
         "hash": ""} for c in table.columns
    ]  # fmt: skip
    rows = [[_html_cell(c, cell) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    return {"title": table.title, "caption": table.words, "columns": columns, "rows": rows}


RENDERINGS = {"csv": to_csv, "tex": to_latex, "json": to_json}


# ---- parts


def plain(text: str) -> str:
    """Text without control characters, which could command a terminal or break a comment's line."""
    return "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in text)


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(_LATEX_SPECIAL.get(ch, ch) for ch in plain(text))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _printed(column: Column, cell: Cell, *, extra: int = 0, missing: str = DASH) -> str:
    if isinstance(cell.value, str):
        return cell.value
    if cell.value is None or not math.isfinite(cell.value):
        return missing
    return column.number(cell.value, extra if column.digits else 0)


def _reasons(table: Table, row: Iterable[Cell]) -> dict[str, str]:
    return {c.key: cell.reason for c, cell in zip(table.columns, row, strict=True) if cell.reason}


def _notes(table: Table, row: Sequence[Cell]) -> list[str]:
    """What a line of a file says besides its values: why some are missing, and what marks mean."""
    pairs, known = zip(table.columns, row, strict=True), table.footnotes
    told = [f"{column.label} {cell.mark} {known[cell.mark]}" for column, cell in pairs if cell.mark in known]
    return [*_reasons(table, row).values(), *told]


def _beside(column: Column, cell: Cell) -> dict[str, str]:
    """What a cell of a file has beside its value: heading -> text, empty where it has none."""
    low, high = (column.number(v, 2) for v in cell.interval) if cell.interval else ("", "")
    difference = "" if cell.difference is None else column.signed(cell.difference)
    texts = {"low": low, "high": high, "published": cell.published, "difference": difference}
    unit = f" [{column.unit}]" if column.unit else ""
    return {f"{column.label} {name}{unit}": text for name, text in texts.items()}


def _further(column: Column, cells: Sequence[Cell]) -> list[str]:
    """Headings of what any cell of a column has beside its value."""
    found = [_beside(column, cell) for cell in cells]
    return [name for name in _beside(column, Cell(None)) if any(texts[name] for texts in found)]


def _rounded(value: Value) -> Value:
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    return value


def _text_cell(column: Column, cell: Cell, notes: dict[str, int]) -> str:
    text = plain(_printed(column, cell))
    if cell.interval:
        low, high = (column.number(v) for v in cell.interval)
        text += f" [{low}, {high}]"
    if cell.published:
        text = f"{text} (paper: {_against(column, cell)})" if cell.value is not None else f"paper: {cell.published}"
    text += cell.mark
    if cell.reason:
        text += f" [{notes.setdefault(cell.reason, len(notes) + 1)}]"
    if column.better:
        text += MARKS.get(cell.rank, " ")
    return text


def _text_line(row: list[str], widths: list[int], columns: tuple[Column, ...]) -> str:
    cells = zip(row, widths, columns, strict=True)
    return "  ".join(t.ljust(w) if c.digits is None else t.rjust(w) for t, w, c in cells).rstrip()


def _latex_caption(table: Table) -> str:
    ranks = {cell.rank for row in table.rows for cell in row}
    marks = "; ".join(words for rank, words in _LATEX_WORDS.items() if rank in ranks)
    title = f"{table.title}." if table.title else ""
    return " ".join(
        filter(None, (title, table.words, table.legend, f"{marks[:1].upper()}{marks[1:]}." if marks else ""))
    )


def _latex_row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    text = " & ".join(_latex_cell(c, cell) for c, cell in zip(columns, row, strict=True)) + r" \\"
    return "{}" + text if text.startswith("[") else text  # or the row before would take it for a length


def _latex_heading(column: Column) -> str:
    lines = [replace(column, sub="").heading, *([column.sub] if column.sub else [])]
    label, *sub = (latex_escape(line).replace(r"P\_norm", r"$P_\mathrm{norm}$", 1) for line in lines)
    return rf"\shortstack[r]{{{label}\\{sub[0]}}}" if sub else label


def _latex_cell(column: Column, cell: Cell) -> str:
    text = latex_escape(_printed(column, cell) + cell.mark)
    if cell.rank in _LATEX_MARKS:
        text = rf"\textcolor{{{_LATEX_COLOURS[cell.rank]}}}{{{_LATEX_MARKS[cell.rank] % text}}}"
    if cell.value is None and cell.published:
        return rf"\textit{{{latex_escape(cell.published)}}}"
    interval = ""
    if cell.interval:
        low, high = (column.number(v) for v in cell.interval)
        interval = f"[{low}, {high}]"
    if cell.published:
        lines = [text, *([f"{{{interval}}}"] if interval else []), latex_escape(f"paper {_against(column, cell)}")]
        return r"\shortstack[r]{{{}}}".format(r"\\".join(lines))
    return rf"{text} {{\scriptsize {interval}}}" if interval else text


def _against(column: Column, cell: Cell) -> str:
    """The published value and the difference to it: ``65.7, +0.3``."""
    if cell.difference is None:
        return cell.published
    return f"{cell.published}, {column.signed(cell.difference).replace('-', '−')}"


def _html_cell(column: Column, cell: Cell) -> dict[str, Any]:
    number = cell.value if _is_number(cell.value) else None
    interval = "" if cell.interval is None else ", ".join(column.number(v) for v in cell.interval)
    text = cell.published if cell.value is None and cell.published else _printed(column, cell)
    return {
        "text": text.replace("-", "−") if number is not None else text,
        "sort": number,
        "interval": f"[{interval}]".replace("-", "−") if interval else "",
        "rank": cell.rank,
        "mark": cell.mark,
        "about": cell.reason or cell.note,
        "missing": cell.value is None and not cell.published,
        "published": cell.published,
        "against": _against(column, cell) if cell.published and cell.value is not None else "",
        "link": cell.link,
        "numeric": column.digits is not None,
        "tint": min(9, max(0, int(float(number) * 10))) if number is not None and column.scale == 100.0 else None,
    }
