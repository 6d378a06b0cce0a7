"""Any sequences people have: a folder each with images or a video and a boxes file, or what annotation tools write.

``<root>/<name>/`` holds ``img/*`` or another folder called like images, images directly, or a video, and the boxes in
``groundtruth_rect.txt``, ``groundtruth.txt``, ``<name>.txt`` or ``boxes.txt``: a row x, y, w, h per frame, counted from
0, or one row alone, which is enough to track and not to score. Sequences may lie on several levels (``train/A``,
``test/B``, ``C``), and the root may be one itself. Flat pairs ``<name>.mp4`` + ``<name>.txt``, and boxes without
frames, work too. What looks like a sequence and is none is said in ``Dataset.passed``. Boxes of other things that a
tracker may take for the target lie beside the boxes as ``distractor.1.txt``, ``distractor.2.txt`` ...; see ``others``.
Rows of NaN are frames that nobody annotated, flags of frames without the target lie beside the boxes as ``absent.txt``.
Files of annotation tools lie beside the frames, or in a folder beside them; see ``formats`` and ``targets``.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from inmo.datasets.base import Benchmark, Dataset, Hole, Sequence
from inmo.datasets.files import Tree
from inmo.datasets.images import VIDEO_SUFFIXES
from inmo.datasets.own import targets
from inmo.datasets.own.formats import DETECTIONS, Marks, marks_in, videos_of
from inmo.datasets.own.media import has_images, media_of, video_called
from inmo.datasets.own.rows import FLAGS, rows_sequence
from inmo.datasets.own.targets import find
from inmo.datasets.reading import head, natural
from inmo.errors import UserError
from inmo.terminal import listed

_BOXES = ("groundtruth_rect", "groundtruth", "{name}", "boxes")
_NO_BOXES = "no boxes file (groundtruth_rect.txt, groundtruth.txt, <name>.txt or boxes.txt)"
_NOT_BOXES = ("readme", "license", "licence")  # text files that lie around
_DEPTH = 4  # levels below the root on which sequences are looked for
_SHOWN = 4
_ROW = re.compile(rb"\s*(?:[-+.\deE]+|nan)(?:[,;\s]+(?:[-+.\deE]+|nan)){3}", re.IGNORECASE)


@dataclass(frozen=True)
class _Place:
    """One candidate sequence: paths relative to the root, ``parent`` empty or ending in a slash."""

    name: str
    parent: str
    boxes: str | None
    media: str | None  # a folder of images or a video file


def open_folder(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """All sequences in ``tree``, in natural order of their names; frames without boxes beside them are holes.

    Raises UserError when there is no sequence at all, or two of one name.
    """
    survey = _Survey(tree)
    survey.run()
    made, holes, used = _annotated(benchmark, label, tree, survey)
    for place in survey.places:
        media = tree.root / place.media if place.media is not None else None
        if place.boxes is None:
            if place.media not in used:
                holes.append(Hole(place.name, _NO_BOXES))
            continue
        home = place.boxes != f"{place.parent}{place.name}.txt"
        made.append((place, rows_sequence(benchmark, label, tree, place.name, place.boxes, media, home=home)))
    if not made:
        if survey.marks and holes:
            raise UserError(holes[0].reason)
        what = f"frames ({holes[0].sequence}), but no boxes" if holes else "no sequence"
        there = f"; {survey.passed[0]}" if survey.passed else ""
        raise UserError(
            f"{tree.root} holds {what}: it should hold <name>/img/*.jpg or <name>/video.mp4, "
            f"each with <name>/groundtruth_rect.txt{there}"
        )
    sequences = [sequence for _, sequence in made]
    names = Counter(sequence.name for sequence in sequences) + Counter(hole.sequence for hole in holes)
    for name in names:
        if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise UserError(f"{tree.root} holds {name!a}, a name that is no text in UTF-8: rename it")
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        where = " and ".join(f"{place.parent}{place.name}" for place, made_ in made if made_.name == twice[0])
        raise UserError(
            f"{tree.root} holds several sequences called {twice[0]} ({where}): rename all but one, or give one "
            "folder as the root"
        )
    sequences.sort(key=lambda sequence: natural(sequence.name))
    holes.sort(key=lambda hole: natural(hole.sequence))
    return Dataset(benchmark, label, str(tree.root), tuple(sequences), tuple(holes), tuple(survey.passed))


def _annotated(
    benchmark: Benchmark, label: str, tree: Tree, survey: _Survey
) -> tuple[list[tuple[_Place, Sequence]], list[Hole], set[str]]:
    """The sequences of annotation tools' files, what of those could not be read, and the frames that they are of."""
    made: list[tuple[_Place, Sequence]] = []
    holes: list[Hole] = []
    used: set[str] = set()
    taken = {place.media for place in survey.places if place.boxes is not None}
    for marks in survey.marks:
        name = marks.paths[0] if len(marks.paths) == 1 else marks.prefix.rstrip("/")
        try:
            for found in find(tree, marks, videos_of(tree, marks), taken):
                own, never = targets.sequences(benchmark, label, tree, marks, found)
                made += [(_Place(found.name, found.parent, marks.paths[0], found.media), each) for each in own]
                used |= {found.media} if found.media is not None else set()
                holes += [Hole(each, f"no frame of {tree.where(name)} shows it") for each in never]
        except UserError as error:
            holes.append(Hole(name, str(error)))
    return made, holes, used


