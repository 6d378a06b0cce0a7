"""The report: one HTML page that opens from disk without a network, and the files for papers beside it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.store.rerun_command import repeat_command
from inmo.harness.store.store import Store
from inmo.reports.blocks.block import Block, anchor
from inmo.reports.figures import svg
from inmo.reports.figures.attributes import hardest_first, heading
from inmo.reports.figures.canvas import save_figure
from inmo.reports.figures.frames import open_images
from inmo.reports.figures.of_dataset import (
    PER_ATTRIBUTE,
    attribute_radar,
    cautions_of,
    distribution,
    ranking_of,
    speed_points,
)
from inmo.reports.figures.radar import radar_plot
from inmo.reports.figures.ranks import rank_plot
from inmo.reports.figures.style import Line, Style, lines, styles, with_marks
from inmo.reports.page.assets import inline, policy, template, text, tracker_css, write_index
from inmo.reports.page.dataset_section import TABLES, Content, build
from inmo.reports.page.failure_browser import EMBEDDED, Entry, build_browser
from inmo.reports.page.overview import Overview, build_overview
from inmo.reports.page.places import names_only, table_of_names
from inmo.reports.scoring.failures import PATIENCE
from inmo.reports.scoring.protocols import PROTOCOLS
from inmo.reports.scoring.score import KINDS, Kind
from inmo.reports.scoring.statistics import EXACT, LEVEL, MINIMUM, RESAMPLES
from inmo.reports.scoring.stored import WARM_UP, DatasetEvaluation, Evaluation, TrackerRun, evaluate
from inmo.reports.scoring.tuned import tuned_on
from inmo.reports.tables.builders import FPS_DEFINITION
from inmo.reports.tables.html import to_html
from inmo.reports.tables.note_marks import marks_of, note_footnote
from inmo.reports.tables.significance import rank_words
from inmo.reports.tables.table import Table, write_tables
from inmo.reports.tables.tuned_marks import footnote

TITLE = "Tracking benchmark"
FRAMES = "frames"  # the folder of the failure browser's images


def write_report(
    store: Store,
    out: Path,
    *,
    protocols: Sequence[str] = (),
    title: str = TITLE,
    partial: bool = True,
    evaluation: Evaluation | None = None,
    blocks: Sequence[Block] = (),
    full_paths: bool = False,
    single_file: bool = False,
    alone: bool = False,
) -> Path:
    """Score a store; write OUT/index.html, OUT/tables/*.csv|tex|json, OUT/figures/*.svg|pdf, OUT/frames/*/*/*.jpg.

    The same store gives the same bytes: the only dates are those stored with the results.

    Args:
        store: results to report.
        out: folder, made when missing; files of the same names are replaced.
        protocols: protocols shown beside each benchmark's own.
        title: heading of the page.
        partial: show what is there with its coverage; False refuses a store with holes.
        evaluation: of the store under these protocols, where it is known already.
        blocks: shown between the overview and the datasets; their files are written with the others.
        full_paths: say where data and files lay; by default their names alone, as the page is handed on.
        single_file: write OUT/index.html alone, with frames of the failure browser in it, fewer of them.
        alone: the folder is this page's own: tables and figures that another one left in it are removed.

    Returns:
        the path of index.html.

    Raises:
        UserError: an unknown protocol, a damaged store, or a folder that cannot be written.
    """
    if evaluation is None:
        evaluation = evaluate(store, protocols=protocols, partial=partial)
    look = styles(evaluation.trackers)
    images = [open_images(data.dataset) for data in evaluation.datasets]
    contents = [
        build(store, data, look, found, drawn=not single_file)
        for data, found in zip(evaluation.datasets, images, strict=True)
    ]
    overview = build_overview(evaluation, contents, look, drawn=not single_file)
    parts: tuple[Block | Content, ...] = (*blocks, *contents)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as aside:
            frames = Path(aside) if single_file else out / FRAMES
            embedded = EMBEDDED // max(1, len(contents)) if single_file else None
            browsers = [
                build_browser(c.data, look, found, frames / c.stem, f"{FRAMES}/{quote(c.stem)}", embedded)
                for c, found in zip(contents, images, strict=True)
            ]
        values = _page(evaluation, overview, contents, browsers, look, blocks)
        roots = (*(data.dataset.root for data in evaluation.datasets), str(Path.home() / "x"))  # and below the home
        named = None if full_paths else functools.partial(names_only, roots=roots)
        page = template("page.html", named).render(values, title=title, single_file=single_file)
        if not single_file:
            tables = {"overview": overview.table} | {k: t for part in parts for k, t in part.tables.items()}
            stale = [*(out / "tables").glob("*.*"), *(out / "figures").glob("*.*")] if alone else []
            for path in stale:
                path.unlink(missing_ok=True)  # another command may write the same page
            if not full_paths:
                tables = {stem: table_of_names(table, roots) for stem, table in tables.items()}
            write_tables(tables, out / "tables")
            (out / "figures").mkdir(exist_ok=True)
            figures = {**overview.figures, **{stem: figure for part in parts for stem, figure in part.figures.items()}}
            for stem, figure in figures.items():
                save_figure(figure, out / "figures" / stem)
        return write_index(page, out)
    except OSError as error:
        raise UserError(f"cannot write the report to {out}: {error.strerror}; choose another --out") from error


# ---- what the template is given


def _page(
    evaluation: Evaluation,
    overview: Overview,
    contents: Sequence[Content],
    browsers: Sequence[Sequence[Entry]],
    look: Mapping[str, Style],
    blocks: Sequence[Block],
) -> dict[str, Any]:
    style = text("style.css") + text("failures.css") + tracker_css()
    script = text("script.js") + text("failures.js")
    return {
        "policy": policy(style, script),
        "style": Markup(style),
        "script": Markup(script),
        "overview": _overview(overview),
        "blocks": [(block, {stem: to_html(table) for stem, table in block.tables.items()}) for block in blocks],
        "sections": [_section(c, browser, look) for c, browser in zip(contents, browsers, strict=True)],
        "look": look,
        "swatch": svg.swatch,
        "box_swatch": svg.box_swatch,
        "inline": inline,
        "counts": _counts(evaluation),
        "protocols": {name: PROTOCOLS[name].summary for data in evaluation.datasets for name in data.scores},
        "fps": FPS_DEFINITION,
        "warm_up": WARM_UP,
        "patience": PATIENCE,
        "statistics": {"level": f"{LEVEL:.0%}", "minimum": MINIMUM, "resamples": f"{RESAMPLES:,}", "exact": EXACT},
    }


@dataclass(frozen=True)
class _Plot:
    """A plot of the page: the drawing, the numbers behind it, and its ranked legend."""

    title: str
    words: str
    drawing: Markup
    data: Markup
    legend: list[tuple[Line, Style]]


def _overview(overview: Overview) -> dict[str, Any]:
    return {
        "findings": overview.findings,
        "table": to_html(overview.table),
        "ranking": rank_plot(overview.ranking, overview.look),
        "rank_words": rank_words(overview.ranking) if overview.ranking else "",
        "speed": svg.speed_plot(overview.points, overview.look, height=220),
        "figures": overview.figures,
    }


def _section(content: Content, browser: Sequence[Entry], look: Mapping[str, Style]) -> dict[str, Any]:
    data = content.data
    look = with_marks(look, marks_of(data))
    tables: dict[str, Any] = {name: to_html(table) for name, table in content.named.items()}
    tables["sequences"] = _with_origins(_linked(_with_results(content.named["sequences"]), browser), data)
    if "attributes" in tables:
        tables["attributes"] = _with_origins(content.named["attributes"], data)
    return {
        "stem": content.stem,
        "dataset": data.dataset,
        "coverage": f"{len(data.dataset.names)} of {data.dataset.expected}",
        **{name: tables.get(name) for name in TABLES},
        "others": [tables[name] for name in data.scores if name in tables],
        "files": content.tables,
        "figures": content.figures,
        "plots": _plots(data, look),
        "by_attribute": [(kind.title, _attribute_plots(data, kind, look)) for kind in PER_ATTRIBUTE],
        "ranking": rank_plot(ranking_of(data), look),
        "distribution": svg.strip_plot(distribution(data), look),
        "speed": svg.speed_plot(speed_points(data), look),
        "radar": radar_plot(attribute_radar(data), look),
        "strips": content.strips,
        "browser": browser,
        "trackers": [(name, style) for name, style in look.items() if name in {run.name for run in data.runs}],
        "holes": _holes(data),
        "caution": " ".join(footnote([(run.name, run.caution) for run in data.runs]).values()),
        "notes": " ".join(note_footnote(data.default).values()),
        "unscored": data.unscored,
        "runs": [_run(data, run) for run in data.runs],
    }


def _plots(data: DatasetEvaluation, look: Mapping[str, Style]) -> list[_Plot]:
    ranked, cautions = data.rule.norm_scalar, cautions_of(data)
    curves = {kind: lines(data.default, kind, ranked=ranked, cautions=cautions) for kind in KINDS}
    return [_plot(kind.title, own, kind, look) for kind, own in curves.items() if own]


def _attribute_plots(data: DatasetEvaluation, kind: Kind, look: Mapping[str, Style]) -> list[_Plot]:
    """Curves over the sequences with each attribute, the hardest first."""
    words, cautions = data.dataset.attributes, cautions_of(data)
    return [
        _plot(heading(code, words[code], scores), curves, kind, look)
        for code, scores in hardest_first(data.by_attribute).items()
        if (curves := lines(scores, kind, cautions=cautions))
    ]


def _plot(title: str, curves: Sequence[Line], kind: Kind, look: Mapping[str, Style]) -> _Plot:
    legend = [(curve, look[curve.tracker]) for curve in curves]
    drawing, behind = svg.curve_plot(curves, kind, look), svg.curve_data(curves, kind, look)
    return _Plot(title, curves[0].words, drawing, behind, legend)


def _with_results(table: Table) -> Table:
    """The per-sequence table without rows that nobody has a result for: they stand under what is missing."""
    rows = tuple(row for row in table.rows if any(cell.value is not None for cell in row[1:]))
    gone = len(table.rows) - len(rows)
    note = f" {gone} sequence{'s have' if gone > 1 else ' has'} no result of any tracker: see below." if gone else ""
    return replace(table, rows=rows, caption=table.caption + note)


def _linked(table: Table, browser: Sequence[Entry]) -> Table:
    """The per-sequence table with a link from every traced sequence to its frames."""
    places = {entry.sequence: entry.anchor for entry in browser}
    rows = tuple(
        (replace(row[0], link=places[name], note=f"Overlap over time and frames of {name}"), *row[1:])
        if (name := str(row[0].value)) in places else row
        for row in table.rows
    )  # fmt: skip
    words = " A name leads to its frames and its overlap over time." if places else ""
    return replace(table, rows=rows, caption=table.caption + words)


def _with_origins(table: Table, data: DatasetEvaluation) -> dict[str, Any]:
    """A table whose columns are trackers, with a link from every one of them to its provenance."""
    places = {run.name: {"link": anchor(data, run), "hash": run.run.hash[:6]} for run in data.runs}
    shown = to_html(table)
    shown["columns"] = [column | places.get(column["label"], {}) for column in shown["columns"]]
    return shown


def _holes(data: DatasetEvaluation) -> list[dict[str, Any]]:
    """Holes grouped by who misses what for the same reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    every: list[tuple[str, Hole]] = [("every tracker", hole) for hole in data.dataset.holes]
    every += [(run.name, hole) for run in data.runs for hole in run.holes]
    for who, hole in every:
        groups.setdefault((who, hole.reason), []).append(hole.sequence)
    return [{"who": who, "reason": reason, "names": names} for (who, reason), names in groups.items()]


def _run(data: DatasetEvaluation, run: TrackerRun) -> dict[str, Any]:
    facts = [(key, _distinct(values)) for key, values in run.provenance.items()]
    config = [(key, _setting(value)) for key, value in run.run.identity.items()]
    speed = f"{run.fps:.1f} frames per second over {run.timed} timed frames" if run.fps else "not timed"
    return {
        "anchor": anchor(data, run), "name": run.name, "hash": run.run.hash, "tracker": run.run.tracker,
        "results": f"{run.results} of {data.dataset.expected} sequences, {run.frames:,} frames", "speed": speed,
        "config": config, "facts": facts, "tuned": tuned_on(run.run), "command": repeat_command(run.run, data.dataset),
    }  # fmt: skip


def _setting(value: Any) -> str:
    """A config value in words; of a file, its content is what counted."""
    if isinstance(value, Mapping) and set(value) == {"sha256"}:
        return f"SHA-256 {value['sha256']}"
    return value if isinstance(value, str) else json.dumps(value)


def _distinct(values: Sequence[str]) -> str:
    return ", ".join(values) if len(values) <= 3 else f"{values[0]} … {values[-1]} ({len(values)} different)"


def _counts(evaluation: Evaluation) -> dict[str, str]:
    runs = [run for data in evaluation.datasets for run in data.runs]
    return {
        "trackers": f"{len(evaluation.trackers)}",
        "datasets": f"{len(evaluation.datasets)}",
        "results": f"{sum(r.results for r in runs):,}",
        "frames": f"{sum(r.frames for r in runs):,}",
    }
