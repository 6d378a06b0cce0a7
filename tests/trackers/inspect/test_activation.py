"""Watching a tracker changes nothing, and the maps are what the parts add."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inmo.errors import UserError
from inmo.harness.run.setup import configure
from inmo.trackers.inspect.activation import watch_step, watching
from inmo.trackers.networks.gim import GIM, group, window_restore
from inmo.trackers.pipeline.neural import NeuralTracker

STAR = {
    "preset": "nano", "interaction": "paper", "widths": "[8, 8, 8, 8]", "depths": "[1, 1, 1, 1]", "dim": "8",
    "heads": "[2, 2, 2, 2]", "width": "16", "encoder_layers": "1", "neck_hidden": "16",
}  # fmt: skip
RELEASED = {"preset": "nano", "interaction": "released"}
FRAME = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)


def built(name: str, values: dict[str, str]) -> NeuralTracker:
    setup = configure(name, {**values, "allow_random_weights": "true"})
    tracker = setup.spec.build(setup.on("lasot"), "cpu")
    assert isinstance(tracker, NeuralTracker)
    return tracker


@pytest.mark.parametrize(
    ("name", "values", "parts"),
    [
        ("transinmo-star", STAR, 8),
        ("transinmo", {**RELEASED, "cross_window": "-1"}, 5 + 4),
        ("transinmo", {**RELEASED, "cross_window": "4"}, 5 + 4),
        ("cnninmo", {"preset": "nano"}, 8),
        ("cnninmo", RELEASED, 8),
        ("cnninmo", {"preset": "lite"}, 6),
        ("transinmo-star", {**STAR, "tca": "false"}, 4),
        ("transinmo-star", {**STAR, "mirror": "true", "sure": "0.5"}, 8),
        ("transinmo-star", {**STAR, "online": "0.5"}, 8),
    ],
)
def test_watching_changes_no_box(name: str, values: dict[str, str], parts: int) -> None:
    tracker = built(name, values)
    state = tracker.init([FRAME], np.array([[60.0, 40.0, 30.0, 24.0]]))
    plain = tracker.step([FRAME], state)
    watched = watch_step(tracker, FRAME, state)
    np.testing.assert_array_equal(watched.box, plain.boxes[0])
    np.testing.assert_array_equal(tracker.step([FRAME], state).boxes, plain.boxes)  # and leaves nothing behind
    assert len(watched.parts) == parts
    for item in watched.parts:
        assert item.change.shape == item.response.shape
        assert all(np.isfinite(values).all() and values.min() >= 0 for values in (item.change, item.response))
        assert item.response.max() > 0
    side = tracker.recipe.geometry.search_size
    assert watched.search.shape == (side, side, 3)
    assert watched.score.shape[0] == watched.score.shape[1]
    assert 0 <= watched.score.min() <= watched.score.max() <= 1


def test_trained_parts_add_something() -> None:
    setup = configure("transinmo-star", {"preset": "nano"})
    tracker = setup.spec.build(setup.on("lasot"), "cpu")
    assert isinstance(tracker, NeuralTracker)
    watched = watch_step(tracker, FRAME, tracker.init([FRAME], np.array([[60.0, 40.0, 30.0, 24.0]])))
    assert {item.part for item in watched.parts} == {"CSA", "TCA"}
    assert all(item.change.min() > 0 for item in watched.parts)


@pytest.mark.parametrize(("name", "values", "least"), [
    ("transinmo-star", {"preset": "nano"}, [16, 4, 1, 1]), ("cnninmo", {"preset": "lite"}, [4, 1, 1]),
    ("cnninmo", {"preset": "nano"}, [16, 4, 4, 4]), ("transinmo", {"preset": "lite"}, [16, 4, 4, 4]),
    ("transinmo-star", {"preset": "lite"}, [16, 4, 4, 4]),
    ("transinmo", {}, [25, 9, 4, 1]), ("transinmo", {"interaction": "paper"}, [16, 4, 1, 1]),
    ("transinmo", {"interaction": "paper", "window": "4"}, [64, 16, 4, 4]),
])  # fmt: skip
def test_cells_of_one_key_get_what_the_template_says_whatever_the_frame_shows(
    name: str, values: dict[str, str], least: list[int]
) -> None:
    trained = {} if "preset" in values else {"allow_random_weights": "true"}
    setup = configure(name, {**values, **trained})
    tracker = setup.spec.build(setup.on("lasot"), "cpu")
    assert isinstance(tracker, NeuralTracker)
    frames = np.random.default_rng(1).integers(0, 255, (2, 240, 240, 3), dtype=np.uint8)  # nothing of it is padding
    state = tracker.init([frames[0]], np.array([[105.0, 108.0, 30.0, 24.0]]))
    maps = [watch_step(tracker, frame, state).parts for frame in frames]
    one, other = ([part for part in parts if part.part == "TCA"] for parts in maps)
    assert [part.keys and part.keys.least for part in one] == least
    for a, b in zip(one, other, strict=True):
        assert a.keys is not None
        same = np.isclose(a.change, b.change, rtol=1e-5, atol=0)
        assert same.mean() == pytest.approx(a.keys.share(1), abs=0.02)


def test_maps_of_a_part() -> None:
    torch.manual_seed(0)
    holder = torch.nn.Module()
    holder.backbone = torch.nn.Module()
    holder.backbone.gim = GIM(8, dim=8, heads=2, mlp_ratio=0)
    maps = torch.randn(1, 6, 6, 8)
    memory = holder.backbone.gim.template(group(maps, 3))[1]
    groups = group(maps, 3)
    with watching(holder) as parts:
        holder.backbone.gim.search(groups, memory)
    after = holder.backbone.gim.csa(groups)
    assert [item.part for item in parts] == ["CSA", "TCA"]
    change = (after.tokens - groups.tokens)[0].norm(dim=-1)  # (9 groups, 4 windows)
    # group g holds position (g // 3, g % 3) of every window; window k stands at (k // 2, k % 2)
    assert parts[0].change[3 * 1 + 2, 3 * 0 + 1] == pytest.approx(float(change[2 * 3 + 1, 2]))
    whole = window_restore(after.tokens, after.window, after.height, after.width)[0].detach().double()
    normed = (whole - whole.mean(-1, keepdim=True)) / (whole.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    by_hand = (normed - normed.mean((0, 1))).square().sum(-1).sqrt()
    np.testing.assert_allclose(parts[0].response, by_hand.numpy(), atol=1e-5)


def test_the_maps_of_released_blocks_are_those_of_their_modules() -> None:
    """The shifted windows of a released Swin block are put back to where they were cut."""
    tracker = built("transinmo", {**RELEASED, "cross_window": "-1"})
    state = tracker.init([FRAME], np.array([[60.0, 40.0, 30.0, 24.0]]))
    block = next(m for n, m in tracker.network.named_modules() if n.endswith("blocks.1") and hasattr(m, "attn"))
    seen = []
    handle = block.norm2.register_forward_hook(lambda module, inputs, out: seen.append(inputs[0].detach().clone()))
    watched = watch_step(tracker, FRAME, state)
    handle.remove()
    name = next(n for n, m in tracker.network.named_modules() if m is block)
    (mine,) = [item for item in watched.parts if item.name == f"{name}.attn"]
    normed = torch.nn.functional.layer_norm(seen[0][0].float(), seen[0].shape[-1:])  # what enters the MLP's norm
    by_hand = (normed - normed.mean((0, 1))).norm(dim=-1)
    np.testing.assert_allclose(mine.response, by_hand.cpu().numpy(), rtol=1e-4)


def test_a_tracker_without_interaction_says_so() -> None:
    tracker = built("siamcar", {"preset": "nano"})
    state = tracker.init([FRAME], np.array([[60.0, 40.0, 30.0, 24.0]]))
    with pytest.raises(UserError, match="no CSA and no TCA"):
        watch_step(tracker, FRAME, state)
    star = built("transinmo-star", {**STAR, "tca": "false"})
    watched = watch_step(star, FRAME, star.init([FRAME], np.array([[60.0, 40.0, 30.0, 24.0]])))
    with pytest.raises(UserError, match="has no TCA"):
        watched.last("TCA")
    assert watched.last("CSA").name.endswith("csa")
