"""Trackers. A new one is a file here and a row in ``TRACKERS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasets.errors import resolve

if TYPE_CHECKING:
    from trackers.base import TrackerSpec

TRACKERS: dict[str, str] = {
    "constant": "trackers.dummy:CONSTANT",
    "oracle": "trackers.dummy:ORACLE",
    "kcf": "trackers.opencv:KCF",
    "csrt": "trackers.opencv:CSRT",
    "mosse": "trackers.opencv:MOSSE",
    "mil": "trackers.opencv:MIL",
    "medianflow": "trackers.opencv:MEDIANFLOW",
    "nanotrack": "trackers.opencv:NANOTRACK",
    "vit": "trackers.opencv:VIT",
    "recorded": "trackers.recorded:RECORDED",
    "object": "trackers.objects:OBJECT",
    "python": "trackers.external.classes:PYTHON",
    "trax": "trackers.external.trax:TRAX",
    "pytracking": "trackers.external.frameworks:PYTRACKING",
    "pysot": "trackers.external.frameworks:PYSOT",
    "transinmo": "trackers.transinmo:TRANSINMO",
    "transinmo-star": "trackers.transinmo:TRANSINMO_STAR",
    "cnninmo": "trackers.cnninmo:CNNINMO",
    "transt": "trackers.transt:TRANST",
    "siamcar": "trackers.siamcar:SIAMCAR",
}


def tracker(name: str) -> TrackerSpec:
    """The registry row for ``name``. Raises UserError with a did-you-mean."""
    found: TrackerSpec = resolve(TRACKERS, name, "tracker")
    return found
