"""The embedded mini-suite: six small benchmarks, rendered from nothing, in the layouts of the real ones.

36 sequences of moving, deforming, textured things with look-alikes, occlusion and the rest of what makes tracking
hard; boxes and attributes are exact, because the renderer knows them. The same seed gives the same bytes everywhere.
``render_sequence`` makes any number of further clips, for training: seeds below ``TRAINING_SEEDS`` belong to
evaluation, ``training_clip`` uses those from there on, up to ``DISTRACTOR_SEEDS``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import joblib
from tqdm import tqdm

from inmo.datasets.base import ROOT_TABLE, Benchmark
from inmo.datasets.lasot import LASOT
from inmo.datasets.mini.drafts import draft
from inmo.datasets.mini.layouts import ANSWERS, WRITERS, Line, rows, write_frames
from inmo.datasets.mini.motion import Spec
from inmo.datasets.mini.once import rendered
from inmo.datasets.mini.rendering import Clip, Track, render_sequence
from inmo.datasets.mini.scripts import SUITE, Row, sized
from inmo.datasets.nfs import NFS
from inmo.datasets.otb import OTB100
from inmo.datasets.tnl2k import TNL2K
from inmo.datasets.trackingnet import TRACKINGNET
from inmo.datasets.uav123 import UAV123
from inmo.errors import UserError

__all__ = ["Clip", "Spec", "Track", "clip_seeds", "ensure_suite", "generate", "render_sequence", "training_clip"]

VERSION = 1  # of what is rendered: part of the cache key, raised when the bytes change
CALM_SWING = 0.25
"""Share of a script's changes of size with which rendered targets change theirs about as much as annotated ones do."""
DEFAULT_SEED = 0
SUITE_SEEDS = 10_000  # suites 0 .. 9,999 exist; each owns 100 clip seeds
TRAINING_SEEDS = SUITE_SEEDS * 100  # first clip seed that no suite uses
DISTRACTOR_SEEDS = 4_000_000_000  # first clip seed that no training clip uses: those of the set ``distractors``
TABLE = "sequences.csv"
WORKERS = 2


def generate(root: Path, *, seed: int = DEFAULT_SEED, size: str = "standard", workers: int = WORKERS) -> None:
    """Render the six benchmarks below ``root``: lasot, tnl2k, uav123, nfs, otb100, trackingnet, and the answer key.

    Args:
        root: a folder that holds none of them yet; made if need be.
        seed: which suite, 0 .. 9,999.
        size: ``standard``, or ``tiny`` (a fifth of the frames).
        workers: processes.

    Raises:
        UserError: another seed or size, or something of a suite is there already.
    """
    jobs = list(_jobs(seed, size))
    for name in (*SUITE, ANSWERS):
        if (root / name).exists():
            raise UserError(f"{root / name} exists already: give an empty folder for the mini-suite")
    run = joblib.Parallel(n_jobs=workers, return_as="generator")
    work = run(joblib.delayed(_render)(root, *job) for job in jobs)
    tables: dict[str, list[Line]] = {name: [] for name in SUITE}
    for (name, *_), lines in zip(jobs, tqdm(work, "rendering the mini-suite", len(jobs), disable=None), strict=True):
        tables[name] += lines
    for name, lines in tables.items():
        write_table(root / name / TABLE, lines)
    write_table(root / ANSWERS / TABLE, tables["trackingnet"])
    names = "\n".join(line["name"] for line in tables["lasot"])
    (root / "lasot" / "testing_set.txt").write_bytes(names.encode())  # like LaSOT's, without a final newline


def clip_seeds(seed: int = DEFAULT_SEED, size: str = "standard") -> list[tuple[str, Row, int]]:
    """The clips of a suite: benchmark, script row and the seed for ``render_sequence``."""
    return [(name, row, clip_seed) for name, _, row, clip_seed in _jobs(seed, size)]


