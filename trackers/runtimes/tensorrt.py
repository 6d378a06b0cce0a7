"""TensorRT, on NVIDIA's GPUs. Written by its manual and not yet run on a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from inmo.trackers.runtimes.base import Call, Facts
from inmo.trackers.runtimes.graph import Graph
from inmo.trackers.runtimes.onnx import write_onnx

FILE = "graph.onnx"
FLAGS = {"fp32": (), "tf32": ("TF32",), "bf16": ("TF32", "BF16"), "fp16": ("TF32", "FP16")}


class TensorRT:
    """See ``base.Runtime``. An engine is built for the GPU at hand each time a process starts."""

    facts = Facts("tensorrt", ("tensorrt", "onnx", "onnxscript"), "cuda", tuple(FLAGS))

    def write(self, graph: Graph, folder: Path) -> None:
        write_onnx(graph, folder / FILE)

    def load(self, folder: Path, graph_names: tuple[str, ...], precision: str, threads: int) -> Call:
        import tensorrt

        logger = tensorrt.Logger(tensorrt.Logger.ERROR)
        builder = tensorrt.Builder(logger)
        network = builder.create_network(0)
        parser = tensorrt.OnnxParser(network, logger)
        if not parser.parse_from_file(str(folder / FILE)):
            raise RuntimeError(str(parser.get_error(0)))
        config = builder.create_builder_config()
        config.clear_flag(tensorrt.BuilderFlag.TF32)  # on by default
        for flag in FLAGS[precision]:
            config.set_flag(getattr(tensorrt.BuilderFlag, flag))
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise RuntimeError("TensorRT built no engine")
        engine = tensorrt.Runtime(logger).deserialize_cuda_engine(plan)
        context = engine.create_execution_context()
        every = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        outputs = [name for name in every if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.OUTPUT]

        def call(tensors: Sequence[Tensor]) -> list[Tensor]:
            device = tensors[0].device
            found = [torch.empty(tuple(engine.get_tensor_shape(name)), device=device) for name in outputs]
            for name, tensor in zip((*graph_names, *outputs), (*tensors, *found), strict=True):
                context.set_tensor_address(name, tensor.data_ptr())
            context.execute_async_v3(torch.cuda.current_stream(device).cuda_stream)
            return found

        return call


TENSORRT = TensorRT()
