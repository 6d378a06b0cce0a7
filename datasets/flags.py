"""Absent flags: frames in which the target is fully occluded or out of view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from inmo.datasets.base import Annotation, Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.layout import Found, Wanted, locate, sequence, source_of, table_rows
from inmo.datasets.reading import Source, fit_flags, read_boxes, read_flags
from inmo.errors import UserError

# folders beside the root in which people keep the flags that only the evaluation toolkits ship
_BESIDE_ROOT = ("annos/absent/", "absent/", "TNL2K_evaluation_toolkit/annos/absent/")


@dataclass(frozen=True)
class FlagFolder:
    """A folder with one ``<sequence>.txt`` of absent flags each, as the LaSOT and TNL2K toolkits ship it."""

    tree: Tree
    prefix: str

    def path(self, name: str) -> str:
        return f"{self.prefix}{name}.txt"


def open_flagged(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """What lies below ``tree`` of a benchmark with absent flags: its own download, or the toolkit's ``annos``."""
    found, holes = locate(benchmark, tree, [Wanted(row) for row in table_rows(benchmark, tree)])
    flags = find_flags(tree, found)
    sequences = []
    for item in found:
        source = source_of(benchmark, tree, item)
        annotation = partial(read_flagged, source, item.name, flags)
        sequences.append(sequence(benchmark, label, item.wanted, source, annotation))
    return Dataset(benchmark, label, str(tree.root), tuple(sequences), holes)


def find_flags(tree: Tree, found: Iterable[Found]) -> FlagFolder | None:
    """The folder that holds absent flags for the sequences found; None when there is none.

    Looked for: ``absent`` beside the annotation files or beside their folder, ``annos/absent`` and ``absent`` in
    the root, and the same in the folder that holds the root.
    """
    files = list(found)
    near = {folder for item in files[:1] for folder in PurePosixPath(item.path).parents[:2]}
    prefixes = [f"{folder / 'absent'}/" for folder in sorted(near, reverse=True)] + ["annos/absent/", "absent/"]
    places = [FlagFolder(tree, prefix) for prefix in prefixes]
    if not tree.is_zip:
        outside = Tree(tree.root.resolve().parent)
        places += [FlagFolder(outside, prefix) for prefix in _BESIDE_ROOT]
    return next((p for p in places if any(p.tree.exists(p.path(item.name)) for item in files)), None)


def read_flagged(source: Source, name: str, folder: FlagFolder | None) -> Annotation:
    """Boxes with absent flags.

    Flags are ``full_occlusion.txt`` OR ``out_of_view.txt`` beside the annotation (LaSOT's own download), else the
    file of ``folder``. Without either the annotation has none.

    Raises:
        UserError: one of the two files is missing, the folder has flags for others only, or the lengths differ.
    """
    boxes = read_boxes(source)
    beside = source.path.rpartition("/")[0]
    pair = [f"{beside}/{file}.txt" for file in ("full_occlusion", "out_of_view")]
    there = [source.tree.exists(path) for path in pair] if beside else [False, False]
    if any(there):
        occluded, outside = (
            fit_flags(read_flags(source.tree, path), source, boxes, source.tree.where(path)) for path in pair
        )
        return Annotation(boxes, occluded | outside)
    if folder is None:
        return Annotation(boxes)
    path = folder.path(name)
    where = folder.tree.where(path)
    if not folder.tree.exists(path):
        raise UserError(f"{where} is missing: the flags of the other sequences lie there, add this one's")
    return Annotation(boxes, fit_flags(read_flags(folder.tree, path), source, boxes, where))
