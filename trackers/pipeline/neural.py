"""Neural trackers: one ``Tracker`` for all of them. A family brings a network and a ``Recipe``; both are stateless.

What a tracker remembers is a ``State`` whose arrays and tensors have a leading batch axis, so that B targets run in
lock-step and lanes can be taken out or joined.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from inmo.boxes import Boxes, cxcywh_to_xywh, xywh_to_cxcywh
from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import Step
from inmo.trackers.pipeline.caution import REFRESH, Past
from inmo.trackers.pipeline.config import NeuralConfig
from inmo.trackers.pipeline.crop import Floats, Geometry, crop_into, mean_colour
from inmo.trackers.pipeline.online import Online, begin, cells_of, learn, likeness
from inmo.trackers.pipeline.postprocess import Located, Targets
from inmo.trackers.pipeline.shipped import architecture
from inmo.trackers.runtimes.base import runtime
from inmo.trackers.runtimes.search import RuntimeSearch

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""What ``precision`` may be besides fp32."""


@dataclass(frozen=True)
class State:
    """What is remembered of B targets.

    Attributes:
        features: what the network's ``template`` gave, as a tuple of one; of two where there is a second template. Each
            is a pair, of the image and its mirror image, where both are looked at.
        centre, size: (B, 2) float64 x, y and w, h in pixels of the frame, counted from 0.
        fill: (B, 3) uint8, the mean colour of the first frame, outside which crops are filled with it.
        limits: (B, 2) float64 width and height of the first frame.
        template_scale: (B,) float64 template size in pixels over the side of the template's crop.
        first: (B, 2) float64 w, h in the first frame.
        constants: (B, 3) float64 penalty_k, lr, window_influence; targets may differ, as in a sweep.
        past: how they moved and were found.
        online: what was learnt of them, where that is asked for.
    """

    features: tuple[Any, ...]
    centre: Floats
    size: Floats
    fill: NDArray[np.uint8]
    limits: Floats
    template_scale: Floats
    first: Floats
    constants: Floats
    past: Past
    online: Online | None = None

    def take(self, lanes: Sequence[int]) -> State:
        """The state of some of the targets, in this order."""
        lanes = list(lanes)

        def some(part: Any) -> Any:
            return part[lanes] if isinstance(part, Tensor | np.ndarray) else part

        return State(*(pytree.tree_map(some, getattr(self, item.name)) for item in fields(State)))

    @staticmethod
    def join(states: Sequence[State]) -> State:
        """One state of all the targets of several."""

        def joined(*parts: Any) -> Any:
            if isinstance(parts[0], Tensor):
                return torch.cat(parts)
            return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else parts[0]

        values = ((getattr(state, item.name) for state in states) for item in fields(State))
        return State(*(pytree.tree_map(joined, *own) for own in values))


@dataclass(frozen=True)
class Recipe:
    """The test-time pipeline of a family around its network.

    Attributes:
        geometry: how template and search region are cut.
        normalise: (B, 3, S, S) float32 BGR 0..255 to the network's input.
        constants: penalty_k, lr, window_influence that targets start with.
        locate: (the network's outputs, the targets of the frame before) to the new place, all on the device.
        clamp_output: whether x and y of the reported boxes are kept at 0 or above (SOTS does).
        anchored: whether ``template`` is also told the targets' w, h (B, 2) as fractions of the crop's side.
        mirrored: the outputs for mirror images as outputs for the images themselves; None where that cannot be said.
        weighed: (outputs, (B, L) factors) to outputs whose foreground probabilities are multiplied by them; None where
            that cannot be done. Where it can, the network's last output is its map (B, C, S, S) if the config has
            ``online``.
    """

    geometry: Geometry
    normalise: Callable[[Tensor], Tensor]
    locate: Callable[[tuple[Tensor, ...], Targets], Located]
    constants: tuple[float, float, float]
    clamp_output: bool = False
    anchored: bool = False
    mirrored: Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]] | None = None
    weighed: Callable[[tuple[Tensor, ...], Tensor], tuple[Tensor, ...]] | None = None


