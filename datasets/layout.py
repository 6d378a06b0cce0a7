"""Finding a benchmark's sequences below whatever root the user has.

A benchmark's row names where an annotation or a folder of frames may lie as patterns over its table row; here they
become candidates, and the first that exists wins. The same search serves the benchmark's own folder, one level above
it, several folders that share its sequences, a folder or zip of annotations alone, and a flat folder of ``<name>.txt``.
Image folders are never listed and no file is read: opening costs a handful of directory listings.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from inmo.datasets.base import ROOT_TABLE, Annotation, Benchmark, Dataset, Hole, Sequence, read_table
from inmo.datasets.files import Tree
from inmo.datasets.others import read_beside
from inmo.datasets.reading import Source, Span, one_row, read_annotation, read_frames
from inmo.errors import UserError

NO_ANNOTATION = "its images are there, its annotation file is not"
NOT_THERE = "not found below the root"


@dataclass(frozen=True)
class Wanted:
    """One sequence of the table, and the spellings under which its files may be found.

    Attributes:
        row: the table row, column name -> text; every column can be used in a pattern.
        aliases: other spellings of the name.
    """

    row: Mapping[str, str]
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.row["name"]

    @property
    def spellings(self) -> tuple[str, ...]:
        """What the sequence and a folder of its own may be called."""
        return tuple(filter(None, (self.name, *self.aliases, self.row.get("folder", ""))))

    def candidates(self, patterns: Iterable[str]) -> Iterator[str]:
        """Paths to try, best first. ``{any}`` in a pattern stands for the name and then each alias."""
        for pattern in patterns:
            names = (self.name, *self.aliases) if "{any}" in pattern else (self.name,)
            yield from (pattern.format(any=name, **self.row) for name in names)


def table_rows(benchmark: Benchmark, tree: Tree) -> tuple[Mapping[str, str], ...]:
    """The rows of the benchmark's sequence table: from ``datasets/tables``, or from the root for ``root:<file>``.

    Raises UserError when a table in the root is missing or has no usable ``name`` column.
    """
    if not benchmark.table.startswith(ROOT_TABLE):
        return read_table(benchmark.table)
    file = benchmark.table.removeprefix(ROOT_TABLE)
    if not tree.exists(file):
        raise UserError(f"{tree.where(file)} is missing: {benchmark.title} lists its sequences there")
    rows = tuple(csv.DictReader(tree.read(file).decode("utf-8-sig", "replace").splitlines()))
    for number, row in enumerate(rows, 2):
        if not re.fullmatch(r"[^/\\.\0][^/\\\0]*", row.get("name") or "") or None in row.values():
            raise UserError(f"line {number} of {tree.where(file)} does not name a sequence: mend or replace the file")
    return rows


@dataclass(frozen=True)
class Found:
    """A wanted sequence with its annotation file in the tree and, where there is one, its folder of frames."""

    wanted: Wanted
    path: str
    folder: Path | None

    @property
    def name(self) -> str:
        return self.wanted.name


def locate(benchmark: Benchmark, tree: Tree, wanted: list[Wanted]) -> tuple[list[Found], tuple[Hole, ...]]:
    """Look for every wanted sequence where the benchmark's patterns say; for folders of frames not in a zip.

    Returns:
        What was found, in the order wanted, and a hole for everything else.

    Raises:
        UserError: nothing of the benchmark is there, or one file would serve two sequences.
    """
    swept = _sweep(tree, benchmark, wanted, benchmark.annotations, tree.exists)
    files = swept.paths
    images = {} if tree.is_zip else _sweep(tree, benchmark, wanted, benchmark.folders, tree.is_dir).paths
    if not files:
        example = next(wanted[0].candidates(benchmark.annotations), "") if wanted else "a table with rows"
        what = "images but no annotation file" if images else "nothing"
        near = f"; {next(iter(swept.elsewhere.values()))} has files called so" if swept.elsewhere else ""
        raise UserError(
            f"{tree.root} holds {what} of {benchmark.title}: it should hold files such as {example}, "
            f"or annotations alone as <sequence>.txt{near}"
        )
    owners: dict[str, str] = {}
    found, holes = [], []
    for item in wanted:
        path, folder = files.get(item.name), images.get(item.name)
        if path is None:
            reason = NO_ANNOTATION if folder is not None else NOT_THERE
            if other := swept.elsewhere.get(item.name):
                reason = f"not in {swept.home or 'the root'}, where the others are; {other} has a file of its name"
            holes.append(Hole(item.name, reason))
            continue
        if owners.setdefault(path, item.name) != item.name:
            raise UserError(f"{tree.where(path)} would serve both {owners[path]} and {item.name}: rename it")
        found.append(Found(item, path, tree.root / folder if folder is not None else None))
    return found, tuple(holes)


def source_of(benchmark: Benchmark, tree: Tree, found: Found) -> Source:
    """The Source of a found sequence: span, digits and suffix as its table row has them.

    Where a benchmark makes only the first frame's box public, a file of more rows (an answer key) is read in full.
    """
    row = found.wanted.row
    return Source(
        tree,
        found.path,
        f"{found.name} of {benchmark.title}",
        found.folder,
        Span.of_row(row),
        digits=int(row.get("n_zfill") or 0),
        suffix=row.get("ext") or "",
        first_only=benchmark.ground_truth == "first" and one_row(tree, found.path),
    )


def sequence(
    benchmark: Benchmark,
    label: str,
    item: Wanted,
    source: Source,
    annotation: Callable[[], Annotation] | None = None,
) -> Sequence:
    """The Sequence of a table row whose files ``source`` names; ``annotation`` replaces the plain reader."""
    return Sequence(
        dataset=label,
        name=item.name,
        annotation=annotation or partial(read_annotation, source),
        frames=partial(read_frames, source) if source.media is not None else None,
        aliases=item.aliases,
        origin=benchmark.origin,
        attributes=tuple((item.row.get("attributes") or "").split()),
        first_only=source.first_only,
        place=source.tree.place(source.path),
        video=item.row.get("path") or "",
        start=source.span.start + source.span.omit,
        others=None if source.first_only else partial(read_beside, source, item.name),
    )


def open_by_table(
    benchmark: Benchmark,
    label: str,
    tree: Tree,
    wanted: list[Wanted] | None = None,
    source: Callable[[Benchmark, Tree, Found], Source] = source_of,
) -> Dataset:
    """What lies below ``tree`` of a benchmark whose sequences stand in a table.

    Args:
        wanted: the sequences; the rows of the table unless given.
        source: where and how one is read.

    Raises:
        UserError: see ``table_rows`` and ``locate``.
    """
    rows = [Wanted(row) for row in table_rows(benchmark, tree)] if wanted is None else wanted
    found, holes = locate(benchmark, tree, rows)
    sequences = tuple(sequence(benchmark, label, item.wanted, source(benchmark, tree, item)) for item in found)
    return Dataset(benchmark, label, str(tree.root), sequences, holes)


def distinct(spellings: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Aliases per name, without those that could mean two sequences once case is ignored."""
    claims: dict[str, set[str]] = {}
    for name, aliases in spellings.items():
        for alias in (name, *aliases):
            claims.setdefault(alias.casefold(), set()).add(name)
    return {
        name: tuple(dict.fromkeys(a for a in aliases if a != name and claims[a.casefold()] == {name}))
        for name, aliases in spellings.items()
    }


