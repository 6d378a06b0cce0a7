"""What the configs of all neural trackers share, and what their presets stand for.

A config's None stands for what its preset says. ``NeuralConfig.sizes`` gives the row of the preset with the config's
own values in it, a frozen record without any None, from which networks and pipelines are built;
``NeuralConfig.filled`` is the config with these values written down, which is what enters the hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from inmo.datasets import family
from inmo.errors import UserError, unknown_name
from inmo.trackers.pipeline.caution import Caution
from inmo.trackers.pipeline.crop import Geometry
from inmo.trackers.runtimes import RUNTIMES

FALLBACK = "lasot"


class Tuning(NamedTuple):
    """Test-time constants.

    Attributes:
        penalty_k: strength of the scale and ratio change penalty; 0 switches it off.
        lr: learning rate of the size's linear smoothing, 1 = no smoothing.
        window_influence: weight of the Hanning window, 0..1.
    """

    penalty_k: float
    lr: float
    window_influence: float


Constants = Mapping[str, Tuning]
"""Benchmark -> the constants tuned for it; always with ``FALLBACK``."""


def everywhere(penalty_k: float, lr: float, window_influence: float) -> Constants:
    """The same constants for every benchmark."""
    return MappingProxyType({FALLBACK: Tuning(penalty_k, lr, window_influence)})


def constants_for(sets: Constants, dataset: str) -> Tuning:
    """The set of a benchmark.

    ``mini-<name>`` takes the set of ``<name>``, ``uav123_10fps`` that of ``uav123``; a dataset without a set of its
    own, ``folder`` included, takes LaSOT's.
    """
    return sets.get(family(dataset), sets[FALLBACK])


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """A row of a family's presets. A field that the config has too is what the config's None stands for there.

    Attributes:
        template_size, search_size: sides of the network's inputs in pixels.
        crops: (template size, search size) -> how crops are cut, see ``pipeline.crop``.
        constants: test-time constants per benchmark.
        online: see ``Caution``.
    """

    template_size: int
    search_size: int
    crops: Callable[[int, int], Geometry]
    constants: Constants
    online: float = 0.0

    @property
    def geometry(self) -> Geometry:
        return self.crops(self.template_size, self.search_size)


S = TypeVar("S", bound=Sizes)


def choice(*allowed: str, **metadata: Any) -> Any:
    """A config's field that takes one of some words, the first by default."""
    return field(default=allowed[0], metadata={"allowed": allowed, **metadata})


def one_of(name: str, value: str, *allowed: str) -> None:
    """Raises UserError with a did-you-mean unless ``value`` is allowed for the setting ``name``."""
    if value not in allowed:
        raise unknown_name(name, value, allowed)


