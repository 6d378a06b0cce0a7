"""Formats of raw results: one row per writer. Reading (``recorded.tracker``) and writing share them.

Boxes are x, y, w, h in the numbers of the benchmark's files. Sources: the writers' own code; a folder named in a
path is where that code puts its files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, shift_origin
from inmo.datasets import family
from inmo.errors import unknown_name

Values = NDArray[np.float64]


_MICRO = "{:f}".format


def _truncated(value: float) -> str:
    return str(int(value)) if np.isfinite(value) else str(value)


@dataclass(frozen=True)
class Format:
    """One writer of raw results.

    Attributes:
        name, title: on the command line, and for people.
        path: of a result below the output folder, with {dataset}, {tracker}, {sequence}.
        separator: between the four numbers of a row.
        number: one number as text.
        time_path, time_number: the file of seconds per frame; empty where the writer keeps none.
        score_path, score_number: the file of scores per frame; likewise.
        nested: path, time_path for datasets of the GOT-10k family, which get a folder per sequence.
        nested_time: how that family's times are written.
        names: benchmark -> how the writer spells a sequence's name; as the benchmark does where there is none.
        offsets: benchmark -> what the writer adds to x and y, beyond the numbers of the benchmark's files.
        whole: True where results start at the first annotated frame, although the benchmark leaves some out.
        archive: True where what is handed in is one zip per tracker with the files in its root.
    """

    name: str
    title: str
    path: str
    separator: str
    number: Callable[[float], str]
    time_path: str = ""
    time_number: Callable[[float], str] = _MICRO
    score_path: str = ""
    score_number: Callable[[float], str] = _MICRO
    nested: tuple[str, str] | None = None
    nested_time: Callable[[float], str] = _MICRO
    names: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    offsets: Mapping[str, float] = field(default_factory=dict)
    whole: bool = False
    archive: bool = False

    def spelt(self, sequence: str, benchmark: str) -> str:
        """A sequence's name as the writer has it in names of files."""
        spell = self.names.get(family(benchmark))
        return spell(sequence) if spell else sequence

    def encode(self, boxes: Boxes, benchmark: str = "") -> bytes:
        """The file of a result: one row per box (n, 4)."""
        offset = self.offsets.get(family(benchmark))
        shifted = shift_origin(boxes, offset) if offset else boxes
        lines = (self.separator.join(map(self.number, row)) for row in shifted.tolist())
        return "".join(f"{line}\n" for line in lines).encode()

    def decode_offset(self, boxes: Boxes, benchmark: str) -> Boxes:
        """Boxes of a file in this format as numbers of the benchmark's files; undoes ``encode``'s offset."""
        offset = self.offsets.get(family(benchmark))
        # Rounded because 0.1 + 1 - 1 is not 0.1; no writer has ten decimals to lose.
        return np.round(shift_origin(boxes, -offset), 10) if offset else boxes


def encode_values(values: Values, number: Callable[[float], str]) -> bytes:
    """A file of one number per line: times or scores."""
    return "".join(f"{number(value)}\n" for value in values.tolist()).encode()


_GOT10K_NESTED = (
    "{dataset}/{tracker}/{sequence}/{sequence}_001.txt",
    "{dataset}/{tracker}/{sequence}/{sequence}_time.txt",
)
_TARGET = re.compile(r"(.+)_(\d)$")  # OTB100's Jogging_1 and _2, Skating2_1 and _2, Human4_2


def _dashed(name: str) -> str:
    """``Jogging-1``, as in the json files of pysot and its relatives."""
    return _TARGET.sub(r"\1-\2", name)


def _dotted(name: str) -> str:
    """``Jogging.1``: GOT-10k's toolkit numbers the annotation files of a folder, of which Human4 has one with rows."""
    return "Human4" if name == "Human4_2" else _TARGET.sub(r"\1.\2", name)


_PREFIXED = {"uav123": "uav_{}".format, "nfs": "nfs_{}".format}
GOT10K_FAMILY = frozenset({"got10k", "got-10k"})

FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(
            "pytracking", "pytracking", "{tracker}/{tracker}_000/{sequence}.txt", "\t", _truncated,
            time_path="{tracker}/{tracker}_000/{sequence}_time.txt",
            score_path="{tracker}/{tracker}_000/{sequence}_object_presence_scores.txt",
            names=_PREFIXED,
        ),
        Format(
            "ostrack", "OSTrack", "{tracker}/{dataset}/{sequence}.txt", "\t", _truncated,
            time_path="{tracker}/{dataset}/{sequence}_time.txt",
            score_path="{tracker}/{dataset}/{sequence}_all_scores.txt",
            score_number="{:.2f}".format,
            names=_PREFIXED,
        ),
        Format(
            "pysot", "pysot, TransT, SiamCAR", "{dataset}/{tracker}/{sequence}.txt", ",", repr,
            nested=_GOT10K_NESTED,
            names={"otb100": _dashed},
        ),
        Format(
            "sots", "SOTS", "{dataset}/{tracker}/{sequence}.txt", ",", repr,
            # SOTS adds 1 to x and y for OTB and LaSOT. It has read OTB's annotations less 1, so those files end up in
            # the annotation's numbers; LaSOT's it has read as they are, so those end up one pixel off.
            offsets={"lasot": 1.0},
            names={"otb100": _dashed},
        ),
        Format(
            "got10k", "GOT-10k toolkit", "{dataset}/{tracker}/{sequence}.txt", ",", "{:.3f}".format,
            time_path="{dataset}/{tracker}/times/{sequence}_time.txt",
            time_number="{:.8f}".format,
            nested=_GOT10K_NESTED,
            nested_time="{:.8f}".format,
            names={"otb100": _dotted},
            whole=True,
        ),
        Format(
            "lasot", "LaSOT evaluation toolkit", "{tracker}_tracking_result/{sequence}.txt", ",", "{:.4f}".format
        ),
        Format(
            "tnl2k", "TNL2K evaluation toolkit", "{tracker}_tracking_result/{sequence}.txt", ",", "{:.4f}".format
        ),
        Format(
            "trackingnet", "TrackingNet submission", "{dataset}/{tracker}/{sequence}.txt", ",", "{:.2f}".format,
            archive=True,
        ),
    )
}  # fmt: skip


def result_format(name: str) -> Format:
    """The row called ``name``. Raises UserError with a did-you-mean."""
    if name not in FORMATS:
        raise unknown_name("result format", name, FORMATS)
    return FORMATS[name]
