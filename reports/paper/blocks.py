"""Tables 2 to 5 of the InMo paper as blocks of the page: what was measured here beside what is printed there.

A measured value has its interval, the printed value and the difference of the printed digits. A row that was not
measured shows the printed values alone, in italics. Scores on a benchmark's miniature are another benchmark's: they
get no printed value beside them; the paper's table then follows as printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from inmo.datasets import benchmark
from inmo.reports.blocks.block import Block, anchor
from inmo.reports.paper.differences import differences_table
from inmo.reports.paper.measured import Measured, Source, comparable, measured, speed
from inmo.reports.paper.printed import PRINTED_DASH, PaperTable, Printed, Row
from inmo.reports.scoring.stored import DatasetEvaluation, TrackerRun
from inmo.reports.tables.builders import FPS_DEFINITION
from inmo.reports.tables.note_marks import briefly
from inmo.reports.tables.table import Cell, Column, Table, percent, ranked
from inmo.reports.tables.tuned_marks import MARK, footnote

LABELS: Mapping[str, tuple[str, str]] = {
    "success_auc": ("AUC", "area under the success plot"),
    "norm_precision": ("P_norm", "normalised precision, as the benchmark's protocol defines it"),
    "precision_20": ("P", "precision: share of frames whose centre is at most 20 px off"),
}
MINI = "mini-"
ROW = Column("row", "Row")
SOURCE = Column("source", "Source", about="where and when the tracker was published")
RUNS = Column("runs", "Runs", about="trainings with seeds of their own, or repeated runs: measured, of those wanted")
COVERAGE = Column("coverage", "Coverage", about="sequences scored, where they are not all of a benchmark")
SHARED_WORDS = "Intervals are 95 % bootstrap intervals over sequences."

Found = Mapping[str, DatasetEvaluation | str]
"""Benchmark of a table's column -> its evaluation (of the benchmark itself or its miniature), or why there is none."""


@dataclass(frozen=True)
class Line:
    """One row of a rendered table: the paper's row and what stands for it here, if anything."""

    row: Row
    source: Source | None


def paper_block(
    table: PaperTable, sources: Mapping[str, Sequence[Source]], found: Found, *, linked: bool = True
) -> Block:
    """One table of the paper.

    Args:
        table: what the paper prints.
        sources: row key -> what stands for it; a row may have several, which get a row each, or none.
        found: for every benchmark in the columns.
        linked: whether the page has the runs' provenance; where not, they are listed with it beside the table.
    """
    mini = {name for name, data in found.items() if _is_mini(data)}
    measured_alone = bool(found) and mini == set(found)
    alone = () if measured_alone else (None,)
    lines = [Line(row, source) for row in table.rows for source in sources.get(row.key, ()) or alone]
    stem = f"table{table.number}"
    tables = {stem: _main(table, lines, found, linked)}
    if not linked or any(line.source and line.source.wanted > 1 for line in lines):
        tables[f"{stem}_runs"] = _runs(table, lines, found)
    if mini:
        tables[f"{stem}_printed"] = printed_table(table)
    if any(cell.difference is not None for row in tables[stem].rows for cell in row):
        tables[stem] = replace(tables[stem], explained=f"t-{stem}_why")
        tables[f"{stem}_why"] = _why(table, lines, found)
    return Block(
        stem=stem,
        title=f"Table {table.number}: {table.title}",
        words=_words(table, bool(mini)),
        tables=tables,
        notes=tuple(_absences(found, lines)),
        folded=(f"{stem}_printed", f"{stem}_why"),
    )


def printed_table(table: PaperTable) -> Table:
    """The paper's table as it is printed, on the full benchmarks."""
    sourced, slips = _has_source(table), _Slips(table)
    columns = [ROW, *([SOURCE] if sourced else []), *(_column(c, "", "") for c in table.columns)]
    rows = tuple(
        (
            Cell(row.title, mark=slips.mark(row.key)),
            *([_source(row)] if sourced else []),
            *(_published(table.cells[row.key, *c], slips.mark(row.key, *c)) for c in table.columns),
        )
        for row in table.rows
    )
    caption = "The paper's values, on the full benchmarks; nothing here was measured."
    title = f"{table.title}, as printed in the paper"
    return Table(title, caption, tuple(replace(c, better=0) for c in columns), rows, slips.footnotes)


