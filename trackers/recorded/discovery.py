"""Finding raw results in whatever nesting their writers use.

A folder that holds result files belongs to one tracker (or one run of it), and no two folders are one run. Which
tracker is read off its path: parts that name a dataset, or nothing at all (``results``), are dropped, and the last that
remains names the tracker; where that would give two folders one name, more of their paths is told::

    results/OTB100/ECO/Basketball.txt            ECO, for OTB100 only
    dimp/dimp50_003/Basketball.txt               dimp50, its run 003
    vitb_256/lasot/airplane-1.txt                vitb_256, for LaSOT only
    MyTracker_tracking_result/airplane-1.txt     MyTracker
    ECO/airplane/airplane-1.txt                  ECO, whose sequences have folders of their own
    GOT-10k/MyTracker/Val_000001/Val_000001_001.txt
    results_OPE/Basketball_ECO.mat               ECO, which stands in the files' names
    Basketball.txt                               the folder that was opened

What is no result is passed over with its reason, see ``filing``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from inmo.boxes import Boxes
from inmo.datasets.base import Hole, Sequence
from inmo.datasets.files import Tree
from inmo.datasets.layout import plain_name
from inmo.errors import UserError, unknown_name
from inmo.trackers.recorded.box_layouts import BOX_LAYOUTS, BoxLayout, box_layout
from inmo.trackers.recorded.filing import (
    DATASET_FOLDERS,
    KNOWN_FOLDERS,
    NO_NAME,
    PREFIXES,
    RUN,
    TRACKER_SUFFIX,
    Names,
    Passed,
    Shelf,
    Sought,
    file_away,
    means,
    summary,
)
from inmo.trackers.recorded.formats import Format, result_format
from inmo.trackers.recorded.otb_mat import parse_mat

_SHELVES = frozenset(
    {"results", "result", "trackingresults", "rawresults", "resultsope", "ope", "resultsotb", "output", "outputs"}
    | {"bbox", "bboxes", "boxes", "pred", "preds", "predictions"}
)
MOST_RUNS = 100  # numbers start at 000; the 256 of vitb_256 is a size
_NOTHING = Names({}, frozenset(), frozenset())


@dataclass(frozen=True)
class Run:
    """The result files of one run of a tracker.

    Attributes:
        name: of the run alone.
        place: the folder they lie in, below the root.
        files: sequence, as spelt there -> path.
        names: which spellings several sequences share once case is ignored.
    """

    name: str
    place: str = ""
    files: dict[str, str] = field(default_factory=dict)
    names: Names = _NOTHING

    @cached_property
    def _folded(self) -> dict[str, str]:
        """Case-folded stem -> path, of those that one file alone has."""
        counts = Counter(stem.casefold() for stem in self.files)
        return {stem.casefold(): path for stem, path in self.files.items() if counts[stem.casefold()] == 1}

    def find(self, sequence: Sought) -> str | None:
        """Path of the result of a sequence, by name, then alias, then either without regard to case.

        Case is regarded where two files or two sequences would else be one.
        """
        spellings = [sequence.name, *sequence.aliases]
        spellings += [prefix + sequence.name for prefix in PREFIXES]
        for spelling in spellings:
            if spelling in self.files:
                return self.files[spelling]
        folded = (s.casefold() for s in spellings)
        known = self.names.spellings
        return next((self._folded[s] for s in folded if s in self._folded and known.get(s, sequence.name)), None)


@dataclass(frozen=True)
class RawResults:
    """Raw results of trackers on one dataset.

    Attributes:
        tree: where the files are.
        table: tracker -> its runs, sorted.
        format: who wrote them, or None where that does not matter.
        benchmark: name of the benchmark, for a writer's offsets.
        passed: what was found and read for no tracker.
        layout: what the numbers of a row are.
    """

    tree: Tree
    table: dict[str, tuple[Run, ...]]
    format: Format | None = None
    benchmark: str = ""
    passed: tuple[Passed, ...] = ()
    layout: BoxLayout = BOX_LAYOUTS["xywh"]

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known of any number from these results: files that may be results and were not read."""
        words = summary(item for item in self.passed if item.told)
        return (words,) if words else ()

    @property
    def trackers(self) -> tuple[str, ...]:
        """Names of the trackers found, sorted."""
        return tuple(self.table)

    def runs(self, tracker: str) -> int:
        """How many runs of the tracker there are; scores of a sequence are averaged over them first."""
        return len(self.runs_of(tracker))

    def path(self, tracker: str, sequence: Sequence, run: int = 0) -> str | None:
        """The file of a result, None when there is none."""
        return self.runs_of(tracker)[run].find(sequence)

    def boxes(self, tracker: str, sequence: Sequence, run: int = 0) -> Boxes | Hole:
        """One result, (m, 4) x, y, w, h in the numbers of the benchmark's files, as many rows as the file has.

        Returns a Hole when there is no file. Raises UserError when the file is broken.
        """
        found = self.path(tracker, sequence, run)
        if found is None:
            runs = self.runs_of(tracker)
            which = f"no result in run {runs[run].name}" if len(runs) > 1 else "no result file"
            return Hole(sequence.name, which)
        where = self.tree.where(found)
        data = self.tree.read(found)
        boxes = parse_mat(data, where) if found.lower().endswith(".mat") else self.layout.parse(data, where)
        if self.layout.name != "xywh":
            boxes = self.layout.read(boxes, sequence.annotation().beside(boxes), where)
        return self.format.decode_offset(boxes, self.benchmark) if self.format else boxes

    def fingerprint(self, tracker: str) -> str:
        """SHA-256 (16 hex digits) over the contents of the tracker's result files."""
        digest = hashlib.sha256()
        for run in self.runs_of(tracker):
            for sequence, path in sorted(run.files.items()):
                digest.update(f"{sequence}\0".encode())
                digest.update(hashlib.sha256(self.tree.read(path)).digest())
        return digest.hexdigest()[:16]

    def runs_of(self, tracker: str) -> tuple[Run, ...]:
        """The runs of a tracker, or the one run of this name. Raises UserError for an unknown name."""
        if tracker in self.table:
            return self.table[tracker]
        single = tuple(run for runs in self.table.values() for run in runs if run.name == tracker)
        if len(single) != 1:
            raise unknown_name(f"tracker in {self.tree.root}", tracker, self.table)
        return single


