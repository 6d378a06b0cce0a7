"""A table as Markdown."""

from __future__ import annotations

from inmo.reports.tables.table import Cell, Column, Table


def to_markdown(table: Table) -> str:
    """Caption and rows, intervals in brackets behind their values; a value that is missing leaves its cell empty."""
    lines = [[c.heading for c in table.columns], ["---"] * len(table.columns)]
    lines += [[_cell(c, cell) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    text = [f"| {' | '.join(words.replace('|', chr(92) + '|') for words in line)} |" for line in lines]
    return "\n".join([*([table.words, ""] if table.words else []), *text]) + "\n"


def _cell(column: Column, cell: Cell) -> str:
    text = column.printed(cell, missing="") + cell.mark
    return f"{text} {column.bounds(cell)}" if cell.interval else text