# ---- the table itself


def _main(table: PaperTable, lines: Sequence[Line], found: Found, linked: bool) -> Table:
    evaluations = [*_evaluated(found).values()]
    several = any(line.source and line.source.wanted > 1 for line in lines)
    mini = any(_is_mini(data) for data in found.values())
    slips = _Slips(replace(table, slips=()) if mini else table)
    links = [_link(line, evaluations) if linked else "" for line in lines]
    names = [Cell(_name(line), link=to, mark=slips.mark(line.row.key)) for line, to in zip(lines, links, strict=True)]
    grid: list[tuple[Column, Sequence[Cell]]] = [(ROW, names)]
    if _has_source(table):
        grid.append((SOURCE, [_source(line.row) for line in lines]))
    if several:
        grid.append((RUNS, [_count(line) for line in lines]))
    partial: list[list[str]] = [[] for _ in lines]
    cautions: list[tuple[str, str]] = []
    for name, measure in table.columns:
        data = found.get(name, "")
        values = [_measure(line, measure, data, evaluations) for line in lines]
        column = _column((name, measure), data, _sub(data, values))
        cells = []
        for line, value, short in zip(lines, values, partial, strict=True):
            cell = _cell(column, value, _comparable(table, line, name, measure, found), measure, data)
            if cell.published:
                cell = replace(cell, published_mark=slips.mark(line.row.key, name, measure))
            if linked and isinstance(data, DatasetEvaluation) and len(value.runs) == 1:
                cell = replace(cell, link=anchor(data, value.runs[0]))
            if measure != "fps":
                cautions += [(f"{_name(line)} on {_title(data)}", run.caution) for run in value.runs]
                if cell.value is not None and any(run.caution for run in value.runs):
                    cell = replace(cell, mark=MARK)
                if cell.value is not None and not value.complete:
                    short.append(f"{_title(data)} {value.coverage}")
            cells.append(cell)
        grid.append((column, ranked(column, cells, _eligible(values, measure))))
        if several and measure == "success_auc":
            spread = percent(f"{column.key}_deviation", f"{column.label} ±", "deviation of the runs", better=0)
            grid.append((replace(spread, group=column.group), [_deviation(value) for value in values]))
    grid.append((COVERAGE, [_coverage(line, short) for line, short in zip(lines, partial, strict=True)]))
    columns, cells_by_column = zip(*grid, strict=True)
    rows = tuple(zip(*cells_by_column, strict=True))
    title = f"{table.title}, measured on the mini-suite" if mini else f"{table.title}, measured and in print"
    return Table(title, _caption(table, found, several), tuple(columns), rows, footnote(cautions) | slips.footnotes)


def _why(table: PaperTable, lines: Sequence[Line], found: Found) -> Table:
    """What may explain the differences of the rows that were measured."""
    scored = [data for name, data in _evaluated(found).items() if (name, "success_auc") in table.columns]
    rows = []
    for line in lines:
        pairs = [(run, data) for data in scored for run in _measure(line, "success_auc", data, ()).runs]
        if pairs:
            rows.append((_name(line), [run for run, _ in pairs], [data.dataset.protocol for _, data in pairs]))
    return differences_table(rows)


def _measure(
    line: Line, measure: str, data: DatasetEvaluation | str, evaluations: Sequence[DatasetEvaluation]
) -> Measured:
    if line.source is None:
        return Measured(reason="not measured here")
    if measure == "fps":
        return speed(line.source, evaluations)
    if isinstance(data, str):
        return Measured(reason=data)
    return measured(line.source, measure, data)