def find_results(
    tree: Tree,
    benchmark: str = "",
    label: str = "",
    sequences: Iterable[Sought] = (),
    format_in: str = "auto",
    boxes: str = "xywh",
) -> RawResults:
    """Find the raw results of every tracker below ``tree``.

    Args:
        tree: folder or zip; it may hold one tracker or many, one dataset or many.
        benchmark: registry name of the benchmark the results are for. Folders named after another dataset are left
            out, folders named after this one come first. Empty for whatever is there.
        label: the user's own name for the dataset, which may name a folder too.
        sequences: the dataset's sequences; a folder without a result for any of them is no tracker.
        format_in: a writer's name, or ``auto``. Layout, separators and numbers are recognised either way; the name
            matters for writers whose boxes are offset (sots).
        boxes: what the numbers of a row are, a name of ``BOX_LAYOUTS``.

    Raises:
        UserError: nothing that looks like a result is there.
    """
    wanted = tuple(sequences)
    home = benchmark.removeprefix("mini-")
    own = {plain_name(label), plain_name(benchmark)} - {""} | DATASET_FOLDERS.get(home, frozenset())
    foreign = KNOWN_FOLDERS - own if benchmark not in ("", "folder") else frozenset()
    names = Names(_spellings(wanted), foreign, frozenset(item.place for item in wanted if item.place))
    shelves, passed = file_away(tree, names)
    nameless = frozenset(own | KNOWN_FOLDERS | _SHELVES)
    kept: list[_Candidate] = []
    for shelf in sorted(shelves, key=lambda shelf: (shelf.folder, shelf.tail)):
        candidate = _candidate(shelf, nameless, _root_name(tree), names)
        used = [candidate.run.find(item) for item in wanted]
        passed += _unused(shelf, {path for path in used if path}, names, complete=bool(used) and None not in used)
        if not wanted or any(used):
            kept.append(candidate)
    passed.sort(key=lambda item: item.path)
    if not kept:
        what = f" of {label or benchmark}" if benchmark else ""
        there = f"; {words}" if (words := summary(sorted(passed, key=lambda item: not item.told))) else ""
        raise UserError(
            f"{tree.root} holds no raw results{what}: it should hold <tracker>/<sequence>.txt with x, y, w, h per line"
            + there
        )
    chosen = None if format_in == "auto" else result_format(format_in)
    return RawResults(tree, _named(kept), chosen, benchmark, tuple(passed), box_layout(boxes))


