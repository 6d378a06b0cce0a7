"""Small presets take the shipped weights of their own architecture, and of no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.trackers import tracker
from inmo.trackers.base import config_hash
from inmo.trackers.pipeline import shipped
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.pipeline.family import shipped_weights

LIMIT = 40e6  # bytes that all files together may have


def write(folder: Path, name: str, content: bytes = b"weights") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.safetensors"
    path.write_bytes(content)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "weights")
    return tmp_path / "weights"


def test_the_architecture_decides_which_file(folder: Path) -> None:
    paths = {
        name: item.path(name) if item.file else write(folder, name) for name, (_, item) in shipped_weights().items()
    }
    for name, (spec, item) in shipped_weights().items():
        config = spec.for_dataset(replace(spec.config, **item.settings), "lasot")
        assert config.weights == str(paths[name])
        tuned = spec.for_dataset(replace(spec.config, **item.settings, lr=0.9, precision="bf16"), "otb100")
        assert tuned.weights == str(paths[name])  # test-time constants do not change the network
        wary = {
            "unsure": 0.8,
            "hold_size": True,
            "widen": 1.1,
            "motion": 0.5,
            "sure": 0.9,
            "mirror": True,
            "online": 0.5,
        }
        assert spec.for_dataset(replace(spec.config, **{**item.settings, **wary}), "otb100").weights == str(paths[name])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("transinmo-star", {"preset": "nano", "width": 32}),
        ("transinmo-star", {"preset": "nano", "csa": False}),
        ("transinmo", {"preset": "full"}),
        ("siamcar", {"preset": "nano", "allow_random_weights": True}),
        ("cnninmo", {"preset": "nano", "interaction": "released"}),
        ("transt", {"preset": "nano", "weights": "mine.pth"}),
    ],
)
def test_other_architectures_and_other_wishes_take_none(folder: Path, kind: str, values: dict[str, object]) -> None:
    for name in shipped_weights():
        write(folder, name)
    spec = tracker(kind)
    config = spec.for_dataset(replace(spec.config, **values), "lasot")
    assert config.weights == values.get("weights", "")


def test_the_seed_decides_which_training(folder: Path) -> None:
    first, second = write(folder, "transt-nano"), write(folder, "transt-nano-seed-2", b"other weights")
    spec = tracker("transt")
    taken = [spec.for_dataset(replace(spec.config, preset="nano", seed=n), "lasot").weights for n in (0, 1, 2)]
    assert taken == [str(first), "", str(second)]
    assert [shipped.parts(path.stem) for path in (first, second)] == [("transt-nano", 0), ("transt-nano", 2)]


def test_without_the_file_a_sentence(folder: Path) -> None:
    setup = configure("transinmo", {"preset": "nano"})
    with pytest.raises(UserError, match="has no weights"):
        setup.spec.build(setup.on("lasot"), "cpu")


def test_the_content_of_the_file_enters_the_hash(folder: Path) -> None:
    setup = configure("siamcar", {"preset": "nano"})
    write(folder, "siamcar-nano", b"one")
    first = config_hash("siamcar", setup.on("lasot"))
    write(folder, "siamcar-nano", b"two")
    assert config_hash("siamcar", setup.on("lasot")) != first


FILES = sorted(shipped.FOLDER.glob("*.safetensors"))
APART = {item.path(name): name for name, (_, item) in shipped_weights().items() if item.file}


@pytest.mark.parametrize("path", [*FILES, *APART], ids=lambda path: path.stem)
def test_what_is_shipped_can_be_used(path: Path) -> None:
    """fp16, a card beside it, trained on nothing that was filmed for a benchmark, and it follows a square."""
    name, seed = (APART[path], 0) if path in APART else shipped.parts(path.stem)
    assert name in shipped_weights()
    assert path.with_suffix(".md").is_file()
    assert all(v.dtype == torch.float16 for v in load_state_dict(path).values() if v.is_floating_point())
    spec, item = shipped_weights()[name]
    running = spec.build(spec.for_dataset(replace(spec.config, **item.settings, seed=seed), "folder"), "cpu")
    rng = np.random.default_rng(0)
    background, target = rng.integers(90, 130, (240, 320, 3)), rng.integers(0, 255, (8, 8, 3)).repeat(5, 0).repeat(5, 1)

    def frame(x: int, y: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        image = background.astype(np.uint8)
        image[y : y + 40, x : x + 40] = target
        return image

    state = running.init([frame(100, 80)], np.array([[100.0, 80.0, 40.0, 40.0]]))
    for step in range(1, 6):
        found = running.step([frame(100 + 6 * step, 80 + 3 * step)], state)
        state = found.state
    x, y, w, h = found.boxes[0]
    assert abs(x + w / 2 - 150) < 15 and abs(y + h / 2 - 115) < 15
    assert 25 < w < 60 and 25 < h < 60


def test_all_files_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FILES) <= LIMIT
