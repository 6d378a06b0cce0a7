"""Stores of several machines as one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from inmo.errors import Exit
from inmo.harness.store.merge import plan_merge, write_merge
from inmo.harness.store.store import open_store
from inmo.terminal import plain

SHOWN = 20  # conflicts in full


@dataclass(frozen=True)
class MergeStores:
    """Put the results of several stores into one; what differs under one name is named, and nothing is written then.

    Files are copied as they are, checksums included. The same command continues a merge that was interrupted, and adds
    what has come to the stores since.

    Example: python run_all.py merge laptop/runs cluster/runs --into runs
    """

    stores: Positional[Annotated[tuple[Path, ...], arg(metavar="STORE ...")]]
    """Stores to put together."""
    into: Path
    """The store that is written; what it holds already counts as one more."""
    prefer: Path | None = None
    """Of two different things under one name, take the one in this store; they are named all the same."""


def run(command: MergeStores) -> int:
    stores = [open_store(path) for path in command.stores]
    found = plan_merge(stores, open_store(command.into, write=True), command.prefer)
    for kind, conflicts in (("conflict", found.conflicts), (f"taken from {command.prefer}", found.decided)):
        for conflict in conflicts[:SHOWN]:
            print(f"{kind}: {plain(conflict.words)}", file=sys.stderr)
        if len(conflicts) > SHOWN:
            print(f"{kind}: {len(conflicts) - SHOWN} more", file=sys.stderr)
    for words in found.damaged:
        print(f"damaged, left out: {plain(words)}", file=sys.stderr)
    if found.conflicts:
        print(
            f"error: {len(found.conflicts)} conflicts, so nothing was written to {command.into}: remove what is wrong "
            "from its store (`rm`), or say with --prefer STORE whose copy is meant",
            file=sys.stderr,
        )
        return Exit.MEND
    write_merge(found)
    for store, count in found.results.items():
        print(f"{store}: {count} results")
    beside = f", {found.same} of them in several stores with the same boxes" if found.same else ""
    print(f"{found.into.root}: {sum(found.results.values())} results{beside}")
    if found.outdated:
        print(f"left out: {found.outdated} results made with another annotation")
    return Exit.MEND if found.damaged else 0