def ensure_suite(cache: Path | None = None) -> Path:
    """The folder of the standard suite, rendered on first use, see ``once.rendered``.

    Args:
        cache: where suites are kept; the user's cache folder by default.

    Raises:
        UserError: the folder cannot be written, or holds a file that is not what was rendered.
    """
    return rendered(f"mini-suite-v{VERSION}-seed{DEFAULT_SEED}", generate, cache)


def _below_suite(benchmark: str) -> Path:
    return ensure_suite() / benchmark


def training_clip(number: int, *, length: int = 60, size: tuple[int, int] = (320, 240), swing: float = 1.0) -> Clip:
    """Clip ``number`` (0, 1, ...) of an endless training set that shares no seed with any suite.

    Scripts are drawn at random from the same kinds of things and challenges; the first target is never absent in the
    first frame.

    Args:
        swing: how much of its script's changes of size and of the side that it shows a target keeps, 0 to 1.

    Raises:
        UserError: a number whose seed belongs to the set ``distractors``.
    """
    if not 0 <= number < DISTRACTOR_SEEDS - TRAINING_SEEDS:
        raise UserError(f"training clips have numbers 0 to {DISTRACTOR_SEEDS - TRAINING_SEEDS - 1}, not {number}")
    seed = TRAINING_SEEDS + number
    spec = draft(seed, length=length, size=size)
    if swing != 1.0:
        spec = replace(
            spec,
            scales=tuple(scale**swing for scale in spec.scales),
            zooms=tuple(zoom**swing for zoom in spec.zooms),
            faces=tuple(1 + swing * (face - 1) for face in spec.faces),
            spins=tuple(swing * spin for spin in spec.spins),
        )
    return render_sequence(seed, spec)


def write_clips(root: Path, count: int, *, first: int = 700_000, length: int = 60, swing: float = CALM_SWING) -> None:
    """Write training clips ``first`` .. ``first + count - 1`` in the folder layout, to choose test-time constants on.

    Raises:
        UserError: a clip is there already, or the folder cannot be written.
    """
    for number in range(first, first + count):
        clip, folder = training_clip(number, length=length, swing=swing), root / f"clip-{number}"
        try:
            write_frames(folder / "img", clip.frames, "{:04d}.jpg", 1)
            (folder / "groundtruth_rect.txt").write_text(rows(clip.tracks[0].boxes), encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write {folder}: {error.strerror or error}; choose another folder") from error


def _jobs(seed: int, size: str) -> Iterator[tuple[str, int, Row, int]]:
    if not 0 <= seed < SUITE_SEEDS:
        raise UserError(f"the mini-suite has seeds 0 to {SUITE_SEEDS - 1}, not {seed}: later ones belong to training")
    count = 0
    for name, script in SUITE.items():
        for number, row in enumerate(script):
            yield name, number, sized(row, size), seed * 100 + count
            count += 1


def _render(root: Path, name: str, number: int, row: Row, seed: int) -> list[Line]:
    clip = render_sequence(seed, row.spec, fine=name == "nfs")
    return WRITERS[name](row, clip, root / name, number)


def write_table(path: Path, lines: list[Line]) -> None:
    """Write the rows of a sequence table; folders that are missing are made."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode())


def _mini(benchmark: Benchmark) -> Benchmark:
    """The benchmark as the suite has it: rendered, with its table in its root."""
    name = benchmark.name
    return replace(
        benchmark, name=f"mini-{name}", title=f"{benchmark.title} (mini)", table=f"{ROOT_TABLE}{TABLE}", follows=name,
        rendered=partial(_below_suite, name),
    )  # fmt: skip


MINI_LASOT = _mini(LASOT)
MINI_TNL2K = _mini(TNL2K)
MINI_UAV123 = _mini(UAV123)
MINI_NFS = _mini(NFS)
MINI_OTB100 = _mini(OTB100)
MINI_TRACKINGNET = _mini(TRACKINGNET)
