"""Graphs as a runtime wrote them, kept on the user's disk: made once, by one process, whole or not there, and removed
when nobody has used them for a while."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
import torch
from torch import nn

from inmo.errors import UserError
from inmo.locks import locked
from inmo.paths import ROOT
from inmo.whole_files import unfinished

CODE = ("networks", "families", "pipeline", "runtimes")
"""Rooms below ``trackers`` whose text a graph depends on."""
UNUSED = 90 * 24 * 3600.0  # seconds without use after which a graph is removed, when another one is made
PATIENCE = 1800.0  # seconds: another process may be at work on the same graph, and others before it


def home() -> Path:
    """Where they lie; a folder each, that may be deleted."""
    return Path(platformdirs.user_cache_dir("inmo-harness")) / "graphs"


def key_of(weights: str, facts: Mapping[str, Any]) -> str:
    """16 hex digits of what a graph depends on: weights, code, and whatever the facts say."""
    text = json.dumps({"weights": weights, "code": _code(), "torch": torch.__version__, **facts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of(network: nn.Module) -> str:
    """SHA-256 of a network's parameters and buffers with their names."""
    digest = hashlib.sha256()
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for room in CODE for path in (ROOT / "trackers" / room).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def kept(key: str, make: Callable[[Path], None]) -> Path:
    """The folder of a key, filled by ``make`` where it is not there yet; then what was not used for long is removed.

    Raises UserError where it cannot be written, or another process takes too long.
    """
    folder = home() / key
    if folder.is_dir():
        with suppress(OSError):  # a cache that may only be read
            os.utime(folder)  # it was used now
        return folder
    with locked(home() / f"{key}.lock", PATIENCE) as alone:
        if folder.is_dir():
            return folder
        if alone:  # what processes left that were killed at it
            for left in home().glob(f".{key}.*.tmp"):
                shutil.rmtree(left, ignore_errors=True)
        unready = home() / unfinished(key)
        try:
            unready.mkdir()
            make(unready)
            try:
                unready.rename(folder)
            except OSError:
                if not folder.is_dir():  # on a file system without locks another process may have been quicker
                    raise
        except OSError as error:
            raise UserError(f"cannot write {folder}: {error.strerror or error}; free some space") from error
        finally:
            shutil.rmtree(unready, ignore_errors=True)
    _remove_unused()
    return folder


def _remove_unused() -> None:
    """Whole or not at all: a folder is first given another name, under which nobody looks for it."""
    for folder in home().glob("[!.]*"):
        with suppress(OSError):  # another process may be quicker
            if folder.is_dir() and time.time() - folder.stat().st_mtime > UNUSED:
                doomed = home() / unfinished(folder.name)
                folder.rename(doomed)
                shutil.rmtree(doomed)
