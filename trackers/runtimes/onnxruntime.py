"""ONNX Runtime, on processors, in float32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from inmo.trackers.runtimes.base import Call, Facts
from inmo.trackers.runtimes.graph import Graph
from inmo.trackers.runtimes.onnx import write_onnx

FILE = "graph.onnx"


class OnnxRuntime:
    """See ``base.Runtime``."""

    facts = Facts("onnxruntime", ("onnxruntime", "onnx", "onnxscript"), "cpu", ("fp32", "tf32"))

    def write(self, graph: Graph, folder: Path) -> None:
        write_onnx(graph, folder / FILE)

    def load(self, folder: Path, graph_names: tuple[str, ...], precision: str, threads: int) -> Call:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(folder / FILE, options, providers=["CPUExecutionProvider"])

        def call(tensors: Sequence[Tensor]) -> list[Tensor]:
            given = dict(zip(graph_names, (tensor.numpy() for tensor in tensors), strict=True))
            return [torch.from_numpy(array) for array in session.run(None, given)]

        return call


ONNXRUNTIME = OnnxRuntime()
