"""Files that are whole or not there: written beside their place and renamed into it; damage is named on reading."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inmo.errors import UserError


def write_table(path: Path, columns: Mapping[str, Any], facts: Mapping[str, Any], *, keep_first: bool = False) -> bool:
    table = pa.table({k: pa.array(v) for k, v in columns.items()})
    table = table.replace_schema_metadata({"facts": json.dumps(facts, sort_keys=True, default=str)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return place(path, sink.getvalue().to_pybytes(), keep_first=keep_first)


def write_json(path: Path, values: Any) -> None:
    place(path, (json.dumps(values, indent=1, sort_keys=True, default=str) + "\n").encode())


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
            temporary.replace(path)
            return True
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; free some space or choose another --store") from error


def _link(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)  # unlike a rename, fails when the file is there already
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        temporary.replace(path)
    return True


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    with fitting(path, "missing or damaged"):
        with pq.ParquetFile(path) as file:  # read_table and its threads cost twice as much on files this small
            table = file.read(use_threads=False)
        return table, json.loads(table.schema.metadata[b"facts"])


def read_facts(path: Path) -> dict[str, Any]:
    with fitting(path):
        found: dict[str, Any] = json.loads(pq.read_schema(path).metadata[b"facts"])
        return found


def read_json(path: Path) -> dict[str, Any]:
    with fitting(path, "missing or damaged"):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


@contextmanager
def fitting(path: Path, state: str = "damaged") -> Iterator[None]:
    """Raises UserError where ``path`` cannot be read, or what was read lacks something or has it in another form."""
    try:
        yield
    except (OSError, KeyError, TypeError, ValueError, RecursionError, pa.ArrowException) as error:
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


def _writing(pid: int, start: str) -> bool:
    """Whether a process of that number is alive and, where the system tells, is the one that began at ``start``."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _start(pid) == start


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
