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
from collections.abc import Callable, Iterator
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

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Relative paths of all files, sorted. ``__MACOSX`` and hidden entries are left out."""
        found = self._zip.namelist() if self.is_zip else self._walk()
        return tuple(sorted(n for n in found if not n.endswith("/") and not _is_clutter(n)))

    def exists(self, name: str) -> bool:
        if self.is_zip:
            return name in self._zip_names
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

    def read(self, name: str) -> bytes:
        """The bytes of one file. Raises UserError when it is missing, unreadable or absurdly large."""
        try:
            path = self.root / name
            size = self._zip.getinfo(name).file_size if self.is_zip else path.stat().st_size
            if size > MAX_TEXT_BYTES:
                raise UserError(
                    f"{self.where(name)} has more than {MAX_TEXT_BYTES >> 20} MiB: this is no file of boxes"
                )
            return self._zip.read(name) if self.is_zip else path.read_bytes()
        except (*DAMAGED, OSError, KeyError) as error:
            raise UserError(
                f"cannot read {self.where(name)}: {error}; check that the file is there and whole"
            ) from error

    def where(self, name: str) -> str:
        """The place of a file in words, for messages."""
        return f"{self.root}/{name}" if not self.is_zip else f"{name} in {self.root}"

    def __getstate__(self) -> dict[str, Path]:
        return {"root": self.root}  # an open archive does not travel to worker processes

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.root)
        except (*DAMAGED, OSError) as error:
            raise UserError(f"{self.root} is neither a folder nor a readable zip file: {error}") from error

    @cached_property
    def _zip_names(self) -> frozenset[str]:
        return frozenset(self._zip.namelist())

    def _walk(self) -> Iterator[str]:
        for folder, dirs, files in os.walk(self.root):  # links to folders are not followed: no loops
            dirs[:] = sorted(d for d in dirs if not _is_clutter(d))
            prefix = Path(folder).relative_to(self.root).as_posix()
            yield from (f"{prefix}/{f}" if prefix != "." else f for f in files)


def open_tree(path: str | Path) -> Tree:
    """Open a folder or zip file for reading. Raises UserError when nothing is there."""
    root = Path(path).expanduser()
    if not root.exists():
        raise UserError(f"{root} does not exist: give the path of a folder or of a zip file")
    return Tree(root)


def names_in(folder: Path, wanted: Callable[[os.DirEntry[str]], bool] = lambda entry: True) -> list[str]:
    """Names in a folder, sorted, hidden ones left out; of those, ``wanted`` keeps some.

    Raises UserError when the folder cannot be listed.
    """
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):  # a link that leads to itself is neither file nor folder
                    if not entry.name.startswith(".") and wanted(entry):
                        found.append(entry.name)
    except OSError as error:
        raise UserError(f"cannot look into {folder}: {error.strerror or error}") from error
    return sorted(found)


def _is_clutter(name: str) -> bool:
    return any(part == "__MACOSX" or part.startswith(".") for part in name.split("/"))
