"""Files of annotation tools: which are some, and reading each by its own module."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from inmo.datasets.files import Tree
from inmo.datasets.own import coco, cvat, label_studio, mot, yolo
from inmo.datasets.own.tracks import Video
from inmo.datasets.reading import head
from inmo.errors import UserError

MAX_BYTES = 256 * 1024 * 1024  # XML and JSON take some 200 bytes a box
DETECTIONS = "det.txt"  # lies with the sequences of MOTChallenge
_TALKS_OF = (b'"annotations"', b'"sequence"')  # what JSON of boxes has at least one of
_ASKED = 5  # files of a folder that say what the others are


@dataclass(frozen=True)
class Marks:
    """A file of an annotation tool's, or files that belong together.

    Attributes:
        title: the format.
        prefix: the folder, empty or ending in a slash.
        paths: the files.
        read: gives the videos; ValueError, KeyError, TypeError for damage.
    """

    title: str
    prefix: str
    paths: tuple[str, ...]
    read: Callable[[], tuple[Video, ...]]

    def where(self, tree: Tree) -> str:
        """The file, or the folder of several, for messages."""
        return tree.where(self.paths[0] if len(self.paths) == 1 else self.prefix.rstrip("/"))

    @property
    def stem(self) -> str:
        """The file's name without suffix; empty for several."""
        return self.paths[0].removeprefix(self.prefix).rpartition(".")[0] if len(self.paths) == 1 else ""


def marks_in(tree: Tree, prefix: str, files: Sequence[str]) -> Iterator[Marks]:
    """The annotation tools' files among ``files`` of the folder ``prefix``. Raises UserError for an unreadable one."""
    texts = []
    for file in files:
        path = prefix + file
        lower = file.lower()
        if lower.endswith(".xml") and b"<annotations" in head(tree, path):
            yield Marks("CVAT", prefix, (path,), partial(_cvat, tree, path))
        elif lower.endswith(".json"):
            yield from _json(tree, prefix, path)
        elif lower.endswith(".txt"):
            texts.append(file)
    yield from _mot(tree, prefix, texts)
    yield from _yolo(tree, prefix, [file for file in texts if yolo.is_name(file[:-4])])


def videos_of(tree: Tree, marks: Marks) -> tuple[Video, ...]:
    """What a tool's file says. Raises UserError for a damaged one."""
    where = marks.where(tree)
    try:
        found = marks.read()
    except KeyError as error:
        raise UserError(
            f"{where} is no sound file of {marks.title}: something lacks {error}; export it again"
        ) from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{where} is no sound file of {marks.title}: {reason}; export it again") from error
    if not any(video.tracks for video in found):
        raise UserError(f"{where} ({marks.title}) holds no box of a target: annotate one, and export it again")
    return found


def _cvat(tree: Tree, path: str) -> tuple[Video, ...]:
    return cvat.parse(tree.read(path, MAX_BYTES))


def _json(tree: Tree, prefix: str, path: str) -> Iterator[Marks]:
    data = tree.read(path, MAX_BYTES)
    if not any(word in data for word in _TALKS_OF):
        return
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        title = "Label Studio" if data.lstrip()[:1] == b"[" else "COCO"
        yield Marks(title, prefix, (path,), partial(_broken, f"it is no whole JSON: {error}"))
        return
    for title, module in (("Label Studio", label_studio), ("COCO", coco)):
        parse: Callable[[Any], tuple[Video, ...]] = module.parse
        if module.is_export(content):
            yield Marks(title, prefix, (path,), partial(parse, content))


def _broken(reason: str) -> tuple[Video, ...]:
    raise ValueError(reason)


def _mot(tree: Tree, prefix: str, texts: Sequence[str]) -> Iterator[Marks]:
    for file in texts:
        words = _first_row(tree, prefix + file)
        known = file.lower() == "gt.txt"
        if not (len(words) in mot.COLUMNS and (known or len(words) >= 9) and _whole(words[:2]) and words[1] != "-1"):
            continue
        above = prefix.rstrip("/").rpartition("/")[0]
        challenge = any(tree.exists(f"{home}seqinfo.ini") for home in (prefix, f"{above}/" if above else ""))
        path, columns = prefix + file, len(words)
        yield Marks("MOT", prefix, (path,), partial(_mot_rows, tree, path, columns, challenge))


def _mot_rows(tree: Tree, path: str, columns: int, challenge: bool) -> tuple[Video, ...]:
    return mot.parse(tree.read(path, MAX_BYTES), columns, challenge=challenge)


def _yolo(tree: Tree, prefix: str, texts: Sequence[str]) -> Iterator[Marks]:
    rows = (words for file in texts if (words := _first_row(tree, prefix + file)))
    asked = [words for _, words in zip(range(_ASKED), rows, strict=False)]
    if any(yolo.is_row(words) for words in asked):
        paths = tuple(prefix + file for file in texts)
        yield Marks(
            "YOLO text",
            prefix,
            paths,
            lambda: yolo.parse({path.removeprefix(prefix)[:-4]: tree.read(path) for path in paths}),
        )


def _first_row(tree: Tree, path: str) -> list[str]:
    """The words of a file's first row."""
    lines = head(tree, path).decode("utf-8-sig", "replace").strip().splitlines()
    return lines[0].replace(",", " ").replace(";", " ").split() if lines else []


def _whole(words: Sequence[str]) -> bool:
    """Whether all words are whole numbers."""
    try:
        return all(float(word) % 1 == 0 for word in words)
    except ValueError:
        return False
