"""Taking runs, or all of a dataset, out of a store: first what it would be, then at one stroke."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inmo.errors import UserError, unknown_name
from inmo.harness.store.claims import Owner, owner_of
from inmo.harness.store.reading import Reading
from inmo.harness.store.records import Run, display_names
from inmo.harness.store.status import disk_of
from inmo.harness.store.store import Store

REMOVED = ".removed"
"""A folder is renamed into this one and deleted there: whoever reads the store sees all of it or nothing."""


@dataclass(frozen=True)
class Removal:
    """A folder that goes.

    Attributes:
        path: the folder; words: whose it is.
        results: how many results it holds; disk: bytes of its files.
        owner: who is at work on it, None where nobody is.
    """

    path: Path
    words: str
    results: int
    disk: int
    owner: Owner | None = None


def plan_removal(store: Store, trackers: Sequence[str], datasets: Sequence[str]) -> list[Removal]:
    """What would go: the trackers' runs on the datasets, on all where none is named; or all of the datasets.

    Args:
        trackers: display names, registry names, folders of runs, or beginnings of their hashes. None for all that there
            is of the datasets, ground truth included.
        datasets: labels.

    Raises UserError for a name that the store has not, and one that several runs of a dataset go by.
    """
    labels = store.datasets()
    for label in datasets:
        if label not in labels:
            raise unknown_name("dataset", label, labels)
    reading, wanted = Reading(), [label for label in labels if not datasets or label in datasets]
    if not trackers:
        return [
            _of_folder(store, label, store.folder(label), f"all of {label}", store.folders(label)) for label in wanted
        ]
    found, known = dict.fromkeys(trackers, 0), set()
    going: dict[tuple[str, str], str] = {}
    for label in wanted:
        tried = (reading.tried(store.run, label, folder) for folder in store.folders(label))
        runs = tuple(run for run in tried if run is not None)
        names = display_names(runs)
        for folder in store.folders(label):  # one whose run.json is damaged can be named by its folder
            names.setdefault(folder, folder)
        known |= {*names.values(), *(run.label or run.title for run in runs)}
        for word in trackers:
            meant = _meant(word, runs, names)
            if len(meant) > 1:
                several = ", ".join(f"{names[folder]} ({folder})" for folder in meant)
                raise UserError(f"'{word}' is {len(meant)} runs on {label}: {several}; name one by its folder or hash")
            found[word] += len(meant)
            going |= {(label, folder): names[folder] for folder in meant}
    for word, count in found.items():
        if not count:
            raise unknown_name("run", word, known)
    return [
        _of_folder(store, label, store.run_folder(label, folder), f"{name} on {label} ({folder})", [folder])
        for (label, folder), name in going.items()
    ]


def remove(store: Store, going: Sequence[Removal]) -> None:
    """Delete the folders. Raises UserError while somebody is at work on one, before anything is deleted, and where the
    disk refuses."""
    for each in going:
        if each.owner is not None:
            raise UserError(
                f"{each.owner.host}, process {each.owner.pid}, is at work on {each.words}: wait for it or end it"
            )
    bin_ = store.root / REMOVED
    try:
        if bin_.exists():  # of a removal that was killed
            shutil.rmtree(bin_)
        for number, each in enumerate(going):
            bin_.mkdir(exist_ok=True)
            each.path.replace(bin_ / str(number))
        shutil.rmtree(bin_)
    except OSError as error:
        raise UserError(
            f"cannot delete all that should go from {store.root} ({error.strerror}): see what is left with `status`; "
            f"what lies in {bin_} is out of the store and can be deleted by hand"
        ) from error


def _meant(word: str, runs: Sequence[Run], names: dict[str, str]) -> list[str]:
    """Folders of the runs that go by a word: exactly, else by a beginning of the hash."""
    exact = [folder for folder, name in names.items() if word in (folder, name)]
    if exact:
        return exact
    plain = [run.folder for run in runs if word in (run.label, run.title, run.tracker, run.hash)]
    return plain or [run.folder for run in runs if len(word) >= 4 and run.hash.startswith(word)]


def _of_folder(store: Store, label: str, path: Path, words: str, folders: Sequence[str]) -> Removal:
    results, owner = 0, None
    data = Reading().tried(store.dataset, label)
    for folder in folders:
        results += len(list(store.run_folder(label, folder).glob("*.parquet")))
        for name in data.names if data is not None else ():
            found = owner_of(store.root, (label, folder, name))
            owner = found if found is not None and not found.gone else owner
    return Removal(path, words, results, disk_of(path), owner)