@dataclass
class _Swept:
    """What a sweep over the folders of a root found.

    Attributes:
        paths: name -> path.
        home: the folder that most were found below; empty for the root.
        elsewhere: name -> another folder that has a file of this name, which was not taken.
    """

    paths: dict[str, str] = field(default_factory=dict)
    home: str = ""
    elsewhere: dict[str, str] = field(default_factory=dict)


def _sweep(
    tree: Tree,
    benchmark: Benchmark,
    wanted: list[Wanted],
    patterns: tuple[str, ...],
    present: Callable[[str], bool],
) -> _Swept:
    """Look below the root or its folder of the benchmark's name, else below the folder with most hits.

    What is not there may lie beside it, as in TB-50/ and TB-100/, or in archives that were unpacked class by class. It
    is taken where a folder of the sequence's own says whose it is: a flat file of its name may be a result too.
    """
    shelf = _Shelf(tree, present)
    best = _Swept()
    settled = named = False
    for base, expected in shelf.bases(benchmark):
        if settled and not expected:
            break
        hits = {item.name: shelf.find(base, item.candidates(patterns)) for item in wanted}
        found = {name: path for name, path in hits.items() if path is not None}
        if len(found) > len(best.paths):
            best = _Swept(found, base)
            settled = settled or expected
            named = expected and bool(base)
        if len(best.paths) == len(wanted):
            return best
    missing: dict[str, list[Wanted]] = {}
    for item in wanted:
        if item.name not in best.paths:
            for top in {path.partition("/")[0].casefold() for path in item.candidates(patterns)}:
                missing.setdefault(top, []).append(item)
    known = {spelling.casefold() for item in wanted for spelling in item.spellings}
    used = {path.rpartition("/")[0] for path in best.paths.values()} | set(best.paths.values())
    for base in shelf.further(best.home, used, known):
        for item in [item for top in shelf.listing(base) for item in missing.get(top, ())]:
            path = shelf.find(base, item.candidates(patterns)) if item.name not in best.paths else None
            if path is None:
                continue
            own = {part.casefold() for part in path.removeprefix(base).split("/")[:-1]}
            if not named and not own.isdisjoint(spelling.casefold() for spelling in item.spellings):
                best.paths[item.name] = path
            else:
                best.elsewhere.setdefault(item.name, base)
    return best


