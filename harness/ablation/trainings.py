"""The trainings of an ablation: which there are, each once, and doing those that are missing."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inmo.errors import UserError, unknown_name
from inmo.harness.ablation.spec import Row, found_file, row_config
from inmo.harness.run.setup import Setup, configure
from inmo.harness.store import provenance
from inmo.harness.training.command import check_data, run_training
from inmo.harness.training.config import CHECKPOINT, WEIGHTS, TrainConfig, placed
from inmo.harness.training.distributed import Group
from inmo.harness.training.objectives import OBJECTIVES
from inmo.harness.training.schedule import demand_schedule
from inmo.harness.workers.cluster import Cluster, connected, token
from inmo.harness.workers.parallel import in_processes
from inmo.harness.workers.worker import Errand, Orders, Refusal
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
    found = []
    for row in rows:
        if row.weights and not row.weights.keys() >= set(only):
            raise UserError(
                f"row {row.name} names weights of seeds {', '.join(map(str, row.weights))} alone: ask for some of them"
            )
        for seed in (sorted(only) or row.weights) if row.weights else seeds:
            config = placed(row_config(raw, row, seed), roots)
            configure(config.tracker, as_words(config.settings))  # say what is wrong before hours of training
            demand_schedule(config)
            if config.objective not in OBJECTIVES:
                raise unknown_name("objective", config.objective, OBJECTIVES)
            folder = None if row.weights else home / training_key(config)
            weights = folder / WEIGHTS if folder else found_file(row.weights[seed], where)
            if folder is None and not weights.is_file():
                raise UserError(f"row {row.name}: its weights {weights} are not there: check the path")
            found.append(Member(row.name, seed, config, folder, weights))
    return sorted(found, key=lambda member: list(dict.fromkeys(m.seed for m in found)).index(member.seed))


def training_key(config: TrainConfig) -> str:
    """Folder name of a training: tracker, 12 hex digits over all that decides its weights, and the seed.

    Settings count as the network that they make: leaving a value out and giving its default are one training, and so
    are rows that differ in test-time constants alone.
    """
    setup = configure(config.tracker, as_words(config.settings))
    same = replace(config, settings={}, seed=0)
    words: list[Any] = [architecture(setup.on("lasot")), same.identity()]
    if own := _of_training(setup):
        words.append(own)
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


def missing(found: Iterable[Member]) -> dict[Path, TrainConfig]:
    """Folder -> config of the trainings that are not done, each once."""
    return {m.folder: m.config for m in found if m.folder is not None and not m.weights.is_file()}


def run_trainings(
    todo: Mapping[Path, TrainConfig],
    *,
    device: str = "auto",
    at_once: int = 1,
    cluster: Cluster | None = None,
    group: Group | None = None,
) -> bool:
    """Train what is to be done, continuing from checkpoints; whether all came to their ends.

    Args:
        todo: folder -> config.
        device: auto, cpu, cuda ...
        at_once: so many at a time, each in a process with its share of the cores.
        cluster: in place of this machine; its workers must see the folders.
        group: the processes that torchrun started, which do every training together.

    Raises:
        UserError: whatever a training may raise, or a cluster that cannot do the work.
    """
    for config in {repr((c.data, c.validation)): c for c in todo.values()}.values():
        check_data(config)  # say what is wrong with the last one before hours of the first
    if cluster is not None:
        return _on_cluster(cluster, todo, device)
    if at_once > 1 and len(todo) > 1:
        calls = [(config, folder, device) for folder, config in todo.items()]
        return _all(in_processes(_alone, calls, at_once), len(todo))
    for folder, config in todo.items():
        if group is None or group.first:
            sys.stderr.write(f"training {folder.name}\n")
        if not _train(config, folder, device, group=group):
            return False
    return True


def _train(config: TrainConfig, folder: Path, device: str, *, group: Group | None = None, quiet: bool = False) -> bool:
    resume = (folder / CHECKPOINT).is_file()
    return not run_training(config, folder, resume=resume, device=device, quiet=quiet, group=group).interrupted


def _alone(config: TrainConfig, folder: Path, device: str) -> tuple[str, bool]:
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return _there(config, folder, device)


def _there(config: TrainConfig, folder: Path, device: str) -> tuple[str, bool]:
    return folder.name, _train(config, folder, device, quiet=True)


def _all(done: Iterable[tuple[str, bool]], count: int) -> bool:
    """Say how far it is; whether all came to their ends."""
    ended = []
    for number, (name, whole) in enumerate(done, 1):
        ended.append(whole)
        sys.stderr.write(f"training {name} {'done' if whole else 'interrupted'}, {number} of {count}\n")
    return all(ended)


def _on_cluster(cluster: Cluster, todo: Mapping[Path, TrainConfig], device: str) -> bool:
    """Every training on one worker. One that dies leaves its checkpoint, from which the next goes on."""
    if not todo:
        return True
    home = next(iter(todo)).parent.resolve()
    home.mkdir(parents=True, exist_ok=True)
    shared: AbstractContextManager[str] = token(home) if cluster.shared_store else nullcontext("")
    with connected(cluster.address) as client, shared as mark:
        if not mark:
            raise UserError("trainings on a cluster want a disk that its workers share: leave out --no-shared-store")
        from distributed import as_completed

        orders = Orders(str(Path.cwd()), provenance.code_version(), {home: mark})
        errands = [
            Errand(_there, (config, home / folder.name, device), orders, name=folder.name)
            for folder, config in todo.items()
        ]
        futures = client.map(pickle.loads, [errand.posted() for errand in errands], pure=False)
        return _all((_told(future) for future in as_completed(futures, loop=client.loop)), len(todo))


def _told(future: Any) -> tuple[str, bool]:
    try:
        told = future.result()
    except Exception as error:
        raise UserError(
            f"a training on the cluster came to no end ({type(error).__name__}: {error}): the same command goes on"
        ) from error
    if isinstance(told, Refusal):
        raise RuntimeError(told.reason) if told.fault else UserError(told.reason)
    found: tuple[str, bool] = told
    return found
