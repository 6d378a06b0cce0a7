"""A dataset on disk, or a store, looked over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inmo.datasets.check import check_dataset
from inmo.errors import Exit, UserError
from inmo.harness.commands.options import Flag, Roots
from inmo.harness.run.setup import open_datasets
from inmo.harness.store.check import check_store, seal_store
from inmo.harness.store.store import open_store


@dataclass(frozen=True)
class Check:
    """Look at a dataset on disk, or at stored results, and say what is wrong; exit status 1 when something is.

    Example: python run_all.py check --dataset lasot=/data/LaSOT --every 100
    """

    dataset: Roots = ()
    """Dataset and its root; may be given several times."""
    store: Path | None = None
    """Folder of results: every file in it is read and compared with the checksum that it carries."""
    seal: Flag = False
    """Add a checksum to the files of --store that have none, which earlier versions wrote."""
    images: bool = True
    """Decode the images too (slow, and the only way to find a broken one)."""
    every: int = 1
    """Decode every n-th image only."""


def run(command: Check) -> int:
    if not (command.dataset or command.store):
        raise UserError("say what is to be checked: --dataset NAME=ROOT, or --store FOLDER")
    found = 0
    for dataset in open_datasets(command.dataset):
        outcome = check_dataset(dataset, read_images=command.images, every=command.every)
        print("\n".join(outcome.lines()))
        found += len(outcome.findings)
    if command.store:
        store = open_store(command.store)
        stored = check_store(store)
        if command.seal and stored.unsealed and not stored.damaged:
            seal_store(stored)
            stored = check_store(store)
        print("\n".join(stored.lines()))
        found += len(stored.damaged)
    return Exit.FINDINGS if found else 0
