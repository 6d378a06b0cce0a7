"""What must be said beside a score: results that were left out, cut, padded, or hold no boxes."""

from __future__ import annotations

from collections.abc import Mapping

from inmo.reports.scoring.protocols import protocol
from inmo.reports.scoring.score import Score

SHOWN = 4  # names in a sentence
_SHORT = {
    "cut": "scores the frames that are there",
    "zeros": "fills them up with boxes that fail",
    "nan": "fills them up with boxes that fail",
    "raise": "goes without them",
}


def notes(score: Score) -> list[str]:
    """Sentences that begin with the tracker's name; none for a result that is whole, or without numbers."""
    if score.reason:
        return []
    said = []
    if score.mean.broken:
        said.append(
            f"{score.tracker} has {score.mean.broken} predictions that are NaN or without size; "
            f"{score.protocol} decides what they count for"
        )
    scored = score.per_sequence.items()
    if longer := {name: measures.longer for name, measures in scored if measures.longer}:
        said.append(
            f"{score.tracker} has more rows than the annotation in {_plural(len(longer))} ({_listed(longer, '+')}); "
            f"{score.protocol} leaves out the last ones: look whether they begin with the annotation's first frame"
        )
    if shorter := {name: measures.shorter for name, measures in scored if measures.shorter}:
        what = _SHORT[protocol(score.protocol).shorter]
        said.append(
            f"{score.tracker} has fewer rows than the annotation in {_plural(len(shorter))} ({_listed(shorter, '-')}); "
            f"{score.protocol} {what}"
        )
    if score.refused:
        more = f" (and {len(score.refused) - 1} more)" if len(score.refused) > 1 else ""
        first = score.refused[0]
        said.append(
            f"{score.tracker} is scored without {_plural(len(score.refused))} that cannot be: "
            f"{first.sequence}: {first.reason}{more}"
        )
    return said


def _plural(count: int) -> str:
    return f"{count} sequence{'s' if count > 1 else ''}"


def _listed(counts: Mapping[str, int], sign: str) -> str:
    shown = ", ".join(f"{name} {sign}{count}" for name, count in list(counts.items())[:SHOWN])
    return shown + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
