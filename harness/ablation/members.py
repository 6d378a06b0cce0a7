"""Which trainings an ablation has: every row with every seed, and of those that are one training each once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inmo.errors import UserError, unknown_name
from inmo.harness.ablation.spec import Row, found_file, row_config
from inmo.harness.run.jobs import built
from inmo.harness.run.setup import Setup, configure
from inmo.harness.training.command import check_data, check_network
from inmo.harness.training.config import WEIGHTS, TrainConfig, placed
from inmo.harness.training.objectives import OBJECTIVES
from inmo.harness.training.schedule import demand_schedule
from inmo.records import as_words
from inmo.trackers.pipeline.shipped import architecture


@dataclass(frozen=True)
class Member:
    """One row with one seed.

    Attributes:
        row, seed: which.
        config: its training.
        folder: of the training; None for weights that the row names.
        weights: file of its weights, there or to be made.
    """

    row: str
    seed: int
    config: TrainConfig
    folder: Path | None
    weights: Path

    def setup(self, label: str = "", *, untrained: bool = False) -> Setup:
        """The tracker with these weights, or with random ones."""
        given = {"allow_random_weights": "true"} if untrained else {"weights": str(self.weights)}
        return replace(configure(self.config.tracker, as_words(self.config.settings) | given), label=label)


def members(
    rows: Iterable[Row],
    raw: Mapping[str, Any],
    seeds: Sequence[int],
    home: Path,
    where: Path,
    *,
    roots: Mapping[str, str] = MappingProxyType({}),
    only: Collection[int] = (),
) -> list[Member]:
    """Rows times seeds, all rows of one seed first: an ablation that is stopped early still compares rows.

    A row that names weights has the seeds that it names, of these ``only`` some where there are any. Raises UserError
    for values that do not fit, and for weights that are not there.
    """
    found: list[Member] = []
    for row in rows:
        if row.weights and not row.weights.keys() >= set(only):
            raise UserError(
                f"row {row.name} names weights of seeds {', '.join(map(str, row.weights))} alone: ask for some of them"
            )
        for seed in (sorted(only) or row.weights) if row.weights else seeds:
            config = placed(row_config(raw, row, seed), roots)
            setup = configure(config.tracker, as_words(config.settings))  # say what is wrong before hours of training
            if setup.spec.network is None:
                raise UserError(f"row {row.name}: {config.tracker} has no network to train: name another tracker")
            demand_schedule(config)
            if config.objective not in OBJECTIVES:
                raise unknown_name("objective", config.objective, OBJECTIVES)
            folder = None if row.weights else home / training_key(config)
            weights = folder / WEIGHTS if folder else found_file(row.weights[seed], where)
            if folder is None and not weights.is_file():
                raise UserError(f"row {row.name}: its weights {weights} are not there: check the path")
            if any(m.weights.resolve() == weights.resolve() for m in found if m.row == row.name):
                raise UserError(f"row {row.name}: its weights {weights} stand for two seeds: name each training once")
            found.append(Member(row.name, seed, config, folder, weights))
    return sorted(found, key=lambda member: list(dict.fromkeys(m.seed for m in found)).index(member.seed))


def training_key(config: TrainConfig) -> str:
    """Folder name of a training: tracker, 12 hex digits over all that decides its weights, and the seed.

    Settings count as the network that they make: leaving a value out and giving its default are one training, and so
    are rows that differ in test-time constants alone. The validation pairs count where weights are calibrated on them.
    """
    setup = configure(config.tracker, as_words(config.settings))
    same = replace(config, settings={}, seed=0)
    words: list[Any] = [architecture(setup.on("lasot")), same.identity()]
    if own := _of_training(setup):
        words.append(own)
    checked = config.validation
    if checked.calibrate and checked.pairs:
        sources = [asdict(source) for source in checked.sources or config.data.sources]
        words.append([checked.pairs, sources, checked.augmentation])
    digest = hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()
    return f"{config.tracker}-{digest[:12]}-seed-{config.seed}"


def _of_training(setup: Setup) -> dict[str, Any]:
    """Values of a tracker's config that decide no box but a training (dropout, drop path), where they are not usual."""
    usual = replace(setup.spec.config, preset=setup.config.preset)
    if hasattr(usual, "interaction"):
        usual = replace(usual, interaction=setup.config.interaction)
    both = (setup.config.filled(), usual.filled())
    names = [f.name for f in fields(usual) if not f.metadata.get("identity", True) and f.name != "allow_random_weights"]
    return {name: getattr(both[0], name) for name in names if getattr(both[0], name) != getattr(both[1], name)}


def bare(config: TrainConfig) -> TrainConfig:
    """The config with those settings alone that decide the training: whichever of the rows that share it is done first,
    any other continues it."""
    key, settings = training_key(config), dict(config.settings)
    for name in sorted(settings):
        less = {other: value for other, value in settings.items() if other != name}
        try:
            same = training_key(replace(config, settings=less)) == key
        except UserError:  # values that only go together
            same = False
        settings = less if same else settings
    return replace(config, settings=settings)


def missing(found: Iterable[Member]) -> dict[Path, TrainConfig]:
    """Folder -> config of the trainings that are not done, each once, as its first row has it."""
    todo: dict[Path, TrainConfig] = {}
    for member in found:
        if member.folder is not None and member.folder not in todo and not member.weights.is_file():
            todo[member.folder] = bare(member.config)
    return todo


def demand(found: Iterable[Member]) -> None:
    """Say what is wrong with the last row before hours of the first.

    Raises UserError: a network, teacher, initial file or data that cannot be, or weights of another network.
    """
    seen: set[str] = set()

    def new(*words: object) -> bool:
        known = repr(words) in seen
        seen.add(repr(words))
        return not known

    for member in found:
        config = member.config
        with _named(member.row):
            if member.weights.is_file():
                if new(member.weights, training_key(config)):
                    setup = member.setup()
                    built(setup.spec.name, setup.on("lasot"), "cpu")
                continue
            if new(training_key(replace(config, seed=0))):
                check_network(config)
            if new(config.data, config.validation):
                check_data(config)


@contextmanager
def _named(row: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"row {row}: {error}") from error
