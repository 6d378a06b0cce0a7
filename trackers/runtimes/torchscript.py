"""Graphs as TorchScript files, which libtorch reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from inmo.trackers.runtimes.graph import Graph, quiet

METADATA = "metadata.json"
"""Name of the extra file that holds the metadata."""


def write_torchscript(graph: Graph, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """One file with its weights; inputs and outputs are positions, named in ``metadata``."""
    module = graph.exported().module()  # of plain operations: traced by itself, a network would compute with its shapes
    with torch.no_grad(), quiet():
        traced = torch.jit.trace(module, graph.examples, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, path, _extra_files={METADATA: json.dumps(dict(metadata or {}))})
