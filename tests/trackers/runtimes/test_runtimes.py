"""Every runtime that is installed gives PyTorch's outputs and boxes; its graphs are made once, whole or not at all."""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inmo.datasets import open_dataset
from inmo.errors import UserError
from inmo.harness.bench.clips import scene
from inmo.harness.run.engine import track_sequence
from inmo.trackers.base import config_hash
from inmo.trackers.families.siamcar import SIAMCAR
from inmo.trackers.families.transt import TRANST
from inmo.trackers.pipeline.family import family
from inmo.trackers.runtimes import RUNTIMES, kept
from inmo.trackers.runtimes.base import runtime
from inmo.trackers.runtimes.graph import names_of, tensors_of

HERE = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(name) is None, reason=f"{name} is not installed: pip install -e '.[{name}]'"
        ),
    )
    for name in ("openvino", "onnxruntime")
]
SMALL = {"preset": "nano", "depths": (1, 1, 1, 1), "allow_random_weights": True}
CASES = [
    ("transt", {"preset": "nano"}),
    ("siamcar", {"preset": "lite"}),
    ("cnninmo", {"preset": "lite"}),
    ("cnninmo", {"preset": "nano"}),
    ("cnninmo", {"interaction": "released", **SMALL}),
    ("siamcar", {"pixelwise": False, **SMALL}),
    ("transinmo", {"preset": "nano"}),
    ("transinmo", {"preset": "lite"}),
    ("transinmo-star", {"preset": "nano"}),
    ("transinmo-star", {"preset": "lite"}),
    ("transinmo-star", {"interaction": "released", **SMALL}),
]
TRAINED = [case for case in CASES if "allow_random_weights" not in case[1]]
"""Those that follow a target: with random weights the last digit of a step decides where the next one looks."""


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Graphs of these tests, apart from the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


def config_of(name: str, settings: dict[str, Any]) -> Any:
    row = family(name)
    return row.for_dataset(replace(row.config, **settings), "folder")


def boxes_of(tracker: Any, lanes: int) -> Any:
    """(frames, lanes, 4): a few steps of several targets on made-up frames."""
    first = np.tile([600.0, 320.0, 90.0, 70.0], (lanes, 1)) + 7.0 * np.arange(lanes)[:, None]
    state, found = tracker.init([scene(0)] * lanes, first), []
    for index in range(1, 4):
        step = tracker.step([scene(index)] * lanes, state)
        state = step.state
        found.append(step.boxes)
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize(("tracker", "settings"), CASES)
def test_boxes_are_those_of_torch(tracker: str, settings: dict[str, Any], name: str) -> None:
    config, row = config_of(tracker, settings), family(tracker)
    eager, other = (row.build(one, "cpu") for one in (config, replace(config, runtime=name)))
    for lanes in (1, 3):
        np.testing.assert_allclose(boxes_of(other, lanes), boxes_of(eager, lanes), atol=1e-2, rtol=0)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize(("tracker", "settings"), TRAINED)
def test_boxes_over_whole_real_clips(tracker: str, settings: dict[str, Any], name: str, shared: Path) -> None:
    config, row = config_of(tracker, settings), family(tracker)
    clips = open_dataset("folder", shared / "data" / "clips").sequences[:2]
    runs = []
    for one in (config, replace(config, runtime=name)):
        built = row.build(one, "cpu")
        runs.append([track_sequence(built, clip, clip.annotation(), clip.frames()).boxes for clip in clips])  # type: ignore[misc]
    for eager, other in zip(*runs, strict=True):
        assert len(eager) >= 80
        np.testing.assert_allclose(other, eager, atol=1e-2, rtol=0)


def raw(config: Any) -> tuple[torch.Tensor, ...]:
    """The network's outputs for one search region."""
    tracker = SIAMCAR.build(config, "cpu")
    state = tracker.init([scene(0)], np.array([[600.0, 320.0, 90.0, 70.0]]))
    images = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    return tracker.search(images, state.features[0])


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("more", [{}, {"mirror": True}, {"online": 0.5}])
def test_raw_outputs_are_those_of_torch(more: dict[str, Any], name: str) -> None:
    config = config_of("siamcar", {**SMALL, **more})
    wanted, found = raw(config), raw(replace(config, runtime=name))
    assert names_of(found) == names_of(wanted) == ("logits", "boxes", "maps")[: 3 if more.get("online") else 2]
    for right, one in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, right, atol=1e-4, rtol=0)
        assert right.std() > 1e-3  # it is not everywhere the same


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is not installed")
def test_bf16_is_near_and_leaves_float32_what_it_is() -> None:
    """The kept graph is one for every precision: the first that wants it, here bf16, must not leave its casts in it."""
    config = config_of("siamcar", {**SMALL, "seed": 5})  # whose graph no other test has made
    found = raw(replace(config, runtime="openvino", precision="bf16"))
    for right, one in zip(raw(config), found, strict=True):
        assert (one - right).abs().max() < 0.05 * right.abs().max()
    for right, one in zip(raw(config), raw(replace(config, runtime="openvino")), strict=True):
        torch.testing.assert_close(one, right, atol=1e-4, rtol=0)


