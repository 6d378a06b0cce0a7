"""Recorded results as a tracker: a folder of raw results replayed through the engine, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inmo.boxes import Boxes
from inmo.datasets.base import Dataset, Hole, Sequence
from inmo.datasets.files import open_tree
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import Step, Tracker, TrackerSpec
from inmo.trackers.recorded.discovery import RawResults, find_results


@dataclass(frozen=True)
class Known:
    """What results are looked for by, of one sequence; see ``Sequence``."""

    name: str
    aliases: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class Wanted:
    """A dataset's own name and its sequences, which say what a file of results is taken for."""

    label: str = ""
    sequences: tuple[Known, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset) -> Wanted:
        return cls(dataset.label, tuple(Known(s.name, s.aliases, s.place) for s in dataset.sequences))


@dataclass(frozen=True)
class RecordedConfig:
    """Which results to replay.

    Attributes:
        results: folder or zip of raw results.
        tracker: whose; may be empty when there is one only.
        format_in: who wrote them, or ``auto``.
        dataset: the benchmark they are for.
        boxes: what the numbers of a row are, a name of ``box_layouts.BOX_LAYOUTS``.
        content: fingerprint of the files; this, and not where they lie, decides the config's hash.
        wanted: what the dataset and its sequences are called; whatever looks like a result is one where it is empty.
    """

    results: str = field(default="", metadata={"identity": False})
    tracker: str = ""
    format_in: str = "auto"
    dataset: str = ""
    boxes: str = field(default="xywh", metadata={"since": "xywh"})
    content: str = ""
    wanted: Wanted = field(default=Wanted(), metadata={"identity": False})

    @property
    def label(self) -> str:
        """What tables and exports call it: the recorded tracker's own name."""
        return self.tracker


class Recorded:
    """A SequenceAware tracker over one folder of raw results."""

    def __init__(self, raw: RawResults, tracker: str) -> None:
        self.raw = raw
        self.tracker = tracker

    def for_sequence(self, sequence: Sequence) -> Tracker:
        """The replay of one sequence. Raises UserError when its result is missing, short or long."""
        annotation = sequence.annotation()
        rows, found = len(annotation), self.raw.boxes(self.tracker, sequence)
        if isinstance(found, Hole):
            raise UserError(f"{self.tracker} has no recorded result for {sequence.name}: add the file")
        _, found = annotation.split(found)
        if len(found) != rows:
            raise UserError(
                f"the recorded result of {self.tracker} for {sequence.name} has {len(found)} rows for {rows} frames: "
                "complete it, or check that it belongs to this sequence"
            )
        return Replay(found)

    def init(self, frames: list[Frame], boxes: Boxes) -> Any:
        raise UserError("recorded results are looked up by sequence: run them through the engine")

    def step(self, frames: list[Frame], state: Any) -> Step:
        raise UserError("recorded results are looked up by sequence: run them through the engine")


class Replay:
    """The recorded boxes of one sequence, (n, 4), given out one per frame; the state is the frame's number."""

    def __init__(self, boxes: Boxes) -> None:
        self.boxes = boxes

    def init(self, frames: list[Frame], boxes: Boxes) -> int:
        return 0

    def step(self, frames: list[Frame], state: int) -> Step:
        index = state + 1
        return Step(self.boxes[index : index + 1], np.full(1, np.nan), index)


def for_dataset(config: RecordedConfig, dataset: str) -> RecordedConfig:
    """The config with tracker and content filled in for a benchmark. Raises UserError when results are missing."""
    raw = _open(replace(config, dataset=dataset))
    tracker = _sole(raw, config.tracker)
    return replace(config, dataset=dataset, tracker=tracker, content=raw.fingerprint(tracker))


def build(config: RecordedConfig, device: str) -> Recorded:
    """The tracker of a config; ``device`` does not matter."""
    raw = _open(config)
    return Recorded(raw, _sole(raw, config.tracker))


def _open(config: RecordedConfig) -> RawResults:
    if not config.results:
        raise UserError("recorded needs to know where the results are: add --set results=FOLDER (and tracker=NAME)")
    return find_results(
        open_tree(config.results), config.dataset, config.wanted.label, config.wanted.sequences, config.format_in,
        config.boxes,
    )  # fmt: skip


def _sole(raw: RawResults, tracker: str) -> str:
    if not tracker and len(raw.trackers) > 1:
        raise UserError(f"{raw.tree.root} has results of {', '.join(raw.trackers)}: add --set tracker=NAME")
    chosen = tracker or raw.trackers[0]
    if raw.runs(chosen) > 1:
        raise UserError(f"{raw.tree.root} has several runs of {chosen}: give the folder of one of them as results")
    return chosen


RECORDED = TrackerSpec("recorded", "Recorded", RecordedConfig(), build, for_dataset)
