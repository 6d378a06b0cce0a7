"""Training sets. A new one is a file here and a row in ``SOURCES``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inmo.errors import UserError, unknown_name
from inmo.registry import resolve

if TYPE_CHECKING:
    from inmo.datasets.training.base import Source

SOURCES: dict[str, str] = {
    "lasot": "inmo.datasets.training.lasot:open_lasot",
    "trackingnet": "inmo.datasets.training.trackingnet:open_trackingnet",
    "got10k": "inmo.datasets.training.got10k:open_got10k",
    "coco": "inmo.datasets.training.coco:open_coco",
    "photos": "inmo.datasets.training.photos:open_photos",
    "segmented": "inmo.datasets.training.segmented:open_segmented",
    "folder": "inmo.datasets.training.folder:open_folder",
    "mini": "inmo.datasets.training.mini:open_mini",
}
"""Name -> function (root, **settings) -> Source."""


def open_source(name: str, root: str = "", settings: Mapping[str, Any] | None = None) -> Source:
    """Open a training set.

    Args:
        name: a row of ``SOURCES``.
        root: its folder; empty for ``mini``, which is rendered.
        settings: the further arguments of its opener (``gap``, ``split`` ...).

    Raises:
        UserError: an unknown name or setting (with a did-you-mean), or nothing usable at the root.
    """
    opener = resolve(SOURCES, name, "training set")
    known = list(inspect.signature(opener).parameters)[1:]
    for key in settings or {}:
        if key not in known:
            raise unknown_name(f"setting of the training set {name}", key, known)
    try:
        found: Source = opener(root, **(settings or {}))
    except TypeError as error:
        raise UserError(f"training set {name}: {error}; check its settings") from error
    return found
