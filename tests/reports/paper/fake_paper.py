"""A paper with invented numbers, benchmarks with invented annotations, and recorded results whose scores are known.

The target of every sequence stands still, and a result has one box for all frames, one of ``KINDS``. NFS and OTB100 are
scored by pysot's rule, which counts the first frame as predicted, so every frame has the same overlap. With 21
thresholds 0, 0.05 ... 1 and IoU > t, IoU 1 succeeds at 20 of them and IoU 1/2 at 10:

    perfect  AUC 20/21   P 1   the annotation itself
    half     AUC 10/21   P 1   half as wide: IoU 1/2, centres 7.5 px apart
    lost     AUC  0      P 0   100 px to the right: no overlap
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

BOX = "10,20,30,40"
KINDS = {"perfect": BOX, "half": "10,20,15,40", "lost": "110,20,30,40"}

Plan = Callable[[int], str]


def sequences(benchmark: str) -> dict[str, int]:
    """Sequence of nfs or otb100 -> frames."""
    text = resources.files("datasets").joinpath("tables", f"{benchmark}.csv").read_text()
    rows = csv.DictReader(text.splitlines())
    return {row["name"]: int(row["end_frame"]) - int(row["start_frame"]) + 1 for row in rows}


def write_annotations(root: Path, benchmark: str) -> Path:
    """Annotations alone, without any image."""
    root.mkdir()
    for name, frames in sequences(benchmark).items():
        (root / f"{name}.txt").write_text(f"{BOX}\n" * frames)
    return root


def write_results(
    root: Path, benchmark: str, plans: Mapping[str, Plan], leave_out: Mapping[str, int] | None = None
) -> None:
    """Raw results of trackers: plan(number of the sequence) -> kind; the last ``leave_out`` sequences are missing."""
    lengths = sequences(benchmark)
    for tracker, plan in plans.items():
        folder = root / benchmark / tracker
        folder.mkdir(parents=True, exist_ok=True)
        count = len(lengths) - (leave_out or {}).get(tracker, 0)
        for number, (name, frames) in enumerate(list(lengths.items())[:count]):
            (folder / f"{name}.txt").write_text(f"{KINDS[plan(number)]}\n" * frames)


def write_paper(folder: Path, values: Mapping[tuple[int, str, str, str], str]) -> Path:
    """The paper's files with these cells (table, row, dataset, measure), and dashes elsewhere."""
    folder.mkdir()
    for source in Path(str(resources.files("inmo.reports.paper"))).glob("*.csv"):
        lines = list(csv.DictReader(source.read_text().splitlines()))
        if source.name.startswith("table_") and source.name != "table_1.csv":
            number = int(source.name.removeprefix("table_").removesuffix(".csv"))
            for line in lines:
                value = values.get((number, line["row"], line["dataset"], line["measure"]), "-")
                line |= {"value": value, "origin": "invented"}
        with (folder / source.name).open("w", newline="") as stream:
            writer = csv.DictWriter(stream, lines[0])
            writer.writeheader()
            writer.writerows(lines)
    return folder
