"""Where the frames of one's own videos lie: a folder of images or a video file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inmo.datasets.files import Tree
from inmo.datasets.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES, Frame, Frames, ImageFrames, open_video
from inmo.datasets.reading import image_frames
from inmo.errors import UserError

IMAGE_FOLDERS = (
    "img", "imgs", "img1", "color", "colour", "rgb", "image", "images", "frame", "frames", "jpg", "jpeg", "png",
    "visible", "infrared", "ir",
)  # fmt: skip
ASIDE = ("gt", "labels", "labels_with_ids", "annotations", "annos", "anno")  # folders of boxes beside those of frames


def media_of(tree: Tree, prefix: str, name: str, boxed: bool) -> str | None:
    """The frames in the folder ``prefix`` of a sequence ``name``: a path, relative to the root.

    ``boxed``: boxes lie with it, so that a video of any name will do where it is the only one.
    """
    folders, files = tree.inside(prefix)
    by_name = {folder.casefold(): folder for folder in reversed(folders)}
    for known in IMAGE_FOLDERS:
        if known in by_name and (known in IMAGE_FOLDERS[:2] or has_images(tree, f"{prefix}{by_name[known]}/")):
            return f"{prefix}{by_name[known]}"
    if found := video_called(files, ("video", name)):
        return f"{prefix}{found}"
    if any(file.lower().endswith(IMAGE_SUFFIXES) for file in files):
        return prefix
    videos = [file for file in files if file.lower().endswith(VIDEO_SUFFIXES)]
    return f"{prefix}{videos[0]}" if boxed and len(videos) == 1 else None


def video_called(files: Sequence[str], stems: Sequence[str]) -> str | None:
    """The video file of the first of these names without suffix that there is."""
    videos = [file for file in files if file.lower().endswith(VIDEO_SUFFIXES)]
    return next((file for stem in stems for file in videos if file.rpartition(".")[0] == stem), None)


def has_images(tree: Tree, prefix: str) -> bool:
    """Whether images lie in a folder itself."""
    return any(file.lower().endswith(IMAGE_SUFFIXES) for file in tree.inside(prefix)[1])


def open_media(path: Path) -> Frames:
    """The frames of a video file, of a folder of images, or of a sequence's folder.

    Raises UserError where there are none.
    """
    if path.is_file():
        return open_video(path)
    if not path.is_dir():
        raise UserError(f"{path} is not there: give a video file or a folder of frames")
    found = media_of(Tree(path), "", path.resolve().name, True)
    frames = frames_at(path / found) if found is not None else ImageFrames(())
    if not len(frames):
        raise UserError(f"{path / (found or '')} holds no images: give a video file or a folder of frames")
    return frames


def frames_at(media: Path) -> Frames:
    """The frames of a video file or of a folder of images. Raises UserError where they cannot be had."""
    return open_video(media) if media.is_file() else image_frames(media)


@dataclass(frozen=True)
class Part:
    """Consecutive frames of a longer source of frames."""

    whole: Frames
    first: int
    count: int

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Frame:
        return self.whole.read(self.first + index)

    def names(self) -> list[str]:
        return self.whole.names()[self.first : self.first + self.count]


def part_of(whole: Frames, first: int, count: int) -> Frames:
    """Consecutive frames; of image files again image files, which can be read in any order."""
    if isinstance(whole, ImageFrames):
        return ImageFrames(whole.paths[first : first + count])
    return Part(whole, first, count)
