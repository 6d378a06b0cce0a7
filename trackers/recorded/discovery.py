"""Finding raw results in whatever nesting their writers use.

A folder that holds result files belongs to one tracker (or one run of it). Which one is read off its path: parts that
name a dataset, or nothing at all (``results``), are dropped, and the last that remains names the tracker::

    results/OTB100/ECO/Basketball.txt            ECO, for OTB100 only
    dimp/dimp50_003/Basketball.txt               dimp50, its run 003
    vitb_256/lasot/airplane-1.txt                vitb_256, for LaSOT only
    MyTracker_tracking_result/airplane-1.txt     MyTracker
    GOT-10k/MyTracker/Val_000001/Val_000001_001.txt
    Basketball.txt                               the folder that was opened
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from inmo.boxes import Boxes
from inmo.datasets.base import Hole, Sequence
from inmo.datasets.files import Tree
from inmo.errors import UserError, unknown_name
from inmo.trackers.recorded.box_layouts import BOX_LAYOUTS, BoxLayout, box_layout
from inmo.trackers.recorded.formats import Format, result_format
from inmo.trackers.recorded.otb_mat import parse_mat

# What folders of a dataset's results are called, without case and separators.
DATASET_FOLDERS: dict[str, frozenset[str]] = {
    "lasot": frozenset({"lasot", "lasottest", "lasottesting", "lasottestset"}),
    "tnl2k": frozenset({"tnl2k", "tnl2ktest", "tnl2ktestsubset"}),
    "uav123": frozenset({"uav", "uav123"}),
    "uav123_10fps": frozenset({"uav12310fps", "uav10fps"}),
    "nfs": frozenset({"nfs", "nfs30", "nfs30fps", "needforspeed"}),
    "otb100": frozenset({"otb", "otb100", "otb2015", "otbope", "tb100"}),
    "trackingnet": frozenset({"trackingnet", "trackingnettest"}),
    "": frozenset(  # others that share a results folder with ours
        {"got10k", "got10ktest", "got10kval", "lasotext", "lasotextensionsubset", "otb50", "otb2013", "cvpr13", "tb50"}
        | {"uav20l", "nfs240", "vot2016", "vot2018", "vot2018lt", "vot2019", "vot2020", "tc128", "itb", "dtb70"}
    ),
}
_KNOWN_FOLDERS = frozenset().union(*DATASET_FOLDERS.values())
_SHELVES = frozenset({"results", "result", "trackingresults", "rawresults", "resultsope", "bbox", "ope", "resultsotb"})
_TRACKER_SUFFIX = re.compile(r"_(tracking_)?results?$", re.IGNORECASE)
_RUN = re.compile(r"(.+)_(\d{3})$")
MOST_RUNS = 100  # numbers start at 000; the 256 of vitb_256 is a size
_ASIDE = re.compile(r"_(times?|all_scores|object_presence_scores|scores?|confidences?|fps|boxes_time)$", re.IGNORECASE)
_PREFIXES = ("uav_", "nfs_")


@dataclass(frozen=True)
class Run:
    """The result files of one run of a tracker, in order of preference: those filed under the dataset first."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)

    def find(self, sequence: Sequence) -> str | None:
        """Path of the result of a sequence, by name, then alias, then either without regard to case."""
        spellings = [sequence.name, *sequence.aliases]
        spellings += [prefix + sequence.name for prefix in _PREFIXES]
        for spelling in spellings:
            if spelling in self.files:
                return self.files[spelling]
        return next((self.folded[s.casefold()] for s in spellings if s.casefold() in self.folded), None)


