"""Distillation: the teacher's maps, their cache, what they add to the loss, and that nothing of it is exported."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inmo.errors import UserError
from inmo.harness.training.command import prepare, run_training
from inmo.harness.training.config import WEIGHTS, DataConfig, DistilConfig, TrainConfig
from inmo.harness.training.distil import Adapter, cache_maps, difference, open_teacher
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import build_model
from inmo.harness.training.sampling import Positions, cache_pairs, loader
from inmo.trackers.pipeline.checkpoint import load_state_dict
from tests.harness.training.test_loop import Killer, parameters
from tests.harness.training.tiny import TEACHER, TINY, tiny_config

CPU = torch.device("cpu")
ALONE = Group(0, 1, CPU)


def taught(photos: Path, tracker: str = "transinmo", **values: Any) -> TrainConfig:
    return tiny_config(photos, tracker, **({"distil": DistilConfig(**TEACHER)} | values))


def test_the_difference_is_a_mean_over_cells_and_channels() -> None:
    found = torch.zeros(2, 1, 2, 2)
    wanted = torch.tensor([[[[1.0, 2.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 4.0]]]])
    assert difference(found, wanted).tolist() == [5 / 4, 16 / 4]


def test_the_adapter_reads_cell_by_cell() -> None:
    adapter = Adapter(3, 2)
    with torch.no_grad():
        adapter.linear.weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
        adapter.linear.bias.zero_()  # type: ignore[union-attr]
    maps = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    side = 1.5**0.5  # (1, 2, 3) less 2 over the deviation
    expected = torch.tensor([-side, side]).expand(1, 2, 2, 2)
    torch.testing.assert_close(adapter(maps), expected, atol=1e-4, rtol=0)


def test_a_teachers_maps_are_normalised_on_the_students_grid() -> None:
    teacher = open_teacher(DistilConfig(**TEACHER), CPU)
    dice = np.random.default_rng(0)
    crops = [torch.from_numpy(dice.integers(0, 255, (2, side, side, 3)).astype(np.uint8)) for side in (48, 96)]
    z, x = teacher.maps(crops[0], crops[1], (6, 12))
    assert z.shape == (2, 6, 6, teacher.channels) and x.shape == (2, 12, 12, teacher.channels)
    for maps in (z, x):
        torch.testing.assert_close(maps.mean(dim=-1), torch.zeros(maps.shape[:3]), atol=1e-5, rtol=0)
        torch.testing.assert_close(maps.var(dim=-1, correction=0), torch.ones(maps.shape[:3]), atol=1e-3, rtol=0)
    single = teacher.maps(crops[0][1:], crops[1][1:], (6, 12))[1]
    torch.testing.assert_close(single[0], x[1], atol=1e-4, rtol=1e-4)


def test_cached_maps_are_those_made_on_the_way(photos: Path, tmp_path: Path) -> None:
    data = DataConfig(tiny_config(photos).data.sources, "small", cache=8, cache_dir=str(tmp_path), seed=0)
    made = {}
    for name, cache in (("cached", 8), ("new", 0)):
        config = taught(photos, data=replace(data, cache=cache), steps=1)
        prepared = prepare(config, ALONE)
        training = Training(config, prepared.model, ALONE, tmp_path / name, "", prepared.teacher)
        batch = next(loader(prepared.pairs, Positions(0, 1, 4), 0))
        assert (batch.search_map is None) == (name == "new")
        if name == "cached":
            kept = batch
        made[name] = training.step(0, kept if name == "cached" else kept._replace(template_map=None, search_map=None))
    assert made["cached"]["distil"] > 1.0
    assert made["cached"] == pytest.approx(made["new"], rel=2e-3)  # the cache is fp16
    maker, teacher = prepared.maker, prepared.teacher
    assert teacher is not None
    folder = cache_maps(cache_pairs(maker, 8, tmp_path), teacher, (6, 12))
    before = (folder / "search_map.npy").stat().st_mtime_ns
    assert cache_maps(cache_pairs(maker, 8, tmp_path), teacher, (6, 12)) == folder
    assert (folder / "search_map.npy").stat().st_mtime_ns == before


def test_the_share_of_the_loss_falls_and_nothing_of_it_is_exported(photos: Path, tmp_path: Path) -> None:
    config = taught(photos, steps=6)
    prepared = prepare(config, ALONE)
    training = Training(config, prepared.model, ALONE, tmp_path / "watched", "", prepared.teacher)
    batch = next(loader(prepared.pairs, Positions(0, 1, 4), 0))
    shares = [training.step(step, batch)["distil"] for step in range(6)]
    assert shares[-1] < shares[0]
    run_training(config, tmp_path / "run", device="cpu", quiet=True)
    plain = build_model("transinmo", TINY["transinmo"], "small").network.state_dict()
    assert load_state_dict(tmp_path / "run" / WEIGHTS).keys() == plain.keys()


def test_the_student_is_the_one_without_a_teacher(photos: Path) -> None:
    """The adapter draws no parameters of the student's, and at test time nothing of it runs."""
    with_one, without = (prepare(config, ALONE).model for config in (taught(photos), tiny_config(photos)))
    for key, value in without.network.state_dict().items():
        assert torch.equal(with_one.network.state_dict()[key], value)
    crops = [
        torch.zeros(1, side, side, 3, dtype=torch.uint8)
        for side in (with_one.geometry.template_size, with_one.geometry.search_size)
    ]
    outputs = [m.trainee.eval()(crops[0], crops[1], torch.full((1, 2), 0.5)) for m in (with_one, without)]
    assert len(outputs[0]) == len(outputs[1]) == 2
    torch.testing.assert_close(outputs[0][0], outputs[1][0])


def test_accumulated_parts_equal_one_large_batch(photos: Path, tmp_path: Path) -> None:
    found = []
    for parts in (1, 2):
        config = taught(photos, accumulate=parts)
        prepared = prepare(config, ALONE)
        training = Training(config, prepared.model, ALONE, tmp_path / str(parts), "", prepared.teacher)
        found.append(training.step(0, next(loader(prepared.pairs, Positions(0, 1, 4), 0))))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_kill_and_resume_equals_straight_bit_for_bit(photos: Path, tmp_path: Path) -> None:
    config = taught(photos, steps=4)
    run_training(config, tmp_path / "straight", device="cpu", quiet=True)
    prepared = prepare(config, ALONE)
    training = Training(config, prepared.model, ALONE, tmp_path / "killed", "", prepared.teacher)
    batches = loader(prepared.pairs, Positions(0, 4, 4), 0)
    assert training.run(iter(Killer(batches, 1, lambda: os.kill(os.getpid(), signal.SIGTERM)))).interrupted
    run_training(config, tmp_path / "killed", resume=True, device="cpu", quiet=True)
    first, second = (parameters(tmp_path / name, config) for name in ("straight", "killed"))
    assert "adapter.linear.weight" in first
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("student", "distil", "message"),
    [
        ("transinmo", {"tracker": "siamkar"}, "did you mean.*siamcar"),
        ("transinmo", {"tracker": "siamcar", "settings": {"preset": "full"}}, "the teacher siamcar has no weights"),
        ("siamcar", {}, "whose backbone gives one map"),
        ("cnninmo", {}, "whose backbone gives one map"),
    ],
)
def test_what_cannot_teach_or_learn_is_one_sentence(
    photos: Path, student: str, distil: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        prepare(taught(photos, student, distil=DistilConfig(**(TEACHER | distil))), ALONE)
    assert "\n" not in str(caught.value)
