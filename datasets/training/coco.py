"""COCO 2017 as pairs (Lin et al., ECCV 2014): an object of one image, template and search region cut from the same.

``annotations/instances_train2017.json`` and ``train2017/*.jpg``. Crowds and boxes with a side below ``smallest``
are left out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.images import read_image
from inmo.datasets.training.base import Dice, Pair, View
from inmo.datasets.training.videos import folder_of
from inmo.errors import UserError


@dataclass(frozen=True)
class ImageSource:
    """Objects in images.

    Attributes:
        name: registry name.
        folder: of the images.
        files: their names.
        owner: (n,) index into ``files`` of each object.
        boxes: (n, 4) x, y, w, h, counted from 0.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    owner: NDArray[np.int64]
    boxes: Boxes

    def __len__(self) -> int:
        return len(self.files)

    def draw(self, dice: Dice, index: int) -> Pair:
        """One object of all, each as likely as any other."""
        chosen = dice.integers(len(self.boxes))
        view = View(read_image(self.folder / self.files[self.owner[chosen]]), self.boxes[chosen])
        return Pair(view, view)

    def fingerprint(self) -> str:
        """Over the names and boxes."""
        digest = hashlib.sha256("\n".join((self.name, *self.files)).encode())
        digest.update(np.ascontiguousarray(self.owner, "<i8").tobytes() + self.boxes.astype("<f8").tobytes())
        return digest.hexdigest()[:16]


def open_coco(root: str, *, split: str = "train2017", smallest: float = 12.0) -> ImageSource:
    """Raises UserError when annotations or images are missing or damaged, or no object is left."""
    home = folder_of(root, "coco", needs=f"annotations/instances_{split}.json")
    path = home / "annotations" / f"instances_{split}.json"
    if not (home / split).is_dir():
        raise UserError(f"{home / split} is missing: unpack COCO's images beside 'annotations'")
    try:
        content: Any = simdjson.Parser().load(str(path))
        names = {int(image["id"]): str(image["file_name"]) for image in content["images"]}
        rows = [(int(o["image_id"]), [float(v) for v in o["bbox"]]) for o in content["annotations"] if not o["iscrowd"]]
        boxes = np.array([box for _, box in rows], dtype=np.float64).reshape(-1, 4)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{path} is no COCO instance annotation ({error}): download it again") from error
    large = np.flatnonzero((boxes[:, 2:] >= smallest).all(axis=1))
    used = sorted({rows[i][0] for i in large})
    if not used:
        raise UserError(f"{path} holds no object of {smallest} px and more: check the file")
    unknown = [i for i in used if i not in names]
    if unknown:
        raise UserError(f"{path} annotates image {unknown[0]}, which it does not list: download it again")
    places = {image: place for place, image in enumerate(used)}
    owner = np.array([places[rows[i][0]] for i in large], dtype=np.int64)
    return ImageSource("coco", home / split, tuple(names[i] for i in used), owner, boxes[large])
