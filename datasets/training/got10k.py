"""GOT-10k's training split (Huang et al., TPAMI 2019): ``[train/]GOT-10k_Train_%06d/`` with ``%08d.jpg``,
``groundtruth.txt`` and ``absence.label``.

The "vot-train" list of the pytracking family leaves out the videos that VOT uses: a text file with one number or
name per line, which the user names as ``split``.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from inmo.datasets.files import Tree
from inmo.datasets.reading import image_frames, read_flags
from inmo.datasets.text import parse_rows
from inmo.datasets.training.videos import Track, Video, VideoSource, folder_of
from inmo.errors import UserError

PREFIX = "GOT-10k_Train_"


def open_got10k(root: str, *, split: str = "", gap: int = 100) -> VideoSource:
    """The training videos, all or those of a list.

    Args:
        root: the data set or its ``train`` folder.
        split: a file with one video per line: its number in the folder's order, counted from 0, or its name.
        gap: see VideoSource.

    Raises:
        UserError: no training video at the root, or a line of the list that names none.
    """
    home = Path(root).expanduser()
    home = folder_of(str(home / "train" if (home / "train").is_dir() else home), "got10k", needs=f"{PREFIX}*")
    folders = sorted(path for path in home.glob(f"{PREFIX}*") if path.is_dir())
    if split:
        folders = _listed(Path(split).expanduser(), folders, home)
    videos = tuple(Video(f.name, partial(_track, f), partial(image_frames, f)) for f in folders)
    return VideoSource("got10k", str(home), videos, gap)


def _listed(path: Path, folders: list[Path], home: Path) -> list[Path]:
    try:
        words = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the list {path}: {error}; check 'split'") from error
    by_name = {folder.name: folder for folder in folders}
    by_number = {int(re.sub(r"\D", "", name.removeprefix(PREFIX)) or 0) - 1: f for name, f in by_name.items()}
    chosen = [by_number.get(int(word)) if word.isdecimal() else by_name.get(word) for word in words]
    missing = [word for word, folder in zip(words, chosen, strict=True) if folder is None]
    if missing:
        raise UserError(
            f"{path} lists {missing[0]} and {len(missing) - 1} more that {home} lacks: complete the download"
        )
    return [folder for folder in chosen if folder is not None]


def _track(folder: Path) -> Track:
    tree = Tree(folder)
    boxes = parse_rows(tree.read("groundtruth.txt"), where=tree.where("groundtruth.txt"))
    absent = read_flags(tree, "absence.label")
    return Track(boxes, ~absent)
