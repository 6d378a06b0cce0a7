"""Everything that is wrong with a submission, seen as TrackingNet's server sees it."""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from inmo.datasets import benchmark
from inmo.datasets.base import read_table
from inmo.errors import UserError
from inmo.harness.run.setup import known_root, parse_dataset

MAX_FILE = 16 << 20  # bytes of one sequence's file, unpacked: 100,000 frames have less than 4 MiB
IGNORED = "__MACOSX/"  # what macOS puts into a zip, and the server passes over


def wanted_frames(word: str) -> dict[str, int | None]:
    """Every sequence of a benchmark -> its number of frames, None where its images are not at hand.

    Args:
        word: as ``--dataset`` takes it. Names alone need no data.

    Raises:
        UserError: an unknown benchmark, nothing at its root, or one whose names only its root knows.
    """
    argument = parse_dataset(word)
    table = benchmark(argument.name).table
    if not argument.root and not known_root(argument.name) and table and not table.startswith("root:"):
        return dict.fromkeys(row["name"] for row in read_table(table))
    dataset = argument.open()
    frames = {s.name: len(s.frames()) if s.frames is not None else None for s in dataset.sequences}
    return frames | dict.fromkeys(hole.sequence for hole in dataset.holes)


def submission_problems(path: Path, frames: Mapping[str, int | None]) -> list[str]:
    """One sentence per problem, by file; none for a zip that the server takes and can score in full.

    A file ``<sequence>.txt`` per sequence in the zip's root, nothing else; in it one line ``x,y,w,h`` of finite numbers
    per frame, the first one (frame 0) included, without a header.

    Args:
        path: the zip.
        frames: every sequence of the benchmark -> its number of frames, None where it is not known.

    Raises:
        UserError: a file that is no zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _problems(archive, frames)
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"cannot read {path} as a zip ({error}): give the file that is to be submitted") from error


def _problems(archive: zipfile.ZipFile, frames: Mapping[str, int | None]) -> list[str]:
    wanted = {f"{name}.txt": count for name, count in frames.items()}
    entries = [e for e in archive.infolist() if not e.filename.startswith(IGNORED) and not e.is_dir()]
    inside = {entry.filename: entry for entry in entries}
    counts = Counter(entry.filename for entry in entries)
    told = [f"{name}: is in the zip {count} times" for name, count in counts.items() if count > 1]
    for name in inside:
        if name not in wanted:
            base = name.rpartition("/")[2]
            told.append(
                f"{name}: lies in a folder, but must be in the zip's root"
                if base in wanted and base != name
                else f"{name}: is no sequence of the benchmark{_hint(base, wanted)}"
            )
    told += [f"{name}: is missing" for name in wanted if name not in inside]
    for name, count in wanted.items():
        if name in inside:
            told += [f"{name}: {problem}" for problem in _file_problems(archive, inside[name], count)]
    return told


def _hint(base: str, wanted: Mapping[str, object]) -> str:
    folded = {name.casefold(): name for name in wanted}
    for guess in (base, base.removesuffix(".csv") + ".txt", f"{base}.txt"):
        if guess.casefold() in folded:
            return f": call it {folded[guess.casefold()]}"
    return ""


def _file_problems(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, count: int | None) -> list[str]:
    """What is wrong in one file, each kind of problem once, with the first line where it is."""
    if entry.file_size > MAX_FILE:
        return [f"has {entry.file_size:,} bytes: these are no boxes"]
    try:
        text = archive.read(entry).decode("ascii")
    except UnicodeDecodeError:
        return ["holds bytes that are not ASCII (a byte order mark, perhaps): write plain digits"]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        return [f"cannot be unpacked: {error}"]
    lines = text.rstrip().splitlines()
    kinds: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if problem := _line_problem(line, number):
            kinds.setdefault(problem, []).append(number)
    told = [f"{problem}, {_where(where)}" for problem, where in kinds.items()]
    if not lines:
        told.append("is empty")
    elif count is not None and len(lines) != count:
        first = ", frame 0 is perhaps left out" if len(lines) == count - 1 else ""
        told.append(f"has {len(lines)} rows for {count} frames{first}")
    return told


def _line_problem(line: str, number: int) -> str:
    """What is wrong with a line; empty for nothing. A box without a size is no problem: a tracker may say so."""
    parts = line.split(",")
    if len(parts) != 4:
        dialect = " (separated by tabs or blanks)" if len(parts) == 1 and len(line.split()) == 4 else ""
        return f"has {'a line' if line.strip() else 'an empty line'} that is not x,y,w,h{dialect}"
    try:
        box = [float(part) for part in parts]
    except ValueError:
        return "starts with a header" if number == 0 else "has words among its numbers"
    return "" if all(map(math.isfinite, box)) else "has numbers that are not finite"


def _where(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    return f"line {numbers[0] + 1}{more}"