class NeuralTracker:
    """A network and its recipe on one device.

    Args:
        network: put on ``device`` and in evaluation mode. Its ``template`` takes images (B, 3, Z, Z) to a tuple (nested
            if need be) of tensors with a leading batch axis, all that depends on the template alone; its ``search``
            images (B, 3, X, X) and these features of B templates to the heads' outputs, leading batch axis.
        recipe: the family's pipeline.
        device: ``auto`` (CUDA, else MPS, else CPU) or any name that torch knows.
        config: what the network was built from. Its ``precision`` is ``fp32`` (TF32 off), ``tf32`` (CUDA's matrix
            products and convolutions in it; elsewhere as fp32), ``bf16`` or ``fp16`` (autocast); with ``compile`` both
            calls of the network go through torch.compile; with another ``runtime`` than torch that computes ``search``.

    Raises:
        UserError: a device that cannot be used, fp16 on a processor, a runtime that is not installed or cannot do this,
            or a mirror, or online learning, for a network whose outputs cannot be turned, or weighed.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, device: str, config: NeuralConfig[Any]) -> None:
        other = None if config.runtime == "torch" else runtime(config.runtime)
        self.device = resolve_device(other.facts.device if other and device == "auto" else device)
        if config.precision == "fp16" and self.device.type == "cpu":
            raise UserError("fp16 is for GPUs, a processor takes many times as long as for fp32: use --precision bf16")
        if config.mirror and recipe.mirrored is None:
            raise UserError("mirror is for trackers with a box in every cell, SiamCAR's head has none: leave it out")
        if config.caution.online and recipe.weighed is None:
            raise UserError("online is for trackers with one map of the search region, SiamCAR has three: leave it out")
        self.network = network.to(self.device).eval()
        self.recipe = recipe
        self.caution = config.caution
        self.precision = config.precision
        self.prepare: Callable[[int], None] = lambda batch: None
        self._template: Callable[..., Any] = network.template  # type: ignore[assignment]
        self._search: Callable[..., Any] = network.search  # type: ignore[assignment]
        if other:
            other.facts.demand(self.device.type, config.precision)
            settings = {"architecture": architecture(config), "attention": getattr(config, "attention", "")}
            if config.caution.online:
                settings["maps"] = True
            self._search = search = RuntimeSearch(other, self.network, settings, config.precision)
            self.prepare = search.prepare
        if config.compile:
            # What is kept by lru_cache depends on its arguments alone, which is what this warning cannot know.
            warnings.filterwarnings("ignore", message="Dynamo detected a call to a `functools.lru_cache`")
            options: dict[str, Any] = {}
            if self.device.type == "cuda":
                options["triton.cudagraphs"] = True  # the whole call of the search, which sees one shape, is one graph
            elif self.device.type == "cpu":
                # Packs weights for the processor. Set for good, not as an option of the call: only so does tracing
                # tell the parameters of one network from those of the next.
                torch._inductor.config.freezing = True
            self._template = torch.compile(self._template, dynamic=False)
            self._search = torch.compile(self._search, dynamic=False, options=options or None)

    def init(self, frames: list[Frame], boxes: Boxes) -> State:
        """Start B targets. Raises UserError for a box that is not finite or not larger than zero."""
        places = xywh_to_cxcywh(np.asarray(boxes, np.float64).reshape(-1, 4))
        for place, box in zip(places, boxes, strict=True):
            if not np.isfinite(place).all() or (place[2:] <= 0).any():
                raise UserError(f"cannot start from box {np.asarray(box).tolist()}: a first box needs a size above 0")
        centre, size = places[:, :2], places[:, 2:]
        fill = np.stack([mean_colour(frame) for frame in frames])
        features = self._features(frames, centre, size, fill)
        limits = np.array([frame.shape[1::-1] for frame in frames], dtype=np.float64)
        scale = self.recipe.geometry.template_size / self.recipe.geometry.template_side(size)
        constants = np.tile(np.array(self.recipe.constants), (len(frames), 1))
        both = (features, features) if self.caution.sure else (features,)
        state = State(both, centre, size, fill, limits, scale, size, constants, Past.none(len(frames)))
        return replace(state, online=self._begin(frames, state)) if self.caution.online else state

    def step(self, frames: list[Frame], state: State) -> Step:
        """Find the B targets in their next frames.

        Raises UserError when the network's outputs are not finite, naming the output, and for a tracker without a score
        whose config wants one.
        """
        start = time.perf_counter()
        middle, side = self.region(state)
        images = self._images(frames, middle, side, self.recipe.geometry.search_size, state.fill)
        targets = self._targets(state, middle, side)
        cropped = time.perf_counter()
        with torch.inference_mode():
            began = self._mark()
            seen: list[tuple[Tensor, ...]] = []
            for features in state.features:
                outputs = self.search(images, features)
                seen.append(tuple(output.to(targets.side.dtype) for output in outputs))
            ended = self._mark()
            exact = seen[0] if len(seen) == 1 else tuple(torch.stack(same).mean(0) for same in zip(*seen, strict=True))
            place, online = self._locate(exact, targets, state.online)
            finite = [output.isfinite().flatten(1).all(1, keepdim=True) for output in exact]
            # All that leaves the device leaves it here, in one transfer.
            found = torch.cat([place.centre, place.size, place.score[:, None], *finite], dim=1).cpu().double().numpy()
        network = seconds_between(began, ended)
        _demand_finite(found[:, 5:] == 1.0, outputs)
        now = replace(self._moved(frames, state, found), online=online)
        boxes = cxcywh_to_xywh(np.concatenate([now.centre, now.size], axis=1))
        if self.recipe.clamp_output:
            boxes[:, :2] = np.maximum(boxes[:, :2], 0.0)
        post = time.perf_counter() - cropped - network
        return Step(boxes, found[:, 4], now, {"pre": cropped - start, "network": network, "post": post})

    def region(self, state: State) -> tuple[Floats, Floats]:
        """Centres (B, 2) x, y and sides (B,) of the next search regions in pixels of the frame."""
        return self.caution.region(state.centre, self.recipe.geometry.search_side(state.size), state.past)

    def search(self, images: Tensor, features: Any) -> tuple[Tensor, ...]:
        """The network's outputs for B normalised search regions and the features of B templates, on the device.

        With ``mirror`` the mean of what it says of the images and of their mirror images.
        """
        turn = self.recipe.mirrored if self.caution.mirror else None
        with torch.inference_mode(), self._arithmetic():
            if turn is None:
                outputs: tuple[Tensor, ...] = self._search(images, features)
                return outputs
            own, other = features
            # A copy: where the network is one CUDA graph, its next call writes over the outputs of this one.
            seen = tuple(output.clone() for output in self._search(images, own))
            outputs = self._search(images.flip(3), other)
            means = [(one + two) / 2 for one, two in zip(seen, turn(outputs), strict=True)]
            return outputs._make(means) if hasattr(outputs, "_make") else tuple(means)

    def regions(self, state: State) -> Boxes:
        """(B, 4) x, y, w, h of the squares in which the next step looks for the targets."""
        middle, side = self.region(state)
        return np.concatenate([middle - side[:, None] / 2, side[:, None], side[:, None]], axis=1)

    def variants(self, state: State, constants: Floats) -> State:
        """The state of one target as W targets that differ in penalty_k, lr and window_influence, (W, 3)."""
        lanes = state.take([0] * len(constants))
        return replace(lanes, constants=np.asarray(constants, np.float64))

    def _features(self, frames: list[Frame], centre: Floats, size: Floats, fill: NDArray[np.uint8]) -> Any:
        """What the network keeps of B templates, cut for targets at ``centre`` of ``size``."""
        side = self.recipe.geometry.template_side(size)
        images = self._images(frames, centre, side, self.recipe.geometry.template_size, fill)
        anchors = torch.from_numpy(size / side[:, None]).float().to(self.device)
        sizes = (anchors,) if self.recipe.anchored else ()
        with torch.inference_mode(), self._arithmetic():
            if not self.caution.mirror:
                return self._template(images, *sizes)
            return self._template(images, *sizes), self._template(images.flip(3), *sizes)

    def _begin(self, frames: list[Frame], state: State) -> Online:
        """What is learnt of B targets in their first frames."""
        middle, side = self.region(state)
        images = self._images(frames, middle, side, self.recipe.geometry.search_size, state.fill)
        targets = self._targets(state, middle, side)
        with torch.inference_mode():
            cells = cells_of(self.search(images, state.features[0])[-1], targets.side.dtype)
            return begin(cells, targets.size / targets.side[:, None])

    def _locate(
        self, outputs: tuple[Tensor, ...], targets: Targets, online: Online | None
    ) -> tuple[Located, Online | None]:
        """Where the targets are, and what is known of them then."""
        if online is None or self.recipe.weighed is None:
            return self.recipe.locate(outputs, targets), online
        *own, maps = outputs
        cells = cells_of(maps, targets.side.dtype)
        factor = likeness(online, cells) ** self.caution.online
        place = self.recipe.locate(self.recipe.weighed(tuple(own), factor), targets)
        side = targets.side[:, None]
        return place, learn(online, cells, (place.centre - targets.centre) / side + 0.5, place.size / side, place.score)

    def _moved(self, frames: list[Frame], state: State, found: Floats) -> State:
        """The state after a step that found (B, 5) centre, size and score."""
        centre, size = found[:, :2], found[:, 2:4]
        seen, sure = self.caution.judge(found[:, 4])
        if self.caution.hold_size:
            size = np.where(seen[:, None], size, state.size)
        past = self.caution.remember(state.past, centre - state.centre, seen)
        features, due = state.features, sure & (past.age >= REFRESH)
        if due.any():
            latest, mask = self._features(frames, centre, size, state.fill), torch.from_numpy(due).to(self.device)
            features = (features[0], pytree.tree_map(partial(_where, mask), latest, features[1]))
            past = past._replace(age=np.where(due, 0.0, past.age))
        return replace(state, features=features, centre=centre, size=size, past=past)

    def _images(self, frames: list[Frame], centre: Floats, side: Floats, size: int, fill: NDArray[np.uint8]) -> Tensor:
        # Page-locked for CUDA, which then fetches it while the processor goes on; PyTorch keeps and reuses such memory.
        pinned = self.device.type == "cuda"
        crops = torch.empty(len(frames), size, size, 3, dtype=torch.uint8, pin_memory=pinned)
        cuts, threads = list(zip(crops.numpy(), frames, centre, side, fill, strict=True)), torch.get_num_threads()
        if min(len(cuts), threads) > 1:
            list(_croppers(threads, os.getpid()).map(lambda cut: crop_into(*cut), cuts))
        else:
            for cut in cuts:
                crop_into(*cut)
        images = crops.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float()
        return self.recipe.normalise(images).contiguous()

    def _targets(self, state: State, middle: Floats, side: Floats) -> Targets:
        """What post-processing needs, on the device in one transfer. MPS has no float64."""
        one = (state.template_scale, side)
        columns = [middle, state.size, state.limits, state.first, state.constants, *(v[:, None] for v in one)]
        dtype = torch.float32 if self.device.type == "mps" else torch.float64
        packed = torch.from_numpy(np.concatenate(columns, axis=1)).to(dtype).to(self.device, non_blocking=True)
        centre, size, limits, first = (packed[:, i : i + 2] for i in range(0, 8, 2))
        penalty_k, lr, window_influence, template_scale, sides = packed[:, 8:].unbind(1)
        return Targets(centre, size, limits, first, template_scale, sides, penalty_k, lr, window_influence)

    def _arithmetic(self) -> torch.autocast:
        """What the network computes in; another tracker of this process may have another precision."""
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.precision == "tf32"
        dtype = HALF.get(self.precision, torch.bfloat16)
        return torch.autocast(self.device.type, dtype=dtype, enabled=self.precision in HALF)

    def _mark(self) -> Mark:
        """This moment in the device's own time."""
        if self.device.type == "cuda":
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            return event
        if self.device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()


