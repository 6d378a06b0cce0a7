"""What the network's time goes to, by operation: PyTorch's own profiler on the scope ``network``."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity

from inmo.harness.bench.cases import Case
from inmo.harness.bench.scopes import network_rounds

STEPS, ROWS = 5, 15


def profile(case: Case, device: str) -> str:
    """The costliest operations as text. Raises UserError for a tracker without a network or an unusable device."""
    tracker = case.build(device)
    work = network_rounds(case, tracker, [], STEPS)
    work()
    cuda = tracker.device.type == "cuda"  # type: ignore[attr-defined]
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with torch.profiler.profile(activities=activities) as found:
        work()
    by = "self_cuda_time_total" if cuda else "self_cpu_time_total"
    table = found.key_averages().table(sort_by=by, row_limit=ROWS, max_name_column_width=45)
    lanes = f"{case.lanes} lane{'s' if case.lanes > 1 else ''}"
    return f"{case.setup.spec.title}, {lanes} {case.label}: {STEPS} steps of the network by operation\n{table}"
