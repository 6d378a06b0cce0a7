"""Training sets. A new one is a file here and a row in ``SOURCES``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datasets.errors import UserError, resolve, unknown_name

if TYPE_CHECKING:
    from datasets.training.base import Source

SOURCES: dict[str, str] = {
    "lasot": "datasets.training.lasot:open_lasot",
    "trackingnet": "datasets.training.trackingnet:open_trackingnet",
    "got10k": "datasets.training.got10k:open_got10k",
    "coco": "datasets.training.coco:open_coco",
    "photos": "datasets.training.photos:open_photos",
    "folder": "datasets.training.folder:open_folder",
    "mini": "datasets.training.mini:open_mini",
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
