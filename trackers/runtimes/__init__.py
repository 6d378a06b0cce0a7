"""What may compute a network's search in place of PyTorch: one file and one row each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RUNTIMES: Mapping[str, str] = MappingProxyType(
    {
        "openvino": "inmo.trackers.runtimes.openvino:OPENVINO",
        "onnxruntime": "inmo.trackers.runtimes.onnxruntime:ONNXRUNTIME",
        "tensorrt": "inmo.trackers.runtimes.tensorrt:TENSORRT",
    }
)
"""Name on the command line -> ``module:attribute``."""
