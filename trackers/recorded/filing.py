"""What each file below a root of results is taken for: by its name and its folders alone, no file is opened."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from inmo.datasets.files import Tree
from inmo.datasets.images import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from inmo.datasets.layout import plain_name

READ = ("txt", "csv", "mat")
"""Suffixes of results, in whatever case; of two files for one sequence the earlier kind is read."""

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
KNOWN_FOLDERS = frozenset().union(*DATASET_FOLDERS.values())
PREFIXES = ("uav_", "nfs_")
TRACKER_SUFFIX = re.compile(r"_(tracking_)?results?$", re.IGNORECASE)
RUN = re.compile(r"(.+)_(\d{3})$")

# Folders and files in which toolkits and data sets keep the ground truth, without case and separators.
_TRUTH_FOLDERS = frozenset(
    {"anno", "annos", "annotation", "annotations", "gt", "gtrect", "gts", "groundtruth", "groundtruths"}
    | {"absent", "att", "attr", "attrs", "attribute", "attributes", "occlusion", "fullocclusion", "outofview"}
)
_TRUTH_FILES = re.compile(
    r"groundtruth(_rect)?(\.\d)?|full_occlusion|out_of_view|absent|absence|cover|cut_by_image|nlp|language",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"_(times?|all_scores|object_presence_scores|scores?|confidences?|fps|boxes_time)$", re.IGNORECASE)
_PACKED = frozenset(
    {"json", "pkl", "pickle", "npy", "npz", "h5", "zip", "tar", "gz", "tgz", "rar", "7z", "xlsx", "bin"}
)
_PICTURES = frozenset(suffix[1:] for suffix in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)) | {"pdf", "svg", "eps", "gif"}

NO_NAME = "no sequence is called so"
TRUTH = "ground truth, by its name"


class Sought(Protocol):
    """A sequence as its result is looked for."""

    @property
    def name(self) -> str: ...

    @property
    def aliases(self) -> tuple[str, ...]: ...

    @property
    def place(self) -> str: ...


@dataclass(frozen=True)
class Passed:
    """Something below the results that was read for no tracker.

    Attributes:
        path: of the file, link or folder.
        reason: why, as the end of "was passed over: ...".
        told: True where it may be a result, which is said with every score; the rest is said when asked.
    """

    path: str
    reason: str
    told: bool = True


@dataclass(frozen=True)
class Shelf:
    """Result files of one run, all of one folder.

    Attributes:
        folder: path of that folder, without the folders that single sequences or classes have.
        tail: what tells the run apart from others of the folder: a repetition's ``_000`` or a tracker that stands in
            the files' names; ``/`` where sequences have folders of their own.
        files: sequence, as spelt in the file's name -> path.
    """

    folder: tuple[str, ...]
    tail: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Names:
    """The sequences that results are wanted of; empty where any will do.

    Attributes:
        spellings: every name, alias and prefixed name, case-folded -> the sequence, or "" where several share it.
        foreign: what folders of other datasets are called; see ``DATASET_FOLDERS``.
        truth: places of the annotation files, which are nobody's results.
    """

    spellings: dict[str, str]
    foreign: frozenset[str]
    truth: frozenset[str]

    def __contains__(self, stem: str) -> bool:
        return stem.casefold() in self.spellings


def file_away(tree: Tree, names: Names) -> tuple[list[Shelf], list[Passed]]:
    """Sort all files below a root into shelves and things passed over, each with its reason."""
    passed = [Passed(path, reason) for path, reason in tree.unread.items()]
    by_folder: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for path in tree.names:
        # backslashes: a folder that was unpacked where they are letters of a name
        *parts, file = (path.replace("\\", "/") if "\\" in path else path).split("/")
        stem, dot, suffix = file.rpartition(".")
        stem, suffix = (stem, suffix.lower()) if dot else (file, "")
        why = _no_result(tree, names, path, parts, stem, suffix)
        if why is None:
            by_folder.setdefault(tuple(parts), []).append((stem, path))
        else:
            passed.append(why)
    shelves: dict[tuple[tuple[str, ...], str], Shelf] = {}
    for folder, files in by_folder.items():
        plain = any(stem in names for stem, _ in files)
        grouping = _is_grouping(folder, [stem for stem, _ in files], names)
        for stem, path in sorted(files, key=_preference):
            place, tail, name = _placed(folder, stem, names, grouping, plain)
            shelf = shelves.setdefault((place, tail), Shelf(place, tail))
            if name in shelf.files:
                passed.append(Passed(path, f"{shelf.files[name]} is read for this sequence"))
            else:
                shelf.files[name] = path
    return list(shelves.values()), passed


def summary(passed: Iterable[Passed], shown: int = 3) -> str:
    """What was passed over in one sentence, reason by reason and folder by folder; empty for nothing."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in passed:
        groups.setdefault((item.reason, item.path.rpartition("/")[0]), []).append(item.path)
    if not groups:
        return ""
    total = sum(map(len, groups.values()))
    parts = [f"{_counted(folder, paths)} ({reason})" for (reason, folder), paths in list(groups.items())[:shown]]
    more = f" and {len(groups) - shown} folders more" if len(groups) > shown else ""
    return f"{total} {'file was' if total == 1 else 'files were'} passed over: {', '.join(parts)}{more}"


