"""What a tracker's files look like, where that is not what they were read as: a table's footnote, and all in full."""

from __future__ import annotations

from collections.abc import Sequence

from inmo.reports.scoring.score import Reading, Score
from inmo.reports.tables.table import Cell, Column, Table, percent, tabled

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
    caption = "Nothing of this was applied. AUC: what the score would be over the sequences that can be read so."

    def auc(score: Score, reading: Reading) -> Cell:
        return Cell(reading.auc, reason="" if reading.auc is not None else score.reason or "the protocol refuses it")

    return tabled(
        title, caption, [(score, reading) for score in scores for reading in score.readings],
        (Column("tracker", "Tracker"), lambda each: each[0].tracker),
        (Column("protocol", "Protocol"), lambda each: each[0].protocol),
        (Column("reading", "Read as"), lambda each: each[1].words),
        (Column("sequences", "Sequences", digits=0, about="on which it can be tried"), lambda each: each[1].sequences),
        (percent("starts", "First rows", "sequences whose first rows are where the ground truth is then", better=0),
         lambda each: each[1].starts),
        (percent("better", "Fit better", "sequences whose boxes lie nearer to the ground truth then", better=0),
         lambda each: None if each[1] is each[0].readings[0] else each[1].better),
        (percent("success_auc", "AUC", "over the sequences on which it can be tried, were the files read so", better=0),
         lambda each: auc(*each)),
        (Column("likely", "Likely"), lambda each: "likely" if each[1].likely else ""),
        (Column("advice", "How"), lambda each: each[1].advice),
    )  # fmt: skip
