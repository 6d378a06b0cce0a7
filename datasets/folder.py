"""Any sequences people have: a folder each with images or a video, and a boxes file.

``<root>/<name>/`` holds ``img/*``, ``imgs/*``, images directly, or ``video.mp4`` (or ``<name>.mp4``), and the boxes in
``groundtruth_rect.txt``, ``groundtruth.txt``, ``<name>.txt`` or ``boxes.txt``: a row x, y, w, h per frame, counted from
0, or one row alone, which is enough to track and not to score. The root may be one such folder itself. Flat pairs
``<name>.mp4`` + ``<name>.txt``, and boxes without frames, work too.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from inmo.datasets.base import Benchmark, Dataset, Hole
from inmo.datasets.files import Tree, names_in
from inmo.datasets.images import VIDEO_SUFFIXES
from inmo.datasets.layout import Wanted, sequence
from inmo.datasets.reading import Source, image_names, natural, one_row
from inmo.errors import UserError

_IMAGE_FOLDERS = ("img", "imgs")
_BOXES = ("groundtruth_rect", "groundtruth", "{name}", "boxes")
_NO_BOXES = "no boxes file (groundtruth_rect.txt, groundtruth.txt, <name>.txt or boxes.txt)"
_NOT_BOXES = ("readme", "license", "licence")  # text files that lie around


@dataclass(frozen=True)
class _Place:
    """One candidate sequence: paths relative to the root, ``prefix`` empty or ending in a slash."""

    name: str
    boxes: str | None
    media: str | None  # a folder of images or a video file


def open_folder(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """All sequences in ``tree``, in natural order of their names; frames without boxes are holes.

    Raises UserError when there is no sequence at all, or two of one name.
    """
    places = _places(tree)
    sequences, holes = [], []
    for place in sorted(places, key=lambda p: natural(p.name)):
        if place.boxes is None:
            holes.append(Hole(place.name, _NO_BOXES))
            continue
        media = tree.root / place.media if place.media is not None else None
        first_only = one_row(tree, place.boxes)
        source = Source(tree, place.boxes, f"{place.name} in {tree.root}", media, first_only=first_only)
        sequences.append(sequence(benchmark, label, Wanted({"name": place.name}), source))
    if not sequences:
        what = f"frames ({holes[0].sequence}), but no boxes" if holes else "no sequence"
        raise UserError(
            f"{tree.root} holds {what}: it should hold <name>/img/*.jpg or <name>/video.mp4, "
            "each with <name>/groundtruth_rect.txt"
        )
    for place in places:
        if not place.name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in place.name):
            raise UserError(f"{tree.root} holds {place.name!a}, a name that is no text in UTF-8: rename it")
    twice = [name for name, count in Counter(p.name for p in places).items() if count > 1]
    if twice:
        raise UserError(f"{tree.root} holds several sequences called {twice[0]}: rename all but one")
    return Dataset(benchmark, label, str(tree.root), tuple(sequences), tuple(holes))


def _places(tree: Tree) -> list[_Place]:
    root = tree.root.resolve()
    title = root.stem if tree.is_zip else root.name
    itself = _Place(title, _boxes(tree, "", title), _media(tree, "", title))
    if itself.boxes:
        return [itself]
    folders = _inside(tree, "", folders=True)
    direct = _below(tree, "", folders)
    if any(place.boxes for place in direct):
        return direct
    nested = [place for name in folders for place in _below(tree, f"{name}/", _inside(tree, f"{name}/", folders=True))]
    return nested if any(place.boxes for place in nested) else direct


def _below(tree: Tree, prefix: str, folders: list[str]) -> list[_Place]:
    """The sequences in one folder: its subfolders and videos; where there are none, its boxes files alone."""
    found = []
    for name in folders:
        inside = f"{prefix}{name}/"
        boxes = _boxes(tree, inside, name) or _existing(tree, [f"{prefix}{name}.txt"])
        media = _media(tree, inside, name)
        if boxes or media:
            found.append(_Place(name, boxes, media))
    taken = {place.name for place in found}
    files = _inside(tree, prefix, folders=False)
    for file in files:
        name, dot, suffix = file.rpartition(".")
        if (dot + suffix).lower() in VIDEO_SUFFIXES and name not in taken:
            found.append(_Place(name, _existing(tree, [f"{prefix}{name}.txt"]), f"{prefix}{file}"))
    if found or prefix:
        return found
    stems = [file[:-4] for file in files if file.endswith(".txt")]
    return [_Place(stem, f"{stem}.txt", None) for stem in stems if not stem.lower().startswith(_NOT_BOXES)]


def _boxes(tree: Tree, prefix: str, name: str) -> str | None:
    return _existing(tree, [f"{prefix}{stem.format(name=name)}.txt" for stem in _BOXES])


def _existing(tree: Tree, candidates: list[str]) -> str | None:
    return next((path for path in candidates if tree.exists(path)), None)


def _media(tree: Tree, prefix: str, name: str) -> str | None:
    if tree.is_zip:
        return None
    for folder in _IMAGE_FOLDERS:
        if tree.is_dir(f"{prefix}{folder}"):
            return f"{prefix}{folder}"
    video = _existing(tree, [f"{prefix}{stem}{suffix}" for stem in ("video", name) for suffix in VIDEO_SUFFIXES])
    return prefix if video is None and image_names(tree.root / prefix) else video


def _inside(tree: Tree, prefix: str, *, folders: bool) -> list[str]:
    """Names of the folders, or of the files, in a folder."""
    if tree.is_zip:
        inside = [n.removeprefix(prefix) for n in tree.names if n.startswith(prefix)]
        return sorted({n.partition("/")[0] for n in inside if ("/" in n) is folders})
    return names_in(tree.root / prefix, os.DirEntry.is_dir if folders else os.DirEntry.is_file)


FOLDER = Benchmark(name="folder", title="Folder", open=open_folder, origin=0, protocol="pysot")
