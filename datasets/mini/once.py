"""What is rendered once and kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs

from inmo.errors import UserError
from inmo.locks import locked
from inmo.whole_files import read_json, write_json

HASHES = "hashes.json"
PATIENCE = 600.0  # seconds to wait for another process that renders the same


def rendered(name: str, build: Callable[[Path], None], cache: Path | None = None) -> Path:
    """The folder ``name`` of the cache, built on first use.

    It is built beside its place and renamed into it, so it is whole or not there; of two processes that want it at the
    same time one builds it and the other waits. Its files are compared with the hashes of those that were built.

    Args:
        name: with everything in it that decides the bytes.
        build: fills an empty folder.
        cache: where it is kept; the user's cache folder by default.

    Raises:
        UserError: the folder cannot be written, or holds a file that is not what was built.
    """
    home = cache if cache is not None else Path(platformdirs.user_cache_dir("inmo-harness"))
    final = home / name
    if final.is_dir():
        return _checked(final)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with locked(home / f".{name}.lock", PATIENCE) as held:
            if final.is_dir():
                return _checked(final)
            if held:  # whatever a builder left behind, it is no longer at work
                for left in home.glob(f".{name}-*"):
                    shutil.rmtree(left, ignore_errors=True)
            building = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home))
            try:
                build(building)
                write_json(building / HASHES, _hashes(building))
                building.chmod(0o755)
                _move(building, final)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"cannot write {name} below {home}: {error.strerror or error}; free some space or rights there"
        ) from error
    return final


def _checked(folder: Path) -> Path:
    """The folder; hashes are taken now where an earlier version rendered it."""
    found = _hashes(folder)
    if not (folder / HASHES).is_file():
        with suppress(UserError):  # another's folder: what it holds is read unchecked, as ever
            write_json(folder / HASHES, found)
        return folder
    known = read_json(folder / HASHES)
    changed = sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name))
    if changed:
        raise UserError(
            f"{folder / changed[0]} is not what was rendered ({len(changed)} files in all): delete {folder} and it is "
            "rendered again"
        )
    return folder


def _hashes(folder: Path) -> dict[str, str]:
    """File below the folder -> SHA-256."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != HASHES)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _move(building: Path, final: Path) -> None:
    try:
        building.rename(final)
    except OSError:
        if not final.is_dir():  # another process was faster: what it made has the same bytes
            raise