def _cell(
    column: Column, value: Measured, printed: Printed | None, measure: str, data: DatasetEvaluation | str
) -> Cell:
    published = printed.value if printed else ""
    if value.value is None:
        return Cell(None, published=published, reason=value.reason)
    difference = None
    if printed and printed.number is not None and value.complete and measure != "fps":
        difference = (float(column.number(value.value)) - printed.number) / column.scale
    words = ["mean over the runs"] if len(value.parts) > 1 else []
    if isinstance(data, DatasetEvaluation) and measure != "fps":
        words = [f"protocol {data.dataset.protocol}", value.coverage if value.server else f"{value.coverage} sequences"]
    note = ", ".join(filter(None, (*words, value.note)))
    return Cell(value.value, value.interval, note=note, published=published, difference=difference)


def _eligible(values: Sequence[Measured], measure: str) -> list[bool]:
    """What may be among the best three: only measured ones, on the same sequences as the fullest."""
    if measure == "fps":
        return [comparable(values)] * len(values)
    fullest = max((value.names for value in values if value.value is not None), key=len, default=frozenset())
    served = any(value.server for value in values)
    return [bool(value.server) if served else value.names == fullest for value in values]


def _comparable(table: PaperTable, line: Line, name: str, measure: str, found: Found) -> Printed | None:
    """What the paper prints for a cell, where the column is the benchmark that the paper means."""
    whole = [name] if name else list(found)
    if any(_is_mini(found[other]) for other in whole if other in found):
        return None
    return table.cells[line.row.key, name, measure]


def _runs(table: PaperTable, lines: Sequence[Line], found: Found) -> Table:
    """Every training by itself, with what identifies it."""
    evaluated = _evaluated(found)
    wanted, whole = [column for column in table.columns if column[0] in ("", *evaluated)], [*evaluated.values()]
    columns = [ROW, Column("run", "Run")]
    columns += [replace(_column(c, found.get(c[0], ""), ""), better=0) for c in wanted]
    columns += [Column("hash", "Config hash"), Column("weights", "Weights", about="SHA-256 of the weights' file"),
                Column("device", "Device"), Column("date", "Date")]  # fmt: skip
    rows = []
    for line in lines:
        if line.source is None:
            continue
        names = line.source.names or tuple(map(str, range(len(line.source.runs))))
        for run_name, training in zip(names, line.source.runs, strict=True):
            alone = Line(line.row, Source(line.source.label, (training,)))
            values = [_measure(alone, measure, found.get(name, ""), whole) for name, measure in wanted]
            runs = [run for value in values for run in value.runs]
            shown = [Cell(v.value, v.interval, reason=v.reason, note=v.note) for v in values]
            identity = runs[0].run.identity.get("weights", "") if runs else ""
            sha = identity.get("sha256", "") if isinstance(identity, Mapping) else str(identity)
            facts = [_fact(runs, "device"), _fact(runs, "date")]
            rows.append((Cell(line.row.title), Cell(run_name), *shown, Cell(runs[0].run.hash if runs else ""),
                         Cell(sha[:12]), *facts))  # fmt: skip
    caption = "Each run by itself. Intervals are over sequences and say nothing about seeds."
    return Table(f"{table.title}, every run", caption, tuple(columns), tuple(rows))


# ---- parts


def _evaluated(found: Found) -> dict[str, DatasetEvaluation]:
    return {name: data for name, data in found.items() if isinstance(data, DatasetEvaluation)}


def _is_mini(data: DatasetEvaluation | str) -> bool:
    return isinstance(data, DatasetEvaluation) and data.dataset.benchmark.startswith(MINI)


def _title(data: DatasetEvaluation | str) -> str:
    return benchmark(data.dataset.benchmark).title if isinstance(data, DatasetEvaluation) else ""


def _column(key: tuple[str, str], data: DatasetEvaluation | str, sub: str) -> Column:
    name, measure = key
    if measure == "fps":
        return Column("fps", "FPS", "", 1, 1.0, 1, FPS_DEFINITION, sub=sub)
    label, about = LABELS[measure]
    title = _title(data) or benchmark(name).title
    return replace(percent(f"{name}_{measure}", label, about), sub=sub, group=title)


def _sub(data: DatasetEvaluation | str, values: Sequence[Measured]) -> str:
    if not isinstance(data, DatasetEvaluation):
        return ""
    served = any(value.server for value in values)
    return ", ".join(filter(None, (data.dataset.protocol, "server" if served else "", briefly(data.default))))


