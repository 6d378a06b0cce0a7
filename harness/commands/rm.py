"""Runs out of a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inmo.errors import UserError
from inmo.harness.commands.options import Flag, Labels, Trackers
from inmo.harness.store.removal import plan_removal, remove
from inmo.harness.store.store import open_store
from inmo.terminal import plain


@dataclass(frozen=True)
class Remove:
    """Say what deleting a run would take out of a store; with --yes delete it.

    Example: python run_all.py rm --store runs --tracker KCF --dataset otb100
    """

    store: Path
    """Folder of results."""
    tracker: Trackers = ()
    """Its name in tables or in the registry, its run's folder, or a hash; without one, all of --dataset goes."""
    dataset: Labels = ()
    """Only on these datasets."""
    yes: Flag = False
    """Delete it; without this it is only said what would go."""


def run(command: Remove) -> int:
    if not (command.tracker or command.dataset):
        raise UserError("say what is to go: --tracker NAME, --dataset LABEL, or both")
    store = open_store(command.store)
    going = plan_removal(store, command.tracker, command.dataset)
    if command.yes:
        remove(store, going)
    for each in going:
        work = f", {each.owner.host}:{each.owner.pid} is at work on it" if each.owner else ""
        print(f"{plain(each.words)}: {each.results} results, {each.disk / 1e6:.2f} MB{work}")
    results, disk = sum(each.results for each in going), sum(each.disk for each in going)
    done = "deleted" if command.yes else "would be deleted; nothing was: --yes does it"
    print(f"{results} results, {disk / 1e6:.2f} MB {done}")
    return 0
