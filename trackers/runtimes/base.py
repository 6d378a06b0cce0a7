"""What a runtime is: it writes a graph down as files once, and computes with them from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from inmo.errors import UserError
from inmo.registry import resolve
from inmo.trackers.runtimes import RUNTIMES
from inmo.trackers.runtimes.graph import Graph

Call = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""The graph's inputs (float32, contiguous, on the runtime's device) to its outputs, which the caller may keep."""


TOLERANCE = 1e-3
"""Of ``error_of``: rounding is a hundredth of it, a wrong transformation of a graph a hundred times as much."""


@dataclass(frozen=True)
class Facts:
    """What is known of a runtime by name.

    Attributes:
        name: on the command line, and of the extra that installs it.
        packages: that must be there, by the names they are imported and distributed under.
        device: kind of the device it computes on.
        precisions: that it knows.
    """

    name: str
    packages: tuple[str, ...]
    device: str
    precisions: tuple[str, ...]

    def demand(self, device: str, precision: str) -> None:
        """Raises UserError for a package that is missing, another device, or a precision that it does not know."""
        for package in self.packages:
            if find_spec(package) is None:
                raise UserError(
                    f"{self.name} needs the package {package}, which is not installed: "
                    f"pip install -c constraints.txt -e '.[{self.name}]', or do without"
                )
        if device != self.device:
            raise UserError(
                f"--runtime {self.name} computes on {self.device} alone, not on {device}: leave it out there"
            )
        if precision not in self.precisions:
            raise UserError(
                f"--runtime {self.name} knows no {precision}, only {', '.join(self.precisions)}: choose another of both"
            )

    def versions(self) -> Mapping[str, str]:
        """Of the packages."""
        return {package: metadata.version(package) for package in self.packages}


def error_of(call: Call, graph: Graph) -> float:
    """The largest difference from PyTorch's outputs for the graph's examples, as a share of each output's largest."""
    with torch.no_grad():
        wanted = graph.module(*graph.examples)
    pairs = zip(call(graph.examples), wanted, strict=True)
    return max(float((found - right).abs().max() / right.abs().max().clamp(min=1.0)) for found, right in pairs)


class Runtime(Protocol):
    """A way to compute a graph."""

    @property
    def facts(self) -> Facts: ...

    def write(self, graph: Graph, folder: Path) -> None:
        """Write what ``load`` needs into a folder that is there and empty."""
        ...

    def load(self, folder: Path, graph_names: tuple[str, ...], precision: str, threads: int) -> Call:
        """What was written, ready to compute.

        Args:
            graph_names: of the graph's inputs, in the order in which they are given.
            precision: of the arithmetic; what goes in and comes out stays float32.
            threads: of a processor.
        """
        ...


def runtime(name: str) -> Runtime:
    """The runtime of a name. Raises UserError with a did-you-mean for a name that has none."""
    found: Runtime = resolve(RUNTIMES, name, "runtime")
    return found