def _has_source(table: PaperTable) -> bool:
    return any(row.source for row in table.rows)


def _source(row: Row) -> Cell:
    return Cell(f"{row.source} {row.year}".strip())


def _published(printed: Printed, mark: str) -> Cell:
    what = "a dash in " if printed.value == PRINTED_DASH else ""
    return Cell(None, published=printed.value, published_mark=mark, note=f"{what}{printed.origin}")


def _name(line: Line) -> str:
    label = line.source.label if line.source else ""
    if label in ("", line.row.title, line.row.key):
        return line.row.title
    return label if line.row.title in label else f"{line.row.title} ({label})"


def _link(line: Line, evaluations: Sequence[DatasetEvaluation]) -> str:
    for data in evaluations:
        for training in line.source.runs if line.source else ():
            for run in data.runs:
                if run.run.folder == training.get(data.dataset.label):
                    return anchor(data, run)
    return ""


def _count(line: Line) -> Cell:
    if line.source is None:
        return Cell(None, reason="not measured here")
    return Cell(f"{len(line.source.runs)} of {line.source.wanted}", note="; ".join(line.source.missing))


def _deviation(value: Measured) -> Cell:
    few = "one run has no deviation" if value.parts else value.reason
    return Cell(value.deviation, reason="" if value.deviation is not None else few)


def _coverage(line: Line, parts: Sequence[str]) -> Cell:
    if line.source is None:
        return Cell("published")
    return Cell(", ".join(dict.fromkeys(parts)) or ("all" if line.source.runs else "none"))


def _fact(runs: Sequence[TrackerRun], key: str) -> Cell:
    values = sorted({v[:10] if key == "date" else v for run in runs for v in run.provenance.get(key, ())})
    if not values:
        return Cell(None, reason=f"no {key} is stored")
    return Cell(values[0] if values[0] == values[-1] else f"{values[0]} to {values[-1]}")


def _words(table: PaperTable, mini: bool) -> str:
    if mini:
        return (
            "Measured on the rendered mini-suite, which is not the paper's benchmarks: these numbers are not "
            "comparable with the paper's, which follow as printed."
        )
    return (
        "Measured here beside the paper's printed value and the difference of the printed digits. Rows in italics "
        "were not measured here: they are published values and are not ranked."
    )


def _caption(table: PaperTable, found: Found, several: bool) -> str:
    words = [SHARED_WORDS]
    if several:
        words.append("Values are means over runs, ± is the standard deviation of the runs.")
    if not all(_is_mini(data) for data in found.values()):
        words.append(
            'Italics and what stands behind "paper" are printed values, – a printed dash. Differences are given on '
            "the whole benchmark alone, and none for FPS, which is another machine's."
        )
    words.append(
        "Marked are the best three measured ones on the same sequences; of speeds only where all were measured by one "
        "process at a time (--jobs 1) on one machine and device."
    )
    return " ".join(words)


def _absences(found: Found, lines: Sequence[Line]) -> list[str]:
    notes = [reason for reason in found.values() if isinstance(reason, str)]
    notes += [
        f"{_title(data)}: its server scores the submissions; enter what it says under server_scores"
        for data in _evaluated(found).values()
        if data.unscored and not any(run.server for run in data.runs)
    ]
    notes += [f"{_name(line)}: {why}" for line in lines if line.source for why in line.source.missing]
    return [f"Not here: {'; '.join(dict.fromkeys(notes))}."] if notes else []


class _Slips:
    """Letters for what is of note in print: the same note has the same letter throughout a table."""

    def __init__(self, table: PaperTable) -> None:
        self._table = table
        self._letters = dict(zip(dict.fromkeys(slip.note for slip in table.slips), ascii_lowercase, strict=False))

    def mark(self, row: str, dataset: str = "", measure: str = "") -> str:
        """The letter at a cell, or at the name of a row; empty for none."""
        return self._letters.get(self._table.slip(row, dataset, measure), "")

    @property
    def footnotes(self) -> dict[str, str]:
        return {letter: f"{note[:1].upper()}{note[1:]}." for note, letter in self._letters.items()}
