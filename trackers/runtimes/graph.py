"""A call of a network as a graph of tensors: what the template's features hold besides tensors is part of the graph."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree


def tensors_of(features: Any) -> list[Tensor]:
    """The tensors of a template's features in their order, in float32 and contiguous."""
    return [leaf.float().contiguous() for leaf in pytree.tree_leaves(features) if isinstance(leaf, Tensor)]


def names_of(features: Any) -> tuple[str, ...]:
    """A name for each of ``tensors_of``: ``memories_0_key`` for ``features.memories[0].key``."""
    leaves, _ = pytree.tree_flatten_with_path(features)
    words = (re.sub(r"\W+", "_", pytree.keystr(path)).strip("_") for path, leaf in leaves if isinstance(leaf, Tensor))
    return tuple(words)


@dataclass(frozen=True)
class Graph:
    """Something to compute, with inputs of the one size it is made for.

    Attributes:
        module: tensors to a tuple of tensors.
        examples: its inputs.
        inputs, outputs: their names.
    """

    module: nn.Module
    examples: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def exported(self) -> ExportedProgram:
        """By torch.export."""
        with torch.no_grad():
            # Masks and encodings that the network keeps must be real tensors by the time it is traced.
            self.module(*self.examples)
            with quiet():
                return torch.export.export(self.module, self.examples)


def random_images(network: Any, batch: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Images of template and search region in a network's sizes, the same every time, to trace it with."""
    generator = torch.Generator().manual_seed(0)
    sides = network.template_size, network.search_size
    template, search = (torch.randn(batch, 3, side, side, generator=generator).to(device) for side in sides)
    return template, search


def search_graph(network: Any, images: Tensor, features: Any) -> Graph:
    """``search`` of a network for batches of this size; its inputs are the images and the tensors of the features."""
    leaves, spec = pytree.tree_flatten(features)
    held = [() if isinstance(leaf, Tensor) else (leaf,) for leaf in leaves]

    def search(given: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        left = iter(tensors)
        found = [one[0] if one else next(left) for one in held]
        outputs: tuple[Tensor, ...] = network.search(given, pytree.tree_unflatten(found, spec))
        return outputs

    # Tensors that were made in inference mode cannot be traced.
    examples = tuple(tensor.clone() for tensor in (images, *tensors_of(features)))
    with torch.no_grad():
        outputs = search(*examples)
    return Graph(Traced(network, search), examples, ("images", *names_of(features)), names_of(outputs))


def template_graph(network: Any, images: Tensor, *more: Tensor) -> Graph:
    """``template`` of a network for batches of this size; its outputs are the tensors of the features.

    Args:
        network, images: see ``search_graph``.
        more: the targets' sizes, of a network that is told.
    """

    def template(*given: Tensor) -> tuple[Tensor, ...]:
        return tuple(tensors_of(network.template(*given)))

    with torch.no_grad():
        features = network.template(images, *more)
    return Graph(Traced(network, template), (images, *more), ("images", "sizes")[: 1 + len(more)], names_of(features))


@contextmanager
def quiet() -> Iterator[None]:
    """Without what converters say of themselves: operations that they looked for, packages that they would like."""
    before, handlers = logging.root.manager.disable, [*logging.root.handlers]
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        logging.root.handlers[:] = handlers  # of which logging.warning makes one, even when it says nothing


class Traced(nn.Module):
    """A function of a network's as a module that has the network's parameters."""

    def __init__(self, network: nn.Module, function: Callable[..., tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network, self.function = network, function

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.function(*tensors))
