"""A dataset on disk, looked over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from inmo.datasets.check import check_dataset
from inmo.errors import Exit
from inmo.harness.commands.options import Names
from inmo.harness.run.setup import open_datasets


@dataclass(frozen=True)
class Check:
    """Look at a dataset on disk and say what is wrong with it; exit status 1 when something is.

    Example: python run_all.py check --dataset lasot=/data/LaSOT --every 100
    """

    dataset: Annotated[Names, arg(metavar="NAME=ROOT ...")]
    """Dataset and its root; may be given several times."""
    images: bool = True
    """Decode the images too (slow, and the only way to find a broken one)."""
    every: int = 1
    """Decode every n-th image only."""


def run(command: Check) -> int:
    found = 0
    for dataset in open_datasets(command.dataset):
        outcome = check_dataset(dataset, read_images=command.images, every=command.every)
        print("\n".join(outcome.lines()))
        found += len(outcome.findings)
    return Exit.FINDINGS if found else 0
