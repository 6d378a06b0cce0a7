"""The fill rule, inputs and frames of the golden numerics, as their README gives them, and a recorder of captures."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inmo.trackers.networks.layers import sine_encoding
from inmo.trackers.pipeline.checkpoint import apply_strict
from inmo.trackers.pipeline.neural import IMAGENET_MEAN, IMAGENET_STD, NeuralTracker

TOLERANCE = 1e-4  # of the tensor's standard deviation
PIXELS = 1e-2
FIRST_BOX = np.array([[20.0, 14.0, 48.0, 36.0]])

Captures = dict[tuple[str, str, int], tuple[Tensor, ...]]


def det_value(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The value of a floating-point entry of the state dict, from its official key."""
    n = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if key.endswith("running_mean"):
        v = 0.02 * n
    elif key.endswith("running_var"):
        v = 1.0 + 0.1 * np.abs(n)
    elif len(shape) >= 2:
        v = n / np.float32(math.sqrt(int(np.prod(shape[1:]))))
    elif key.endswith("weight"):
        v = 1.0 + 0.02 * n
    else:
        v = 0.02 * n
    if "_map_" in key and len(shape) == 4:
        v = v * 0.02
    if key.endswith("class_embed.layers.2.weight"):
        v = v * 4
    if key.endswith("bbox_embed.layers.2.bias"):
        v = v + np.array([0, 0, -0.55, -0.75] if key.startswith("head.") else [0, 0, -1.1, -1.1], np.float32)
    if key.endswith("bbox_pred.bias"):
        v = v + np.float32(3.5)
    return np.asarray(v, np.float32)


def official_state(shared: Path, name: str, built: Mapping[str, Tensor], key_map: Callable[[str], str]) -> dict:
    """The filled state dict under the official keys; integer buffers as the network built them."""
    shapes = json.loads((shared / "reference" / f"{name}.state_dict.json").read_text())
    state = {}
    for key, shape in shapes.items():
        own = built[key_map(key)]
        state[key] = torch.from_numpy(det_value(key, tuple(shape))) if own.is_floating_point() else own.clone()
    return state


def fill(network: nn.Module, shared: Path, name: str, key_map: Callable[[str], str]) -> nn.Module:
    """Fill ``network`` by the rule through the key map, strictly, and put it in evaluation mode."""
    apply_strict(network, official_state(shared, name, network.state_dict(), key_map), key_map, name)
    return network.eval()


def raw_inputs() -> tuple[np.ndarray, np.ndarray]:
    """Template (3, 128, 128) and search region (3, 256, 256), float32 0..255."""
    rng = np.random.default_rng(0)
    zl, xl = rng.uniform(0, 255, (3, 16, 16)), rng.uniform(0, 255, (3, 32, 32))
    z = np.kron(zl, np.ones((1, 8, 8))) + rng.uniform(-20, 20, (3, 128, 128))
    x = np.kron(xl, np.ones((1, 8, 8))) + rng.uniform(-20, 20, (3, 256, 256))
    return np.clip(z, 0, 255).astype(np.float32), np.clip(x, 0, 255).astype(np.float32)


def rgb_inputs() -> tuple[Tensor, Tensor]:
    """The inputs of the 128/256 models, normalised: (1, 3, 128, 128), (1, 3, 256, 256)."""
    mean = np.array(IMAGENET_MEAN, np.float32)[:, None, None]
    std = np.array(IMAGENET_STD, np.float32)[:, None, None]
    z, x = ((image / np.float32(255) - mean) / std for image in raw_inputs())
    return torch.from_numpy(z)[None], torch.from_numpy(x)[None]


