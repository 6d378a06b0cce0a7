"""The tables of a report, built from scores. Each builder returns a ``Table``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inmo.reports.scoring.score import MEASURES, Measures, Score, sequence_means
from inmo.reports.scoring.statistics import MINIMUM
from inmo.reports.tables import readings
from inmo.reports.tables.note_marks import NOTE, briefly, note_footnote, noted
from inmo.reports.tables.table import Cell, Column, Table, p_column, percent, rank_columns, ranked
from inmo.reports.tables.tuned_marks import MARK, footnote

FPS_DEFINITION = (
    "frames per second of the initialised tracker: frames divided by the time spent in the tracker's step (its "
    "pre-processing, network and post-processing; reading and decoding images excluded), leaving out the "
    "initialisation and the five frames after it of every sequence"
)
_MEASURES = {
    measure.key: percent(measure.key, measure.label, measure.about, better=1 if measure.better == "higher" else -1)
    for measure in MEASURES.values()
}
_FPS = Column("fps", "FPS", "", 1, 1.0, 0, FPS_DEFINITION)
_DELTA = percent(
    "difference", "Δ to best", "AUC minus the best tracker's on the same sequences, with its 95 % paired bootstrap "
    "interval", better=0,
)  # fmt: skip
_PVALUE = p_column("randomisation test against the best tracker, two-sided, over all trackers together")
_TRACKER = Column("tracker", "Tracker")


@dataclass(frozen=True)
class Extras:
    """What a table shows beside a score: the AUC's 95 % interval, the comparison with the best tracker, the speed.

    Attributes:
        interval: (low, high) of the success AUC; None where no interval is meaningful, and ``interval_note`` says why.
        difference, difference_interval, p_value: paired comparison with the best tracker; None for the best itself.
        fps: frames per second, see ``FPS_DEFINITION``; None where nothing was timed.
        link: anchor of the provenance on the page.
        caution: what must be known of the row, see ``stored.TrackerRun``.
    """

    interval: tuple[float, float] | None = None
    interval_note: str = ""
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    p_value: float | None = None
    fps: float | None = None
    link: str = ""
    caution: str = ""


def score_table(scores: Sequence[Score], extras: Sequence[Extras] = (), *, title: str = "") -> Table:
    """One row per score: tracker, protocol, coverage, measures; with ``extras`` (one per score) intervals and FPS.

    Rows of one dataset and protocol are ordered by AUC. The best three of a column are marked when all rows belong
    to one dataset and protocol; a row with a lower coverage than the fullest is never marked. Columns that no row
    has a value for are left out, apart from the AUC; the area of the precision plot is, too, where P at 20 px exists.
    """
    extras = extras or [Extras()] * len(scores)
    groups = list(dict.fromkeys((s.dataset, s.protocol) for s in scores))
    pairs = sorted(
        zip(scores, extras, strict=True),
        key=lambda p: (groups.index((p[0].dataset, p[0].protocol)), _descending(p[0].mean.success_auc)),
    )
    columns = [_TRACKER, *([Column("dataset", "Dataset")] if len({s.dataset for s in scores}) > 1 else [])]
    columns += [Column("protocol", "Protocol"), Column("sequences", "Sequences")]
    have = {m.key for m in MEASURES.values() if any(s.mean.value(m) is not None for s in scores)}
    shown = [m.key for m in MEASURES.values() if m.key in have and m.instead_of not in have]
    columns += [_MEASURES[key] for key in dict.fromkeys(["success_auc", *shown])]
    columns += [c for c, key in ((_DELTA, "difference"), (_PVALUE, "p_value"), (_FPS, "fps"))
                if any(getattr(e, key) is not None for e in extras)]  # fmt: skip
    rows = tuple(tuple(_score_cell(c, s, e) for c in columns) for s, e in pairs)
    notes = footnote([(s.tracker, e.caution) for s, e in pairs]) | readings.footnote([s for s, _ in pairs])
    notes |= note_footnote(scores)
    table = Table(title, _caption(scores, extras), tuple(columns), rows, notes, _legend(columns, extras))
    if len(groups) != 1:
        return table
    fullest = max((s.sequences for s in scores), default=0)
    return rank_columns(table, [s.sequences == fullest for s, _ in pairs])


def sequence_table(scores: Sequence[Score], *, title: str = "", names: Sequence[str] = ()) -> Table:
    """AUC per sequence, one column per tracker, the best sequences first; holes keep their place and their reason.

    Args:
        scores: trackers on one dataset under one protocol; several are kept apart by longer headings.
        title: heading.
        names: all sequences wanted; those that no tracker has come last.
    """
    scores = sorted(scores, key=lambda s: _descending(s.mean.success_auc))
    alone = len({(s.dataset, s.protocol) for s in scores}) <= 1
    heads = [s.tracker if alone else f"{s.tracker} ({s.dataset}, {s.protocol})" for s in scores]
    reasons = {(s.tracker, h.sequence): h.reason for s in scores for h in s.holes}
    found = [*names, *(n for s in scores for n in s.per_sequence), *(h.sequence for s in scores for h in s.holes)]
    means = sequence_means(scores)
    order = sorted(dict.fromkeys(found), key=lambda n: (_descending(means.get(n)), n))
    columns = (
        Column("sequence", "Sequence"),
        percent("mean", "Mean", "mean over the trackers that have a result", better=0),
        *(percent(head, head, f"AUC of {head}", better=0) for head in heads),
    )
    remarked = {n for s in scores for about in s.remarks.values() for n in about}

    def cell(score: Score, name: str) -> Cell:
        auc = score.per_sequence.get(name, Measures()).success_auc
        missing = reasons.get((score.tracker, name)) or score.reason or "no result"
        return Cell(auc, reason="" if auc is not None else missing)

    rows = tuple(
        (Cell(n, mark=NOTE if n in remarked else ""), Cell(means.get(n)), *(cell(s, n) for s in scores)) for n in order
    )
    protocols = ", ".join(dict.fromkeys(s.protocol for s in scores))
    return noted(Table(title, f"Success AUC per sequence, protocol {protocols}.", columns, rows), scores)


def attribute_table(
    words: Mapping[str, str],
    counts: Mapping[str, int],
    values: Mapping[str, Mapping[str, float | None]],
    *,
    protocol: str,
    title: str = "",
) -> Table:
    """AUC per attribute, one column per tracker; the best is marked where ``MINIMUM`` sequences have the attribute.

    Args:
        words: attribute code -> words, in the benchmark's order.
        counts: code -> how many scored sequences have it.
        values: tracker -> code -> mean AUC over the sequences with the attribute, or None.
        protocol: name of the protocol.
        title: heading.
    """
    columns = (
        Column("attribute", "Attribute"),
        Column("meaning", "Meaning"),
        Column("sequences", "n", "", 0, 1.0, 0, "scored sequences with this attribute"),
        *(percent(t, t, f"AUC of {t}", better=0) for t in values),
    )
    rows = []
    for code in (c for c in words if counts.get(c)):
        found = {tracker: by.get(code) for tracker, by in values.items()}
        known = [value for value in found.values() if value is not None]
        best = max(known) if len(known) > 1 and counts[code] >= MINIMUM else None
        cells = (
            Cell(None, reason=f"{tracker} has no result with it") if v is None else Cell(v, rank=int(v == best))
            for tracker, v in found.items()
        )
        rows.append((Cell(code), Cell(words[code]), Cell(counts[code]), *cells))
    caption = (
        f"Success AUC per attribute, protocol {protocol}; the best of a row is marked where at least {MINIMUM} "
        "sequences have the attribute."
    )
    return Table(title, caption, columns, tuple(rows))


def protocol_table(by_protocol: Mapping[str, Sequence[Score]], default: str, *, title: str = "") -> Table:
    """AUC of the same results under several protocols, and the difference of each to the default one."""
    others = [p for p in by_protocol if p != default]
    columns = [_TRACKER, percent(default, default, f"AUC under {default}", better=0)]
    for name in others:
        columns += [
            percent(name, name, f"AUC under {name}", better=0),
            percent(f"{name}-difference", "Δ", f"AUC under {name} minus AUC under {default}", better=0),
        ]
    scores = {(p, s.tracker): s for p, all_ in by_protocol.items() for s in all_}
    rows = []
    for base in sorted(by_protocol[default], key=lambda s: _descending(s.mean.success_auc)):
        cells = [Cell(base.tracker), _auc(base)]
        for name in others:
            other = scores[name, base.tracker]
            a, b = base.mean.success_auc, other.mean.success_auc
            cells += [_auc(other), Cell(None if a is None or b is None else b - a)]
        rows.append(tuple(cells))
    caption = f"Success AUC under several protocols; Δ is the difference to {default}, the benchmark's own."
    return noted(Table(title, caption, tuple(columns), tuple(rows)), list(scores.values()))


def overview_table(columns: Sequence[tuple[str, Sequence[Score]]], *, title: str = "") -> Table:
    """AUC of every tracker on every dataset under its default protocol.

    Args:
        columns: (heading of the dataset, its scores) in order; a heading may end in words about the scores' origin
            behind a semicolon, which stand with the protocol.
        title: heading.
    """
    trackers = list(dict.fromkeys(s.tracker for _, scores in columns for s in scores))
    grid: list[tuple[Column, Sequence[Cell]]] = [(_TRACKER, [Cell(tracker) for tracker in trackers])]
    for head, scores in columns:
        name, _, origin = head.partition("; ")
        parts = (scores[0].protocol if scores else "", origin or _shortfall(scores), briefly(scores))
        column = percent(scores[0].dataset if scores else name, name, "AUC")
        known, full = {s.tracker: s for s in scores}, max((s.sequences for s in scores), default=0)
        cells = [
            replace(_auc(s), note=f"{s.protocol}, {s.coverage} sequences")
            if (s := known.get(tracker)) else Cell(None, reason="not run on this dataset")
            for tracker in trackers
        ]  # fmt: skip
        whole = [tracker in known and known[tracker].sequences == full for tracker in trackers]
        # one by one: a tracker may be complete on one and not on another
        grid.append((replace(column, sub=", ".join(filter(None, parts))), ranked(column, cells, whole)))
    heads, found = zip(*grid, strict=True)
    caption = (
        "Success AUC in percent; under each dataset its protocol. Scores on fewer sequences than others are not ranked "
        "with them."
    )

    def order(row: Sequence[Cell]) -> tuple[int, float]:
        known = [cell.value for cell in row[1:] if isinstance(cell.value, float)]
        return sum(cell.value is None for cell in row), _descending(sum(known) / len(known) if known else None)

    table = Table(title, caption, heads, tuple(sorted(zip(*found, strict=True), key=order)))
    return noted(table, [score for _, scores in columns for score in scores])


# ---- parts


def _shortfall(scores: Sequence[Score]) -> str:
    """Coverage in words where it is not full: the trackers' common one, or that it differs."""
    found = {score.coverage for score in scores if score.sequences < score.expected}
    return found.pop() if len(found) == 1 else "coverage differs" if found else ""