@dataclass
class _Shelf:
    """Directory listings of one tree, kept while it is searched."""

    tree: Tree
    present: Callable[[str], bool]
    _lists: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def bases(self, benchmark: Benchmark) -> Iterator[tuple[str, bool]]:
        """The root, then its folders; True for the root and those called like the benchmark, which come first."""
        yield "", True
        likely = {plain_name(benchmark.name), plain_name(benchmark.title)}
        for name in sorted(self.tree.inside("")[0], key=lambda n: (plain_name(n) not in likely, n)):
            yield f"{name}/", plain_name(name) in likely

    def further(self, home: str, used: set[str], known: set[str]) -> Iterator[str]:
        """All other folders on the first two levels, without those that hold what was found.

        Args:
            known: what folders of sequences are called, case-folded; below such a folder lie images.
        """
        for name in self.tree.inside("")[0]:
            if name in used:
                continue
            if f"{name}/" != home:
                yield f"{name}/"
            if name.casefold() not in known:
                below = (f"{name}/{inner}" for inner in self.tree.inside(f"{name}/")[0])
                yield from (f"{path}/" for path in below if path not in used)

    def find(self, base: str, candidates: Iterator[str]) -> str | None:
        """The first candidate below ``base`` that is present as written, else the first when case is ignored."""
        top = self.listing(base)
        near = [c for c in candidates if c.partition("/")[0].casefold() in top]
        for path in near:
            if self.present(base + path):
                return base + path
        loose = (self._walk(base, path) for path in near)
        return next((path for path in loose if path is not None), None)

    def listing(self, folder: str) -> dict[str, list[str]]:
        """Case-folded name -> real names inside ``folder`` (empty, or ending in a slash)."""
        if folder not in self._lists:
            names: dict[str, list[str]] = {}
            if self.tree.is_zip or self.tree.is_dir(folder):
                for name in chain(*self.tree.inside(folder)):
                    names.setdefault(name.casefold(), []).append(name)
            self._lists[folder] = names
        return self._lists[folder]

    def _walk(self, base: str, path: str) -> str | None:
        """``path`` in the case it really has; None when it is not there or two names differ only in case."""
        done = base
        *folders, last = path.split("/")
        for part in folders:
            real = self.listing(done).get(part.casefold(), [])
            if len(real) != 1:
                return None
            done = f"{done}{real[0]}/"
        real = self.listing(done).get(last.casefold(), [])
        return done + real[0] if len(real) == 1 and self.present(done + real[0]) else None


def plain_name(name: str) -> str:
    """A name without case and separators."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())