def frames() -> list[np.ndarray]:
    """The 20 frames of the traces, (240, 320, 3) uint8, BGR."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (15, 20, 3)).astype(np.uint8)
    background = np.repeat(np.repeat(coarse, 16, 0), 16, 1)
    texture = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    found = []
    for t in range(20):
        w, h = int(48 + 1.5 * t), int(36 + 0.8 * t)
        x0, y0 = round(20 + 9.0 * t), round(14 + 6.5 * t + 6 * math.sin(0.7 * t))
        frame = np.roll(background, shift=(t, -2 * t), axis=(0, 1)).copy()
        ys, xs = np.minimum(np.arange(h) * 6 // h, 5), np.minimum(np.arange(w) * 8 // w, 7)
        frame[y0 : y0 + h, x0 : x0 + w] = texture[ys][:, xs]
        frame = np.clip(frame.astype(np.int64) + rng.integers(-6, 7, frame.shape), 0, 255).astype(np.uint8)
        found.append(frame)
    return found


def trace(tracker: NeuralTracker) -> tuple[np.ndarray, np.ndarray]:
    """The tracker over the golden frames: boxes (20, 4) before any clamp of x and y on output, scores (19,)."""
    images = frames()
    states, scores = [tracker.init(images[:1], FIRST_BOX)], []
    for image in images[1:]:
        step = tracker.step([image], states[-1])
        states.append(step.state)
        scores.append(step.scores[0])
    return np.array([[*(s.centre[0] - s.size[0] / 2), *s.size[0]] for s in states]), np.array(scores)


@contextmanager
def recording(network: nn.Module, phase: list[str]):
    """Record what every module returns: (phase[0], module name, call) -> its tensors.

    Modules with the two calls ``template`` and ``search`` are recorded there, the others by forward hooks.
    """
    captures: Captures = {}
    calls: dict[tuple[str, str], int] = {}
    handles, patched = [], []

    def note(name: str, output: Any) -> None:
        tensors = tuple(t for t in (output if isinstance(output, tuple) else (output,)) if isinstance(t, Tensor))
        count = calls.get((phase[0], name), 0)
        calls[phase[0], name] = count + 1
        captures[phase[0], name, count] = tensors

    def wrapped(name: str, method: Callable[..., Any], *args: Any) -> Any:
        output = method(*args)
        note(name, output)
        return output

    for name, module in network.named_modules():
        handles.append(module.register_forward_hook(lambda m, i, o, name=name: note(name, o)))
        if type(module).forward is nn.Module.forward:
            for method in ("template", "search"):
                if hasattr(module, method):
                    setattr(module, method, partial(wrapped, name, getattr(module, method)))
                    patched.append((module, method))
    try:
        yield captures
    finally:
        for handle in handles:
            handle.remove()
        for module, method in patched:
            delattr(module, method)


def golden(shared: Path, name: str) -> dict[str, np.ndarray]:
    """The arrays of a stored file; ``<name>.trace`` for a trace."""
    with np.load(shared / "reference" / "golden" / f"{name}.npz") as stored:
        return dict(stored)


def run_recorded(network: Any, z: Tensor, x: Tensor) -> tuple[Captures, tuple[Tensor, ...]]:
    """Template, then search region: what every module returned, and the final outputs."""
    phase = ["template"]
    with torch.no_grad(), recording(network, phase) as captures:
        features = network.template(z)
        phase[0] = "search"
        return captures, network.search(x, features)


def assert_matching(
    network: nn.Module, stored: Mapping[str, Any], key_map: Callable[[str], str], count: int, final: tuple[str, ...]
) -> None:
    """Every stored intermediate, ``count`` of them, and the final outputs of a transformer tracker's network."""
    captures, outputs = run_recorded(network, *rgb_inputs())
    names = captured(stored)
    assert len(names) == count
    for name in names:
        assert_capture(stored, name, _our_capture(name, captures, key_map))
    assert_final(stored, final, outputs)


def _our_capture(capture: str, captures: Captures, key_map: Callable[[str], str]) -> Tensor:
    """The tensor of ours that a capture ``<phase>.<official module>.call<k>[.out<j>]`` names."""
    phase, _, rest = capture.partition(".")
    module, _, rest = rest.rpartition(".call")
    call, _, out = rest.partition(".out")
    if module == "backbone.1":
        side = {"template": 16, "search": 32}[phase]
        return sine_encoding(side, side, 256, torch.device("cpu"))
    where = (phase, key_map(module + ".").rstrip("."), int(call))
    if module in ("input_proj", "neck.input_proj"):  # ours projects the template once, before any frame
        where = (("template", "search")[int(call)], "neck.input_proj", 0)
    tensor = captures[where][int(out or 0)]
    return tensor.permute(0, 3, 1, 2) if module.endswith("patch_embed") else tensor


def assert_trace(tracker: NeuralTracker, stored: Mapping[str, np.ndarray], hyper: str) -> None:
    """Boxes within PIXELS, and scores, over the golden frames."""
    boxes, scores = trace(tracker)
    np.testing.assert_allclose(boxes, stored[f"{hyper}.boxes"], rtol=0, atol=PIXELS)
    np.testing.assert_allclose(scores, stored[f"{hyper}.score"], rtol=0, atol=1e-4)


def assert_capture(golden: Mapping[str, np.ndarray], name: str, ours: Tensor) -> None:
    """A stored capture, sampled with its stride, within TOLERANCE of the full tensor's standard deviation."""
    assert ours.numel() == int(np.prod(golden[f"{name}.shape"])), name
    samples = ours.contiguous().reshape(-1)[:: int(golden[f"{name}.stride"])].numpy()
    deviation = golden[f"{name}.stat"][1]
    error = np.abs(samples - golden[name]).max() / deviation
    assert error <= TOLERANCE, f"{name}: off by {error:.2e} of its deviation"
    mean, std, largest = golden[f"{name}.stat"]
    full = ours.double()
    assert abs(full.mean().item() - mean) <= TOLERANCE * std, f"{name}: mean"
    assert abs(full.abs().max().item() - largest) <= 10 * TOLERANCE * std, f"{name}: maximum"


def assert_final(golden: Mapping[str, np.ndarray], names: tuple[str, ...], outputs: tuple[Tensor, ...]) -> None:
    """Final outputs, stored in full, within TOLERANCE of their standard deviation."""
    for name, output in zip(names, outputs, strict=True):
        error = np.abs(output.numpy() - golden[name]).max() / golden[name].std()
        assert error <= TOLERANCE, f"{name}: off by {error:.2e} of its deviation"


def captured(golden: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the stored intermediate captures."""
    return [key.removesuffix(".stride") for key in golden if key.endswith(".stride")]
