"""Files that are whole or not there: written beside their place and renamed into it, with a seal by which damage is
found and named on reading."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inmo import seals
from inmo.errors import UserError

SYSTEM = os.name
PATIENCE = 2.0
"""Seconds for which Windows' refusal to replace a file that somebody reads is waited out."""
PLAIN = {b"facts", b"ARROW:schema"}  # what the metadata of a table without a seal hold


def write_table(path: Path, columns: Mapping[str, Any], facts: Mapping[str, Any], *, keep_first: bool = False) -> bool:
    table = pa.table({k: pa.array(v) for k, v in columns.items()})
    table = table.replace_schema_metadata({"facts": json.dumps(facts, sort_keys=True, default=str)})
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd") as file:
        file.write_table(table)
        file.add_key_value_metadata({seals.KEY: seals.BLANK})
    return place(path, seals.sealed(sink.getvalue().to_pybytes()), keep_first=keep_first)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    ordered = json.loads(json.dumps(values, sort_keys=True, default=str))
    text = json.dumps({**ordered, seals.KEY: seals.BLANK}, indent=1)  # the seal stands last
    place(path, seals.sealed(f"{text}\n".encode()))


def place(path: Path, data: bytes, *, keep_first: bool = False) -> bool:
    """Write a file whole or not at all. With ``keep_first`` a file already there stays and False is returned."""
    temporary = path.with_name(unfinished(path.name))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            if keep_first:
                return _link(temporary, path)
            _replace(temporary, path)
            return True
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; free some space, or choose another place") from error


def _link(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)  # unlike a rename, fails when the file is there already
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        _replace(temporary, path)
    return True


def _replace(temporary: Path, path: Path) -> None:
    """Rename over ``path``. Windows refuses while somebody has it open: readers are done soon."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            temporary.replace(path)
        except PermissionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    with fitting(path, "missing or damaged"), _checked_table(path) as file:
        # pq.read_table and its threads cost twice as much on files this small
        return file.read(use_threads=False), json.loads(file.metadata.metadata[b"facts"])


def read_facts(path: Path) -> dict[str, Any]:
    with fitting(path), _checked_table(path) as file:
        found: dict[str, Any] = json.loads(file.metadata.metadata[b"facts"])
        return found


@contextmanager
def _checked_table(path: Path) -> Iterator[pq.ParquetFile]:
    """The table in a file whose bytes are those that were written."""
    data = path.read_bytes()
    whole = seals.check_seal(path, data)
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        if not whole and not PLAIN.issuperset(file.metadata.metadata):
            raise ValueError("its checksum is no longer there")
        yield file


def read_json(path: Path) -> dict[str, Any]:
    with fitting(path, "missing or damaged"):
        data = path.read_bytes()
        whole = seals.check_seal(path, data)
        found = json.loads(data)
        if not isinstance(found, dict):
            raise TypeError("it holds no names and values")
        if (found.pop(seals.KEY, None) is not None) != whole:
            raise ValueError("its checksum is no longer there")
        return found


@contextmanager
def fitting(path: Path, state: str = "damaged") -> Iterator[None]:
    """Raises UserError where ``path`` cannot be read, or what was read lacks something or has it in another form."""
    try:
        yield
    except (OSError, LookupError, AttributeError, TypeError, ValueError, RecursionError, pa.ArrowException) as error:
        raise UserError(f"{path} is {state} ({error}): delete it and run again") from error


def unfinished(name: str) -> str:
    """What a file of this name is called while this process writes it."""
    return f".{name[:80]}.{socket.gethostname()}.{os.getpid()}-{_start(os.getpid())}.tmp"


def sweep(folder: Path) -> None:
    """Remove the unfinished files below ``folder`` of this host's processes that have ended."""
    for path in folder.rglob(f".*.{socket.gethostname()}.*-*.tmp"):
        pid, _, start = path.name.rsplit(".", 2)[1].partition("-")
        if not (pid.isdigit() and _writing(int(pid), start)):
            path.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether there is a process of that number. Windows is not asked: the question is a Ctrl-C there."""
    if SYSTEM == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _writing(pid: int, start: str) -> bool:
    """Whether a process of that number is alive and, where the system tells, is the one that began at ``start``."""
    return alive(pid) and (SYSTEM == "nt" or _start(pid) == start)


def _start(pid: int) -> str:
    """Clock ticks from the system's start to the process's; empty of one that has ended, and where nobody tells.

    A killed process keeps its number until its parent asks for its status, and then another may get it. (Linux's
    /proc/PID/stat: state is the third field, start the 22nd; the second, a name in brackets, may hold anything.)
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
