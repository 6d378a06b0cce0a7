"""What a table says of scores that do not rest on what their protocol takes: absent flags, rows, whole results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inmo.reports.scoring.score import Score
from inmo.reports.tables import readings, tuned_marks
from inmo.reports.tables.table import Table

if TYPE_CHECKING:
    from inmo.reports.scoring.stored import DatasetEvaluation

NOTE = "§"


def marks(score: Score, caution: str = "") -> str:
    """The signs behind the name of a tracker wherever a number of it stands without its row of a table.

    ``caution``: see ``stored.TrackerRun``.
    """
    return (tuned_marks.MARK if caution else "") + readings.mark(score) + (NOTE if score.notes else "")


def marks_of(data: DatasetEvaluation) -> dict[str, str]:
    """Tracker -> its signs on a dataset."""
    return {run.name: marks(score, run.caution) for run, score in zip(data.runs, data.default, strict=True)}


def note_footnote(scores: Sequence[Score]) -> dict[str, str]:
    """The footnote of a table, mark -> words; whose note it is, where it does not hold for all of them."""
    told: dict[str, list[Score]] = {}
    for score in scores:
        for note in score.notes:
            told.setdefault(note, []).append(score)
    words = [f"{_whose(own, scores)}{note}" for note, own in told.items()]
    return {NOTE: " ".join(words)} if words else {}


def noted(table: Table, scores: Sequence[Score]) -> Table:
    """A table made of the scores with the footnote."""
    return replace(table, footnotes={**table.footnotes, **note_footnote(scores)})


def briefly(scores: Iterable[Score]) -> str:
    """The notes of several scores in a few words, for headings; empty where there is none."""
    return ", ".join(dict.fromkeys(score.brief for score in scores if score.brief))


def _whose(own: Sequence[Score], scores: Sequence[Score]) -> str:
    alike = [score for score in scores if (score.dataset, score.protocol) == (own[0].dataset, own[0].protocol)]
    where = own[0].dataset if len({score.dataset for score in scores}) > 1 else ""
    who = ", ".join(score.tracker for score in own) if len(own) < len(alike) else ""
    words = f"{who} on {where}" if who and where else who or where
    return f"{words}: " if words else ""