@dataclass(frozen=True)
class RawResults:
    """Raw results of trackers on one dataset.

    Attributes:
        tree: where the files are.
        table: tracker -> its runs, sorted.
        format: who wrote them, or None where that does not matter.
        benchmark: name of the benchmark, for a writer's offsets.
        layout: what the numbers of a row are.
    """

    tree: Tree
    table: dict[str, tuple[Run, ...]]
    format: Format | None = None
    benchmark: str = ""
    layout: BoxLayout = BOX_LAYOUTS["xywh"]

    @property
    def trackers(self) -> tuple[str, ...]:
        """Names of the trackers found, sorted."""
        return tuple(self.table)

    def runs(self, tracker: str) -> int:
        """How many runs of the tracker there are; scores of a sequence are averaged over them first."""
        return len(self._runs(tracker))

    def path(self, tracker: str, sequence: Sequence, run: int = 0) -> str | None:
        """The file of a result, None when there is none."""
        return self._runs(tracker)[run].find(sequence)

    def boxes(self, tracker: str, sequence: Sequence, run: int = 0) -> Boxes | Hole:
        """One result, (m, 4) x, y, w, h in the numbers of the benchmark's files, as many rows as the file has.

        Returns a Hole when there is no file. Raises UserError when the file is broken.
        """
        found = self.path(tracker, sequence, run)
        if found is None:
            runs = self._runs(tracker)
            which = f"no result in run {runs[run].name}" if len(runs) > 1 else "no result file"
            return Hole(sequence.name, which)
        where = self.tree.where(found)
        data = self.tree.read(found)
        boxes = parse_mat(data, where) if found.endswith(".mat") else self.layout.parse(data, where)
        if self.layout.name != "xywh":
            boxes = self.layout.read(boxes, sequence.annotation().beside(boxes), where)
        return self.format.decode_offset(boxes, self.benchmark) if self.format else boxes

    def fingerprint(self, tracker: str) -> str:
        """SHA-256 (16 hex digits) over the contents of the tracker's result files."""
        digest = hashlib.sha256()
        for run in self._runs(tracker):
            for sequence, path in sorted(run.files.items()):
                digest.update(f"{sequence}\0".encode())
                digest.update(hashlib.sha256(self.tree.read(path)).digest())
        return digest.hexdigest()[:16]

    def _runs(self, tracker: str) -> tuple[Run, ...]:
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
    sequences: Iterable[Sequence] = (),
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
    own = {_plain(label), _plain(benchmark)} - {""} | DATASET_FOLDERS.get(home, frozenset())
    foreign = _KNOWN_FOLDERS - own if benchmark not in ("", "folder") else frozenset()
    names = {s.casefold() for item in wanted for s in (item.name, *item.aliases)}
    shelves = [s for s in _shelves(tree, names) if not any(_plain(part) in foreign for part in s[0])]
    shelves.sort(key=lambda s: (not any(_plain(part) in own for part in s[0]), s[0]))
    nameless = own | _KNOWN_FOLDERS | _SHELVES
    kept: dict[tuple[str, ...], Run] = {}
    for parts, files in shelves:
        named = [part for part in parts if _plain(part) not in nameless]
        owner = tuple(_TRACKER_SUFFIX.sub("", part) for part in named) or (_root_name(tree),)
        run = kept.setdefault(owner, Run(owner[-1]))
        for stem, path in files.items():
            run.files.setdefault(stem, path)
            run.folded.setdefault(stem.casefold(), path)
    kept = {owner: run for owner, run in kept.items() if not wanted or any(run.find(s) for s in wanted)}
    if not kept:
        what = f" of {label or benchmark}" if benchmark else ""
        raise UserError(
            f"{tree.root} holds no raw results{what}: it should hold <tracker>/<sequence>.txt with x, y, w, h per line"
        )
    chosen = None if format_in == "auto" else result_format(format_in)
    return RawResults(tree, _named(kept), chosen, benchmark, box_layout(boxes))


def _shelves(tree: Tree, names: set[str]) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """Folders that hold results: their path, and sequence name -> file."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for path in tree.names:
        *folder, file = path.split("/")
        stem, _, kind = file.rpartition(".")
        if kind not in ("txt", "mat") or not stem:
            continue
        if stem.casefold() not in names and (_ASIDE.search(stem) or "times" in folder):
            continue
        if folder and (nested := _RUN.fullmatch(stem)) and nested.group(1) == folder[-1]:  # GOT-10k's repetitions
            stem = folder.pop()
            repetition = int(nested.group(2)) - 1
            if folder and repetition >= 0:
                folder[-1] = f"{folder[-1]}_{repetition:03d}"
        elif kind == "mat" and stem.casefold() not in names and (split := stem.rpartition("_"))[0].casefold() in names:
            stem = split[0]  # OTB's <sequence>_<tracker>.mat, all in one folder
            folder.append(split[2])
        found.setdefault(tuple(folder), {}).setdefault(stem, path)
    return list(found.items())


def _named(kept: dict[tuple[str, ...], Run]) -> dict[str, tuple[Run, ...]]:
    """Tracker name -> runs. Names are the last parts of paths, as many as tell the trackers apart."""
    groups: dict[tuple[str, ...], dict[int, Run]] = {}
    for owner, run in kept.items():
        if numbered := _RUN.fullmatch(owner[-1]):
            groups.setdefault((*owner[:-1], numbered.group(1)), {})[int(numbered.group(2))] = run
    runs = {owner: tuple(by[n] for n in sorted(by)) for owner, by in groups.items() if 0 in by and max(by) < MOST_RUNS}
    grouped = {id(run) for group in runs.values() for run in group}
    runs |= {owner: (run,) for owner, run in kept.items() if id(run) not in grouped}
    plain = Counter(owner[-1] for owner in runs)
    named = {owner[-1] if plain[owner[-1]] == 1 else "/".join(owner): found for owner, found in runs.items()}
    return {name: named[name] for name in sorted(named)}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _root_name(tree: Tree) -> str:
    root = tree.root.resolve()
    return _TRACKER_SUFFIX.sub("", root.stem if tree.is_zip else root.name) or "results"
