"""OpenVINO, on processors: float32, or bf16 by the processor's own instructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inmo.trackers.runtimes.base import TOLERANCE, Call, Facts, error_of
from inmo.trackers.runtimes.graph import Graph, quiet
from inmo.whole_files import read_json, write_json

FILE, SETTINGS = "graph.xml", "settings.json"
HINTS = {"fp32": "f32", "tf32": "f32", "bf16": "bf16"}
TRIED: tuple[Mapping[str, Any], ...] = (
    {},
    # Fusing attention goes wrong for some shapes (2026.4: as many tokens as heads), without a word.
    {"SNIPPETS_MODE": "DISABLE"},
)
"""Settings to compute with: the first that gives PyTorch's outputs."""


class OpenVINO:
    """See ``base.Runtime``."""

    facts = Facts("openvino", ("openvino",), "cpu", tuple(HINTS))

    def write(self, graph: Graph, folder: Path) -> None:
        write_openvino(graph, folder / FILE)
        write_json(folder / SETTINGS, settings_for(graph, folder / FILE))

    def load(self, folder: Path, graph_names: tuple[str, ...], precision: str, threads: int) -> Call:
        return _loaded(folder / FILE, graph_names, precision, threads, read_json(folder / SETTINGS))


def write_openvino(graph: Graph, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """``path`` and, beside it, the weights in a file with the suffix ``.bin``.

    Args:
        path: FILE.xml
        metadata: written into the model's own, below ``inmo``.
    """
    import openvino

    model = _converted(graph)
    for key, value in (metadata or {}).items():
        model.set_rt_info(value, ["inmo", key])
    openvino.save_model(model, path, compress_to_fp16=False)


def settings_for(graph: Graph, path: Path) -> Mapping[str, Any]:
    """Those of ``TRIED`` with which the written graph gives PyTorch's outputs; the last where none does."""
    for settings in TRIED[:-1]:
        if error_of(_loaded(path, graph.inputs, "fp32", torch.get_num_threads(), settings), graph) <= TOLERANCE:
            return settings
    return TRIED[-1]


def _loaded(path: Path, names: tuple[str, ...], precision: str, threads: int, settings: Mapping[str, Any]) -> Call:
    own = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # several processes would be bound to the same cores
    }
    core = _core()
    request = core.compile_model(core.read_model(path), "CPU", {**own, **settings}).create_infer_request()

    def call(tensors: Sequence[Tensor]) -> list[Tensor]:
        given = dict(zip(names, (tensor.numpy() for tensor in tensors), strict=True))
        found = request.infer(given, share_inputs=True, share_outputs=False)
        return [torch.from_numpy(array) for array in found.values()]

    return call


def _converted(graph: Graph) -> Any:
    """The graph as an ``openvino.Model`` whose inputs and outputs have its names."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder

    # What openvino.convert_model does, which also tells its makers that it was used.
    program = graph.exported()
    with quiet():
        decoder = TorchFXPythonDecoder.from_exported_program(program)
        front = FrontEndManager().load_by_framework("pytorch")
        model = front.convert(front.load(decoder))
    model.reshape({port: list(given.shape) for port, given in zip(model.inputs, graph.examples, strict=True)})
    for ports, names in ((model.inputs, graph.inputs), (model.outputs, graph.outputs)):
        for port, name in zip(ports, names, strict=True):
            port.get_tensor().set_names({name})
    return model


@cache
def _core() -> Any:
    import openvino

    return openvino.Core()


OPENVINO = OpenVINO()
