"""A read-only tree of files that is either a folder or a zip archive.

Annotations and raw results come both ways; whoever reads them asks a ``Tree`` and never learns which it was.
Nothing is ever extracted, so an archive entry that climbs out of its folder has nowhere to go.
"""

from __future__ import annotations

import lzma
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from inmo.errors import UserError

# A million boxes; what claims more is a bomb or no such file. Reading takes some 30 times as much memory for a moment.
MAX_TEXT_BYTES = 16 * 1024 * 1024
# What zipfile raises for damaged archives, depending on where the damage is; NotImplementedError is a RuntimeError.
DAMAGED = (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, struct.error, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Tree:
    """A folder, or a zip file, addressed by relative paths with forward slashes."""

    root: Path

    @cached_property
    def is_zip(self) -> bool:
        return self.root.is_file()

    @property
    def names(self) -> tuple[str, ...]:
        """Relative paths of all files, sorted. ``__MACOSX`` and hidden entries are left out."""
        return self._listed[0]

    @property
    def unread(self) -> dict[str, str]:
        """What ``names`` leaves out although somebody may look for it: relative path -> why."""
        return self._listed[1]

    def exists(self, name: str) -> bool:
        if self.is_zip:
            return name in self._entries
        return self._look(name, Path.is_file)

    def is_dir(self, name: str) -> bool:
        if self.is_zip:
            return any(n.startswith(name.rstrip("/") + "/") for n in self.names)
        return self._look(name, Path.is_dir)

    def _look(self, name: str, question: Callable[[Path], bool]) -> bool:
        try:
            return question(self.root / name)
        except OSError as error:  # a folder that is not ours to enter
            raise UserError(f"cannot look at {self.root / name}: {error.strerror or error}; mend its rights") from error

    def read(self, name: str, most: int = MAX_TEXT_BYTES) -> bytes:
        """The bytes of one file. Raises UserError when it is missing, unreadable or of more than ``most`` bytes."""
        try:
            path = self.root / name
            size = self._entries[name].file_size if self.is_zip else path.stat().st_size
            if size > most:
                raise UserError(f"{self.where(name)} has more than {most >> 20} MiB: this is no file of boxes")
            return self._zip.read(self._entries[name]) if self.is_zip else path.read_bytes()
        except (*DAMAGED, OSError, KeyError) as error:
            raise UserError(
                f"cannot read {self.where(name)}: {error}; check that the file is there and whole"
            ) from error

    def where(self, name: str) -> str:
        """The place of a file in words, for messages."""
        return f"{self.root}/{name}" if not self.is_zip else f"{name} in {self.root}"

    def inside(self, folder: str) -> tuple[list[str], list[str]]:
        """Names of the folders and of the files in a folder (empty, or ending in a slash), sorted.

        Hidden ones are left out, and linked folders that lead back to where they lie. Raises UserError when the folder
        cannot be listed.
        """
        if self.is_zip:
            return self._zip_folders.get(folder, ([], []))
        folders, files = [], []
        try:
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    kind = "" if entry.name.startswith(".") else _kind(entry)
                    if kind == "file":
                        files.append(entry.name)
                    elif kind == "folder" and not (entry.is_symlink() and _leads_back(entry.path, self.root / folder)):
                        folders.append(entry.name)
        except OSError as error:
            raise UserError(f"cannot look into {self.root / folder}: {error.strerror or error}") from error
        return sorted(folders), sorted(files)

    def place(self, name: str) -> str:
        """The place of a file, the same from whatever folder the tree was opened."""
        return f"{self._real_root}/{name}"

    def __getstate__(self) -> dict[str, Path]:
        return {"root": self.root}  # an open archive does not travel to worker processes

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.root)
        except (*DAMAGED, OSError) as error:
            raise UserError(f"{self.root} is neither a folder nor a readable zip file: {error}") from error

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(self.root)

    @cached_property
    def _zip_folders(self) -> dict[str, tuple[list[str], list[str]]]:
        found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
        for path in self.names:
            *parts, file = path.split("/")
            here = ""
            for part in parts:
                found.setdefault(here, ({}, {}))[0][part] = None
                here += f"{part}/"
            found.setdefault(here, ({}, {}))[1][file] = None
        return {folder: (sorted(folders), sorted(files)) for folder, (folders, files) in found.items()}

    @cached_property
    def _entries(self) -> dict[str, zipfile.ZipInfo]:
        return {_slashed(entry.filename): entry for entry in self._zip.infolist()}

    @cached_property
    def _listed(self) -> tuple[tuple[str, ...], dict[str, str]]:
        found, unread = _entries_of(self._zip) if self.is_zip else _walk(self.root)
        return tuple(sorted(found)), unread


