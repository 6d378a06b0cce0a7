"""LaSOT's training split (Fan et al., CVPR 2019): every sequence below the root that is not one of the 280 of test.

``<class>/<class>-<k>/img/%08d.jpg`` with ``groundtruth.txt`` (counted from 1), ``full_occlusion.txt`` and
``out_of_view.txt``; frames with either flag are not drawn.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from inmo.boxes import shift_origin
from inmo.datasets.base import read_table
from inmo.datasets.files import Tree
from inmo.datasets.reading import image_frames, read_flags
from inmo.datasets.text import parse_rows
from inmo.datasets.training.videos import Track, Video, VideoSource, folder_of
from inmo.errors import UserError

FLAGS = ("full_occlusion.txt", "out_of_view.txt")


def open_lasot(root: str, *, gap: int = 100) -> VideoSource:
    """Raises UserError when the root is not LaSOT or holds test sequences only."""
    home = folder_of(root, "lasot", needs="*/*/groundtruth.txt")
    test = {row["name"] for row in read_table("lasot_test.csv")}
    folders = sorted(path.parent for path in home.glob("*/*/groundtruth.txt") if path.parent.name not in test)
    if not folders:
        raise UserError(f"{home} holds LaSOT's test sequences only: training needs the other 1,120")
    videos = tuple(Video(f.name, partial(_track, f), partial(image_frames, f / "img")) for f in folders)
    return VideoSource("lasot", str(home), videos, gap)


def _track(folder: Path) -> Track:
    tree = Tree(folder)
    boxes = shift_origin(parse_rows(tree.read("groundtruth.txt"), where=tree.where("groundtruth.txt")), -1.0)
    visible = np.ones(len(boxes), bool)
    for name in FLAGS:
        flags = read_flags(tree, name)
        if len(flags) != len(boxes):
            raise UserError(f"{tree.where(name)} has {len(flags)} flags for {len(boxes)} boxes: download it again")
        visible &= ~flags
    return Track(boxes, visible)
