"""Attribute labels computed from what happened in a clip, by one definition for all benchmarks.

Thresholds follow the benchmarks' papers (Wu et al., OTB, TPAMI 2015, table 3; Fan et al., LaSOT, CVPR 2019, table 3;
Mueller et al., UAV123, ECCV 2016, table 2) where these give numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace

import numpy as np

from inmo.datasets.mini.drawing import Box
from inmo.datasets.mini.motion import Spec
from inmo.datasets.mini.puppets import Puppet

MEANINGS: Mapping[str, str] = {
    "IV": "brightness at the target changes by a factor of 1.35 or more",
    "SV": "area of the box leaves [1/2, 2] times that of the first frame",
    "ARC": "width over height of the box leaves [1/2, 2] times that of the first frame",
    "POC": "between 15 % and 31/32 of the part inside the picture is hidden in some frame",
    "FOC": "more than 31/32 of the part inside the picture is hidden in some frame",
    "OV": "less than half of the target is inside the picture in some frame",
    "DEF": "parts move against each other over at least half a cycle",
    "MB": "the smear of target or background is 4 pixels or longer in some frame",
    "FM": "the centre moves more than 20 pixels between two frames",
    "IPR": "rotation in the picture by 20 degrees or more against the first frame",
    "OPR": "turns away until it shows less than 70 % of its width",
    "VC": "is seen from its other side",
    "CM": "the camera moves by a pixel or more in a quarter of the frames",
    "BC": "the background is strewn with patches in the target's colours",
    "SOB": "others of its kind are in the picture",
    "LR": "the box has fewer than 1000 pixels in some frame",
    "LR400": "the box has fewer than 400 pixels in some frame",
}


@dataclass
class Facts:
    """What was measured of one target, one entry per frame, and what holds for the whole clip."""

    bends: bool
    clutter: bool
    company: bool
    gait: float
    boxes: list[Box] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)
    blur: list[float] = field(default_factory=list)
    camera: list[float] = field(default_factory=list)
    angle: list[float] = field(default_factory=list)
    face: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, spec: Spec, puppet: Puppet) -> Facts:
        """An empty record for one target of a clip."""
        bends = puppet.bends and spec.limber >= 0.5
        return cls(bends, spec.clutter, spec.twins + spec.cousins > 0, spec.gait)

    def cut(self, begin: int, end: int) -> Facts:
        """The facts of frames ``begin`` .. ``end - 1``."""
        lists = {f.name: getattr(self, f.name)[begin:end] for f in fields(self) if f.default_factory is not MISSING}
        return replace(self, **lists)


def labels(facts: Facts) -> tuple[str, ...]:
    """Codes of ``MEANINGS``, in its order."""
    boxes = np.array(facts.boxes, dtype=np.float64)
    area, aspect = boxes[:, 2] * boxes[:, 3], boxes[:, 2] / boxes[:, 3]
    steps = np.diff(boxes[:, :2] * 2 + boxes[:, 2:], axis=0)  # twice the way of the centre
    moved = steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1]
    inside = np.array(facts.inside)
    hidden = 1 - np.array(facts.visible) / np.where(inside > 0, inside, 1)
    hidden = np.where(inside >= 1 / 32, hidden, 0)
    face, angle = np.array(facts.face), np.array(facts.angle)
    happened = {
        "IV": max(facts.gain) >= 1.35 * min(facts.gain),
        "SV": _leaves(area / area[0]),
        "ARC": _leaves(aspect / aspect[0]),
        "POC": bool(((hidden > 0.15) & (hidden <= 31 / 32)).any()),
        "FOC": bool((hidden > 31 / 32).any()),
        "OV": bool((inside < 0.5).any()),
        "DEF": facts.bends and facts.gait * len(facts.boxes) >= 0.5,
        "MB": max(facts.blur) >= 4,
        "FM": bool((moved > 4 * 20 * 20).any()),
        "IPR": bool((np.abs(angle - angle[0]) >= 1 / 18).any()),
        "OPR": bool((np.abs(face) < 0.7).any()),
        "VC": bool((face * face[0] < 0).any()),
        "CM": sum(shift >= 1 for shift in facts.camera) * 4 >= len(facts.camera),
        "BC": facts.clutter,
        "SOB": facts.company,
        "LR": bool((area < 1000).any()),
        "LR400": bool((area < 400).any()),
    }
    return tuple(code for code in MEANINGS if happened[code])


def _leaves(ratio: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    return bool(((ratio < 0.5) | (ratio > 2)).any())
