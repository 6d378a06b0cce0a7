"""Graphs for other programs: their outputs are the network's, their metadata what the tracker works by."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inmo.harness.cli import main
from inmo.trackers.families.siamcar import SIAMCAR
from inmo.trackers.families.transt import TRANST
from inmo.trackers.pipeline.deploy import graphs_of, metadata_of, write_graphs
from inmo.trackers.pipeline.family import Family

SMALL = {"preset": "nano", "depths": (1, 1, 1, 1), "allow_random_weights": True}


def config_of(row: Family, **settings: Any) -> Any:
    return row.for_dataset(replace(row.config, **settings), "otb100")


def facts_of(row: Family, **settings: Any) -> dict[str, Any]:
    config = config_of(row, **settings)
    tracker: Any = row.build(config, "cpu")
    return {key: json.loads(text) for key, text in metadata_of(row.name, config, tracker).items()}


def test_metadata_is_what_the_tracker_works_by() -> None:
    rgb = facts_of(TRANST, preset="nano")
    assert (rgb["template_size"], rgb["search_size"], rgb["told_size"]) == (48, 96, True)
    assert rgb["channels"] == [2, 1, 0]
    assert rgb["scale"] == pytest.approx([1 / (255 * deviation) for deviation in (0.229, 0.224, 0.225)], rel=1e-6)
    assert rgb["offset"] == pytest.approx([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225], rel=1e-6)
    assert (rgb["penalty_k"], rgb["lr"], rgb["window_influence"]) == (0.1, 0.15, 0.35)
    raw = facts_of(SIAMCAR, pixelwise=False, **SMALL)
    assert (raw["channels"], raw["scale"], raw["offset"], raw["told_size"]) == ([0, 1, 2], [1.0] * 3, [0.0] * 3, False)
    assert (raw["penalty_k"], raw["lr"], raw["window_influence"]) == (0.2, 0.35, 0.45)  # of OTB100
    assert (raw["crops"], raw["smallest_coordinate"]) == ("siamcar", None)


def test_torchscript_gives_the_networks_outputs(tmp_path: Path) -> None:
    config = config_of(SIAMCAR, **SMALL)
    paths = write_graphs("siamcar", config, "torchscript", tmp_path / "graphs")
    assert [path.name for path in paths.values()] == ["template.pt", "search.pt"]
    extra = {"metadata.json": ""}
    template = torch.jit.load(paths["template"])
    search = torch.jit.load(paths["search"], _extra_files=extra)
    facts = json.loads(extra["metadata.json"])
    assert json.loads(facts["inputs"])["images"] == [1, 3, 96, 96]
    assert json.loads(facts["outputs"]) == {"logits": [1, 144, 2], "boxes": [1, 144, 4]}
    tracker: Any = SIAMCAR.build(config, "cpu")
    generator = torch.Generator().manual_seed(3)
    z, x = (torch.rand(1, 3, side, side, generator=generator) for side in (48, 96))
    sizes = torch.tensor([[0.3, 0.4]])
    with torch.no_grad():
        wanted = tracker.network.search(x, tracker.network.template(z, sizes))
        found = search(x, *template(z, sizes))
    for right, one in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, right, atol=1e-5, rtol=0)


def test_a_search_graph_asks_for_what_a_template_graph_gives() -> None:
    tracker: Any = TRANST.build(config_of(TRANST, preset="nano"), "cpu")
    graphs = graphs_of(tracker)
    assert graphs["template"].inputs == ("images", "sizes")
    assert graphs["search"].inputs == ("images", *graphs["template"].outputs)
    assert graphs["search"].outputs == ("logits", "boxes")


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")
def test_openvino_files_have_names_and_metadata(tmp_path: Path) -> None:
    import openvino

    paths = write_graphs("siamcar", config_of(SIAMCAR, **SMALL), "openvino", tmp_path)
    model = openvino.Core().read_model(paths["search"])
    assert [port.any_name for port in model.outputs] == ["logits", "boxes"]
    assert json.loads(model.get_rt_info(["inmo", "search_size"]).value) == 96
    images = np.zeros((1, 3, 96, 96), np.float32)
    assert model.inputs[0].any_name == "images" and list(model.inputs[0].shape) == list(images.shape)


def test_graphs_do_without_online_learning_and_convert_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tracker", "siamcar", "--preset", "nano", "--to", "torchscript", "--out", str(tmp_path)]
    assert main(["convert", *words, "--set", "online=0.5"]) == 0
    assert capsys.readouterr().out.endswith("without online learning: their boxes are those of --set online=0\n")
    extra = {"metadata.json": ""}
    torch.jit.load(tmp_path / "search.pt", _extra_files=extra)
    assert list(json.loads(json.loads(extra["metadata.json"])["outputs"])) == ["logits", "boxes"]
    assert main(["convert", *words]) == 0
    assert "online learning" not in capsys.readouterr().out


def test_what_convert_cannot_do_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--tracker", "siamcar", "--out", str(tmp_path / "x.safetensors")]) == 2
    assert "--checkpoint FILE" in capsys.readouterr().err
    assert main(["convert", "--tracker", "siamcar", "--to", "torchscript", "--out", str(tmp_path)]) == 2
    assert "SiamCAR has no weights" in capsys.readouterr().err
    assert main(["convert", "--tracker", "csrt", "--to", "torchscript", "--out", str(tmp_path)]) == 2
    assert "unknown neural tracker 'csrt'" in capsys.readouterr().err
