"""A training as a frozen record, read from YAML: what to train, on what, how, and where it goes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar

import yaml

from datasets.errors import UserError, unknown_name

Values = Mapping[str, Any]
T = TypeVar("T")
MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class SourceConfig:
    """One training set: registry name, root, how often it is drawn in proportion to the others, its settings."""

    name: str
    root: str = ""
    ratio: float = 1.0
    settings: Values = field(default_factory=dict)


@dataclass(frozen=True)
class DataConfig:
    """Where pairs come from.

    Attributes:
        sources: training sets.
        augmentation: row of ``augmentation.AUGMENTATIONS``.
        workers: processes that make pairs; 0 makes them in the training process.
        cache: pairs made once and kept as memory-mapped arrays, drawn again every epoch; 0: always new ones.
        cache_dir: where; the user's cache folder when empty.
        seed: of the pairs; the training's own when below 0. One value for several trainings gives them the same pairs
            in different orders.
    """

    sources: tuple[SourceConfig, ...] = ()
    augmentation: str = "transt"
    workers: int = 0
    cache: int = 0
    cache_dir: str = ""
    seed: int = -1


@dataclass(frozen=True)
class ValidationConfig:
    """What is measured on the way.

    Attributes:
        every: steps between validations; 0: at the end only.
        pairs: validation pairs (slope of log size, hit rate, mean IoU); 0: none.
        sources: where these come from; the training sets with other seeds when empty.
        augmentation: its row.
        clips: roots of clips in the folder layout, tracked for AUC: measured, never trained on.
        calibrate: whether the head's mean error of log size on the validation pairs is taken off at the end.
    """

    every: int = 0
    pairs: int = 0
    sources: tuple[SourceConfig, ...] = ()
    augmentation: str = "small"
    clips: tuple[str, ...] = ()
    calibrate: bool = False


@dataclass(frozen=True)
class TrainConfig:
    """One training.

    Attributes:
        tracker: registry name of the tracker.
        settings: values of the tracker's config (``preset: nano``, ``interaction: paper`` ...).
        objective: row of ``objectives.OBJECTIVES``.
        schedule: row of ``schedule.SCHEDULES``.
        steps: optimisation steps; 0 takes the schedule's epochs and pairs per epoch.
        batch: pairs per step over all processes; 0 takes the schedule's.
        accumulate: parts in which each process does its share of a step, for small memories.
        seed: of parameters and pairs.
        precision: fp32 or bf16 (autocast; losses stay fp32).
        clip: largest norm of the gradient; 0 no limit; -1 the schedule's.
        ema: decay of the averaged weights that are exported; 0: none.
        compile: through torch.compile.
        checkpointing: recompute the backbone's activations in the backward pass, for small memories.
        initial: ImageNet file (torchvision's ResNet-50, the public Swin-T, EfficientNet-Lite0), weights of the same
            network, or a name of ``model.PACKAGED``.
        data, validation: see there.
        log_every, save_every: steps.
        keep_failed: save the batch that made the loss non-finite.
    """

    tracker: str
    settings: Values = field(default_factory=dict)
    objective: str = "transt"
    schedule: str = "transt"
    steps: int = 0
    batch: int = 0
    accumulate: int = 1
    seed: int = 0
    precision: typing.Literal["fp32", "bf16"] = "fp32"
    clip: float = -1.0
    ema: float = 0.0
    compile: bool = False
    checkpointing: bool = False
    initial: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    log_every: int = 20
    save_every: int = 500
    keep_failed: bool = True

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "log_every", "save_every"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} of the training is {getattr(self, name)}: choose 0 or more")
        if self.accumulate < 1 or not 0.0 <= self.ema < 1.0:
            raise UserError("a training wants accumulate of 1 or more and ema from 0 to below 1")

    def identity(self) -> str:
        """12 hex digits over everything that decides the weights: the key under which a run is continued.

        How often something is logged, saved or validated does not count, nor the number of worker processes.
        """
        values = dataclasses.asdict(self)
        for name in ("log_every", "save_every", "keep_failed", "validation"):
            del values[name]
        for name in ("workers", "cache_dir"):
            del values["data"][name]
        values["calibrate"] = self.validation.calibrate
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file and apply ``a.b=value`` words (values in YAML's notation).

    Raises UserError for a file or word that cannot be read, an unknown name (with a did-you-mean) or a value of the
    wrong kind.
    """
    file = Path(path).expanduser()
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UserError(f"{file} is larger than 1 MiB: this is no training config")
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"cannot read the training config {file}: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise UserError(f"the training config {file} must hold lines 'name: value'")
    for word in overrides:
        _override(values, word)
    return structure(TrainConfig, values, str(file))


def structure(kind: type[T], values: Any, where: str) -> T:
    """A (nested) dataclass from plain YAML values. Raises UserError, see ``load_config``."""
    if not isinstance(values, Mapping):
        raise UserError(f"{where} must hold lines 'name: value', not {values!r}")
    hints = typing.get_type_hints(kind)
    known = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise unknown_name(f"setting in {where}", str(key), known)
    given = {key: _value(hints[key], value, f"{where}: {key}") for key, value in values.items()}
    try:
        return kind(**given)
    except TypeError as error:
        raise UserError(f"{where} is not complete: {error}") from error


def _override(values: dict[str, Any], word: str) -> None:
    path, separator, text = word.partition("=")
    if not separator or not path:
        raise UserError(f"--set wants name=value, not '{word}'")
    *folders, last = path.split(".")
    place = values
    for name in folders:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise UserError(f"--set {word}: {name} holds no further names")
    try:
        place[last] = yaml.safe_load(text)
    except yaml.YAMLError:
        place[last] = text


def _value(hint: Any, value: Any, where: str) -> Any:
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, UnionType) else (hint,)
    for option in options:
        if option is NoneType and value is None:
            return None
        if is_dataclass(option) and isinstance(option, type):
            return structure(option, value, where)
        origin, inner = typing.get_origin(option), typing.get_args(option)
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(_value(inner[0], item, f"{where}[{number}]") for number, item in enumerate(value))
        if origin is typing.Literal and value in inner:
            return value
        if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, dict):
            return value
        if option is float and isinstance(value, int | str) and not isinstance(value, bool):
            try:
                return float(value)  # YAML reads 1e-4 as text
            except ValueError:
                continue
        if option is int and isinstance(value, bool):
            continue
        if origin is None and isinstance(option, type) and isinstance(value, option):
            return value
    raise UserError(f"{where} is {value!r}, which is not a value of kind {getattr(hint, '__name__', hint)}")