def _counted(folder: str, paths: list[str]) -> str:
    return (
        paths[0] if len(paths) == 1 else f"{len(paths)} in {folder or 'the root'} such as {paths[0].rpartition('/')[2]}"
    )


def means(name: str, known: Collection[str]) -> bool:
    """Whether a folder is called like one of ``known`` plain names, "_results" behind it or not."""
    return plain_name(name) in known or plain_name(TRACKER_SUFFIX.sub("", name)) in known


def _no_result(tree: Tree, names: Names, path: str, parts: list[str], stem: str, suffix: str) -> Passed | None:
    """Why a file is no result, None where it may be one."""
    if suffix not in READ:
        told = suffix not in _PICTURES and (stem in names or suffix in _PACKED)
        return Passed(path, f"{suffix.upper()} is not read" if suffix else "it has no suffix such as .txt", told)
    if stem not in names and (_ASIDE.search(stem) or "times" in parts):
        return Passed(path, "times or scores beside results", told=False)
    if names.truth and tree.place(path) in names.truth:
        return Passed(path, "the ground truth that results are scored against", told=False)
    if any(plain_name(part) in _TRUTH_FOLDERS for part in parts) or (
        stem not in names and _TRUTH_FILES.fullmatch(stem)
    ):
        return Passed(path, TRUTH, told=_named(stem, names))
    if other := next((part for part in parts if means(part, names.foreign)), ""):
        return Passed(path, f"a result of another dataset, as {other} says", told=_named(stem, names))
    return None


def _named(stem: str, names: Names) -> bool:
    """Whether a file is called after a sequence, or after one and a tracker."""
    return stem in names or any(True for _ in _splits(stem, names))


def _preference(item: tuple[str, str]) -> tuple[int, bool, str]:
    suffix = item[1].rpartition(".")[2]
    return READ.index(suffix.lower()), not suffix.islower(), item[1]


def _is_grouping(folder: tuple[str, ...], stems: list[str], names: Names) -> bool:
    """Whether a folder holds one sequence, or the numbered ones of one class, and stands for no tracker."""
    if not folder:
        return False
    own = re.escape(folder[-1])
    return all(re.fullmatch(own, stem, re.IGNORECASE) for stem in stems) or all(
        stem in names and re.fullmatch(rf"{own}[-_.]?\d+", stem, re.IGNORECASE) for stem in stems
    )


def _placed(
    folder: tuple[str, ...], stem: str, names: Names, grouping: bool, plain_names: bool
) -> tuple[tuple[str, ...], str, str]:
    """(folder, tail, sequence) of a result: see ``Shelf``."""
    if grouping:
        return folder[:-1], "/", stem
    numbered = RUN.fullmatch(stem)
    if folder and numbered and numbered.group(1) == folder[-1]:  # GOT-10k's repetitions
        return folder[:-1], _repetition(numbered.group(2)), folder[-1]
    if not plain_names:
        for sequence, other in _splits(stem, names):  # OTB's <sequence>_<tracker>.mat, all in one folder
            return folder, _repetition(other) if re.fullmatch(r"\d{3}", other) else other, sequence
    return folder, "", stem


def _repetition(number: str) -> str:
    return f"_{max(int(number) - 1, 0):03d}"


def _splits(stem: str, names: Collection[str] | Names) -> Iterator[tuple[str, str]]:
    """(sequence, the other part) of ``<sequence>_<other>`` and ``<other>_<sequence>``, the longest sequence first."""
    cuts = [place for place, letter in enumerate(stem) if letter == "_" and 0 < place < len(stem) - 1]
    for cut in reversed(cuts):
        if stem[:cut] in names:
            yield stem[:cut], stem[cut + 1 :]
    for cut in cuts:
        if stem[cut + 1 :] in names:
            yield stem[cut + 1 :], stem[:cut]
