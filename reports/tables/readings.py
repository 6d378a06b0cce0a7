"""What a tracker's files look like, where that is not what they were read as: a table's footnote, and all in full."""

from __future__ import annotations

from collections.abc import Sequence

from inmo.reports.scoring.score import Score
from inmo.reports.tables.table import Cell, Column, Table, percent

MARK = "‡"


def footnote(scores: Sequence[Score]) -> dict[str, str]:
    """The footnote of a table, mark -> words; empty where all files look as they should."""
    told = dict.fromkeys(score.looks for score in scores if score.looks)
    return {MARK: f"{'. '.join(told)}."} if told else {}


def mark(score: Score) -> str:
    """The sign behind the tracker of a score."""
    return MARK if score.looks else ""


def readings_table(scores: Sequence[Score], *, title: str = "Other ways to read the files") -> Table:
    """A row per tracker, protocol and way to read its files: first as they stand, then the likely one, then by AUC."""
    columns = (
        Column("tracker", "Tracker"),
        Column("protocol", "Protocol"),
        Column("reading", "Read as"),
        Column("sequences", "Sequences", "", 0, 1.0, 0, "on which it can be tried"),
        percent("starts", "First rows", "sequences whose first rows are where the ground truth is then", better=0),
        percent("better", "Fit better", "sequences whose boxes lie nearer to the ground truth then", better=0),
        percent("success_auc", "AUC", "over the sequences on which it can be tried, were the files read so", better=0),
        Column("likely", "Likely"),
        Column("advice", "How"),
    )
    rows = tuple(
        (
            Cell(score.tracker),
            Cell(score.protocol),
            Cell(reading.words),
            Cell(reading.sequences),
            Cell(reading.starts),
            Cell(None if first else reading.better),
            Cell(reading.auc, reason="" if reading.auc is not None else score.reason or "the protocol refuses it"),
            Cell("likely" if reading.likely else ""),
            Cell(reading.advice),
        )
        for score in scores
        for first, reading in zip((True, *[False] * len(score.readings)), score.readings, strict=False)
    )
    caption = "Nothing of this was applied. AUC: what the score would be over the sequences that can be read so."
    return Table(title, caption, columns, rows)