def _where(mask: Tensor, new: Any, old: Any) -> Any:
    """``new`` where (B,) ``mask`` is true."""
    return torch.where(mask.view(-1, *[1] * (new.dim() - 1)), new, old) if isinstance(new, Tensor) else new


@cache
def _croppers(threads: int, process: int) -> ThreadPoolExecutor:
    """OpenCV uses one thread for a crop and lets the others run meanwhile. A fork has threads of its own to start."""
    del process
    return ThreadPoolExecutor(threads, thread_name_prefix="crop")


Mark = float | torch.cuda.Event


def seconds_between(began: Mark, ended: Mark) -> float:
    """From one ``NeuralTracker._mark`` to a later one; on CUDA both must have been reached."""
    if isinstance(began, float) or isinstance(ended, float):
        assert isinstance(began, float) and isinstance(ended, float)
        return ended - began
    return float(began.elapsed_time(ended)) / 1e3


def _demand_finite(finite: NDArray[np.bool_], outputs: tuple[Tensor, ...]) -> None:
    """``finite`` (B, outputs). Raises UserError for a False, naming the output."""
    if finite.all():
        return
    names = getattr(outputs, "_fields", [f"output {number}" for number in range(len(outputs))])
    broken = " and ".join(name for name, good in zip(names, finite.T, strict=True) if not good.all())
    raise UserError(
        f"the network's {broken} are not finite: its weights are damaged or were made for another config, or "
        "--precision is too coarse for them"
    )


def unchanged(images: Tensor) -> Tensor:
    """The images as they are: BGR 0..255."""
    return images


def normalise_rgb(images: Tensor) -> Tensor:
    """(B, 3, S, S) float32 BGR 0..255 to RGB, divided by 255, less ImageNet's mean, over its deviation."""
    mean, std = (torch.tensor(v, device=images.device).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return (images.flip(1) / 255.0 - mean) / std


def resolve_device(name: str) -> torch.device:
    """``auto`` or a torch device name. Raises UserError for one that is unknown or not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(
            f"device '{name}' cannot be used here ({str(error).splitlines()[0]}): try cpu or auto"
        ) from error
    return device
