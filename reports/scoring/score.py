"""The record of a score: what one protocol says of one tracker on one dataset, and how its numbers are to be read.

Curves and measures are declared here once; scoring, tables, JSON, data frames and plots follow these two lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inmo.datasets.base import Hole

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """One kind of curve: the share of frames that pass each of some thresholds, 0..1.

    Attributes:
        key: field of ``Measures`` that holds the curve.
        title, x_label, y_label: words on its plot.
        x_max: right end of the thresholds, which are evenly spaced from 0.
        points: thresholds that the JSON object has under the curve's own name.
    """

    key: str
    title: str
    x_label: str
    y_label: str
    x_max: float
    points: int

    @property
    def scalars(self) -> tuple[Measure, ...]:
        """Measures for the legend of the plot; the first that the protocol defines is used."""
        return tuple(measure for measure in MEASURES.values() if measure.curve == self.key and measure.words)


@dataclass(frozen=True)
class Measure:
    """One number that is read off a curve.

    Attributes:
        key: name in JSON objects and data frames, and of ``Measures`` where it is stored there.
        label: heading; about: what it is.
        curve: key of its curve.
        at: the point of the curve that it is, from 0; None for the area below the curve.
        words: what it is called in the legend of its curve's plot, empty where it never stands there.
        instead_of: the measure that it stands in for: shown only where the protocol has none of that.
        unit, low, high: of its values.
        better: which way is.
    """

    key: str
    label: str
    about: str
    curve: str
    at: int | None = None
    words: str = ""
    instead_of: str = ""
    unit: str = "fraction"
    low: float = 0.0
    high: float = 1.0
    better: Literal["higher", "lower"] = "higher"


SUCCESS = Kind("success", "Success", "Overlap threshold", "Success rate", 1.0, 21)
PRECISION = Kind("precision", "Precision", "Centre error threshold [px]", "Precision", 50.0, 51)
NORM_PRECISION = Kind(
    "norm_precision", "Normalised precision", "Normalised centre error threshold", "Normalised precision", 0.5, 51
)
KINDS = (SUCCESS, PRECISION, NORM_PRECISION)
MEASURES = {measure.key: measure for measure in (
    Measure(
        "success_auc", "AUC", "area under the success plot: mean of the success curve over its thresholds", "success",
        words="AUC",
    ),
    Measure(
        "precision_20", "P", "precision: share of frames whose centre is at most 20 px off", "precision", 20,
        words="at 20 px",
    ),
    Measure(
        "precision_auc", "P AUC", "area under the precision plot (0 to 50 px), as the TrackingNet server has it",
        "precision", words="AUC", instead_of="precision_20",
    ),
    Measure(
        "norm_precision_020", "P_norm@0.2", "normalised precision: share of frames whose centre is off by at most 0.20 "
        "of the target's size", "norm_precision", 20, words="at 0.20",
    ),
    Measure(
        "norm_precision_auc", "P_norm AUC", "area under the normalised-precision plot (0 to 0.5)", "norm_precision",
        words="AUC",
    ),
    Measure("op50", "OP50", "share of frames with an overlap above 0.50", "success", 10),
    Measure("op75", "OP75", "share of frames with an overlap above 0.75", "success", 15),
)}  # fmt: skip


@dataclass(frozen=True)
class Measures:
    """Curves and scalars of one sequence, or of the mean over sequences. Fractions 0..1.

    A curve or scalar that the protocol does not define is None. The thresholds of a curve belong to the protocol.
    ``frames`` is what the curves were divided by; ``box_coverage`` is the share of frames with a box of positive
    sum, which the TrackingNet devkit prints beside its scores; ``broken`` counts predictions that are not finite or
    without a positive size, whatever the protocol makes of them; ``filled`` counts rows of the annotation
    that stand before a result which starts later than the protocol does; ``longer`` and ``shorter`` the rows that a
    prediction has beyond its annotation, or lacks.
    """

    success: Curve | None = None
    precision: Curve | None = None
    norm_precision: Curve | None = None
    success_auc: float | None = None
    precision_20: float | None = None
    precision_auc: float | None = None
    norm_precision_020: float | None = None
    norm_precision_auc: float | None = None
    box_coverage: float | None = None
    frames: int = 0
    broken: int = 0
    longer: int = 0
    shorter: int = 0
    filled: int = 0

    def value(self, measure: Measure) -> float | None:
        """A measure of ``MEASURES``."""
        if measure in SCALARS or measure.at is None:
            found: float | None = getattr(self, measure.key)
            return found
        curve: Curve | None = getattr(self, measure.curve)
        return None if curve is None else float(curve[measure.at])

    def curve(self, kind: Kind) -> Curve | None:
        """A curve of ``KINDS``."""
        found: Curve | None = getattr(self, kind.key)
        return found


SCALARS = tuple(MEASURES[each.name] for each in fields(Measures) if each.name in MEASURES)
"""Those that a protocol defines or does not; the others are points of the success curve, which all have."""


@dataclass(frozen=True)
class Reading:
    """A tracker's files read in one of the ways that people write them in, and what the score would be.

    Attributes:
        words: what the files would be.
        sequences: on how many it can be tried.
        starts: share of them whose first rows are then where the ground truth is.
        better: share of them that fit the ground truth better then.
        auc: success AUC over them, read so; None where the protocol gives none.
        likely: whether all of this speaks for it.
        advice: how to have it, in words; empty for the files as they stand.
    """

    words: str
    sequences: int
    starts: float
    better: float
    auc: float | None
    likely: bool = False
    advice: str = ""


@dataclass(frozen=True)
class Remark:
    """Something that must be known of a score and that its numbers do not show.

    Attributes:
        words: a sentence, with {which} sequences and the {protocol}.
        brief: a few words for headings; empty where it is about single trackers, which a mark tells apart.
        each: what is said of one of the sequences; all of them are not named in full where it is their names alone.
        shown: how many of them are named.
    """

    words: str
    brief: str = ""
    each: Callable[[Score, str], str] | None = None
    shown: int = 4


def _rows(key: Literal["broken", "longer", "shorter"]) -> Callable[[Score, str], str]:
    return lambda score, name: f"{getattr(score.per_sequence[name], key)} in {name}"


def _why(score: Score, name: str) -> str:
    return next(f"{name}: {hole.reason}" for hole in score.refused if hole.sequence == name)


REMARKS = {
    "unflagged": Remark(
        "{protocol} treats frames without the target apart, which takes absent flags, and {which} lack them: these are "
        "not its numbers. Put the evaluation toolkit's annos/absent into the root.",
        "no absent flags",
    ),
    "late": Remark(
        "{protocol} begins before the benchmark's first frame and the result does not: the annotation stands there in "
        "{which}."
    ),
    "cut": Remark("{protocol} begins before the benchmark's first frame, which the annotation lacks in {which}."),
    "broken": Remark(
        "Boxes are NaN, infinite or without size in {which}: {protocol} decides what they count for.",
        each=_rows("broken"),
    ),
    "longer": Remark(
        "There are more rows than the annotation has in {which}: {protocol} leaves out the last ones; look whether the "
        "first row is of the annotation's first frame.",
        each=_rows("longer"),
    ),
    "shorter": Remark(
        "There are fewer rows than the annotation has in {which}: {protocol} scores the frames that are there.",
        each=_rows("shorter"),
    ),
    "filled": Remark(
        "There are fewer rows than the annotation has in {which}: {protocol} fills them up with boxes that fail.",
        each=_rows("shorter"),
    ),
    "refused": Remark("Left out for results that cannot be scored: {which}.", each=_why, shown=1),
}


@dataclass(frozen=True)
class Score:
    """One tracker on one dataset under one protocol.

    Attributes:
        dataset, tracker, protocol: names as printed.
        expected: sequences the whole benchmark has.
        mean: measures of the mean curve over the scored sequences; all None when the protocol refuses.
        per_sequence: measures of every scored sequence, in the benchmark's order.
        holes: what is missing, each with its reason.
        reason: why measures are None, in one sentence; empty when none is.
        refused: those of the holes whose result is there, but cannot be read or is refused by the protocol.
        boxes: what the numbers of the files were read as, in words; empty for x, y, w, h.
        readings: the files as they stand, then other ways to read them, see ``scoring.diagnosis``; empty where nothing
            called for them. Never applied.
        remarks: key of ``REMARKS`` -> the sequences that it is about; none where there are no numbers.
    """

    dataset: str
    tracker: str
    protocol: str
    expected: int
    mean: Measures
    per_sequence: Mapping[str, Measures] = field(default_factory=dict)
    holes: tuple[Hole, ...] = ()
    reason: str = ""
    refused: tuple[Hole, ...] = ()
    boxes: str = ""
    readings: tuple[Reading, ...] = ()
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def looks(self) -> str:
        """What the tracker's files look like where that is not what they were read as, in a sentence; else empty."""
        found = next((reading for reading in self.readings if reading.likely), None)
        if found is None:
            return ""
        now = self.mean.success_auc
        instead = "" if now is None else f" instead of {100 * now:.1f}"
        would = "" if found.auc is None else f"; read so, its AUC would be {100 * found.auc:.1f}{instead}"
        few = "" if found.sequences == self.expected else f" on {found.sequences} sequences"
        return f"{self.tracker}: its boxes look like {found.words}{would}{few}; {found.advice}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be read with the numbers, a sentence each."""
        return tuple(
            REMARKS[key].words.format(protocol=self.protocol, which=self._which(REMARKS[key], names))
            for key, names in self.remarks.items()
        )

    @property
    def brief(self) -> str:
        """The gravest of the notes in a few words, for headings; empty where there is none."""
        return ", ".join(REMARKS[key].brief for key in self.remarks if REMARKS[key].brief)

    def _which(self, remark: Remark, names: tuple[str, ...]) -> str:
        whole = self.sequences if names[0] in self.per_sequence else self.expected
        if len(names) == whole > 1 and remark.each is None:
            return f"all {whole} sequences"
        shown = ", ".join(remark.each(self, name) if remark.each else name for name in names[: remark.shown])
        return f"{len(names)} of {whole} sequences ({shown}{' ...' if len(names) > remark.shown else ''})"

    @property
    def sequences(self) -> int:
        """How many sequences were scored."""
        return len(self.per_sequence)

    @property
    def coverage(self) -> str:
        """``7 of 280``."""
        return f"{self.sequences} of {self.expected}"


def sequence_means(scores: Iterable[Score]) -> dict[str, float]:
    """Sequence -> mean success AUC over the trackers that have one."""
    found: dict[str, list[float]] = {}
    for score in scores:
        for name, measures in score.per_sequence.items():
            if measures.success_auc is not None:
                found.setdefault(name, []).append(measures.success_auc)
    return {name: sum(values) / len(values) for name, values in found.items()}
