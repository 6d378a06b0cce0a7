"""Two stores compared, as one page: tables, and the frames of the largest changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.harness.store.records import Result
from inmo.reports.figures.frames import Track, colour_on_image, key_frames, open_images
from inmo.reports.figures.style import DASHES
from inmo.reports.page.assets import inline, policy, template, text, write_index
from inmo.reports.page.places import names_only, table_of_names
from inmo.reports.scoring.changes import Change, Comparison, RunChange
from inmo.reports.scoring.failures import seen
from inmo.reports.tables.changes import change_notes, run_change_table, sequence_change_table
from inmo.reports.tables.html import to_html
from inmo.reports.tables.table import write_tables

FILMS = 8  # sequences whose frames are shown
STEPS = (-10, 0, 10, 40)  # frames shown, counted from the one that changed most


@dataclass(frozen=True)
class _Film:
    """Frames of one sequence as data URLs, or why there are none."""

    run: RunChange
    change: Change
    frames: list[dict[str, Any]]
    reason: str


def write_comparison(found: Comparison, out: Path, names: tuple[str, str], *, full_paths: bool = False) -> Path:
    """Write OUT/index.html and OUT/tables/*.csv|tex|json.

    Args:
        found: the two stores.
        out: folder, made when missing; files of the same names are replaced.
        names: of the stores in words, before and after.
        full_paths: say where data and files lay; by default their names alone.

    Returns:
        the path of index.html. Raises UserError for a folder that cannot be written.
    """
    roots = tuple(run.dataset.root for run in found.runs)
    tables = {
        "changes": run_change_table(found, names, title="Trackers"),
        "sequences": sequence_change_table(found, names, title="Sequences whose boxes changed"),
    }
    if not full_paths:
        tables = {stem: table_of_names(table, roots) for stem, table in tables.items()}
    named = None if full_paths else partial(names_only, roots=roots)
    style, script = text("style.css"), text("script.js")
    largest = found.largest_first[:FILMS]
    datasets = {run.dataset.label: run.dataset for run, _ in largest}
    images = {label: open_images(data) for label, data in datasets.items()}
    films = [_film(found, run, change, images[run.dataset.label]) for run, change in largest]
    page = template("comparison.html", named).render(
        title=f"{names[0]} and {names[1]}", names=names, style=Markup(style), script=Markup(script),
        policy=policy(style, script), tables={stem: to_html(table) for stem, table in tables.items()},
        notes=change_notes(found, names), films=films,
    )  # fmt: skip
    try:
        write_tables(tables, out / "tables")
        return write_index(page, out)
    except OSError as error:
        raise UserError(f"cannot write the comparison to {out}: {error.strerror}; choose another --out") from error


def _film(found: Comparison, run: RunChange, change: Change, images: Dataset | UserError) -> _Film:
    data, (one, other) = run.dataset, found.stores
    try:
        if isinstance(images, UserError):
            raise images
        truth = seen(other.sequence(data.label, change.sequence).annotation)
        tracks = []
        for hue, (store, own) in enumerate(zip((one, other), run.runs, strict=True)):
            result = store.result(data.label, own, change.sequence)
            if isinstance(result, Result):
                tracks.append(Track(result.boxes, colour_on_image(hue), DASHES[hue]))
        last = min(change.frames, len(truth)) - 1
        at = sorted({min(max(change.worst + step, 0), last) for step in STEPS})
        shown = key_frames(images, change.sequence, tracks, truth, at=at)
    except UserError as error:
        return _Film(run, change, [], str(error))
    return _Film(run, change, inline(shown), "")
