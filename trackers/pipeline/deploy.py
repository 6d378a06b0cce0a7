"""A tracker's network as two graphs for use outside the project: ``template`` once per target, ``search`` per frame.

With what stands in their metadata they are all that a tracker needs besides cropping and choosing a box:
docs/deploy.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from inmo.errors import UserError
from inmo.trackers.pipeline.caution import Caution
from inmo.trackers.pipeline.config import NeuralConfig
from inmo.trackers.pipeline.family import family
from inmo.trackers.pipeline.neural import NeuralTracker
from inmo.trackers.runtimes.graph import Graph, random_images, search_graph, template_graph
from inmo.trackers.runtimes.onnx import write_onnx
from inmo.trackers.runtimes.openvino import settings_for, write_openvino
from inmo.trackers.runtimes.torchscript import write_torchscript


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        suffix: of the files.
        runtime: whose packages are needed to write it.
        write: (graph, path, metadata).
    """

    suffix: str
    runtime: str
    write: Callable[[Graph, Path, Mapping[str, str]], None]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "onnx": Format(".onnx", "onnxruntime", write_onnx),
        "openvino": Format(".xml", "openvino", write_openvino),
        "torchscript": Format(".pt", "torch", write_torchscript),
    }
)


def write_graphs(name: str, config: NeuralConfig[Any], to: str, folder: Path) -> dict[str, Path]:
    """Write ``template`` and ``search`` of a tracker for one target, in float32, without what it learns online.

    Args:
        name: the tracker's.
        config: for a benchmark, with its test-time constants.
        to: a key of ``FORMATS``.
        folder: made when missing.

    Returns:
        What was written: ``template`` and ``search`` to the files.

    Raises:
        UserError: no weights or ones that do not fit, a package that is missing, a folder that cannot be written, or
            a config with other caution, which two graphs cannot hold.
    """
    config = replace(config, online=0.0)
    if config.caution != Caution():
        raise UserError(
            "the graphs hold what one frame needs: leave unsure, hold_size, widen, motion, sure and mirror out"
        )
    form, row = FORMATS[to], family(name)
    tracker = row.build(replace(config, runtime=form.runtime, precision="fp32"), "cpu")
    assert isinstance(tracker, NeuralTracker)
    graphs = graphs_of(tracker)
    metadata = metadata_of(name, config, tracker)
    paths = {part: folder.expanduser() / f"{part}{form.suffix}" for part in graphs}
    try:
        folder.expanduser().mkdir(parents=True, exist_ok=True)
        for part, graph in graphs.items():
            form.write(graph, paths[part], metadata | _shapes(graph))
            if to == "openvino" and (settings := settings_for(graph, paths[part])):
                form.write(graph, paths[part], metadata | _shapes(graph) | {"settings": json.dumps(settings)})
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror or error}; free some space") from error
    return paths


def graphs_of(tracker: NeuralTracker) -> dict[str, Graph]:
    """``template`` and ``search`` of the tracker's network for one target."""
    network: Any = tracker.network
    template, images = random_images(network, batch=1)
    sizes = (torch.full((1, 2), 0.5),) if tracker.recipe.anchored else ()
    with torch.no_grad():
        features = network.template(template, *sizes)
    return {
        "template": template_graph(network, template, *sizes),
        "search": search_graph(network, images, features),
    }


def metadata_of(name: str, config: NeuralConfig[Any], tracker: NeuralTracker) -> dict[str, str]:
    """What the graphs themselves do not say, each value as JSON.

    ``channels``, ``scale`` and ``offset``: input channel i is ``BGR[channels[i]] * scale[i] + offset[i]``, BGR 0..255.
    """
    recipe, sizes = tracker.recipe, config.sizes()
    black = recipe.normalise(torch.zeros(1, 3, 1, 1, dtype=torch.float64))[0, :, 0, 0]
    single = torch.eye(3, dtype=torch.float64).view(3, 3, 1, 1)  # an image of one pixel for each of B, G, R
    slope = (recipe.normalise(single)[:, :, 0, 0] - black).T
    channels = slope.abs().argmax(dim=1)
    values = {
        "tracker": name,
        "preset": config.preset,
        "template_size": sizes.template_size,
        "search_size": sizes.search_size,
        "crops": recipe.geometry.name,
        "channels": channels.tolist(),
        "scale": slope.gather(1, channels[:, None])[:, 0].tolist(),
        "offset": black.tolist(),
        "told_size": recipe.anchored,
        **config.tuning()._asdict(),
        "smallest_coordinate": 0 if recipe.clamp_output else None,
    }
    return {key: json.dumps(value) for key, value in values.items()}


def _shapes(graph: Graph) -> dict[str, str]:
    """Names and shapes of what goes in and comes out."""
    with torch.no_grad():
        outputs = graph.module(*graph.examples)
    sides = {
        "inputs": zip(graph.inputs, graph.examples, strict=True),
        "outputs": zip(graph.outputs, outputs, strict=True),
    }
    return {side: json.dumps({name: list(tensor.shape) for name, tensor in pairs}) for side, pairs in sides.items()}
