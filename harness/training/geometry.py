"""How a family cuts its template and its search region, shared by training and by what checks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from inmo.trackers.pipeline.crop import (
    Floats,
    cnninmo_search_side,
    siamcar_search_side,
    siamcar_template_side,
    transinmo_template_side,
    transt_search_side,
    transt_template_side,
)

Side = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Geometry:
    """Crops of one family at one size.

    Attributes:
        name: of the row, part of the fingerprint of cached pairs.
        template_size, search_size: sides of the network's inputs in pixels.
        template_side, search_side: target sizes (n, 2) w, h to sides of the crops (n,) in pixels of the frame.
    """

    name: str
    template_size: int
    search_size: int
    template_side: Side
    search_side: Side


def _transt(z: int, x: int) -> Geometry:
    return Geometry("transt", z, x, transt_template_side, transt_search_side)


def _transinmo(z: int, x: int) -> Geometry:
    return Geometry("transinmo", z, x, transinmo_template_side, transt_search_side)


def _siamcar(z: int, x: int) -> Geometry:
    side = partial(siamcar_search_side, template_size=z, search_size=x)
    return Geometry("siamcar", z, x, siamcar_template_side, side)


def _cnninmo(z: int, x: int) -> Geometry:
    side = partial(cnninmo_search_side, template_size=z, search_size=x)
    return Geometry("cnninmo", z, x, siamcar_template_side, side)


GEOMETRIES: Mapping[str, Callable[[int, int], Geometry]] = MappingProxyType(
    {
        "transt": _transt,
        "transinmo": _transinmo,
        "transinmo-star": _transinmo,
        "siamcar": _siamcar,
        "cnninmo": _cnninmo,
    }
)
"""Tracker name -> (template size, search size) -> Geometry."""
