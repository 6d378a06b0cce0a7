"""What the comparison with int8 is made of: its inputs, its score, and its line."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from inmo.harness.run.setup import configure
from inmo.trackers import tracker
from inmo.trackers.runtimes.graph import random_images, search_graph
from tests.harness.training.tiny import write_photos
from tools import int8
from tools.int8 import Int8, auc, measure, samples

FRAMES = 4


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two clips: a target that stays, and one that is elsewhere from the second frame on."""
    for name, left in (("stays", 10), ("leaves", 60)):
        folder = tmp_path / "clips" / name
        folder.mkdir(parents=True)
        for frame in range(FRAMES):
            cv2.imwrite(str(folder / f"{frame:04d}.png"), np.full((60, 100, 3), 40 * frame, np.uint8))
        (folder / "groundtruth.txt").write_text("10,10,20,20\n" + f"{left},10,20,20\n" * (FRAMES - 1))
    return tmp_path / "clips"


def test_the_score_is_the_mean_of_the_clips(clips: Path) -> None:
    still = tracker("constant").build(tracker("constant").config, "cpu")
    assert auc(still, clips, "still") == 50.0  # all of one clip and nothing of the other: the first frame is given
    (clips / "leaves" / "groundtruth.txt").write_text("10,10,20,20\n" * FRAMES)
    assert auc(still, clips, "still") == 100.0


@pytest.mark.parametrize("name", ["siamcar", "transt"])
def test_inputs_are_those_of_the_search_graph(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "PAIRS", 2)
    setup = configure(name, {"preset": "nano", "precision": "fp32", "allow_random_weights": "true"})
    config = setup.on("folder")
    built: Any = setup.spec.build(config, "cpu")
    template, images = random_images(built.network, 1)
    with torch.no_grad():
        graph = search_graph(built.network, images, built.network.template(template))
    found = list(samples(built, config, write_photos(tmp_path / "photos"), graph.inputs))
    assert len(found) == 2
    for one in found:
        assert tuple(one) == graph.inputs
        assert [value.shape for value in one.values()] == [tuple(tensor.shape) for tensor in graph.examples]
    first, second = (one[graph.inputs[0]] for one in found)
    assert np.abs(first - second).max() > 0.1  # other crops, in the units that the network takes
    assert 0.1 < first.std() < 10


def test_the_search_gets_images_and_then_what_the_template_left() -> None:
    features = {"a": torch.tensor([1.0]), "b": (torch.tensor([2.0]), "word")}
    search = int8._search(lambda given: [one + 1 for one in given], 3)
    found = search(torch.tensor([0.0]), features)
    assert [float(one) for one in found] == [1.0, 2.0, 3.0]


def test_the_line_by_hand(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a quantiser that changes nothing and given seconds: one score twice, and 3 s over 2 s."""
    pytest.importorskip("openvino")
    ignored: list[Any] = []

    def unchanged(model: Any, data: list[Any], **given: Any) -> Any:
        ignored.append((len(data), given))
        return model

    nncf = SimpleNamespace(
        set_log_level=ignored.append,
        ModelType=SimpleNamespace(TRANSFORMER="transformer"),
        QuantizationPreset=SimpleNamespace(MIXED="mixed"),
        Dataset=list,
        quantize=unchanged,
    )
    seconds = itertools.cycle((3.0, 2.0))
    monkeypatch.setitem(sys.modules, "nncf", nncf)
    monkeypatch.setattr(int8, "PAIRS", 1)
    monkeypatch.setattr(int8, "_seconds", lambda work: next(seconds))
    said = measure(Int8(write_photos(tmp_path / "photos"), clips, "siamcar", "nano"))
    start, found = said.split(": AUC ")
    assert start == "SiamCAR nano"
    float32, rest = found.split(" in float32, ")
    assert rest == f"{float32} in int8, which is 1.50 times as fast (1.50 to 1.50)"
    assert ignored[1] == (1, {"subset_size": 1, "model_type": None, "preset": "mixed"})


def test_seconds_are_of_all_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, done = itertools.count(5.0, 2.0), []
    monkeypatch.setattr(int8, "time", SimpleNamespace(process_time=lambda: next(clock)))
    assert int8._seconds(lambda: done.append(1)) == 2.0
    assert len(done) == int8.STEPS
