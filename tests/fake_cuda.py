"""A CUDA device that is not there: tensors that know shape, type and device, and refuse to meet those of another.

What needs no GPU to be found is found so: a tensor made on the wrong device, in ``init``, ``step`` or a training step.
Kernels, their results and their speed are for ``tools.gpu_check``. There are no gradients: PyTorch's autograd asks the
driver for the device's queue. It follows each tensor's own device, so that it has nothing to mix up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode

from inmo.trackers.networks import gim, layers, swin
from inmo.trackers.pipeline import postprocess, postprocess_car

CPU = torch.device("cpu")
KEPT = (
    gim.padding_masks,
    layers.sine_encoding,
    swin.shift_mask,
    postprocess.hanning_window,
    postprocess_car.upsampling,
)
"""What keeps tensors between calls, by device: fake ones must not outlive the pretence, nor real ones enter it."""


class Answers(TorchFunctionMode):
    """Does what fake tensors cannot: says what their values are (one, and of every mask one hit), and indexes them,
    for which a PyTorch without CUDA would ask the driver."""

    def __init__(self, mode: FakeTensorMode) -> None:
        super().__init__()
        self.mode = mode
        self.answers: Mapping[Any, Callable[..., Any]] = {
            Tensor.numpy: _numpy,
            Tensor.item: lambda tensor: 1.0,
            Tensor.__float__: lambda tensor: 1.0,
            Tensor.__bool__: lambda tensor: True,
            Tensor.tolist: lambda tensor: np.ones(tuple(tensor.shape)).tolist(),
            Tensor.__deepcopy__: _copied,
            Tensor.__invert__: torch.bitwise_not,
            Tensor.__getitem__: _chosen,
            Tensor.__setitem__: _put,
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = {word: value for word, value in (kwargs or {}).items() if word != "pin_memory"}
        if func is torch.from_numpy:
            return self.mode.from_tensor(func(*args))
        if func in self.answers and isinstance(args[0], FakeTensor):
            return self.answers[func](*args, **kwargs)
        return func(*args, **kwargs)


def _numpy(tensor: Tensor) -> Any:
    if tensor.device != CPU:
        raise TypeError(f"can't convert {tensor.device} device type tensor to numpy. Use Tensor.cpu() first")
    return np.ones(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


def _chosen(tensor: Tensor, index: Any) -> Tensor:
    """``tensor[index]``, of the shape that NumPy gives it."""
    plain: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        if not isinstance(part, Tensor):
            plain.append(part)
            continue
        if part.device not in (tensor.device, CPU):
            raise RuntimeError(f"indices should be on cpu or on {tensor.device}, not on {part.device}")
        one_hit = part.dtype == torch.bool
        plain += [np.zeros(1, int)] * part.dim() if one_hit else [np.zeros(tuple(part.shape), int)]
    shape = np.broadcast_to(np.int8(0), tuple(tensor.shape))[tuple(plain)].shape
    return tensor.new_empty(shape)


def _put(tensor: Tensor, index: Any, value: Any) -> None:
    """``tensor[index] = value``."""
    place = _chosen(tensor, index)
    if isinstance(value, Tensor):
        place.add(value)


def _copied(tensor: Tensor, memo: dict[int, Any]) -> Tensor:
    copy = tensor.detach().clone()
    memo[id(tensor)] = nn.Parameter(copy, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else copy
    found: Tensor = memo[id(tensor)]
    return found


class Event:
    """A moment of a device without time."""

    def __init__(self, enable_timing: bool) -> None:
        pass

    def record(self) -> None:
        pass

    def elapsed_time(self, other: Event) -> float:
        return 1.0


@contextmanager
def fake_cuda() -> Iterator[torch.device]:
    """Inside, what is computed is fake and ``cuda:0``, which is given, is there. What was made before is real and on
    the processor until it is moved; the modules that were moved stay fake."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(torch.cuda, "Event", Event)
        # PyTorch's own decompositions of operations call these, too, where no ``Answers`` hear of it.
        patch.setattr(Tensor, "contiguous", lambda tensor, **words: torch.clone(tensor, **words))
        patch.setattr(Tensor, "copy_", lambda tensor, other, **_: tensor)
        # Draws until no value lies outside the bounds, which fake ones always do.
        patch.setattr("torch.nn.init._no_grad_trunc_normal_", lambda tensor, *_, **__: tensor)
        # Moving a module swaps its tensors, which PyTorch refuses while anything, here its own books, refers to them.
        patch.setattr("torch.utils.weakref.getweakrefs", lambda tensor: [])
        for keep in KEPT:
            keep.cache_clear()
            stack.callback(keep.cache_clear)
        mode = stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        stack.enter_context(Answers(mode))
        stack.enter_context(torch.no_grad())
        yield torch.device("cuda:0")
