"""``search`` of a network by a runtime: one graph for each number of targets in a batch."""

from __future__ import annotations

import logging
from collections import namedtuple
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inmo.errors import UserError
from inmo.trackers.base import file_sha256
from inmo.trackers.runtimes.base import TOLERANCE, Call, Runtime, error_of
from inmo.trackers.runtimes.graph import Graph, random_images, search_graph, tensors_of
from inmo.trackers.runtimes.kept import digest_of, kept, key_of
from inmo.whole_files import read_json, write_json

NAMES = "names.json"


class RuntimeSearch:
    """Takes the place of ``network.search``.

    Args:
        runtime: what computes.
        network: with its weights, in evaluation mode; it gives the graph and is not called otherwise.
        settings: that decide the graph besides weights and code.
        precision: of the arithmetic.

    Raises:
        UserError: when called, a network that the runtime cannot take, or a kept graph that is damaged.
    """

    def __init__(self, runtime: Runtime, network: Any, settings: Mapping[str, Any], precision: str) -> None:
        self._runtime, self._network, self._settings, self._precision = runtime, network, settings, precision
        self._calls: dict[int, tuple[Call, Any]] = {}

    def __call__(self, images: Tensor, features: Any) -> tuple[Tensor, ...]:
        self.prepare(len(images))
        call, outputs = self._calls[len(images)]
        found: tuple[Tensor, ...] = outputs(*call((images, *tensors_of(features))))
        return found

    def prepare(self, batch: int) -> None:
        """Make ready what so many targets need, which takes a while the first time."""
        if batch in self._calls:
            return
        facts = {**self._settings, **self._runtime.facts.versions(), "runtime": self._runtime.facts.name}
        # Where a step asks for it the network's autocast is on: the graph, which every precision shares, would have its
        # casts, and be compared with outputs that have them, too.
        with torch.autocast(next(self._network.parameters()).device.type, enabled=False):
            folder = kept(key_of(self._weights, {**facts, "batch": batch}), lambda folder: self._write(folder, batch))
        names = read_json(folder / NAMES)
        try:
            for file, digest in names["files"].items():
                if file_sha256(folder / file) != digest:
                    raise ValueError(f"{file} is not what was written")
            call = self._runtime.load(folder, tuple(names["inputs"]), self._precision, torch.get_num_threads())
        except MemoryError:
            raise
        except Exception as error:
            raise UserError(f"cannot use {folder} ({_first_line(error)}): delete it and run again") from error
        self._calls[batch] = call, namedtuple("Outputs", names["outputs"])

    @cached_property
    def _weights(self) -> str:
        return digest_of(self._network)

    def _write(self, folder: Path, batch: int) -> None:
        name = self._runtime.facts.name
        logging.getLogger(__name__).warning("making the graph for %s, once; it is kept in %s", name, folder.parent)
        graph = self._graph(batch)
        try:
            self._runtime.write(graph, folder)
            call = self._runtime.load(folder, graph.inputs, "fp32", torch.get_num_threads())
            if (off := error_of(call, graph)) > TOLERANCE:
                raise RuntimeError(f"its outputs are {off:.1g} off PyTorch's")
        except MemoryError:
            raise
        except Exception as error:
            raise UserError(f"{name} cannot take this network ({_first_line(error)}): leave --runtime out") from error
        files = {path.relative_to(folder).as_posix(): file_sha256(path) for path in folder.rglob("*") if path.is_file()}
        write_json(folder / NAMES, {"inputs": graph.inputs, "outputs": graph.outputs, "files": files})

    def _graph(self, batch: int) -> Graph:
        network = self._network
        template, images = random_images(network, batch, next(network.parameters()).device)
        with torch.no_grad():
            features = network.template(template)
        return search_graph(network, images, features)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
