"""A table in a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inmo.reports.tables.table import Cell, Column, Table
from inmo.terminal import plain

MOST_NARROW = 8  # columns that fit into one column of a paper
_MARKS = {1: r"\textbf{%s}", 2: r"\underline{%s}", 3: r"\textit{%s}"}
_COLOURS = {1: "red", 2: "green!50!black", 3: "blue"}
_WORDS = {1: "best: red and bold", 2: "second: green and underlined", 3: "third: blue and italic"}
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "–": "--", "−": "$-$", "Δ": r"$\Delta$", "±": r"$\pm$", "×": r"$\times$", "≥": r"$\geq$",
    "≤": r"$\leq$", "†": r"$^\dagger$", "‡": r"$^\ddagger$", "§": r"\textsuperscript{\S}",
}  # fmt: skip


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
        rf"\caption{{{latex_escape(_caption(table))}}}",
        rf"\begin{{tabular}}{{{spec}}}",
        r"\toprule",
        *_groups(table),
        " & ".join(_heading(c) for c in table.columns) + r" \\",
        r"\midrule",
        *(_row(table.columns, row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\end{{{kind}}}",
    ]
    for row in table.rows:
        for key, reason in table.reasons(row).items():
            lines.append(f"% {plain(str(row[0].value))}, {key}: {plain(reason)}")
    return "\n".join(lines) + "\n"


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(_SPECIAL.get(ch, ch) for ch in plain(text))


def _caption(table: Table) -> str:
    ranks = {cell.rank for row in table.rows for cell in row}
    marks = "; ".join(words for rank, words in _WORDS.items() if rank in ranks)
    title = f"{table.title}." if table.title else ""
    ranked = f"{marks[0].upper()}{marks[1:]}." if marks else ""
    return " ".join(filter(None, (title, table.words, table.legend, ranked)))


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    text = " & ".join(_cell(c, cell) for c, cell in zip(columns, row, strict=True)) + r" \\"
    return "{}" + text if text.startswith("[") else text  # or the row before would take it for a length


def _groups(table: Table) -> list[str]:
    """The line above the headings that names groups of columns, and the rules below each."""
    words, rules, first = [], [], 1
    for name, span in table.groups:
        words.append(rf"\multicolumn{{{span}}}{{c}}{{{latex_escape(name)}}}")
        rules += [rf"\cmidrule(lr){{{first}-{first + span - 1}}}"] if name else []
        first += span
    return [" & ".join(words) + r" \\", "".join(rules)] if words else []


def _heading(column: Column) -> str:
    lines = [replace(column, sub="", group="").heading, *([column.sub] if column.sub else [])]
    label, *sub = (latex_escape(line).replace(r"P\_norm", r"$P_\mathrm{norm}$", 1) for line in lines)
    return rf"\shortstack[r]{{{label}\\{sub[0]}}}" if sub else label


def _cell(column: Column, cell: Cell) -> str:
    text = latex_escape(column.printed(cell) + cell.mark)
    if cell.rank in _MARKS:
        text = rf"\textcolor{{{_COLOURS[cell.rank]}}}{{{_MARKS[cell.rank] % text}}}"
    if cell.value is None and cell.published:
        return rf"\textit{{{latex_escape(cell.published_words)}}}"
    interval = column.bounds(cell)
    if cell.published:
        lines = [text, *([f"{{{interval}}}"] if interval else []), latex_escape(f"paper {column.against(cell)}")]
        return r"\shortstack[r]{{{}}}".format(r"\\".join(lines))
    return rf"{text} {{\scriptsize {interval}}}" if interval else text
