"""What several commands can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Literal, get_args, get_type_hints

from tyro.conf import FlagCreatePairsOff, Positional, arg

from inmo.errors import UserError

Flag = Annotated[bool, FlagCreatePairsOff]
Names = tuple[str, ...]
Labels = Annotated[Names, arg(metavar="LABEL ...")]
Roots = Annotated[Names, arg(metavar="NAME=ROOT ...")]
Trackers = Annotated[Names, arg(metavar="NAME ...")]
Lanes = int | Literal["auto"]
POSITIONAL = get_args(Positional[int])[1]


@dataclass(frozen=True)
class NetworkOptions:
    """How a tracker's network is built."""

    weights: Annotated[Names, arg(metavar="[TRACKER=]FILE ...")] = ()
    """Checkpoint: safetensors or the authors' original file; with several trackers one each, transt=transt.pth."""
    interaction: Literal["paper", "released"] | None = None
    """The architecture as the paper defines it, or as the released code computes it."""
    preset: str | None = None
    """Size of the network, e.g. full or nano."""
    precision: Literal["fp32", "tf32", "bf16", "fp16"] | None = None
    """fp32 without TF32 is the reference; tf32 is CUDA's; bf16 and fp16 are autocast."""
    runtime: Literal["torch", "openvino", "onnxruntime", "tensorrt"] | None = None
    """What computes the search: torch, or one that an extra installs; its graph is made once and kept."""
    compile: Flag = False
    """Run the network through torch.compile."""
    python: str | None = None
    """Interpreter of external trackers (python:, pytracking:, pysot:), or folder of a virtual environment."""
    set: Names = ()
    """Any other setting of the tracker, as name=value; may be given several times."""
    tuned: Annotated[Names, arg(metavar="FILE ...")] = ()
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


def of_several(kind: type) -> set[str]:
    """The options that take any number of values, ``--protocol``, those of the groups within a command too."""
    found, marked = set(), get_type_hints(kind, include_extras=True)
    for name, hint in get_type_hints(kind).items():
        if POSITIONAL in getattr(marked[name], "__metadata__", ()):  # said without its name
            continue
        if is_dataclass(hint):
            found |= of_several(hint)  # type: ignore[arg-type]
        elif get_args(hint)[-1:] == (Ellipsis,):
            found.add("--" + name.replace("_", "-"))
    return found


def together(kind: type, words: Sequence[str]) -> list[str]:
    """A command's words with the values of an option that was given several times behind its first mention.

    Tyro takes an option's values either behind it or behind its repetitions, never both.

    Raises UserError for an option of several values that was given none.
    """
    values: dict[str, list[str]] = {name: [] for name in of_several(kind)}
    kept: list[str] = []
    name = ""
    for word in words:
        if re.match(r"--?[A-Za-z]", word) or word == "--":
            option, given, value = word.partition("=")
            name = option.replace("_", "-")
            if name not in values:
                kept.append(word)
                continue
            if name not in kept:
                kept.append(name)
            if given:
                values[name].append(value)
        elif name in values:
            values[name].append(word)
        else:
            kept.append(word)
    for option in kept:
        if option in values and not values[option]:
            raise UserError(f"{option} was given no value: say at least one, or leave it out")
    return [part for word in kept for part in (word, *values.get(word, ()))]
