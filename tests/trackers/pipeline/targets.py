"""Targets for tests of post-processing, in float64 on the processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from inmo.trackers.pipeline.postprocess import Targets


def exact(values: Any) -> Tensor:
    """A float64 tensor of numbers."""
    return torch.as_tensor(np.asarray(values, np.float64))


def targets(batch: int = 1, **changes: Any) -> Targets:
    """``batch`` targets of 40 x 20 pixels at (100, 80) in 320 x 240, whose search region has 200 pixels; numbers that
    are given once hold for all of them."""
    given = {
        "centre": [100.0, 80.0], "size": [40.0, 20.0], "limits": [320.0, 240.0], "first": [40.0, 20.0],
        "template_scale": 1.0, "side": 200.0, "penalty_k": 0.0, "lr": 1.0, "window_influence": 0.0, **changes,
    }  # fmt: skip
    width = {"centre": (2,), "size": (2,), "limits": (2,), "first": (2,)}
    shaped = {k: np.broadcast_to(np.asarray(v, np.float64), (batch, *width.get(k, ()))) for k, v in given.items()}
    return Targets(**{name: exact(values.copy()) for name, values in shaped.items()})
