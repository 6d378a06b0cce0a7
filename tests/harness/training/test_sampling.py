"""Pairs: the same number gives the same pair anywhere, and the box is where the target is."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.datasets.training.base import Pair, View
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.training.augmentation import AUGMENTATIONS, Jitter, cut, extract, make_sample, recolour
from inmo.harness.training.command import Prepared, loader_rate, prepare
from inmo.harness.training.config import SourceConfig
from inmo.harness.training.distributed import Group
from inmo.harness.training.sampling import NAMES, CachedPairs, MadePairs, Positions, cache_pairs, loader, open_pairs
from inmo.trackers.pipeline.crop import cnninmo_crops, crop, mean_colour, siamcar_crops, transinmo_crops, transt_crops
from tests.harness.training.tiny import TINY, tiny_config

RNG = np.random.default_rng


def square(size: int = 200, box: tuple[int, int, int, int] = (80, 60, 30, 20)) -> View:
    frame = RNG(0).integers(0, 60, (size, size, 3)).astype(np.uint8)
    x, y, w, h = box
    frame[y : y + h, x : x + w] = 250
    return View(frame, np.array(box, np.float64))


def test_an_unjittered_crop_is_the_trackers_own() -> None:
    """Same rectangle, same interpolation; the trackers round its place to whole pixels."""
    view = square()
    geometry = transt_crops(64, 128)
    centre, size = np.array([95.0, 70.0]), np.array([[30.0, 20.0]])
    side = float(geometry.search_side(size)[0])
    ours = extract(view.frame, np.floor(centre - (side + 1) / 2 + 0.5) + side / 2, np.full(2, side), 128, False)
    theirs = crop(view.frame, centre, side, 128, mean_colour(view.frame))
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 12  # OpenCV's warp knows 1/32 px
    assert np.abs(ours.astype(int) - theirs.astype(int)).mean() < 3


@pytest.mark.parametrize("crops", [transt_crops, transinmo_crops, siamcar_crops, cnninmo_crops])
@pytest.mark.parametrize("row", list(AUGMENTATIONS))
def test_the_box_is_where_the_target_is(crops: Any, row: str) -> None:
    geometry = crops(64, 128)
    plain = replace(AUGMENTATIONS[row], blur=0.0, noise=0.0, contrast=0.0, colour=0.0, brightness=0.0, reflect=0.0)
    for seed in range(8):
        sample = make_sample(Pair(square(), square()), geometry, plain, RNG(seed))
        bright = (sample.search > 200).all(axis=2)
        rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
        cx, cy, w, h = sample.box * 128
        clip = lambda v: min(max(float(v), 0.0), 128.0)  # noqa: E731
        if not len(rows):
            assert (clip(cx + w / 2) - clip(cx - w / 2)) * (clip(cy + h / 2) - clip(cy - h / 2)) < 40
            continue
        assert columns[0] == pytest.approx(clip(cx - w / 2), abs=2)
        assert columns[-1] + 1 == pytest.approx(clip(cx + w / 2), abs=2)
        assert rows[0] == pytest.approx(clip(cy - h / 2), abs=2)
        assert rows[-1] + 1 == pytest.approx(clip(cy + h / 2), abs=2)


def test_the_anchor_is_the_targets_share_of_the_template() -> None:
    geometry = transt_crops(64, 128)
    sample = make_sample(Pair(square(), square()), geometry, AUGMENTATIONS["none"], RNG(0))
    side = np.ceil(np.sqrt((30 + 25) * (20 + 25)))
    np.testing.assert_allclose(sample.anchor, [30 / side, 20 / side], rtol=1e-6)
    search = np.ceil(np.sqrt((30 + 75) * (20 + 75)))
    np.testing.assert_allclose(sample.box, [0.5, 0.5, 30 / search, 20 / search], rtol=1e-6)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 4))
@settings(max_examples=40, deadline=None)
def test_crops_anywhere_have_the_right_box(dx: float, dy: float, zoom: float) -> None:
    """Far outside the frame too, nothing breaks and the box follows from the rectangle alone."""
    view = square(80, (30, 30, 16, 16))
    middle, sides = np.array([38 + dx * 80, 38 + dy * 80]), np.full(2, 60 * zoom)
    for reflect in (False, True):
        image = extract(view.frame, middle, sides, 32, reflect)
        assert image.shape == (32, 32, 3)
        assert image.dtype == np.uint8


def test_transts_jitter_reaches_one_and_a_half_sides() -> None:
    view, shifts = square(), []
    for seed in range(300):
        _, box = cut(view, lambda s: s[:, 0] * 4, 64, Jitter(shift_sides=1.5), RNG(seed), False)
        shifts.append((box[:2] - 0.5) * 30 * 4 / np.sqrt(600))
    assert 1.4 < np.abs(shifts).max() <= 1.5


def test_grey_takes_both_crops() -> None:
    row = replace(AUGMENTATIONS["none"], grey=1.0)
    a, b = recolour(square().frame, square().frame, row, RNG(0))
    for image in (a, b):
        assert (image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all()


def maker_of(photos: Path, seed: int = 0):  # type: ignore[no-untyped-def]
    sources = [SourceConfig("photos", str(photos), 0.9), SourceConfig("mini", "", 0.1, {"pairs": 400, "length": 4})]
    return open_pairs(sources, transinmo_crops(64, 128), "small", seed)


def test_pairs_do_not_depend_on_order_or_process(photos: Path, tmp_path: Path) -> None:
    maker = maker_of(photos)
    straight = [maker.make(i) for i in range(12)]
    for i in reversed(range(12)):
        again = maker.make(i)
        assert np.array_equal(again.search, straight[i].search) and np.array_equal(again.box, straight[i].box)
    folder = cache_pairs(maker, 12, tmp_path, workers=1)
    cached = np.load(folder / "search.npy")
    assert all(np.array_equal(cached[i], straight[i].search) for i in range(12))
    assert not np.array_equal(maker_of(photos, seed=1).make(0).search, straight[0].search)
    assert cache_pairs(maker, 12, tmp_path) == folder
    assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_an_epoch_of_the_cache_gives_every_pair_once(photos: Path, tmp_path: Path) -> None:
    folder = cache_pairs(maker_of(photos), 9, tmp_path)
    pairs = CachedPairs(folder, seed=3)
    epochs = [[pairs[e * 9 + i]["box"].tobytes() for i in range(9)] for e in range(2)]
    assert set(epochs[0]) == set(epochs[1]) == {b.tobytes() for b in np.load(folder / "box.npy")}
    assert epochs[0] != epochs[1]


def test_positions_share_the_pairs_of_a_step() -> None:
    whole = list(Positions(3, 5, 4))
    assert whole == [[12, 13, 14, 15], [16, 17, 18, 19]]
    halves = [list(Positions(3, 5, 4, rank, 2)) for rank in range(2)]
    assert [sorted(a + b) for a, b in zip(*halves, strict=True)] == whole
    shares = [next(iter(Positions(1, 2, 38, rank, 8))) for rank in range(8)]
    assert [len(share) for share in shares] == [5] * 6 + [4] * 2
    assert sorted(number for share in shares for number in share) == list(range(38, 76))


def test_the_loader_starts_anywhere(photos: Path) -> None:
    pairs = MadePairs(maker_of(photos))
    batches = list(loader(pairs, Positions(0, 3, 2), 0))
    later = next(loader(pairs, Positions(2, 3, 2), 0))
    assert torch.equal(batches[2].search, later.search)
    assert later.number.tolist() == [4, 5]
    assert later.search.dtype == torch.uint8


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([], "no data"),
        ([SourceConfig("foto", "x")], "did you mean photos"),
        ([SourceConfig("photos", "/nowhere")], "give a folder"),
        ([SourceConfig("mini", "", 0.0)], "above 0"),
        ([SourceConfig("mini", "", 1.0, {"gab": 3})], "did you mean gap"),
        ([SourceConfig("mini", "here")], "no root"),
    ],
)
def test_broken_mixtures_are_refused(sources: list[SourceConfig], words: str) -> None:
    with pytest.raises(UserError, match=words):
        open_pairs(sources, transinmo_crops(64, 128), "small", 0)


def test_unknown_augmentation_is_named() -> None:
    with pytest.raises(UserError, match="did you mean small"):
        open_pairs([SourceConfig("mini")], transinmo_crops(64, 128), "smal", 0)


def prepared_with(photos: Path, **values: Any) -> Prepared:
    config = tiny_config(photos)
    data = {name: value for name, value in values.items() if name != "training"}
    config = replace(config, seed=values["training"], data=replace(config.data, **data))
    return prepare(config, Group(0, 1, torch.device("cpu")))


def test_trainings_of_two_seeds_share_the_pairs_of_one_data_seed(photos: Path) -> None:
    first, second = (prepared_with(photos, training=seed, seed=5) for seed in (0, 1))
    assert first.maker.seed == second.maker.seed == 5
    assert first.maker.fingerprint() == second.maker.fingerprint()
    for number in range(4):
        assert np.array_equal(first.pairs[number]["search"], second.pairs[number]["search"])
    parameters = [p.model.network.state_dict() for p in (first, second)]
    assert any(not torch.equal(parameters[0][key], parameters[1][key]) for key in parameters[0])


def test_without_a_data_seed_the_pairs_are_the_trainings_own(photos: Path) -> None:
    first, second = (prepared_with(photos, training=seed) for seed in (0, 1))
    assert (first.maker.seed, second.maker.seed) == (0, 1)
    assert first.maker.fingerprint() != second.maker.fingerprint()
    assert not np.array_equal(first.pairs[0]["search"], second.pairs[0]["search"])
    assert prepared_with(photos, training=3, seed=0).maker.seed == 0  # 0 is a seed, not "none"


def test_one_cache_serves_two_seeds_in_orders_of_their_own(photos: Path, tmp_path: Path) -> None:
    first, second = (prepared_with(photos, training=seed, seed=5, cache=12, cache_dir=str(tmp_path)) for seed in (0, 1))
    assert len(list(tmp_path.iterdir())) == 1
    orders = [[made.pairs[number]["box"].tobytes() for number in range(12)] for made in (first, second)]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


@pytest.mark.parametrize("cache", [0, 40])
def test_the_loaders_own_rate(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: int) -> None:
    config = tiny_config(photos)
    config = replace(config, data=replace(config.data, cache=cache, cache_dir=str(tmp_path)))
    ticks = iter(np.arange(0, 10, 0.25))
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)))
    monkeypatch.setattr("inmo.harness.training.command.time", clock)
    # from 0: looked at .25, .5, .75, each followed by a batch of 4; 1.0 is the end, and 1.25 is when it is divided
    assert loader_rate(config, seconds=1.0) == pytest.approx(3 * 4 / 1.25)


def test_the_loaders_rate_from_the_command_line(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    values = {"tracker": "siamcar", "settings": TINY["siamcar"], "objective": "siamcar", "schedule": "small"}
    path.write_text(
        yaml.safe_dump(values | {"batch": 4, "data": {"sources": [{"name": "photos", "root": str(photos)}]}})
    )
    words = ["train", str(path), "--device", "cpu", "--out", str(tmp_path / "run"), "--loader-seconds"]
    assert main([*words, "0.2"]) == 0
    shown = capsys.readouterr().out
    found = re.fullmatch(r"loader: ([0-9.]+) pairs/s \(pairs made anew, 0 workers\)\n", shown)
    assert found and float(found[1]) > 0, shown
    assert not (tmp_path / "run").exists()  # nothing was trained
    assert main([*words, "0.1", "--set", "data.cache=8", "--set", f"data.cache_dir={tmp_path}"]) == 0
    assert "cached pairs, 0 workers" in capsys.readouterr().out
    for wrong, sentence in (("0", "above 0"), ("-3", "above 0"), ("nan", "above 0")):
        assert main([*words, wrong]) == 2
        assert sentence in capsys.readouterr().err
    assert main([*words, "1", "--set", "schedule=smal"]) == 2
    assert "did you mean small" in capsys.readouterr().err


def test_a_cache_travels_without_its_pixels(photos: Path, tmp_path: Path) -> None:
    pairs = CachedPairs(cache_pairs(maker_of(photos), 9, tmp_path), seed=3)
    travelled = pickle.dumps(pairs)
    assert len(travelled) < 2000
    assert np.array_equal(pickle.loads(travelled)[4]["search"], pairs[4]["search"])


@pytest.mark.slow
def test_worker_processes_give_the_same_batches(photos: Path) -> None:
    pairs = MadePairs(maker_of(photos))
    for ours, theirs in zip(loader(pairs, Positions(0, 3, 2), 0), loader(pairs, Positions(0, 3, 2), 2), strict=True):
        for name in (*NAMES, "number"):
            assert torch.equal(getattr(ours, name), getattr(theirs, name))
