"""What the golden tests of SiamCAR and CNNInMo share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inmo.trackers.families.siamcar import crop_centre
from inmo.trackers.pipeline.checkpoint import KeyMap, apply_strict
from inmo.trackers.pipeline.neural import NeuralTracker
from tests.parity import golden_rules as rules
from tests.trackers.lock_step import assert_lock_step


def filled(shared: Path, name: str, released: Callable[[], tuple[nn.Module, KeyMap]]) -> nn.Module:
    """The released network by the fill rule, loaded as a checkpoint is: strictly, through the key map."""
    network, key_map = released()
    state = rules.official_state(shared, name, network.state_dict(), key_map)
    state = {key: torch.zeros(v.shape, dtype=v.dtype) if v.is_meta else v for key, v in state.items()}  # counters
    apply_strict(network, state, key_map, name)
    return network.eval()


def sharing(build: Callable[[], nn.Module], full: nn.Module) -> nn.Module:
    """Another network around the tensors of ``full`` that it has a place for."""
    with torch.device("meta"):
        network = build()
    values = full.state_dict()
    apply_strict(network, {key: values[key] for key in network.state_dict()})
    return network.eval()


def inputs() -> tuple[Tensor, Tensor]:
    """Template (1, 3, 127, 127) and search region (1, 3, 255, 255), 0..255."""
    z, x = (torch.from_numpy(image)[None] for image in rules.raw_inputs())
    return z[..., :127, :127], x[..., :255, :255]


def our_module(official: str) -> str | None:
    """Our name of an official module of the neck, which both trackers share; None for any other."""
    part, _, rest = official.partition(".")
    return f"neck.levels.{int(rest.removeprefix('downsample')) - 2}" if part == "neck" else None


def traces(lasot: str, otb: str, few: int) -> Any:
    """The trace tests of a tracker, by its hyper-parameters' names for LaSOT and OTB; one of a few frames is quick."""
    long = [pytest.param(*row, 20, marks=pytest.mark.slow) for row in ((lasot, "lasot"), (otb, "otb100"))]
    return pytest.mark.parametrize(("hyper", "dataset", "frames"), [(lasot, "lasot", few), *long])


def run(network: Any) -> tuple[Tensor, ...]:
    """Template, then search region: the three final outputs."""
    z, x = inputs()
    with torch.no_grad():
        outputs: tuple[Tensor, ...] = network.search(x, network.template(z))
    return outputs


def assert_goldens(network: Any, golden: Mapping[str, np.ndarray], module: Callable[[str], str], count: int) -> None:
    """Every final output and every stored intermediate.

    Args:
        network: filled, its batch norms not folded.
        golden: the stored npz.
        module: official module name -> ours.
        count: of stored intermediates, so that none is lost unseen.
    """
    captures, outputs = rules.run_recorded(network, *inputs())
    names = rules.captured(golden)
    assert len(names) == count
    for name in names:
        when, _, rest = name.partition(".")
        official, _, call = rest.rpartition(".call")
        # Ours computes once per target what the official code computes from the template for every frame.
        key = next(k for k in ((when, module(official), int(call)), ("template", module(official), 0)) if k in captures)
        ours = captures[key][0]
        if official.startswith("neck.") and when == "template":
            ours = crop_centre(ours, 7)  # the official neck crops, ours leaves it to the network
        rules.assert_capture(golden, name, ours)
    rules.assert_final(golden, tuple(k for k in golden if k.startswith("final.")), outputs)


def assert_trace(tracker: NeuralTracker, shared: Path, name: str, hyper: str, frames: int = 20) -> None:
    """Boxes within PIXELS, the first search crop, and scores, over the first ``frames`` frames."""
    golden = rules.golden(shared, f"{name}.trace")
    boxes, rows, scores = (golden[f"{hyper}.{kind}"] for kind in ("boxes", "rows", "score"))
    images = rules.frames()[:frames]
    seen: list[Tensor] = []
    inner = tracker._search
    tracker._search = lambda image, features: (seen.append(image), inner(image, features))[1]
    state = tracker.init(images[:1], rules.FIRST_BOX)
    for t, image in enumerate(images[1:]):
        step = tracker.step([image], state)
        state = step.state
        box = np.concatenate([state.centre[0] - state.size[0] / 2, state.size[0]])
        np.testing.assert_allclose(box, boxes[t + 1], rtol=0, atol=rules.PIXELS)
        np.testing.assert_allclose(step.scores[0], scores[t], rtol=0, atol=1e-4)
        crop = seen[-1].double()
        np.testing.assert_allclose([crop.mean(), crop.std()], rows[t, :2], rtol=0, atol=1e-9 if t == 0 else 0.5)


def assert_batch(tracker: NeuralTracker, frames: int) -> None:
    """Two targets in one call give the boxes of two single calls, on the golden frames forwards and backwards."""
    images = rules.frames()
    starts = np.concatenate([rules.FIRST_BOX, [[180.0, 120.0, 60.0, 50.0]]])
    assert_lock_step(tracker, [images[:frames], images[::-1][:frames]], starts, pixels=rules.PIXELS)
