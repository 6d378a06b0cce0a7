"""Sequences from annotation files: one per target, from its first box to its last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Annotation, Benchmark
from inmo.datasets.base import Sequence as VideoSequence
from inmo.datasets.files import Tree
from inmo.datasets.images import Frames, ImageFrames
from inmo.datasets.own.formats import Marks
from inmo.datasets.own.media import ASIDE, frames_at, has_images, media_of, part_of, video_called
from inmo.datasets.own.tracks import Track, Video, rectangles
from inmo.datasets.reading import image_names
from inmo.errors import UserError

Media = Path | tuple[Path, ...]  # a folder of images or a video file; image files one by one

_LISTED_IN = ("", "images/", "img/", "frames/", "images/default/", "JPEGImages/")


@dataclass(frozen=True)
class Found:
    """A video of an annotation file, its frames and the name of its sequences; ``media`` None where none are there."""

    video: Video
    name: str
    parent: str
    media: str | None
    files: tuple[Path, ...] = ()


def find(tree: Tree, marks: Marks, videos: Sequence[Video], taken: Collection[str | None]) -> Iterator[Found]:
    """Each video with its frames: called as the file says or as the file itself, or the only ones that are there.

    ``taken``: frames that have a boxes file, so that they are no others'.
    """
    folder = marks.prefix.rstrip("/").rpartition("/")
    above = f"{folder[0]}/" if folder[0] else ""
    homes = [marks.prefix, above] if marks.prefix and folder[2].casefold() in ASIDE else [marks.prefix]
    home = homes[-1]
    root = tree.root.resolve()
    own = home.rstrip("/").rpartition("/")[2] or (root.stem if tree.is_zip else root.name)
    parent = home[: -len(own) - 1] if home else ""
    for video in videos:
        stem = PurePosixPath(video.name).stem if PurePosixPath(video.name).suffix else PurePosixPath(video.name).name
        called = [name for name in (stem, marks.stem if len(videos) == 1 else "") if name]
        files = _listed(tree, homes, video, stem)
        near = None if tree.is_zip else next(filter(None, (_called(tree, at, called) for at in homes)), None)
        if near is None and len(videos) == 1 and not tree.is_zip:
            there = next(filter(None, (media_of(tree, at, own, True) for at in homes)), None)
            near = (own, parent, there) if there is not None and there not in taken else None
        name, at, media = near or ((stem or own) if len(videos) > 1 or files else own, parent, None)
        yield Found(video, name, at, media, files)


def _called(tree: Tree, home: str, stems: Sequence[str]) -> tuple[str, str, str] | None:
    """Name, parent and place of frames called so: a video file, or a folder that has them or is them."""
    folders, files = tree.inside(home)
    for stem in stems:
        if file := video_called(files, (stem,)):
            return stem, home, f"{home}{file}"
        for folder in [f for f in folders if f == stem]:
            media = media_of(tree, f"{home}{folder}/", folder, True)
            if media is not None:
                return stem, home, media
    for within in [f for f in folders if f.casefold() in ("images", "videos", "frames", "img1")]:
        inner = _called(tree, f"{home}{within}/", stems) if has_more(tree, f"{home}{within}/") else None
        if inner is not None:
            return inner
    return None


def has_more(tree: Tree, prefix: str) -> bool:
    """Whether a folder holds other things than images."""
    return bool(tree.inside(prefix)[0]) or not has_images(tree, prefix)


def _listed(tree: Tree, homes: Sequence[str], video: Video, stem: str) -> tuple[Path, ...]:
    """The image files that an annotation file lists, where all are there; below its folder, or a folder of images."""
    if tree.is_zip or not video.files:
        return ()
    for home in homes:
        for within in (*_LISTED_IN, f"{stem}/", f"images/{stem}/"):
            if tree.exists(f"{home}{within}{video.files[0]}"):
                return tuple(tree.root / f"{home}{within}{file}" for file in video.files)
    return ()


def sequences(
    benchmark: Benchmark, label: str, tree: Tree, marks: Marks, found: Found
) -> tuple[list[VideoSequence], list[str]]:
    """The sequences of a video, and the targets that are none with the reason. Raises UserError for misfits."""
    media: Media | None = found.files or (tree.root / found.media if found.media is not None else None)
    where = marks.where(tree)
    place = None if isinstance(media, tuple) else media
    frames = _numbered(found.video, place) if media is None or place is not None else None
    made, left = [], []
    for track in found.video.tracks:
        if frames is not None:
            track = _renumbered(track, frames, where)
        name = found.name if len(found.video.tracks) == 1 else f"{found.name}-{track.name.replace('/', '_')}"
        shown = track.frames[~track.absent]
        if not len(shown):
            left.append(name)
            continue
        if track.relative and media is None:
            raise UserError(f"{where} counts in shares of the frame, and its frames are not there: put them beside it")
        target = Target(track, media, f"{name} in {where}", int(shown[0]))
        made.append(
            VideoSequence(
                dataset=label,
                name=name,
                annotation=partial(read_target, target),
                frames=partial(read_part, target) if media is not None else None,
                origin=found.video.origin if found.video.origin else benchmark.origin,
                place=tree.place(marks.paths[0]),
                video=str(found.files[0] if found.files else place.resolve() if place else where),
                start=target.first + 1,
            )
        )
    return made, left


@dataclass(frozen=True)
class Target:
    """A track and the frames it is in, ``first`` the first that shows it. Travels to worker processes."""

    track: Track
    media: Media | None
    owner: str
    first: int


def read_target(target: Target) -> Annotation:
    """A row per frame from the first that shows the target to the last; NaN where nothing is annotated.

    Raises UserError where the annotation goes on after the frames' end, or a frame cannot be read.
    """
    track, first = target.track, target.first
    frames = _whole(target.media) if target.media is not None else None
    shown = track.frames[~track.absent]
    last = int(shown[-1])
    if frames is not None and last >= len(frames):
        raise UserError(
            f"{target.owner} has a box in frame {last}, counted from 0, but {_words(target.media)} has {len(frames)} "
            "frames: is it the video that was annotated?"
        )
    held = track.until if frames is None else min(track.until, len(frames) - 1)
    size = (1, 1)
    if track.relative and frames is not None:
        height, width = frames.read(first).shape[:2]
        size = (width, height)
    known = (track.frames >= first) & (track.frames <= last)
    rows, boxes, gone = track.frames[known] - first, rectangles(track, size)[known], track.absent[known]
    whole: Boxes = np.full((max(last, held) - first + 1, 4), np.nan)
    absent: NDArray[np.bool_] = np.zeros(len(whole), dtype=np.bool_)
    whole[rows], absent[rows] = np.where(gone[:, None], 0.0, boxes), gone
    whole[last - first + track.step :: track.step] = boxes[-1]
    return Annotation(whole, absent if track.flagged else None)


def read_part(target: Target) -> Frames:
    """The frames of a target's rows. Raises UserError as ``read_target`` does."""
    count = len(read_target(target))
    assert target.media is not None, "a target without frames has no frame reader"
    return part_of(_whole(target.media), target.first, count)


def _whole(media: Media) -> Frames:
    return ImageFrames(media) if isinstance(media, tuple) else frames_at(media)


def _words(media: Media | None) -> str:
    return str(media[0].parent) if isinstance(media, tuple) else str(media)


def _numbered(video: Video, media: Path | None) -> Sequence[int] | None:
    """The frame of ``media`` for each frame that the file names; None where they are counted alike."""
    if media is None:
        return None
    if media.is_file():
        return video.numbers or None
    names = [Path(file).name for file in video.files] or list(video.stems)
    places = {name if video.files else Path(name).stem: place for place, name in enumerate(image_names(media))}
    if names and all(name in places for name in names if name):
        return [places.get(name, -1) for name in names]
    return video.numbers or None


def _renumbered(track: Track, frames: Sequence[int], where: str) -> Track:
    found = np.asarray(frames, dtype=np.int64)[track.frames]
    order = np.argsort(found, kind="stable")
    if (np.diff(found[order]) == 0).any():
        raise UserError(f"{where} names a frame twice: mend the file, or export it again")
    return replace(
        track, frames=found[order], boxes=track.boxes[order], angles=track.angles[order], absent=track.absent[order]
    )
