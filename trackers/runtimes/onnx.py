"""Graphs as ONNX files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from inmo.trackers.runtimes.graph import Graph, quiet

OPSET = 20


def write_onnx(graph: Graph, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """One file with its weights; inputs and outputs have the graph's names.

    Args:
        metadata: written into the file's own.

    Raises:
        RuntimeError: an operation that ONNX does not know.
    """
    program = graph.exported()
    with quiet(), torch.no_grad():  # with gradients attention is taken apart in a way that ends in an impossible view
        written = torch.onnx.export(
            program,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert written is not None
    written.model.metadata_props.update(metadata or {})
    written.save(path, external_data=False)
