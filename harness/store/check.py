"""A store read from end to end: is every file what was written?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inmo.errors import UserError
from inmo.harness.store.store import Store
from inmo.seals import check_seal
from inmo.whole_files import read_json, read_table, write_json, write_table


@dataclass(frozen=True)
class StoreFindings:
    """What was found: how many files were read, those without a seal, and a sentence for every damaged one."""

    store: Path
    read: int
    unsealed: tuple[Path, ...]
    damaged: tuple[str, ...]

    def lines(self) -> list[str]:
        """One line for every damaged file, and the sum."""
        told = f"{self.store}: {self.read} files, {len(self.damaged)} damaged"
        if self.unsealed:
            told += f", {len(self.unsealed)} without a checksum (of an earlier version): --seal adds it"
        return [*self.damaged, told]


def check_store(store: Store) -> StoreFindings:
    """Read every file of a store: datasets, ground truth, runs, results, holes, servers' scores."""
    inside = (path for path in sorted(store.root.glob("[!.]*/**/*")) if not path.name.startswith("."))
    files = [path for path in inside if path.suffix in (".parquet", ".json") and path.is_file()]
    unsealed, damaged = [], []
    for path in files:
        try:
            if not check_seal(path, path.read_bytes()):
                unsealed.append(path)
            (read_table if path.suffix == ".parquet" else read_json)(path)
        except UserError as error:
            damaged.append(str(error))
        except OSError as error:
            damaged.append(f"{path} cannot be read ({error.strerror})")
    for label in [] if damaged else store.datasets():  # the files are whole: do they hold what they should?
        try:
            data = store.dataset(label)
            for name in data.names:
                store.sequence(label, name)
                for run in store.runs(label):
                    store.result(label, run, name)
        except UserError as error:
            damaged.append(str(error))
    return StoreFindings(store.root, len(files), tuple(unsealed), tuple(damaged))


def seal_store(found: StoreFindings) -> None:
    """Write the files that have no seal anew, with one. Raises UserError when they cannot be read or written."""
    for path in found.unsealed:
        if path.suffix == ".parquet":
            table, facts = read_table(path)
            write_table(path, {name: table[name].to_numpy() for name in table.column_names}, facts)
        else:
            write_json(path, read_json(path))
