"""What is known about why measured values differ from printed ones, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inmo.reports.scoring.stored import TrackerRun
from inmo.reports.tables.table import Cell, Column, Table

DOCS = "docs/differences.md"
SENSES: Mapping[str, str] = {
    "paper": "as the paper writes it; the printed number came from code that is nearer to the released one",
    "released": "as the authors' code computes, which differs from the paper in 33 places",
}
COLUMNS = (
    Column("row", "Row"),
    Column("protocol", "Protocols", about="other toolkits score the same boxes otherwise"),
    Column("weights", "Weights", about="SHA-256 of the file; only the authors' own can give the printed number"),
    Column("sense", "Network"),
    Column("constants", "Constants", about="whether they were tuned on what they are measured on"),
    Column("runs", "Runs", about="one run says nothing about the spread of seeds"),
)


def differences_table(rows: Sequence[tuple[str, Sequence[TrackerRun], Sequence[str]]]) -> Table:
    """What of each row may explain a difference. ``rows``: name, its runs on all columns, the columns' protocols."""
    lines = []
    for name, runs, protocols in rows:
        identities = [run.run.identity for run in runs]
        weights = list(dict.fromkeys(filter(None, map(_weights, identities))))
        senses = dict.fromkeys(str(identity.get("interaction") or "") for identity in identities)
        lines.append(
            (
                Cell(name),
                Cell(", ".join(dict.fromkeys(protocols))),
                Cell(", ".join(weights) or "raw results: not known here"),
                Cell("; ".join(SENSES[sense] for sense in senses if sense in SENSES) or "its own"),
                Cell("tuned on data that they are measured on" if any(run.caution for run in runs) else "fixed before"),
                Cell(str(len({run.run.folder for run in runs}))),
            )
        )
    caption = (
        f"{DOCS} lists what paper and released code do differently and what else moves a number: protocol, weights, "
        "constants, seeds, arithmetic and slips of the print."
    )
    return Table("What is known about the differences", caption, COLUMNS, tuple(lines))


def _weights(identity: Mapping[str, object]) -> str:
    """The start of the weights' SHA-256, or their name; empty for none."""
    weights = identity.get("weights")
    return str(weights.get("sha256", ""))[:12] if isinstance(weights, Mapping) else str(weights or "")
