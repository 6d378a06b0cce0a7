"""Names that shells, paths, JSON, HTML and LaTeX take amiss: of sequences, of datasets and of trackers' labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from tests.faults.case import Case, Place, Words
from tests.faults.corpus_images import JPEG

NAMES: Sequence[str] = (
    "two words", "  blanks around  ", "it's", 'say "hi"', "new\nline", "carriage\rreturn", "tab\there", "bell\a",
    "a..b", "..a", "...", "~", "~root", "-rf", "--help", "$(touch owned)", "`touch owned`", "; touch owned", "| touch owned",
    "&& touch owned", "$HOME", "%2F", "%2e%2e", "%s%n", "{name}", "{0}", "a\\b", "..\\..\\owned", "C:owned", "CON", "aux.txt",
    "*", "?", "[a]", "#hash", "a=b", "a,b", "a:b", "über", "雪だるま", "\U0001f600", "\u202egnp.exe", "e\u0301", "\ufeffbom",
    "<script>alert(1)<", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "&amp;", "</title>", "<!--", "]]>",
    "\\input{x}", "100%_$^&#", "null", "true", "1e5", "NaN", "name.txt", "groundtruth", "n" * 200, "é" * 100,
)  # fmt: skip


def clip(place: Place, name: str) -> None:
    folder = place.input / "data" / name
    (folder / "img").mkdir(parents=True)
    for number in range(3):
        (folder / "img" / f"{number}.jpg").write_bytes(JPEG)
    (folder / "groundtruth_rect.txt").write_text("10,12,20,16\n" * 3)


def tour(place: Place, data: str, *more: str) -> Sequence[Words]:
    """Track, and export in a flat and a nested format."""
    out = str(place.out)
    return [
        ["track", "--tracker", "constant", "--dataset", data, "--store", place.store, *more],
        ["export", "--store", place.store, "--format", "pysot", "--out", f"{out}/raw"],
        ["export", "--store", place.store, "--format", "got10k", "--out", f"{out}/nested"],
    ]


def of_sequence(name: str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        clip(place, name)
        return tour(place, f"folder={place.input / 'data'}")

    return make


def of_label(name: str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        clip(place, "clip")
        return tour(place, f"folder:{name}={place.input / 'data'}")

    return make


def of_tracker(name: str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        clip(place, "clip")
        return tour(place, f"folder={place.input / 'data'}", f"--label={name}")

    return make


LABELS: Sequence[str] = (
    "..", ".", "../../owned", "/owned", "a/b", "a\\..\\b", ".hidden", "new\nline", "<script>alert(1)</script>", "\0", "x" * 200,
)  # fmt: skip


def of_all(place: Place) -> Sequence[Words]:
    """Every name at once, up to the page."""
    for name in NAMES:
        clip(place, name)
    commands = tour(place, f"folder:{LABELS[8]}={place.input / 'data'}", f"--label={LABELS[8]}")
    return [*commands, ["report", "--store", place.store, "--out", f"{place.out}/page"]]


def unknown(place: Place) -> Sequence[Words]:
    clip(place, "clip")
    return [tour(place, f"folder={place.input / 'data'}", "--sequences", "clop")[0]]


def not_text(place: Place) -> Sequence[Words]:
    clip(place, os.fsdecode(b"not \xff\xfe utf-8"))
    return tour(place, f"folder={place.input / 'data'}")[:1]


HIDDEN = {name for name in NAMES if name.startswith(".")}
CASES = (
    *(
        Case(f"sequence: {name!a:.60}", of_sequence(name), 0, "1 results written")
        for name in NAMES
        if name not in HIDDEN
    ),
    *(Case(f"dataset: {name!a:.60}", of_label(name), 0, "1 results written") for name in LABELS),
    *(Case(f"tracker: {name!a:.60}", of_tracker(name), 0, "1 results written") for name in LABELS),
    Case("all sequences at once, to the page", of_all, 0, "index.html"),
    Case("sequences: unknown", unknown, 2, "unknown sequence 'clop': did you mean clip"),
    Case(
        "sequences: no text", not_text, 2, r"holds 'not .udcff.udcfe utf-8', a name that is no text in UTF-8: rename it"
    ),
)