@dataclass(frozen=True, kw_only=True)
class NeuralConfig(Generic[S]):
    """What every neural tracker's config has. A family adds its own fields and names its ``PRESETS``.

    Values that cannot be are a UserError at construction.

    Attributes:
        preset: a row of ``PRESETS``, or the first word of several.
        precision: see ``pipeline.neural.NeuralTracker``.
        runtime: what computes ``search``, see ``trackers.runtimes``; the template stays PyTorch's.
        compile: run the network through torch.compile.
        weights: a checkpoint file, the authors' or a converted one.
        allow_random_weights: run without weights, for trying things out.
        seed: of random weights, and of the training whose shipped weights a small preset takes.
        window_influence, penalty_k, lr: test-time constants, see ``Tuning``; None: the preset's for the benchmark.
        unsure, hold_size, widen, motion, sure, mirror, online: what no paper does, see ``Caution``. An online of None
            is the preset's.
    """

    PRESETS: ClassVar[Mapping[str, Sizes]]

    preset: str = "full"
    precision: str = choice("fp32", "tf32", "bf16", "fp16")
    runtime: str = choice("torch", *RUNTIMES, since="torch")
    compile: bool = False
    weights: str = field(default="", metadata={"file": True})
    allow_random_weights: bool = field(default=False, metadata={"identity": False})
    seed: int = 0
    window_influence: float | None = None
    penalty_k: float | None = None
    lr: float | None = None
    unsure: float = field(default=0.0, metadata={"since": 0.0})
    hold_size: bool = field(default=False, metadata={"since": False})
    widen: float = field(default=1.0, metadata={"since": 1.0})
    motion: float = field(default=0.0, metadata={"since": 0.0})
    sure: float = field(default=0.0, metadata={"since": 0.0})
    mirror: bool = field(default=False, metadata={"since": False})
    online: float | None = field(default=None, metadata={"since": 0.0})

    def __post_init__(self) -> None:
        one_of("preset", self.preset, *dict.fromkeys(row.partition(" ")[0] for row in self.PRESETS))
        for item in fields(self):
            if allowed := item.metadata.get("allowed"):
                one_of(item.name, getattr(self, item.name), *allowed)
        if self.compile and self.runtime != "torch":
            raise UserError(f"--compile is for PyTorch: leave it out, or --runtime {self.runtime}")
        for name, most in (("window_influence", 1.0), ("lr", 1.0), ("penalty_k", float("inf"))):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= most:
                raise UserError(f"{name} wants a number from 0 {'to 1' if most == 1 else 'up'}, not {value}")
        _ = self.caution
        self.check(self.sizes())

    def check(self, sizes: S) -> None:
        """Raises UserError for values that the family cannot build; its own checks go here."""

    @property
    def caution(self) -> Caution:
        """Raises UserError for values that cannot be."""
        online = self.sizes().online
        return Caution(self.unsure, self.hold_size, self.widen, self.motion, self.sure, self.mirror, online)

    @property
    def one_batch_size(self) -> bool:
        """Whether a graph is made for every size of a batch, so that few sizes are better than many."""
        return self.compile or self.runtime != "torch"

    def row(self) -> str:
        """The row of ``PRESETS`` that this config starts from."""
        return self.preset

    def sizes(self) -> S:
        """The row of the preset, with the values that the config gives in their place: no None is left."""
        row: Any = self.PRESETS[self.row()]
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        given = {item.name: own.get(item.name) for item in fields(row) if item.init}
        sizes: S = replace(row, **{name: value for name, value in given.items() if value is not None})
        return sizes

    def tuning(self, dataset: str = FALLBACK) -> Tuning:
        """The test-time constants for a benchmark, the config's own in their place."""
        chosen = constants_for(self.sizes().constants, dataset)
        own = {name: getattr(self, name) for name in chosen._fields}
        return chosen._replace(**{name: value for name, value in own.items() if value is not None})

    def filled(self) -> Self:
        """The config with the values of ``sizes`` written down."""
        sizes, own = self.sizes(), {item.name for item in fields(self)}
        return replace(self, **{item.name: getattr(sizes, item.name) for item in fields(sizes) if item.name in own})


V = TypeVar("V")


def per_stage(value: V | tuple[V, ...], stages: int) -> tuple[V, ...]:
    """A setting that is one value for all stages, or one for each, as one for each."""
    return value if isinstance(value, tuple) else (value,) * stages


def row_in_sense(config: NeuralConfig[Any], interaction: str | None) -> str:
    """The row of ``PRESETS`` of a network that exists as released and as the paper defines it; None is released for
    full, paper for the other presets. Raises UserError for another word, and a preset that lacks the sense."""
    sense = interaction or ("released" if config.preset == "full" else "paper")
    one_of("interaction", sense, "released", "paper")
    row = f"{config.preset} {sense}"
    if row not in config.PRESETS:
        raise UserError(f"interaction: the preset {config.preset} exists in the paper's sense alone")
    return row


def demand_positive(config: NeuralConfig[Any], *names: str) -> None:
    """Raises UserError for a setting that is given, is no number above 0, or holds one that is not."""
    for name in names:
        value = getattr(config, name)
        if value is not None and min(value if isinstance(value, tuple) else (value,), default=0) < 1:
            raise UserError(
                f"{name} wants {'numbers' if isinstance(value, tuple) else 'a number'} above 0, not {value}"
            )
