"""Text for a terminal: without control characters, and in columns of one width each."""

from __future__ import annotations

from collections.abc import Sequence


def plain(text: str) -> str:
    """Text without control characters, which could command a terminal or break a comment's line.

    >>> plain("TransT\\x1b[2J")
    'TransT\\\\x1b[2J'
    """
    return "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in text)


def listed(names: Sequence[str], most: int) -> str:
    """Names in a sentence, those beyond ``most`` counted.

    >>> listed(["Deer", "Bolt", "Coke"], 2)
    'Deer, Bolt and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def aligned(rows: Sequence[Sequence[str]], left: Sequence[bool] | int = 1, *, ruled: bool = False) -> list[str]:
    """Rows of as many cells each as lines, two spaces between columns and none at the end.

    Args:
        rows: the first may be headings. No row gives no line.
        left: per column whether it is flush left (words) or right (numbers); or how many of the first are.
        ruled: a line is drawn below the first row.

    >>> print("\\n".join(aligned([["Tracker", "AUC"], ["A", "61.3"]], ruled=True)))
    Tracker   AUC
    ───────  ────
    A        61.3
    """
    count = len(rows[0]) if rows else 0
    flush = [place < left for place in range(count)] if isinstance(left, int) else left
    widths = [max(len(row[place]) for row in rows) for place in range(count)]
    lines = [
        "  ".join(
            cell.ljust(width) if words else cell.rjust(width)
            for cell, width, words in zip(row, widths, flush, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [*lines[:1], *(["  ".join("─" * width for width in widths)] if ruled else []), *lines[1:]]
