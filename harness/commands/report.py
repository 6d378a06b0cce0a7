"""A store as a page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from inmo.harness.commands.options import Flag, Names
from inmo.harness.store.store import open_store


@dataclass(frozen=True)
class MakeReport:
    """Render a store as one page with its tables and figures.

    Example: python run_all.py report --store runs --out page --protocol clean
    """

    store: Path
    """Folder of results."""
    out: Path
    """OUT/index.html, OUT/tables/*, OUT/figures/*, OUT/frames/*."""
    protocol: Names = ()
    """Further protocols, side by side with each benchmark's default."""
    partial: bool = True
    """Show what is there, with the coverage beside every number and a reason for every hole; --no-partial refuses."""
    full_paths: Flag = False
    """Say where the data lay on this machine; by default the page names folders and files alone."""
    single_file: Flag = False
    """Write OUT/index.html alone, to send by mail: with fewer frames, and without tables and figures as files."""


def run(command: MakeReport) -> int:
    from inmo.reports.page.page import write_report

    page = write_report(
        open_store(command.store), command.out, protocols=command.protocol, partial=command.partial,
        full_paths=command.full_paths, single_file=command.single_file,
    )  # fmt: skip
    print(page)
    if command.single_file:
        print(f"one file of {page.stat().st_size / 1e6:.1f} MB, which needs nothing beside it", file=sys.stderr)
    return 0
