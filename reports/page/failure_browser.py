"""The failure browser of a page: what its script needs to draw a sequence, and the frames it shows.

The numbers are in the page itself, because a page opened from disk may load images beside it and nothing else. They
are small: overlaps of a byte each, boxes only where their frame is there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from inmo.boxes import Boxes
from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.harness.store.store import file_name
from inmo.reports.figures.frames import Thumbnails, write_frames
from inmo.reports.figures.style import Style
from inmo.reports.figures.svg import script_json
from inmo.reports.page.assets import data_url
from inmo.reports.page.places import names_only
from inmo.reports.scoring.failures import LEVELS, Trace
from inmo.reports.scoring.score import Measures, sequence_means
from inmo.reports.scoring.stored import DatasetEvaluation

PARTS = 16  # boxes are stored in sixteenths of a pixel of the small frame
EMBEDDED, SEQUENCE = 500, 12  # frames within a page that is one file, at about 20 kB; and of a sequence, at least
_FAR = 1000.0  # pixels: boxes are cut there, so that twice as much fits an int16


@dataclass(frozen=True)
class Entry:
    """One sequence: its anchor on the page, name, mean AUC over the trackers or None, and the script's JSON."""

    anchor: str
    sequence: str
    mean: float | None
    data: Markup


def build_browser(
    data: DatasetEvaluation,
    look: Mapping[str, Style],
    images: Dataset | UserError,
    folder: Path,
    link: str,
    embedded: int | None = None,
) -> tuple[Entry, ...]:
    """Write the key frames of every traced sequence and gather what the page embeds, the best mean AUC first.

    Args:
        data: the dataset, scored.
        look: tracker -> style.
        images: the dataset opened where its images are, or why there are none.
        folder: where frames go, one folder per sequence.
        link: the same folder as the page reaches it, URL-quoted.
        embedded: so many frames, those of the hardest sequences, are put into the page itself; None for links to all.

    Raises:
        OSError: the folder cannot be written.
    """
    means = sequence_means(data.default)
    ranked = sorted(data.traces, key=lambda name: (-means.get(name, -1.0), name))  # as the per-sequence table
    traces, shown = data.traces, ranked
    if embedded is not None:
        shown = ranked[::-1][: embedded // SEQUENCE]
        most = embedded // max(1, len(shown))
        traces = {name: thinned(trace, most) for name, trace in traces.items()}
    with ThreadPool() as threads:  # decoding and writing leave the interpreter to the others
        found = threads.map(lambda name: _frames(traces[name], images, folder / file_name(name)), shown)
    drawn = dict(zip(shown, found, strict=True))
    entries = []
    for name in ranked:
        frames = drawn.get(name, f"this page is one file, with frames of the {len(shown)} hardest sequences alone")
        values = _values(data, traces[name], look, frames, f"{link}/{quote(file_name(name))}")
        if embedded is not None and "images" in values:
            paths = [folder / file_name(name) / f"{i}.jpg" for i in traces[name].keys]
            values["images"]["inline"] = [data_url(path.read_bytes()) for path in paths]
        entries.append(Entry(sequence_anchor(data, name), name, means.get(name), script_json(values)))
    return tuple(entries)


def thinned(trace: Trace, most: int) -> Trace:
    """A trace with so many of its key frames at most, the first and the last among them."""
    count = len(trace.keys)
    if count <= most:
        return trace
    kept = np.linspace(0, count - 1, most).round().astype(np.int64)
    keys = tuple(trace.keys[i] for i in kept)
    return replace(trace, keys=keys, at=trace.at[:, kept], truth=trace.truth[kept], boxes=trace.boxes[:, kept])


def sequence_anchor(data: DatasetEvaluation, name: str) -> str:
    """The place of a sequence in the page's failure browser."""
    return f"watch-{quote(data.dataset.label, safe='')}-{quote(name, safe='')}"


def _frames(trace: Trace, images: Dataset | UserError, folder: Path) -> Thumbnails | str:
    """The frames, or one sentence on why there are none."""
    if isinstance(images, UserError):
        return str(images)
    try:
        return write_frames(images, trace.sequence, trace.keys, folder)
    except UserError as error:
        return str(error)


def _values(
    data: DatasetEvaluation, trace: Trace, look: Mapping[str, Style], frames: Thumbnails | str, link: str
) -> dict[str, Any]:
    aucs = {s.tracker: s.per_sequence.get(trace.sequence, Measures()).success_auc for s in data.default}
    printed = {name: float(f"{auc * 100:.1f}") for name, auc in aucs.items() if auc is not None}  # as in tables
    order = sorted(range(len(trace.trackers)), key=lambda row: look[trace.trackers[row]].number)
    names = [trace.trackers[row] for row in order]
    missing = {run.name: hole.reason for run in data.runs for hole in run.holes if hole.sequence == trace.sequence}
    roots = (data.dataset.root,)
    found: dict[str, Any] = {
        "frames": trace.frames,
        "step": trace.step,
        "levels": LEVELS,
        "keys": list(trace.keys),
        "trackers": [look[name].number for name in names],
        "points": _text(trace.points[order]),
        "at": _text(trace.at[order]),
        "lost": [[[loss.start, loss.end] for loss in trace.losses[row]] for row in order],
        "auc": [printed.get(name) for name in names],
        "missing": {str(look[name].number): names_only(reason, roots) for name, reason in missing.items()},
    }
    if isinstance(frames, str):
        return found | {"reason": names_only(frames, roots)}
    placed = frames.place(np.concatenate([trace.truth[None], trace.boxes[order]]))
    images = {"link": link, "width": frames.width, "height": frames.height, "parts": PARTS}
    return found | {"images": images | {"boxes": _text(in_parts(placed))}}


def in_parts(boxes: Boxes) -> np.ndarray[Any, np.dtype[np.int16]]:
    """(..., 4) x, y, w, h in pixels as little-endian int16 in 1/16 pixel; w = 0 for what is NaN or has no size."""
    drawn = np.asarray(np.isfinite(boxes).all(axis=-1) & (boxes[..., 2:] > 0).all(axis=-1))
    low = np.clip(boxes[..., :2], -_FAR, _FAR)
    high = np.clip(boxes[..., :2] + boxes[..., 2:], -_FAR, _FAR)
    size = np.maximum((high - low) * PARTS, 1)
    whole = np.concatenate([low * PARTS, size], axis=-1)
    return np.where(drawn[..., None], np.nan_to_num(whole), 0).round().astype("<i2")


def _text(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()