def _spellings(wanted: tuple[Sought, ...]) -> dict[str, str]:
    """Case-folded spelling -> the sequence that is called so, "" where several are."""
    found: dict[str, str] = {}
    for item in wanted:
        for spelling in (item.name, *item.aliases, *(prefix + item.name for prefix in PREFIXES)):
            if found.setdefault(spelling.casefold(), item.name) != item.name:
                found[spelling.casefold()] = ""
    return found


def _unused(shelf: Shelf, used: set[str], names: Names, *, complete: bool) -> list[Passed]:
    """The files of a run that serve no sequence. Where none is lacking, strange names are those of other datasets."""
    if not names.spellings:
        return []
    return [
        Passed(path, "another file is read for this sequence, or its name fits two" if stem in names else NO_NAME,
               told=stem in names or not complete)
        for stem, path in shelf.files.items() if path not in used
    ]  # fmt: skip


@dataclass(frozen=True)
class _Candidate:
    """A run before it is known what it is called.

    Attributes:
        run: its files.
        owner: parts of its path that name it.
        path: its path in full, with all that tells it apart.
        numbered: which of ``path`` is the last of ``owner``.
    """

    run: Run
    owner: tuple[str, ...]
    path: tuple[str, ...]
    numbered: int


def _candidate(shelf: Shelf, nameless: frozenset[str], root: str, names: Names) -> _Candidate:
    path = shelf.folder
    if shelf.tail.startswith("_"):
        path = (*path[:-1], f"{path[-1] if path else root}{shelf.tail}")
    elif shelf.tail not in ("", "/"):
        path = (*path, shelf.tail)
    last = max((place for place, part in enumerate(path) if not means(part, nameless)), default=-1)
    owner = tuple(TRACKER_SUFFIX.sub("", part) for part in path if not means(part, nameless)) or (root,)
    return _Candidate(Run(owner[-1], "/".join(shelf.folder), shelf.files, names), owner, path, last)


@dataclass(frozen=True)
class _Tracker:
    """Runs that are one tracker's, and what it may be called: the shortest of ``names`` that no other bears."""

    names: tuple[str, ...]
    runs: tuple[Run, ...]


def _named(kept: list[_Candidate]) -> dict[str, tuple[Run, ...]]:
    """Tracker name -> runs. Names are the last parts of paths, as many as tell the trackers apart."""
    groups: dict[tuple[str, ...], dict[int, _Candidate]] = {}
    alone = []
    for item in kept:
        numbered = RUN.fullmatch(item.owner[-1])
        if numbered is None:
            alone.append(item)
            continue
        # runs of one tracker lie side by side: their paths differ in nothing but the number
        ways = (*item.path[: item.numbered], numbered.group(1), *item.path[item.numbered + 1 :])
        group = groups.setdefault(ways, {})
        if group.setdefault(int(numbered.group(2)), item) is not item:
            alone.append(item)
    plain_paths = {item.path for item in alone}
    trackers = []
    for ways, group in groups.items():
        members = [group[number] for number in sorted(group)]
        if 0 not in group or max(group) >= MOST_RUNS:
            alone += members
            continue
        first = members[0].owner
        base = f"{first[-1]}..{max(group):03d}" if ways in plain_paths else first[-1][:-4]
        if len(members) == 1 and ways in plain_paths:
            base = first[-1]
        full = "/".join(ways) if ways not in plain_paths else "/".join((*ways[:-1], base))
        names = (base, "/".join((*first[:-1], base)), full)
        trackers.append(_Tracker(names, tuple(member.run for member in members)))
    trackers += [_Tracker((c.owner[-1], "/".join(c.owner), "/".join(c.path) or "."), (c.run,)) for c in alone]
    return dict(sorted(_shortest(trackers)))


def _shortest(trackers: list[_Tracker]) -> Iterator[tuple[str, tuple[Run, ...]]]:
    taken: set[str] = set()
    for level in range(3):
        counts = Counter(tracker.names[level] for tracker in trackers)
        free = {name for name, count in counts.items() if count == 1} - taken
        yield from ((t.names[level], t.runs) for t in trackers if t.names[level] in free)
        trackers = [t for t in trackers if t.names[level] not in free]
        taken |= free
    yield from ((f"{t.names[-1]} ({number})", t.runs) for number, t in enumerate(trackers, 1))


def _root_name(tree: Tree) -> str:
    root = tree.root.resolve()
    return TRACKER_SUFFIX.sub("", root.stem if tree.is_zip else root.name) or "results"
