"""An ablation ready to be done: what a command asks of its file, and what that comes to."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from inmo.errors import UserError, unknown_name
from inmo.harness.ablation.members import Member, members
from inmo.harness.ablation.spec import FOLDER, Row, load_ablation, raw_config, row_config, rows_of
from inmo.harness.training.config import roots_of
from inmo.paths import ROOT

TRAININGS, STORE = "trainings", "store"
"""Folders of OUT beside those of the pages, which have the names of the ablations' files."""


@dataclass(frozen=True)
class Asked:
    """What a command asks of an ablation, over what its file says.

    Attributes:
        file: the ablation's file.
        config: base config in place of the file's; overrides: ``a.b=value`` words over the base of every row.
        rows, seeds, datasets: in place of the file's, where given.
        partial: measure on what is there of an incomplete dataset.
        roots: ``NAME=ROOT`` words, where the training sets lie.
    """

    file: Path
    config: Path | None = None
    overrides: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    datasets: tuple[str, ...] = ()
    partial: bool = False
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """An ablation ready to be done: its rows and trainings, and its datasets as on the command line."""

    stem: str
    title: str
    rows: tuple[Row, ...]
    reference: str
    members: tuple[Member, ...]
    datasets: tuple[str, ...]
    partial: bool


def open_ablation(asked: Asked, home: Path) -> Opened:
    """Read the file and make the rows' configs. Raises UserError for whatever the user can mend."""
    ablation = load_ablation(asked.file)
    if asked.file.stem in (TRAININGS, STORE):
        raise UserError(
            f"{asked.file}: the page would lie in OUT/{asked.file.stem}, which holds something else: rename the file"
        )
    known = {row.name: row for row in rows_of(ablation)}
    for name in asked.rows:
        if name not in known:
            raise unknown_name(f"row of {asked.file.stem}", name, known)
    rows = tuple(row for row in known.values() if not asked.rows or row.name in asked.rows)
    raw = raw_config(ablation, asked.file, config=asked.config, overrides=asked.overrides)
    seeds = tuple(dict.fromkeys(asked.seeds or ablation.seeds))
    datasets = asked.datasets or ablation.datasets
    if not seeds or not datasets:
        raise UserError("an ablation wants a seed and a dataset to measure on, as --dataset name=root")
    reference = ablation.reference or [*known][-1]
    if reference not in [row.name for row in rows]:
        reference = rows[-1].name
    roots = roots_of(asked.roots, [row_config(raw, row, seeds[0]) for row in rows], "--roots") if asked.roots else {}
    only = frozenset(asked.seeds if all(row.weights for row in rows) else ())
    found = members(rows, raw, seeds, home / TRAININGS, asked.file, roots=roots, only=only)
    return Opened(
        asked.file.stem, ablation.title, rows, reference, tuple(found), datasets, asked.partial or ablation.partial
    )


def demand_folder(out: Path) -> None:
    """Raises UserError where OUT can be no folder."""
    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UserError(f"{there} is no folder: give another --out")


def command_of(asked: Asked, opened: Opened) -> str:
    """The words that measure it again; datasets by name, as roots are somebody's own."""
    name = asked.file.stem if asked.file.parent == FOLDER else asked.file.name
    words = ["run_all.py", "ablate", name, *(part for word in asked.overrides for part in ("--set", word))]
    words += ["--config", _named(asked.config)] if asked.config else []
    words += ["--rows", *asked.rows] if asked.rows else []
    own = {tuple(m.seed for m in opened.members if m.row == row.name) for row in opened.rows}
    seeds = asked.seeds or (own.pop() if len(own) == 1 else ())  # else each row has those of its weights
    words += ["--seeds", *dict.fromkeys(map(str, seeds))] if seeds else []
    words += ["--roots", *map(_rootless, asked.roots)] if asked.roots else []
    words += ["--dataset", *map(_rootless, opened.datasets)]
    return shlex.join([*words, *(["--partial"] if opened.partial else [])])


def _named(config: Path) -> str:
    """The file as the checkout has it, else its name."""
    return str(config.resolve().relative_to(ROOT)) if config.resolve().is_relative_to(ROOT) else config.name


def _rootless(word: str) -> str:
    return re.sub("=.*", "=ROOT", word)
