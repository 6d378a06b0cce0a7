"""The nouns of the data side: a benchmark (a row of facts), a dataset (what of it is on disk), a sequence.

A ``Benchmark`` is known without any disk; ``open_dataset`` looks at a root and gives a ``Dataset``, whose
sequences read their annotation and frames only when asked.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.files import Tree

if TYPE_CHECKING:
    from inmo.datasets.images import Frames

ROOT_TABLE = "root:"  # a benchmark whose table lies in its own root: "root:sequences.csv"


@dataclass(frozen=True)
class Annotation:
    """Ground truth of one sequence, the numbers as they stand in the files (origin of the benchmark).

    Attributes:
        boxes: (n, 4) float64 x, y, w, h; rows may be NaN or of zero size where the benchmark writes it so.
        absent: (n,) bool, True where the benchmark flags the target absent; None when it keeps no such flags.
        before: (k, 4) boxes of annotated frames before the first that the benchmark scores (5 for OTB's Tiger1), NaN
            where this copy lacks them.
    """

    boxes: Boxes
    absent: NDArray[np.bool_] | None = None
    before: Boxes = field(default_factory=lambda: np.empty((0, 4)))

    def __len__(self) -> int:
        return len(self.boxes)

    def split(self, result: Boxes) -> tuple[Boxes, Boxes]:
        """A result's rows for the frames ``before`` and the others: (k, 4) or (0, 4), and the rest.

        Writers that start at the first annotated frame write k rows more than there are frames to score.
        """
        k = len(self.before)
        starts = k if len(result) == len(self) + k else 0
        return result[:starts], result[starts:]

    def beside(self, result: Boxes) -> Boxes:
        """The annotated boxes of the frames that a result begins with: those ``before`` too, where it has them."""
        return np.concatenate([self.before[: len(self.split(result)[0])], self.boxes])

    def fingerprint(self) -> str:
        """SHA-256 (16 hex digits) over boxes and flags."""
        return fingerprint(self.boxes, b"" if self.absent is None else np.ascontiguousarray(self.absent).tobytes())


def fingerprint(boxes: Boxes, more: bytes = b"") -> str:
    """SHA-256 (16 hex digits) over boxes and further bytes."""
    return hashlib.sha256(np.ascontiguousarray(boxes, dtype="<f8").tobytes() + more).hexdigest()[:16]


@dataclass(frozen=True)
class Sequence:
    """One sequence of a dataset. Loading is lazy and the whole record travels to worker processes.

    Attributes:
        dataset: label of the dataset it belongs to, e.g. ``otb100``.
        name: the benchmark's plain name, e.g. ``Jogging_1``.
        aliases: other spellings under which raw results and annotations exist (``Jogging-1``, ``nfs_Skiing_red``).
        origin: 0 or 1, what the annotation counts pixels from. Scoring ignores it (files are compared as they
            stand); initialising and drawing subtract it, writing results adds it again.
        attributes: attribute codes, e.g. ``("IV", "SV")``.
        place: of the annotation file, see ``files.Tree.place``; empty where there is none.
        video: the frames it shows, told apart from those of other sequences of the dataset; empty where nobody knows.
        start: number in the video of its first frame.
        first_only: True where only the first frame is annotated (TrackingNet test); later rows are NaN.
        annotation: reads the ground truth; raises UserError when it is broken.
        frames: opens the frames; None when only annotations are present. Raises UserError when frames are missing.
        others: reads the (k, n, 4) boxes of other targets in the same frames, NaN where one has none; None where no
            other is annotated. Raises UserError when one is broken.
    """

    dataset: str
    name: str
    annotation: Callable[[], Annotation]
    frames: Callable[[], Frames] | None = None
    aliases: tuple[str, ...] = ()
    origin: int = 0
    attributes: tuple[str, ...] = ()
    first_only: bool = False
    place: str = ""
    video: str = ""
    start: int = 1
    others: Callable[[], Boxes] | None = None


@dataclass(frozen=True)
class Hole:
    """Something wanted that is not there, and why. Holes are shown, never averaged away.

    ``failed``: a tracker failed, where otherwise data are missing or broken, or nobody has run it yet.
    """

    sequence: str
    reason: str
    failed: bool = False


@dataclass(frozen=True)
class Dataset:
    """What of a benchmark was found at a root.

    Attributes:
        benchmark: the row of facts.
        label: the name under which runs are stored; the benchmark's own name unless the user gave another.
        root: the path that was opened.
        sequences: those whose annotation was found, in the benchmark's order.
        holes: the others, each with its reason.
        passed: what lies there and may be sequences, but was not taken: a sentence each.
    """

    benchmark: Benchmark
    label: str
    root: str
    sequences: tuple[Sequence, ...]
    holes: tuple[Hole, ...] = ()
    passed: tuple[str, ...] = ()

    @property
    def expected(self) -> int:
        """How many sequences the whole benchmark has."""
        return len(self.sequences) + len(self.holes)


@dataclass(frozen=True)
class Benchmark:
    """One row of facts about a benchmark.

    Attributes:
        name: registry name, e.g. ``lasot``.
        title: as papers print it.
        open: finds the sequences below a root: (benchmark, label, tree) -> Dataset.
        origin: what its annotations count pixels from, 0 or 1.
        protocol: name of the default evaluation protocol.
        table: file in ``datasets/tables`` with one row per sequence, or ``root:<file>`` for one that lies in the root;
            empty when the root itself decides.
        attributes: code -> words, in the benchmark's order.
        ground_truth: ``full``, or ``first`` where only the first frame is public.
        annotations, folders: where a sequence's boxes and its folder of frames may lie, as patterns over its table row,
            best first; see ``layout.Wanted``.
        follows: registry name of the benchmark whose protocols, test-time constants and names in other toolkits are its
            own too (``uav123`` for UAV123@10fps); empty for one with its own.
        flagged: absent flags belong to it, which scores need.
        nan_rows: boxes are NaN where the target cannot be seen.
        gaps: boxes are NaN in frames that nobody annotated, which no protocol scores.
        without_area: sequence -> boxes without area in visible frames that every copy has, as counted on the toolkits'
            annotations.
        rendered: renders it on first use and gives its root; None for benchmarks that people download.
    """

    name: str
    title: str
    open: Callable[[Benchmark, str, Tree], Dataset]
    origin: int
    protocol: str
    table: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ground_truth: Literal["full", "first"] = "full"
    annotations: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    follows: str = ""
    flagged: bool = False
    nan_rows: bool = False
    gaps: bool = False
    without_area: Mapping[str, int] = field(default_factory=dict)
    rendered: Callable[[], Path] | None = None

    @property
    def videos(self) -> str:
        """One name for all benchmarks that show the same videos; one that is rendered shows its own."""
        return self.name if self.table.startswith(ROOT_TABLE) else self.follows or self.name


@lru_cache
def read_table(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of ``datasets/tables/<name>``, column name -> text."""
    text = resources.files("inmo.datasets").joinpath("tables", name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
