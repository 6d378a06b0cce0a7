"""All pairs of trackers of a dataset: how much better, how sure, and which are not told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inmo.reports.scoring.ranks import Ranking
from inmo.reports.scoring.statistics import LEVEL, MINIMUM, RESAMPLES, Pair, ends
from inmo.reports.tables.table import Cell, Column, Table, p_column, percent, rank_columns, tabled

MARK = "*"
FEW = f"fewer than {MINIMUM} sequences that both have"
AUC = percent("success_auc", "AUC")


def pairs_table(pairs: Sequence[Pair], *, title: str = "", protocol: str = "", column: Column = AUC) -> Table:
    """One row per pair, in the order given: difference with its interval, p, and the verdict.

    ``column`` is what was compared; where lower values are better, the verdict is that.
    """
    about = f"mean {column.label} of the first less that of the second"

    def verdict(pair: Pair) -> str:
        worse = pair.second if pair.better == pair.first else pair.first
        return (worse if column.better < 0 else pair.better) if pair.better else "not told apart"

    return tabled(
        title, _how(pairs, protocol, column.label), pairs,
        (Column("first", "First"), lambda pair: pair.first),
        (Column("second", "Second"), lambda pair: pair.second),
        (Column("sequences", "n", digits=0, about="sequences that both have"), lambda pair: pair.n),
        (replace(column, key="difference", label=f"Δ {column.label}", better=0, about=about),
         lambda pair: Cell(pair.difference, ends(pair.interval))),
        (p_column("randomisation test, two-sided, over all pairs together"),
         lambda pair: Cell(pair.p_value, reason="" if pair.p_value is not None else FEW)),
        (Column("better", "Better", about="at the 5 % level"), verdict),
    )  # fmt: skip


def matrix_table(pairs: Sequence[Pair], *, title: str = "", protocol: str = "") -> Table:
    """Row less column for every two trackers, marked where they are told apart, and how many each one beats.

    Args:
        pairs: of ``statistics.compare_all``, the best tracker first.
    """
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)))
    known = {(pair.first, pair.second): pair for pair in (*pairs, *(pair.turned for pair in pairs))}
    columns = (
        Column("tracker", "Tracker"),
        Column("beats", "Better than", "", 0, 1.0, 0, "how many trackers it is told apart from and better than"),
        *(percent(name, name, f"AUC less that of {name} on the same sequences", better=0) for name in names),
    )
    rows = tuple(
        (
            Cell(name),
            Cell(sum(pair.better == name for pair in pairs)),
            *(_cell(known.get((name, other)), same=name == other) for other in names),
        )
        for name in names
    )
    caption = f"Row less column, in points of AUC. {_how(pairs, protocol)}"
    return Table(title, caption, columns, rows, {MARK: "told apart at the 5 % level."})


def rank_table(found: Ranking, *, title: str = "", protocol: str = "") -> Table:
    """Mean ranks, the critical difference, and who is not told apart from whom."""
    rank = Column("mean_rank", "Mean rank", "", 2, better=-1, about="over the sequences that all have; 1 is the best")
    about = "critical difference of mean ranks at the 5 % level"
    return rank_columns(tabled(
        title, rank_words(found, protocol), range(len(found.trackers)),
        (Column("tracker", "Tracker"), lambda place: found.trackers[place]),
        (rank, lambda place: found.ranks[place]),
        (Column("not_told_apart_from", "Not told apart from"), lambda place: ", ".join(found.like(place)) or "none"),
        (Column("sequences", "n", digits=0, about="sequences that all have"), lambda _: found.sequences),
        (Column("critical_difference", "CD", digits=2, about=about), lambda _: found.difference),
        (p_column("Friedman's test that all are equally good"), lambda _: found.p_value),
    ))  # fmt: skip


def rank_words(found: Ranking, protocol: str = "") -> str:
    """How ranks were compared, in words."""
    what = f"Success AUC, protocol {protocol}." if protocol else "Success AUC."
    least = 0.0001
    p = f"p < {least}" if found.p_value < least else f"p = {found.p_value:.4f}"
    apart = "" if found.p_value < 1 - LEVEL else ", so that none are told apart"
    out = f" Left out for want of sequences: {', '.join(found.left_out)}." if found.left_out else ""
    return (
        f"{what} Ranks on each of the {found.sequences} sequences that all have, 1 for the best; Friedman's test {p}"
        f"{apart}. By Nemenyi's test mean ranks are told apart from {found.difference:.2f} (CD) on.{out}"
    )


def _cell(pair: Pair | None, *, same: bool) -> Cell:
    if pair is None:
        return Cell(None, reason="" if same else "no sequence that both have")
    words = f"{pair.first} less {pair.second} on {pair.n} sequences"
    if pair.interval and pair.p_value is not None:
        low, high = pair.interval.low * 100, pair.interval.high * 100
        words += f": 95 % interval {low:.1f} to {high:.1f}, p {pair.p_value:.4f}"
    return Cell(pair.difference, note=words, mark=MARK if pair.better else "")


def _how(pairs: Sequence[Pair], protocol: str, measure: str = AUC.label) -> str:
    """How the differences were judged, in words."""
    judged = sum(pair.p_value is not None for pair in pairs)
    name = "Success AUC" if measure == AUC.label else measure
    what = f"{name}, protocol {protocol}." if protocol else f"{name}."
    if not judged:
        return f"{what} Nothing is claimed: {FEW}."
    few = "" if judged == len(pairs) else f" Nothing is claimed of {len(pairs) - judged} pairs with {FEW}."
    return (
        f"{what} Intervals: 95 %, each for itself, paired bootstrap over sequences ({RESAMPLES:,} resamples). "
        f"p: two-sided randomisation test, over all {judged} pair{'s' if judged != 1 else ''} together.{few}"
    )
