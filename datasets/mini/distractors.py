"""The rendered set ``distractors``: 336 short sequences, a target among 1 to 8 others of its kind.

Every combination of number, likeness and event (``crowd.Grade``) has seven sequences of 60 frames. Boxes of target and
distractors are exact in every frame: ``<sequence>/groundtruth_rect.txt`` and ``<sequence>/distractor.<k>.txt`` beside
it. The same bytes everywhere, and no seed that a suite or a training clip uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import joblib
from tqdm import tqdm

from inmo.datasets.base import Benchmark
from inmo.datasets.layout import open_by_table
from inmo.datasets.mini.crowd import EVENTS, LIKENESS, NUMBERS, Grade, crowd
from inmo.datasets.mini.layouts import Line, rows, write_frames
from inmo.datasets.mini.once import rendered
from inmo.datasets.mini.rendering import Clip, render_stage
from inmo.datasets.mini.suite import DISTRACTOR_SEEDS, TABLE, WORKERS, write_table
from inmo.datasets.others import DISTRACTOR

VERSION = 1  # of what is rendered: part of the cache key, raised when the bytes change
EACH = 7  # sequences of a grade
GRADES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "number": {f"N{n}": f"{n} distractor{'s' if n > 1 else ''}" for n in NUMBERS},
        "likeness": {
            "SAME": "Painted like the target",
            "HUE": "Its colours a sixth of the colour circle away",
            "TEX": "Other patterns, colours a third of the circle away",
            "SHAPE": "Other size, proportions and patterns, complementary colours",
        },
        "event": {
            "NEAR": "Distractors come beside the target",
            "CROSS": "Up to four of them cross behind it",
            "OCC": "Up to four of them cross in front of it",
        },
    }
)
"""What sequences are graded by -> attribute code -> what it means, in the order of ``crowd``'s names."""


def distractor_clips() -> Iterator[tuple[str, int, Grade]]:
    """Name, seed and grade of every sequence."""
    grades = [Grade(number, like, event) for number in NUMBERS for like in LIKENESS for event in EVENTS]
    for place, grade in enumerate(grades):
        for k in range(EACH):
            name = f"{grade.number}-{grade.likeness}-{grade.event}-{k + 1}"
            yield name, DISTRACTOR_SEEDS + place * EACH + k, grade


def codes(grade: Grade) -> tuple[str, ...]:
    """The three attribute codes of a grade."""
    names = (NUMBERS.index(grade.number), LIKENESS.index(grade.likeness), EVENTS.index(grade.event))
    return tuple(list(own)[place] for own, place in zip(GRADES.values(), names, strict=True))


def render(seed: int, grade: Grade) -> Clip:
    """One clip; the first of its tracks is the target's, the others are the distractors'."""
    return render_stage(seed, crowd(seed, grade))


def generate(root: Path) -> None:
    """Render the set below ``root``, an empty folder."""
    clips = list(distractor_clips())
    run = joblib.Parallel(n_jobs=WORKERS, return_as="generator")
    work = run(joblib.delayed(write_clip)(root, *clip) for clip in clips)
    write_table(root / TABLE, list(tqdm(work, "rendering distractors", len(clips), disable=None)))


def write_clip(root: Path, name: str, seed: int, grade: Grade) -> Line:
    """Render one sequence into ``<root>/<name>``. Returns its row of the table."""
    clip, folder = render(seed, grade), root / name
    write_frames(folder / "img", clip.frames, "{:04d}.jpg", 1)
    for k, track in enumerate(clip.tracks):
        file = DISTRACTOR.format(k) if k else "groundtruth_rect.txt"
        (folder / file).write_bytes(rows(track.boxes).encode())
    return {
        "name": name,
        "path": f"{name}/img",
        "start_frame": "1",
        "end_frame": str(len(clip.frames)),
        "n_zfill": "4",
        "ext": "jpg",
        "anno_path": f"{name}/groundtruth_rect.txt",
        "attributes": " ".join(codes(grade)),
    }


def ensure_distractors(cache: Path | None = None) -> Path:
    """The folder of the set, rendered on first use, see ``once.rendered``. Raises UserError as it does."""
    return rendered(f"distractors-v{VERSION}", generate, cache)


DISTRACTORS = Benchmark(
    name="distractors",
    title="Distractors",
    open=open_by_table,
    annotations=("{anno_path}", "{name}.txt"),
    folders=("{path}",),
    table=f"root:{TABLE}",
    origin=0,
    protocol="pysot",
    attributes={code: words for own in GRADES.values() for code, words in own.items()},
    rendered=ensure_distractors,
)
