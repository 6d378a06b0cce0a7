"""The way of somebody who has the data: ``experiments/paper.yaml`` with a stand-in for everything it asks for.

Every benchmark has one sequence of three frames in its own layout, its images made up and its annotations real where
they are at hand; checkpoints have the authors' format and the golden fill rule's values, ablations random ones; the
other fifteen trackers have raw results. Benchmarks are whole with that one sequence, so that every cell can be filled.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.torch import save_file

import inmo.datasets.layout
import inmo.harness.experiment.submission_check
from inmo.datasets.base import read_table
from inmo.harness.cli import main
from inmo.paths import ROOT
from inmo.reports.paper.printed import paper_table
from inmo.trackers import tracker
from tests.ablations import TABLES, ablation
from tests.datasets.tiny import images, write
from tests.parity.test_end_to_end import checkpoint

FRAMES = 3
SEQUENCES = {
    "lasot": "airplane-1", "tnl2k": "Assian_video_Z03_done", "uav123": "bike1", "nfs": "Gymnastics",
    "otb100": "Biker", "trackingnet": "-Dz7OIf54b0_0",
}  # fmt: skip
ANNOTATIONS = {
    "lasot": ("LaSOT_test.zip", "annos/airplane-1.txt"),
    "tnl2k": ("TNL2K_test.zip", "annos/gt_rect/Assian_video_Z03_done.txt"),
    "uav123": ("UAV123.zip", "anno/UAV123/bike1.txt"),
    "otb100": ("OTB100.zip", "Biker.txt"),
}
MADE_UP = ["40,40,30,24", "42,41,30,24", "44,42,30,24"]
CHECKPOINTS = {"transinmo-star": "transinmo_star", "transt": "transt", "siamcar": "siamcar", "cnninmo": "cnninmo"}
FILES = {"transinmo-star": "transinmo.pth", "transt": "transt.pth", "siamcar": "siamcar.pth", "cnninmo": "cnninmo.pth"}


def boxes(shared: Path, benchmark: str) -> list[str]:
    if benchmark not in ANNOTATIONS:
        return MADE_UP
    archive, name = ANNOTATIONS[benchmark]
    with zipfile.ZipFile(shared / "data" / "annotations" / archive) as zipped:
        return zipped.read(name).decode().splitlines()[:FRAMES]


def short_table(name: str) -> tuple[Mapping[str, str], ...]:
    """The one sequence of a benchmark's table, three frames long."""
    found = []
    for row in read_table(name):
        if row["name"] in SEQUENCES.values():
            first = int(row["start_frame"] or 1)
            own = {"start_frame": str(first), "end_frame": str(first + FRAMES - 1), "n_frames": str(FRAMES),
                   "init_omit": "0", "surplus": "", "n_absent": "0", "slack": ""}  # fmt: skip
            found.append({**row, **{key: value for key, value in own.items() if row.get(key)}})
    return tuple(found)


def benchmarks(shared: Path, root: Path) -> dict[str, str]:
    """Six roots, each in its benchmark's own layout."""
    roots = {}
    for name, sequence in SEQUENCES.items():
        table = {"lasot": "lasot_test", "tnl2k": "tnl2k_test", "trackingnet": "trackingnet_test"}.get(name, name)
        (row,) = (row for row in read_table(f"{table}.csv") if row["name"] == sequence)
        first, digits = int(row["start_frame"] or 1), int(row["n_zfill"] or 5)
        files = (f"{number:0{digits}d}.jpg" for number in range(first, first + FRAMES))
        images(root / name / row["path"], files, 320, 240)
        rows = boxes(shared, name)
        write(root / name / row["anno_path"], "\n".join(rows[:1] if name == "trackingnet" else rows) + "\n")
        if name == "lasot":
            for kind in ("full_occlusion", "out_of_view"):
                write((root / name / row["anno_path"]).with_name(f"{kind}.txt"), ",".join("0" * FRAMES) + "\n")
        roots[name] = str(root / name)
    return roots


def raw_results(shared: Path, root: Path) -> list[str]:
    """The fifteen other rows of Table 2, each the annotation off by some pixels of its own."""
    own = {"TransInMo*", "TransInMo", "TransT", "CNNInMo", "SiamCAR"}
    others = [row.key for row in paper_table(2).rows if row.key not in own]
    for number, name in enumerate(others):
        for benchmark, sequence in SEQUENCES.items():
            if benchmark == "trackingnet":
                continue
            rows = np.array(
                [[float(v) for v in re.split(r"[,\s]+", line.strip())] for line in boxes(shared, benchmark)]
            )
            rows[1:, 0] += number
            text = "".join(",".join(f"{v:g}" for v in row) + "\n" for row in rows)
            write(root / benchmark / name / f"{sequence}.txt", text)
    return others


