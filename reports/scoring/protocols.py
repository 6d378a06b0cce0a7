"""The named evaluation protocols: one row of switches each.

Every row says what one toolkit does to the frames before and after the common core of ``scoring.metrics``. Nothing
here is code: a new protocol is a new row, and whoever applies it (``scoring.tally``) never asks for its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from inmo.datasets import family, gaps
from inmo.errors import unknown_name
from inmo.reports.scoring.metrics import Values

GRIDS: dict[str, Values] = {
    "iou": np.arange(21.0) * 0.05,
    "iou-exact": np.arange(21.0) / 20,
    # MATLAB's colon operator counts the upper half down from the end: 0.65 lies one ulp below 13/20 there.
    "iou-colon": np.concatenate([np.arange(11) * 0.05, 1.0 - np.arange(9, -1, -1) * 0.05]),
    "pixels": np.arange(51.0),
    "pixels-20": np.arange(21.0) * 2.5,
    "sizes": np.arange(51.0) / 100,
    "sizes-linspace": np.linspace(0.0, 0.5, 51),
    "sizes-20": np.linspace(0.0, 0.5, 21),
}


@dataclass(frozen=True)
class Protocol:
    """The switches of one protocol.

    Attributes:
        name, summary: as listed for people.
        first: the prediction of frame 0 stands ``as-is``, is replaced by the ``annotation``, or is ``excluded``.
        valid: annotations whose overlap is computed: those with w, h > 0; with x, y, w, h > 0; or ``all``.
        distance_valid: annotations whose distances are computed: the ``same``; those with the ``centre`` above 0 in
            x and y, in pixels for P and in box sizes for P_norm; or ``all``.
        invalid_overlap, invalid_distance, invalid_norm: what other frames count as.
        absent: what frames flagged absent count as, in all three curves.
        nan_annotation: a NaN annotation is ``invalid`` as above, ``excluded``, or the protocol refuses (``raise``).
        nan_prediction, negative_size, zero_size: such a prediction is scored ``as-is`` (NaN fails), replaced by the
            row before it (``repeat``), a ``failure`` in all curves, or the protocol refuses (``raise``).
        shorter: too few predictions: refuse, pad with ``zeros`` or ``nan``, or ``cut`` the annotation too.
        before: annotated frames before the first that the benchmark scores are ``left-out`` or ``scored``; a result
            without them has the annotation there, as it starts from the annotation.
        longer: too many predictions: ``cut`` them or refuse.
        cut_sequences: sequences whose longer predictions are cut where ``longer`` refuses.
        drop_last: sequences whose last annotation row is left out.
        denominator: curves are divided by ``all`` frames, or by the ``valid`` ones while invalid frames still count
            above the line.
        round_boxes: all eight numbers are rounded to integers first, half to even.
        round_distance: decimals the distance is rounded to.
        clamp, pixels, skip_nan, union_epsilon: arithmetic of the overlap, see ``metrics.overlap``.
        zero_overlap_fails: an overlap of 0 fails at threshold 0 although the comparison is >=.
        norm_floor, norm_epsilon, norm_centres_first: arithmetic of P_norm, see ``metrics.normalised_distance``.
        inclusive: success is overlap >= threshold instead of >.
        area: area under a curve: ``mean`` of its samples or ``trapezoid``.
        success_grid, precision_grid, norm_grid: keys of ``GRIDS``; None where the protocol has no such curve.
        points: P at 20 px and P_norm at 0.20 are read off the curves; otherwise only their areas exist.
        norm_scalar: the P_norm that is printed for this protocol.
        coverage: the share of frames with a box of positive sum is given too.
        drop_zero: sequences whose curve is 0 everywhere are left out of the mean of that curve.
        by_dataset: benchmark -> switches that differ there.
    """

    name: str
    summary: str
    first: Literal["as-is", "annotation", "excluded"] = "as-is"
    valid: Literal["wh", "xywh", "all"] = "wh"
    distance_valid: Literal["same", "centre", "all"] = "same"
    invalid_overlap: Literal["failure", "excluded"] = "failure"
    invalid_distance: Literal["failure", "hit", "excluded"] = "failure"
    invalid_norm: Literal["failure", "hit", "excluded"] = "failure"
    absent: Literal["ignore", "failure", "excluded"] = "ignore"
    nan_annotation: Literal["invalid", "excluded", "raise"] = "invalid"
    nan_prediction: Literal["as-is", "repeat", "failure", "raise"] = "as-is"
    negative_size: Literal["as-is", "repeat", "failure", "raise"] = "as-is"
    zero_size: Literal["as-is", "repeat", "failure", "raise"] = "as-is"
    shorter: Literal["raise", "zeros", "nan", "cut"] = "raise"
    before: Literal["left-out", "scored"] = "left-out"
    longer: Literal["cut", "raise"] = "raise"
    cut_sequences: frozenset[str] = frozenset()
    drop_last: frozenset[str] = frozenset()
    denominator: Literal["all", "valid"] = "all"
    round_boxes: bool = False
    round_distance: int | None = None
    clamp: bool = False
    pixels: bool = False
    skip_nan: bool = False
    union_epsilon: float = 0.0
    zero_overlap_fails: bool = False
    norm_floor: float = 0.0
    norm_epsilon: float = 0.0
    norm_centres_first: bool = True
    inclusive: bool = False
    area: Literal["mean", "trapezoid"] = "mean"
    success_grid: str = "iou"
    precision_grid: str | None = "pixels"
    norm_grid: str | None = "sizes"
    points: bool = True
    norm_scalar: Literal["norm_precision_020", "norm_precision_auc"] = "norm_precision_020"
    coverage: bool = False
    drop_zero: bool = False
    by_dataset: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)

    def grid(self, curve: str) -> str | None:
        """Key in ``GRIDS`` of the thresholds of ``success``, ``precision`` or ``norm_precision``; None without it."""
        return {"success": self.success_grid, "precision": self.precision_grid, "norm_precision": self.norm_grid}[curve]

    def on(self, benchmark: str) -> Protocol:
        """The protocol as it behaves on a benchmark; an unknown or empty name gives its general behaviour."""
        switches = dict(self.by_dataset.get(family(benchmark), {}))
        if gaps(benchmark):
            switches["nan_annotation"] = "excluded"
        return replace(self, **switches, by_dataset={})


# OTB100's Board and Twinnings end with a row 0,0,0,0 for which several published results have no prediction. Scores in
# print come from the common length, so a protocol that would refuse for that row alone goes without it.
TRAILING_ZERO_ROWS_MAY_LACK = frozenset({"otb100"})

_MATLAB: Mapping[str, Any] = {
    "first": "annotation",
    "valid": "xywh",
    "invalid_distance": "hit",
    "invalid_norm": "hit",
    "absent": "failure",
    "nan_prediction": "repeat",
    "negative_size": "repeat",
    "zero_size": "repeat",
    "longer": "cut",
    "pixels": True,
    "success_grid": "iou-colon",
    "drop_zero": True,
}
_PYSOT: Mapping[str, Any] = {
    "distance_valid": "centre",
    "invalid_distance": "hit",
    "invalid_norm": "hit",
    "absent": "failure",
    "cut_sequences": frozenset({"monkey-17"}),
    "clamp": True,
    "norm_epsilon": 1e-16,
    # The flags of TNL2K never reached the json files this toolkit reads.
    "by_dataset": {"tnl2k": {"absent": "ignore"}},
}
_PYTRACKING: Mapping[str, Any] = {
    "first": "annotation",
    "invalid_norm": "hit",
    "nan_annotation": "raise",
    "nan_prediction": "raise",
    "negative_size": "raise",
    "zero_size": "repeat",
    "shorter": "zeros",
    "longer": "cut",
    "pixels": True,
    "by_dataset": {
        "lasot": {"absent": "failure", "shorter": "raise"},
        "uav123": {"invalid_distance": "hit", "nan_annotation": "invalid"},
    },
}
_LAST_ROW_TOO_MANY = frozenset({"advSamp_Baseball_game_002-Done", "advSamp_monitor_bikeyellow"})
_GOT10K_OTB: Mapping[str, Any] = {"nan_annotation": "invalid", "norm_grid": None}

PROTOCOLS: dict[str, Protocol] = {
    row.name: row
    for row in (
        Protocol("lasot-matlab", "LaSOT evaluation toolkit; P_norm at 0.20", **_MATLAB),
        Protocol(
            "tnl2k-matlab",
            "TNL2K evaluation toolkit as shipped; P_norm is the area under its curve",
            norm_scalar="norm_precision_auc",
            **_MATLAB,
        ),
        Protocol("pysot", "pysot toolkit, as SiamCAR and TransT ship it", **_PYSOT),
        Protocol("pysot-sots", "the older pysot in SOTS: annotations need x, y > 0 too", valid="xywh", **_PYSOT),
        Protocol(
            "sots-auc",
            "SOTS tuning score: success only, no masks",
            valid="all",
            drop_last=_LAST_ROW_TOO_MANY,
            cut_sequences=_LAST_ROW_TOO_MANY,
            precision_grid=None,
            norm_grid=None,
        ),
        Protocol("pytracking", "pytracking", valid="xywh", **_PYTRACKING),
        Protocol("pytracking-wh", "the pytracking copies in TransT and OSTrack: x, y may be 0", **_PYTRACKING),
        Protocol(
            "pytracking-exclude-invalid",
            "pytracking, divided by the valid frames only; P_norm can exceed 1",
            valid="xywh",
            denominator="valid",
            **_PYTRACKING,
        ),
        Protocol(
            "got10k",
            "GOT-10k toolkit; P_norm is the area under its curve, and exists for LaSOT's class alone",
            first="annotation",
            valid="all",
            nan_annotation="excluded",
            shorter="cut",
            before="scored",  # all 354 frames of OTB100's Tiger1, which every other toolkit starts at the sixth
            longer="cut",
            clamp=True,
            union_epsilon=float(np.finfo(np.float64).eps),
            norm_floor=1.0,
            norm_centres_first=False,
            norm_grid="sizes-linspace",
            norm_scalar="norm_precision_auc",
            by_dataset={
                "uav123": {"norm_grid": None},
                "otb100": _GOT10K_OTB,
                "nfs": _GOT10K_OTB,
                "trackingnet": _GOT10K_OTB,
            },
        ),
        Protocol(
            "otb",
            "OTB authors' Python benchmark; no P_norm",
            first="annotation",
            valid="xywh",
            invalid_distance="hit",
            longer="cut",
            pixels=True,
            round_distance=4,
            norm_grid=None,
        ),
        Protocol(
            "mmtracking",
            "mmtracking: pysot's rule without absent flags",
            distance_valid="centre",
            invalid_distance="hit",
            invalid_norm="hit",
            clamp=True,
        ),
        Protocol(
            "trackingnet-devkit",
            "TrackingNet devkit and server: rounded boxes, areas by trapezoid",
            first="annotation",
            valid="all",
            shorter="nan",
            longer="cut",
            round_boxes=True,
            pixels=True,
            inclusive=True,
            area="trapezoid",
            precision_grid="pixels-20",
            norm_grid="sizes-20",
            points=False,
            coverage=True,
            skip_nan=True,
            norm_centres_first=False,
            norm_scalar="norm_precision_auc",
        ),
        Protocol(
            "clean",
            "ours: only frames where the target is visible and had to be found; perfect is 1, nothing is forgiven",
            first="excluded",
            invalid_overlap="excluded",
            invalid_distance="excluded",
            invalid_norm="excluded",
            absent="excluded",
            nan_annotation="excluded",
            nan_prediction="failure",
            negative_size="failure",
            zero_size="failure",
            clamp=True,
            inclusive=True,
            zero_overlap_fails=True,
            area="trapezoid",
            success_grid="iou-exact",
            norm_centres_first=False,
        ),
    )
}


@lru_cache
def protocol(name: str) -> Protocol:
    """The row called ``name``. Raises UserError with a did-you-mean."""
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