def _score_cell(column: Column, score: Score, extras: Extras) -> Cell:
    match column.key:
        case "tracker":
            return Cell(score.tracker, link=extras.link, mark=(MARK if extras.caution else "") + readings.mark(score))
        case "dataset":
            return Cell(score.dataset)
        case "protocol":
            return Cell(score.protocol)
        case "sequences":
            return Cell(score.coverage, mark=NOTE if score.notes else "")
        case "fps":
            return Cell(extras.fps, reason="" if extras.fps is not None else "no frame was timed")
        case "difference":
            return Cell(extras.difference, extras.difference_interval)
        case "p_value":
            return Cell(extras.p_value)
    value = score.mean.value(MEASURES[column.key])
    if value is None:
        return Cell(None, reason=score.reason or f"{score.protocol} has no {column.label}")
    if column.key == "success_auc":
        return Cell(value, extras.interval, note=extras.interval_note)
    return Cell(value)


def _auc(score: Score) -> Cell:
    return Cell(score.mean.success_auc, reason=score.reason, mark=NOTE if score.notes else "")


def _caption(scores: Sequence[Score], extras: Sequence[Extras]) -> str:
    notes = []
    if any(s.sequences < s.expected for s in scores):
        low, high = min(s.sequences for s in scores), max(s.sequences for s in scores)
        whole = {s.expected for s in scores}
        if len(whole) == 1:
            what = f"{low if low == high else f'{low} to {high}'} of {whole.pop()} sequences"
        else:
            what = "; ".join(f"{s.tracker} on {s.dataset} {s.coverage}" for s in scores if s.sequences < s.expected)
        notes.append(f"Partial: {what}; not comparable with scores on the whole benchmark.")
        behind = [s.tracker for s in scores if s.sequences < high] if len({s.dataset for s in scores}) == 1 else []
        if behind:
            notes.append(f"Not ranked, for having fewer sequences than the others: {', '.join(behind)}.")
    notes += [f"Boxes read as {words}." for words in dict.fromkeys(s.boxes for s in scores if s.boxes)]
    why = dict.fromkeys(e.interval_note for e in extras if e.interval is None and e.interval_note)
    notes += [f"{words[0].upper()}{words[1:]}." for words in why]
    return " ".join(notes)


def _legend(columns: Sequence[Column], extras: Sequence[Extras]) -> str:
    """What a caption on paper must say of intervals and of the comparison with the best tracker."""
    notes = ["In brackets: 95 % bootstrap intervals over sequences."] if any(e.interval for e in extras) else []
    return " ".join([*notes, *(f"{c.label}: {c.about}." for c in columns if c in (_DELTA, _PVALUE))])


def _descending(value: float | None) -> float:
    return float("inf") if value is None else -value