def test_the_hash_knows_a_runtime_and_torch_is_what_it_was() -> None:
    config = config_of("transt", {"preset": "nano"})
    hashes = {config_hash("transt", replace(config, runtime=name)) for name in ("torch", *RUNTIMES)}
    assert len(hashes) == 1 + len(RUNTIMES)
    assert config_hash("transt", replace(config, runtime="torch")) == config_hash("transt", config)


def test_what_a_runtime_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="onnxruntime knows no bf16"):
        runtime("onnxruntime").facts.demand("cpu", "bf16")
    with pytest.raises(UserError, match="openvino computes on cpu alone, not on cuda"):
        runtime("openvino").facts.demand("cuda", "fp32")
    with pytest.raises(UserError, match="did you mean openvino"):
        runtime("openvin")
    with pytest.raises(UserError, match="--compile is for PyTorch"):
        replace(TRANST.config, runtime="openvino", compile=True)
    known = importlib.util.find_spec
    monkeypatch.setattr(
        "inmo.trackers.runtimes.base.find_spec", lambda name: None if name == "openvino" else known(name)
    )
    with pytest.raises(UserError, match=r"needs the package openvino, .* pip install .*'\.\[openvino\]'"):
        SIAMCAR.build(config_of("siamcar", {**SMALL, "runtime": "openvino"}), "cpu")


def test_names_and_tensors_of_features() -> None:
    features = {"a": (torch.ones(1, dtype=torch.bfloat16), 3, None), "b": [torch.zeros(2)]}
    assert names_of(features) == ("a_0", "b_0")
    assert [tensor.dtype for tensor in tensors_of(features)] == [torch.float32] * 2


def test_keys_know_weights_settings_and_batch() -> None:
    network = torch.nn.Linear(2, 2)
    before = kept.digest_of(network)
    assert before == kept.digest_of(network)
    with torch.no_grad():
        network.weight[0, 0] += 1
    assert before != kept.digest_of(network)
    keys = [kept.key_of("w", {"batch": 1}), kept.key_of("w", {"batch": 2}), kept.key_of("v", {"batch": 1})]
    assert len({*keys}) == 3 and keys[0] == kept.key_of("w", {"batch": 1})


def _make_slowly(folder: Path) -> None:
    (kept.home() / f"made-{multiprocessing.current_process().pid}").touch()
    (folder / "half").write_text("1")
    torch.zeros(1).numpy()
    (folder / "whole").write_text("2")


def _keep(key: str) -> list[str]:
    return sorted(path.name for path in kept.kept(key, _make_slowly).iterdir())


def test_several_processes_make_a_graph_once() -> None:
    kept.home().mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.map(_keep, ["one"] * 8)
    assert found == [["half", "whole"]] * 8
    assert len([*kept.home().glob("made-*")]) == 1


def test_graphs_that_nobody_uses_are_removed_when_one_is_made() -> None:
    make = lambda folder: (folder / "graph").touch()  # noqa: E731
    old, used = kept.kept("old", make), kept.kept("used", make)
    for folder in (old, used):
        os.utime(folder, (0, 0))
    assert kept.kept("used", make) == used  # which is a use
    assert old.is_dir()
    kept.kept("new", make)
    names = {path.name for path in kept.home().iterdir() if path.is_dir()}
    assert {"new", "used"} <= names and "old" not in names
    assert not [name for name in names if name.startswith(".")]


def test_what_fails_half_way_leaves_nothing() -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("1")
        raise UserError("cannot")

    with pytest.raises(UserError, match="cannot"):
        kept.kept("two", fail)
    assert not [path for path in kept.home().iterdir() if "two" in path.name and path.suffix != ".lock"]


@pytest.mark.parametrize("name", HERE)
def test_a_damaged_graph_is_named(name: str, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    config = config_of("siamcar", {**SMALL, "runtime": name, "seed": 7})
    SIAMCAR.build(config, "cpu").prepare(1)
    newest = max(kept.home().glob("*/graph.*"), key=lambda path: path.stat().st_mtime_ns).parent
    for path in newest.glob("graph.*"):
        path.write_bytes(b"?")
    with pytest.raises(UserError, match=rf"cannot use .*{newest.name}.*: delete it and run again"):
        SIAMCAR.build(config, "cpu").prepare(1)


@pytest.mark.parametrize("name", HERE)
def test_one_flipped_bit_of_a_kept_graph_is_seen(name: str, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    config = config_of("siamcar", {**SMALL, "runtime": name, "seed": 8})
    SIAMCAR.build(config, "cpu").prepare(1)
    newest = max(kept.home().glob("*/graph.*"), key=lambda path: path.stat().st_mtime_ns).parent
    largest = max(newest.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    with pytest.raises(UserError, match=rf"cannot use .*{newest.name}.*{largest.name} is not what was written"):
        SIAMCAR.build(config, "cpu").prepare(1)