def _entries_of(archive: zipfile.ZipFile) -> tuple[set[str], dict[str, str]]:
    """Names of the files in an archive, and what was left out."""
    names = [_slashed(name) for name in archive.namelist()]
    files = [name for name in names if not name.endswith("/") and not _is_clutter(name)]
    found = set(files)
    twice = [name for name, count in Counter(files).items() if count > 1] if len(found) < len(files) else []
    return found, dict.fromkeys(twice, "stands in the archive more than once, and the last is read")


def _slashed(entry: str) -> str:
    """``ECO/Deer.txt`` for what programs on Windows and ``zip -r x.zip .`` make of it."""
    return entry.replace("\\", "/").removeprefix("./")


def _walk(root: Path) -> tuple[list[str], dict[str, str]]:
    """Relative paths of the files below a folder, and what was left out.

    Links to folders are followed, unless they lead back to where the walk is; a link inside a linked folder only to
    what no link has led to before, so that folders linked crosswise come to an end.
    """
    found: list[str] = []
    unread: dict[str, str] = {}
    seen: set[str] = set()
    pending: list[tuple[str, str, tuple[str, ...]]] = [
        ("", os.path.realpath(root), ())
    ]  # path, place, links on the way
    while pending:
        prefix, real, ways = pending.pop()
        try:
            with os.scandir(real) as listing:
                entries = list(listing)
        except OSError as error:
            unread[prefix.rstrip("/") or "."] = f"cannot be looked into: {error.strerror or error}"
            continue
        for entry in entries:
            path = prefix + entry.name
            if _is_clutter(entry.name):
                continue
            linked = entry.is_symlink()
            kind = _kind(entry)
            if kind == "folder" and not linked:
                pending.append((f"{path}/", f"{real}/{entry.name}", ways))
            elif kind == "folder":
                target = os.path.realpath(entry.path)
                if any(_leads_back(target, place) for place in (real, *ways)):
                    unread[path] = "a link that leads back to a folder it lies in"
                elif ways and target in seen:
                    unread[path] = "a link to a folder that another link leads to"
                else:
                    seen.add(target)
                    pending.append((f"{path}/", target, (*ways, real)))
            elif kind == "file":
                found.append(path)
            else:
                unread[path] = "a link to nothing" if linked else "no regular file"
    return found, unread


def _leads_back(link: str, folder: str | Path) -> bool:
    """Whether a link leads to a folder or to one that it lies in."""
    return f"{os.path.realpath(folder)}/".startswith(f"{os.path.realpath(link).rstrip('/')}/")


def _kind(entry: os.DirEntry[str]) -> str:
    with suppress(OSError):  # a link that leads to itself is neither
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
    return ""


def open_tree(path: str | Path) -> Tree:
    """Open a folder or zip file for reading. Raises UserError when nothing is there."""
    root = Path(path).expanduser()
    if not root.exists():
        raise UserError(f"{root} does not exist: give the path of a folder or of a zip file")
    return Tree(root)


def _is_clutter(name: str) -> bool:
    return any(part == "__MACOSX" or part.startswith(".") for part in name.split("/"))
