"""From words on the command line to datasets and frozen tracker configs."""

from __future__ import annotations

import os
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from inmo.datasets import DATASETS, benchmark, open_dataset
from inmo.datasets.base import Dataset
from inmo.errors import UserError, unknown_name
from inmo.records import converted
from inmo.trackers import tracker
from inmo.trackers.base import TrackerSpec, config_hash
from inmo.yaml_values import NotPlainError, plain_yaml, plain_yaml_file

CONFIG_VARIABLE = "INMO_CONFIG"


@dataclass(frozen=True)
class DatasetArgument:
    """``NAME=ROOT``, ``NAME:LABEL=ROOT``, or ``NAME`` alone when the user's config file knows it or it is rendered."""

    name: str
    label: str
    root: str

    def open(self) -> Dataset:
        """Raises UserError when nobody knows the root, or there is nothing at it."""
        root = self.root or known_root(self.name)
        if not root:
            raise UserError(no_root(self.name))
        return open_dataset(self.name, root, label=self.label)


def parse_dataset(text: str) -> DatasetArgument:
    """Read one ``--dataset`` value. Raises UserError with a did-you-mean for an unknown name."""
    left, _, root = text.partition("=")
    name, _, label = left.partition(":")
    benchmark(name)
    return DatasetArgument(name, label or name, root)


def open_datasets(arguments: Sequence[str]) -> list[Dataset]:
    """Open every ``--dataset``. Raises UserError when two share a label."""
    parsed = [parse_dataset(text) for text in arguments]
    for item in parsed:
        if sum(other.label == item.label for other in parsed) > 1:
            raise UserError(
                f"two datasets are called '{item.label}': name one anew, --dataset {item.name}:NAME={item.root}"
            )
    return [item.open() for item in parsed]


def config_path() -> Path:
    """The file named by the environment variable INMO_CONFIG, else ``config.yaml`` in the user's config folder."""
    given = os.environ.get(CONFIG_VARIABLE)
    return Path(given) if given else platformdirs.user_config_path("inmo-harness") / "config.yaml"


def known_root(name: str) -> str:
    """The root that the user's config file (``datasets: {lasot: /data/LaSOT}``) knows for a benchmark, or where a
    rendered one lies; empty for others. There may be no such file.

    Raises UserError for a config file that cannot be read.
    """
    path = config_path()
    try:
        values = (plain_yaml_file(path) if path.is_file() else None) or {}
    except (OSError, NotPlainError) as error:
        raise UserError(f"cannot read the config file {path}: {error}; mend the file") from error
    configured = values.get("datasets", {}) if isinstance(values, dict) else None
    if not isinstance(configured, dict):
        raise UserError(f"the config file {path} must hold 'datasets:' with lines 'name: root'")
    for key in configured:
        if key not in DATASETS:
            raise UserError(f"{path}: {unknown_name('dataset', str(key), DATASETS)}")
    if name in configured:
        return str(configured[name])
    row = benchmark(name)
    return str(row.rendered()) if row.rendered is not None else ""


def no_root(name: str) -> str:
    """The sentence for a benchmark whose root nobody knows."""
    return f"no root is known for {name}: give --dataset {name}=ROOT, or write it into {config_path()}"


@dataclass(frozen=True)
class Setup:
    """A tracker as the user asked for it.

    Attributes:
        spec: the registry row.
        config: before a dataset fills in its own values.
        label: its name in tables; its own when empty.
        tuned: what its test-time constants were tuned on, see ``constants.tuned_file``; empty for its own.
    """

    spec: TrackerSpec
    config: Any
    label: str = ""
    tuned: tuple[Mapping[str, Any], ...] = ()

    @property
    def called(self) -> str:
        """Its name in tables."""
        return self.label or self.spec.title

    @property
    def shown(self) -> str:
        """Its name on a picture: the label, else the title and the size that was chosen."""
        preset = getattr(self.config, "preset", None)
        return self.label or " ".join(filter(None, (self.spec.title, preset if preset != "full" else "")))

    def on(self, benchmark_name: str) -> Any:
        """The config for one benchmark."""
        return self.spec.for_dataset(self.config, benchmark_name)

    def on_dataset(self, dataset: Dataset) -> Any:
        """The config for one dataset as it was opened."""
        config = self.config
        if (wanted := getattr(config, "wanted", None)) is not None:
            config = replace(config, wanted=wanted.of(dataset))
        return self.spec.for_dataset(config, dataset.benchmark.name)

    def folder(self, dataset: Dataset) -> str:
        """Where a store keeps the run on a dataset."""
        return f"{self.spec.name}-{config_hash(self.spec.name, self.on_dataset(dataset))}"


def configure(name: str, overrides: Mapping[str, str], shared: Mapping[str, Any] | None = None) -> Setup:
    """Build a tracker's config.

    Args:
        name: registry name; what follows a colon in it is the tracker's ``target``.
        overrides: ``--set`` values as text, field name -> value in YAML's notation.
        shared: values of the command's own flags (``weights``, ``preset`` ...); None means not given.

    Raises:
        UserError: unknown tracker or field (with a did-you-mean), or a value of the wrong kind.
    """
    name, _, target = name.partition(":")
    spec = tracker(name)
    hints = typing.get_type_hints(type(spec.config))
    known = [f.name for f in fields(spec.config)]
    values: dict[str, Any] = {}
    if target:
        if "target" not in known:
            raise UserError(f"{name} takes nothing after its name, so leave out ':{target}'")
        values["target"] = target
    for key, text in overrides.items():
        if key not in known:
            raise unknown_name(f"setting of {name}", key, known) if known else UserError(f"{name} has no settings")
        values[key] = _typed(name, key, text, hints[key])
    for key, value in (shared or {}).items():
        if value is None:
            continue
        if key not in known:
            raise UserError(f"{name} takes no --{key.replace('_', '-')}: leave it out or choose another tracker")
        values[key] = _typed(name, key, value, hints[key]) if isinstance(value, str) else value
    try:
        return Setup(spec, replace(spec.config, **values))
    except UserError as error:  # of the config, which does not know by what name it was asked for
        raise UserError(f"{name}: {error}") from error


def parse_overrides(words: Sequence[str]) -> dict[str, str]:
    """``("window_influence=0.3",)`` to a mapping. Raises UserError for a word without ``=``."""
    for word in words:
        if "=" not in word:
            raise UserError(f"--set wants name=value, not '{word}'")
    return dict(word.split("=", 1) for word in words)


def _typed(tracker_name: str, key: str, text: str, kind: Any) -> Any:
    if kind is str:
        return text
    try:
        value = plain_yaml(text)
    except NotPlainError:
        value = text
    return converted(kind, value, f"{tracker_name}: {key}")
