"""Arrays of pairs on disk, a row per pair, each row with a checksum that is compared whenever the row is read."""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.errors import UserError
from inmo.whole_files import read_table, write_table

SUMS = "sums.parquet"


class PairFiles(dict[str, "Rows"]):
    """The arrays ``*.npy`` of a folder by name, memory-mapped.

    Raises UserError when one is missing or is not as long as it was.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        table, facts = read_table(folder / SUMS)
        for name, form in facts["forms"].items():
            file = folder / f"{name}.npy"
            try:
                array = np.load(file, mmap_mode="r")
            except Exception as error:  # of a damaged header numpy raises many kinds
                raise damaged(file, str(error)) from error
            if [str(array.dtype), *array.shape] != form or array.shape[0] != table.num_rows:
                raise damaged(file, "it has another size")
            self[name] = Rows(file, array, table[name].to_numpy())


class Rows:
    """One array, (N, ...), read row by row.

    Attributes:
        sums: (N,) CRC-32 of each row's bytes. It tells any flipped bit, at ten times the speed of SHA-256.
    """

    def __init__(self, file: Path, array: NDArray[Any], sums: NDArray[np.uint32]) -> None:
        self.file, self.array, self.sums = file, array, sums

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, row: int) -> NDArray[Any]:
        """A copy of row ``row``. Raises UserError when it is not what was written."""
        found = np.array(self.array[row])
        if zlib.crc32(found.data) != self.sums[row]:
            raise damaged(self.file, f"the checksum of pair {row} does not fit")
        return found


def write_sums(folder: Path) -> None:
    """Seal the arrays in a folder as they stand."""
    arrays = {file.stem: np.load(file, mmap_mode="r") for file in sorted(folder.glob("*.npy"))}
    sums = {
        name: np.array([zlib.crc32(np.array(row).data) for row in rows], np.uint32) for name, rows in arrays.items()
    }
    write_table(folder / SUMS, sums, {"forms": {k: [str(a.dtype), *a.shape] for k, a in arrays.items()}})


def made_once(final: Path, what: str, fill: Callable[[Path], None]) -> Path:
    """The folder ``final`` of sealed arrays, made when it is not there: built beside its place and renamed into it.

    Args:
        what: the arrays in words, for the message.
        fill: writes them into a folder that is there and empty.

    Raises:
        UserError: the folder cannot be written.
    """
    if final.is_dir():
        if not (final / SUMS).is_file():  # an earlier version made it
            write_sums(final)
        return final
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
        try:
            fill(building)
            write_sums(building)
            try:
                building.rename(final)
            except OSError:
                if not final.is_dir():  # another process made the same arrays first
                    raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise UserError(f"cannot write {what} below {final.parent}: {error.strerror or error}") from error
    return final


def damaged(file: Path, what: str) -> UserError:
    return UserError(f"{file} is damaged ({what}): delete {file.parent} and it is made again")