def ablations(root: Path) -> Path:
    """Random weights for the nine trainings of Tables 4 and 5, as ``ablate`` leaves them; the file of row DW."""
    found: dict[str, Path] = {}
    for table, rows in TABLES.items():
        for row, (name, values) in rows.items():
            if row == "transt-4":  # Table 4's last row
                continue
            _, config = ablation(table, row)
            folder = root / f"{name}-{table}{row}-seed-0"
            network = tracker(name).network(replace(config, allow_random_weights=True))  # type: ignore[misc]
            folder.mkdir(parents=True)
            save_file({k: v.contiguous().clone() for k, v in network.state_dict().items()},
                      folder / "weights.safetensors")  # fmt: skip
            text = yaml.safe_dump({"tracker": name, "settings": dict(values), "seed": 0})
            (folder / "config.yaml").write_text(text)
            found[row] = folder / "weights.safetensors"
    return found["dw"]


def rows_of(out: Path, number: int) -> dict[str, dict[str, Any]]:
    return {row["row"]: row for row in json.loads((out / "report/tables" / f"table{number}.json").read_text())["rows"]}


@pytest.mark.slow
@pytest.mark.shared
def test_one_command_fills_every_cell_that_can_be_filled(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INMO_CONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.chdir(tmp_path)  # paths in the experiment are relative to where it is run
    for module in (inmo.datasets.layout, inmo.harness.experiment.submission_check):
        monkeypatch.setattr(module, "read_table", short_table)
    (tmp_path / "config.yaml").write_text(json.dumps({"datasets": benchmarks(shared, tmp_path / "data")}))
    others = raw_results(shared, tmp_path / "results")
    (tmp_path / "weights").mkdir()
    for name, stem in CHECKPOINTS.items():
        checkpoint(shared, name, stem, tmp_path / "weights" / FILES[name])
    shutil.copy(ablations(tmp_path / "ablations" / "trainings"), tmp_path / "weights" / "transinmo-dw.safetensors")

    text = (ROOT / "experiments" / "paper.yaml").read_text()
    text = (
        text.replace("frames: [10, 300]", "frames: [1, 2]")
        .replace("zebra-10", SEQUENCES["lasot"])
        .replace("Basketball", SEQUENCES["otb100"])
    )
    text = text.replace("window_influence=0:0.9:0.1", "window_influence=0,0.5")
    experiment = tmp_path / "paper.yaml"
    experiment.write_text(text)
    words = ["--experiment", str(experiment), "--out", "out", "--jobs", "1"]
    assert main(words) == 0
    told = capsys.readouterr().err
    out = tmp_path / "out"

    for number, columns in ((2, 10), (4, 3), (5, 3)):
        rows = rows_of(out, number)
        keys = [f"{dataset}_{measure}" for dataset, measure in paper_table(number).columns if dataset]
        assert len(keys) == columns
        for name, row in rows.items():
            assert all(row[key] is not None for key in keys), (number, name, row.get("reasons"))
            assert (row["fps"] is None) == (name in others), (number, name)  # raw results have no speed
            if name in others:
                assert "no frame was timed" in row["reasons"]["fps"]
            assert row["coverage"] == "all"
    assert len(rows_of(out, 2)) == 20 and len(rows_of(out, 4)) == 4 and len(rows_of(out, 5)) == 6
    assert (
        rows_of(out, 5)["TransT, 4 encoder layers"]["lasot_success_auc"]
        == rows_of(out, 4)["WP and TCA"]["lasot_success_auc"]
    )  # one training
    three = rows_of(out, 3)
    assert all(row["otb100_success_auc"] is not None for row in three.values()) and len(three) == 5
    assert all(row["trackingnet_success_auc"] is None for row in three.values())  # its server has not answered yet
    assert "TransInMo*: submission written to" in told
    page = (out / "report" / "index.html").read_text()
    assert 'id="figure3"' in page and 'id="figure4"' in page and "enter what it says under server_scores" in page
    for row in json.loads((out / "report/tables/claims.json").read_text())["rows"]:
        served = "TrackingNet" in row["cells"]
        assert (row["measured"] is None) == served, row

    # the server answers, and the images go: what is there is scored
    shutil.rmtree(tmp_path / "out")
    for name in SEQUENCES:
        for picture in (tmp_path / "data" / name).rglob("*.jpg"):
            picture.unlink()
    answer = "server_scores: [{dataset: trackingnet, tracker: TransInMo*, success: 81.0, source: a server}]\n"
    experiment.write_text(text + answer)
    assert main(words) in (0, 2)
    rows = rows_of(out, 2)
    for name, row in rows.items():
        if name in others:
            assert row["nfs_success_auc"] is not None
        else:
            assert row["nfs_success_auc"] is None and row["reasons"]["nfs_success_auc"], name