@dataclass
class _Survey:
    """A walk over the folders of a root, and what was found on it.

    Attributes:
        places: the sequences, and the frames beside them that lack boxes.
        marks: the files of annotation tools.
        passed: sentences on what looked like a sequence and is none.
    """

    tree: Tree
    places: list[_Place] = field(default_factory=list)
    marks: list[Marks] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    _bare: list[_Place] = field(default_factory=list)  # frames without boxes
    _stray: list[str] = field(default_factory=list)  # boxes without a sequence, where sequences are
    _strange: dict[str, list[str]] = field(default_factory=dict)  # folder -> folders of images in it that are not used
    _deep: list[str] = field(default_factory=list)
    _rivals: list[str] = field(default_factory=list)  # boxes files that differ from the one that is read

    def run(self) -> None:
        root = self.tree.root.resolve()
        self._look("", root.stem if self.tree.is_zip else root.name, "", None, None, 0)
        homes = {place.parent for place in self.places} | {marks.prefix for marks in self.marks}
        if not self.places and not self.marks:
            self.places = [_Place(stem, "", f"{stem}.txt", None) for stem in self._flat()]
        self.places += [place for place in self._bare if place.parent in homes or not homes]
        self._drop_links()
        frames = [f"{place.parent}{place.name}" for place in self._bare if homes and place.parent not in homes]
        for names, what in (
            (frames, f"frames, but {_NO_BOXES}"),
            (self._stray, "boxes that belong to no folder of frames and no video"),
            (self._rivals, "other boxes than the file beside it that is read: keep one"),
            (self._deep, f"folders further than {_DEPTH} levels below the root: give a root nearer to the sequences"),
        ):
            if names:
                self.passed.append(f"passed over: {listed(names, _SHOWN)} ({what})")
        for folder, names in self._strange.items():
            self.passed.append(
                f"{folder} has boxes, and images in {listed(names, _SHOWN)}, which is not looked into: call the folder "
                "of its frames img"
            )

    def _look(
        self, prefix: str, name: str, parent: str, beside: str | None, film: str | None, depth: int, *,
        within: bool = False,
    ) -> bool:  # fmt: skip
        """Look at one folder and below it.

        ``beside``, ``film``: a boxes file and a video that may be its; ``within``: a sequence holds it. Returns whether
        a sequence is there or below.
        """
        folders, files = self.tree.inside(prefix)
        marks = list(marks_in(self.tree, prefix, files))
        tools = {path.removeprefix(prefix) for each in marks for path in each.paths}
        files = [file for file in files if file not in tools and file.lower() != DETECTIONS]
        names = [stem.format(name=name) for stem in _BOXES]
        boxes = self._named(prefix, files, names)
        media = None if self.tree.is_zip else media_of(self.tree, prefix, name, boxes is not None)
        media = media or (film if boxes else None)
        boxes = boxes or beside
        whole = boxes is not None and media is not None
        if whole:
            self.places.append(_Place(name, parent, boxes, media))
            self._rivals += self._differing(prefix, files, names, boxes)
        below = self._descend(prefix, [f for f in folders if f"{prefix}{f}" != media], files, depth, within or whole)
        if marks and (whole or within):
            self._rivals += [each.paths[0] for each in marks]
        elif marks:
            self.marks += marks
            below = True
        if whole or within:
            return whole or below
        below = self._videos(prefix, files, media) or below
        if boxes and not below:
            self.places.append(_Place(name, parent, boxes, None))
            self._rivals += self._differing(prefix, files, names, boxes)
            if odd := [f for f in folders if not self.tree.is_zip and has_images(self.tree, f"{prefix}{f}/")]:
                self._strange[prefix or "the root"] = odd
                self._bare = [place for place in self._bare if place.parent != prefix]
            return True
        if media is not None and not below:
            self._bare.append(_Place(name, parent, None, media))
        texts = [f"{prefix}{file}" for file in files if file.lower().endswith(".txt")]
        if below or (len(texts) == 1 and prefix and media is None):
            own = {*(place.boxes for place in self.places), f"{prefix}{FLAGS}"}
            self._stray += [path for path in texts if path not in own and _ROW.match(head(self.tree, path))]
        return below

    def _descend(self, prefix: str, folders: list[str], files: list[str], depth: int, within: bool) -> bool:
        if depth == _DEPTH:
            self._deep += [f"{prefix}{folder}" for folder in folders if not within]
            return False
        texts = frozenset(files)
        found = False
        for folder in folders:
            beside = f"{prefix}{folder}.txt" if f"{folder}.txt" in texts else None
            film = video_called(files, (folder,))
            film = f"{prefix}{film}" if film else None
            found |= self._look(f"{prefix}{folder}/", folder, prefix, beside, film, depth + 1, within=within)
        return found

    def _videos(self, prefix: str, files: list[str], media: str | None) -> bool:
        """Flat pairs of a video and its boxes; whether there are any."""
        taken = {place.name for place in self.places if place.parent == prefix}
        found = False
        for file in files:
            stem, dot, suffix = file.rpartition(".")
            if (dot + suffix).lower() not in VIDEO_SUFFIXES or f"{prefix}{file}" == media or stem in taken:
                continue
            boxes = self._named(prefix, files, [stem])
            if boxes:
                self.places.append(_Place(stem, prefix, boxes, f"{prefix}{file}"))
                found = True
            else:
                self._bare.append(_Place(stem, prefix, None, f"{prefix}{file}"))
        return found

    def _named(self, prefix: str, files: list[str], stems: Iterable[str]) -> str | None:
        """The first boxes file of these names; without regard to case where one alone is called so."""
        there = frozenset(files)
        for stem in stems:
            if f"{stem}.txt" in there:
                return f"{prefix}{stem}.txt"
        if not any(file.lower().endswith(".txt") for file in files):
            return None
        for stem in stems:
            loose = [file for file in files if file.casefold() == f"{stem}.txt".casefold()]
            if len(loose) == 1:
                return f"{prefix}{loose[0]}"
        return None

    def _differing(self, prefix: str, files: list[str], stems: Iterable[str], boxes: str | None) -> list[str]:
        """Files that are called as a boxes file is, lie beside ``boxes`` and hold something else."""
        called = {f"{stem}.txt".casefold() for stem in stems}
        others = [f"{prefix}{file}" for file in files if file.casefold() in called and f"{prefix}{file}" != boxes]
        return [path for path in others if boxes and self.tree.read(path) != self.tree.read(boxes)]

    def _flat(self) -> list[str]:
        """Boxes files in the root, where nothing else is: all text files but notes and lists of the others' names."""
        _, files = self.tree.inside("")
        stems = [f[:-4] for f in files if f.lower().endswith(".txt") and not f.lower().startswith(_NOT_BOXES)]
        return [stem for stem in stems if not self._lists(f"{stem}.txt", stems)]

    def _lists(self, path: str, stems: list[str]) -> bool:
        words = head(self.tree, path).decode("utf-8", "replace").split()
        return len(words) > 1 and set(words[:-1]) <= {*stems, *(f"{stem}.txt" for stem in stems)}

    def _drop_links(self) -> None:
        """Of sequences of one name that are one by links, keep the first."""
        counts = Counter(place.name for place in self.places)
        seen: set[tuple[str, str]] = set()
        kept = []
        for place in self.places:
            path = place.boxes or place.media or ""
            key = (place.name, os.path.realpath(Path(self.tree.root, path)) if counts[place.name] > 1 else path)
            if key not in seen or self.tree.is_zip:
                kept.append(place)
            seen.add(key)
        self.places = kept


FOLDER = Benchmark(name="folder", title="Folder", open=open_folder, origin=0, protocol="pysot", gaps=True)
