"""A training as a frozen record, read from YAML: what to train, on what, how, and where it goes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inmo.errors import UserError, unknown_name
from inmo.records import read_yaml, structure

Values = Mapping[str, Any]


CONFIG, CHECKPOINT, WEIGHTS = "config.yaml", "checkpoint.pt", "weights.safetensors"
"""Files in the folder of a training."""


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
class DistilConfig:
    """A trained network whose maps the backbone learns to tell, see ``distil``.

    Attributes:
        tracker, settings: registry name and config values of the teacher; small presets take the shipped weights.
        weight: of the mean square difference of the maps in the loss; 0: no teacher.
    """

    tracker: str = ""
    settings: Values = field(default_factory=dict)
    weight: float = 0.0


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
            network, trained here or released by the authors, a name of ``model.PACKAGED``, or ``shipped``. Of Swin-T
            the paper's backbone takes a part, see ``pipeline.swin_as_inbn``.
        frozen: parts of the network that do not learn and keep their statistics, beside the schedule's: ``backbone``.
        data, validation, distil: see there.
        logger: ``mlflow`` keeps the rows of ``log.csv`` in MLflow as well, see ``mlflow_run``.
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
    frozen: tuple[str, ...] = ()
    data: DataConfig = field(default_factory=DataConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    distil: DistilConfig = field(default_factory=DistilConfig)
    logger: typing.Literal["none", "mlflow"] = "none"
    log_every: int = 20
    save_every: int = 500
    keep_failed: bool = True

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "log_every", "save_every"):
            if getattr(self, name) < 0:
                raise UserError(f"{name} of the training is {getattr(self, name)}: choose 0 or more")
        if not 0 <= self.seed < 2**63:  # what a generator takes
            raise UserError(f"seed of the training is {self.seed}: choose one from 0 to {2**63 - 1}")
        if self.accumulate < 1 or not 0.0 <= self.ema < 1.0:
            raise UserError("a training wants accumulate of 1 or more and ema from 0 to below 1")

    def identity(self) -> str:
        """12 hex digits over everything that decides the weights: the key under which a run is continued.

        Where and how often something is logged, saved or validated does not count, nor the number of worker processes.
        """
        values = dataclasses.asdict(self)
        for name in ("logger", "log_every", "save_every", "keep_failed", "validation"):
            del values[name]
        for name in ("workers", "cache_dir"):
            del values["data"][name]
        if not self.distil.weight:
            del values["distil"]
        if not self.frozen:
            del values["frozen"]
        values["calibrate"] = self.validation.calibrate
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file and apply ``a.b=value`` words. Raises UserError, see ``inmo.records``."""
    return structure(TrainConfig, read_yaml(path, "training config", overrides), str(Path(path).expanduser()))


def with_roots(config: TrainConfig, words: Sequence[str]) -> TrainConfig:
    """The config with the roots of ``NAME=ROOT`` words in all of its training sets of that name.

    Raises UserError for a word of another form, and a name that the config has no training set of.
    """
    return placed(config, roots_of(words, [config], "--dataset"))


def roots_of(words: Sequence[str], configs: Iterable[TrainConfig], option: str) -> dict[str, str]:
    """Name -> root of ``NAME=ROOT`` words. Raises UserError as ``with_roots``, for a name that no config has."""
    known = {source.name for config in configs for source in (*config.data.sources, *config.validation.sources)}
    roots: dict[str, str] = {}
    for word in words:
        name, given, root = word.partition("=")
        if not given or not root:
            raise UserError(f"{option} {word}: a training wants NAME=ROOT")
        if name not in known:
            raise unknown_name("training set of this config", name, known)
        roots[name] = root
    return roots


def placed(config: TrainConfig, roots: Mapping[str, str]) -> TrainConfig:
    """The config with these roots of its training sets, by name."""

    def own(sources: tuple[SourceConfig, ...]) -> tuple[SourceConfig, ...]:
        return tuple(dataclasses.replace(source, root=roots.get(source.name, source.root)) for source in sources)

    data = dataclasses.replace(config.data, sources=own(config.data.sources))
    validation = dataclasses.replace(config.validation, sources=own(config.validation.sources))
    return dataclasses.replace(config, data=data, validation=validation)
