"""Trackers. A new one is a file here and a row in ``TRACKERS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inmo.registry import resolve

if TYPE_CHECKING:
    from inmo.trackers.base import TrackerSpec

TRACKERS: dict[str, str] = {
    "constant": "inmo.trackers.simple.dummy:CONSTANT",
    "oracle": "inmo.trackers.simple.dummy:ORACLE",
    "kcf": "inmo.trackers.simple.opencv:KCF",
    "csrt": "inmo.trackers.simple.opencv:CSRT",
    "mosse": "inmo.trackers.simple.opencv:MOSSE",
    "mil": "inmo.trackers.simple.opencv:MIL",
    "medianflow": "inmo.trackers.simple.opencv:MEDIANFLOW",
    "nanotrack": "inmo.trackers.simple.opencv:NANOTRACK",
    "vit": "inmo.trackers.simple.opencv:VIT",
    "recorded": "inmo.trackers.recorded.tracker:RECORDED",
    "object": "inmo.trackers.simple.objects:OBJECT",
    "python": "inmo.trackers.external.classes:PYTHON",
    "trax": "inmo.trackers.external.trax:TRAX",
    "pytracking": "inmo.trackers.external.frameworks:PYTRACKING",
    "pysot": "inmo.trackers.external.frameworks:PYSOT",
    "transinmo": "inmo.trackers.families.transinmo:TRANSINMO",
    "transinmo-star": "inmo.trackers.families.transinmo:TRANSINMO_STAR",
    "cnninmo": "inmo.trackers.families.cnninmo:CNNINMO",
    "transt": "inmo.trackers.families.transt:TRANST",
    "siamcar": "inmo.trackers.families.siamcar:SIAMCAR",
}


def tracker(name: str) -> TrackerSpec:
    """The registry row for ``name``. Raises UserError with a did-you-mean."""
    found: TrackerSpec = resolve(TRACKERS, name, "tracker")
    return found
