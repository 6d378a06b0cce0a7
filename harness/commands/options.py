"""What several commands can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro
from tyro.conf import UseAppendAction, arg

Names = tuple[str, ...]
Repeated = UseAppendAction[Names]
Lanes = int | Literal["auto"]


@dataclass(frozen=True)
class NetworkOptions:
    """How a tracker's network is built."""

    weights: Annotated[Repeated, arg(metavar="[TRACKER=]FILE")] = ()
    """Checkpoint: safetensors or the authors' original file; with several trackers one each, transt=transt.pth."""
    interaction: Literal["paper", "released"] | None = None
    """The architecture as the paper defines it, or as the released code computes it."""
    preset: str | None = None
    """Size of the network, e.g. full or nano."""
    precision: Literal["fp32", "tf32", "bf16", "fp16"] | None = None
    """fp32 without TF32 is the reference; tf32 is CUDA's; bf16 and fp16 are autocast."""
    compile: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run the network through torch.compile."""
    python: str | None = None
    """Interpreter of external trackers (python:, pytracking:, pysot:), or folder of a virtual environment."""
    set: UseAppendAction[Names] = ()
    """Any other setting of the tracker, as name=value; may be given several times."""
    tuned: Annotated[Repeated, arg(metavar="FILE")] = ()
    """File that `tune` wrote: its constants are used, and reports say what they were tuned on. One per tracker."""


@dataclass(frozen=True)
class ClusterOptions:
    """Where the jobs run: docs/cluster.md."""

    backend: Literal["processes", "dask"] = "processes"
    """processes: --jobs of them on this machine; dask: a scheduler's workers, or without one, --jobs on this host."""
    scheduler: str | None = None
    """Address of a dask scheduler (tcp://HOST:8786), or the FILE.json that it wrote."""
    gpus_per_host: int = 0
    """Without --scheduler: start one worker for each of so many GPUs of this host, in place of --jobs."""
    shared_store: bool = True
    """Workers write into the store; without a disk that they share, results come back to this command."""
