"""Experiments, training configs, the user's config file and --set: what YAML can do besides saying name and value."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from tests.faults.case import Case, Place, Words

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)
PLAIN = "title: T\ndatasets:\n- {name: folder, root: /nowhere}\ntrackers:\n- {tracker: kcf}\n"
READ = "cannot read the experiment"

TEXTS: Mapping[str, tuple[bytes | str, str]] = {
    "empty": ("", "must hold lines"),
    "comments alone": ("# nothing\n", "must hold lines"),
    "a list": ("- a\n- b\n", "must hold lines"),
    "a word": ("hello\n", "must hold lines"),
    "binary": (bytes(range(256)), READ),
    "not UTF-8": (b"title: \xff\xfe\n", f"{READ}.*no text in UTF-8"),
    "UTF-16": (PLAIN.encode("utf-16"), READ),
    "NUL": ("title: a\0b\n", READ),
    "a tab": ("title:\n\t- a\n", READ),
    "an open bracket": ("title: [a, b\n", READ),
    "an open quote": ("title: 'a\n", READ),
    "two documents": (f"{PLAIN}---\n{PLAIN}", READ),
    "a tag that calls os.system": ("title: !!python/object/apply:os.system ['touch owned']\n", f"{READ}.*constructor"),
    "a tag that makes an object": ("title: !!python/object:inmo.errors.UserError {}\n", f"{READ}.*constructor"),
    "a tag that names a module": ("title: !!python/name:os.system\n", f"{READ}.*constructor"),
    "a tag of nobody": ("title: !owned x\n", f"{READ}.*constructor"),
    "a tagged number that is none": ("title: !!int x\n", READ),
    "a tagged float that is none": ("title: !!float x\n", READ),
    "a tagged date that is none": ("title: !!timestamp x\n", READ),
    "a tagged bool that is none": ("title: !!bool x\n", READ),
    "binary that is none": ("title: !!binary '=='\n", "is b'', which is not a value of kind str"),
    "a date that is none": ("title: 2020-99-99\n", READ),
    "a number of 10,000 digits": (f"title: {'9' * 10_000}\n", READ),
    "a merge of a number": ("<<: 1\ntitle: T\n", READ),
    "a list as a name": ("? [a]\n: b\n", READ),
    "an alias of nothing": ("title: *a\n", f"{READ}.*undefined alias"),
    "an anchor that holds itself": ("title: &a [*a]\n", f"{READ}.*holds itself"),
    "a mapping that holds itself": ("title: &a {b: *a}\n", f"{READ}.*holds itself"),
    "a billion laughs": (LAUGHS, f"{READ}.*unfold to more than 100,000 values"),
    "a billion laughs as title": (LAUGHS + "title: *k\n", f"{READ}.*unfold"),
    "100,000 brackets": ("title: " + "[" * 100_000, f"{READ}.*(nested too deeply|expected)"),
    "20,000 indents": ("title:\n" + "".join(" " * n + "- \n" for n in range(1, 400)), "experiment|title"),
    "a scalar of 10 MB": ("title: " + "x" * 10_000_000, "more than 128 KiB"),
    "a scalar of 100 KB": (f"unknown: {'x' * 100_000}\n", "unknown setting in .*'unknown'"),
    "a name of 100 KB": (f"{'x' * 100_000}: 1\n", "experiment|unknown setting"),
    "an unknown name": (PLAIN + "trackerz: []\n", "unknown setting in .* 'trackerz': did you mean trackers"),
    "a number as a name": (PLAIN + "1: a\n", "unknown setting in .* '1'"),
    "null as a name": (PLAIN + "null: a\n", "unknown setting in .* 'None'"),
    "a number as title": (PLAIN.replace("T\n", "1\n"), "is 1, which is not a value of kind str"),
    "a list of 20,000 as title": (PLAIN.replace("T\n", f"[{'1, ' * 20_000}]\n"), "which is not a value of kind str"),
    "trackers as a word": (PLAIN.replace("\n- {tracker: kcf}", " kcf"), "is 'kcf', which is not a value"),
    "an unknown tracker": (
        PLAIN.replace("kcf", "kfc").replace("/nowhere", "."),
        "unknown tracker|holds no sequence| 'kfc': did you mean kcf",
    ),
    "an unknown dataset": (PLAIN.replace("folder", "folderr"), "unknown dataset 'folderr': did you mean folder"),
    "a tracker twice": (PLAIN + "- {tracker: kcf}\n", "two trackers are called 'kcf'"),
    "a table that is none": (PLAIN + "tables: [17]\n", "17"),
    "a folder that is not there": (PLAIN, "nowhere"),
    "byte-order mark and crlf": (b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode(), "nowhere"),
}


def experiment(data: bytes | str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        return [["main", "--experiment", str(place.write("e.yaml", data)), "--out", str(place.out), "--jobs", "1"]]

    return make


def training(data: bytes | str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        return [["train", str(place.write("t.yaml", data)), "--out", str(place.out / "run")]]

    return make


def own(data: bytes | str) -> Callable[[Place], Sequence[Words]]:
    """The user's config file, at the place that the child was told."""

    def make(place: Place) -> Sequence[Words]:
        place.write("config.yaml", data)
        os.environ["INMO_CONFIG"] = str(place.input / "config.yaml")
        return [["check", "--dataset", "lasot"]]

    return make


def setting(word: str) -> Callable[[Place], Sequence[Words]]:
    def make(place: Place) -> Sequence[Words]:
        words = ["track", "--tracker", "transt", "--preset", "nano", "--dataset", f"folder={place.input}"]
        return [[*words, "--set", word, "--store", place.store]]

    return make


SHARED = ("empty", "a list", "binary", "not UTF-8", "a tab", "a tag that calls os.system", "a date that is none",
          "a number of 10,000 digits", "a billion laughs", "an anchor that holds itself", "100,000 brackets",
          "a scalar of 10 MB")  # fmt: skip
KIND = "is not a value of kind"
SETTINGS: Mapping[str, str] = {
    "lr": "--set wants name=value, not 'lr'",
    "=1": "unknown setting",
    "lrr=1": "unknown setting of transt 'lrr': did you mean lr",
    "lr=fast": KIND,
    "lr=[1]": KIND,
    "lr=!!python/object/apply:os.system ['touch owned']": KIND,
    "lr=2020-99-99": KIND,
    "lr=" + "[" * 5000: KIND,
    "seed=1.5": KIND,
    "seed=true": KIND,
}

CASES = (
    *(Case(f"experiment: {name}", experiment(data), 2, says) for name, (data, says) in TEXTS.items()),
    *(Case(f"training: {name}", training(TEXTS[name][0]), 2, "t.yaml") for name in SHARED),
    *(Case(f"config: {name}", own(TEXTS[name][0]), 2, "config.yaml") for name in SHARED),
    *(Case(f"--set {word:.40}", setting(word), 2, says) for word, says in SETTINGS.items()),
)
