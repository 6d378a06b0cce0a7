"""Doing an ablation's trainings: here, in processes beside each other, on a cluster, or by torchrun's together."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from inmo.errors import UserError
from inmo.harness.store import provenance
from inmo.harness.store.claims import Claims, wait_for_any
from inmo.harness.training.command import run_training
from inmo.harness.training.config import CHECKPOINT, WEIGHTS, TrainConfig
from inmo.harness.training.distributed import Group
from inmo.harness.workers.cluster import Cluster, connected, token
from inmo.harness.workers.parallel import in_processes
from inmo.harness.workers.worker import Errand, Orders, Refusal


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
    with _claimed(folder, group):
        if (folder / WEIGHTS).is_file():  # another command's, meanwhile: the first weights stand
            return True
        resume = (folder / CHECKPOINT).is_file()
        return not run_training(config, folder, resume=resume, device=device, quiet=quiet, group=group).interrupted


@contextmanager
def _claimed(folder: Path, group: Group | None) -> Iterator[None]:
    """Be the one that does a training; another command that has it under way is waited for, however it ends.

    Raises UserError in torchrun's processes, which cannot wait for hours.
    """
    if group is not None and not group.first:
        group.wait()  # until the first one has it
        yield
        return
    out, key = folder.parent.parent, (folder.parent.name, folder.name, "")
    claims = Claims(out)
    while not claims.take([key]):
        if group is not None:
            raise UserError(f"another command has {folder} under way: wait for it, or give another --out")
        sys.stderr.write(f"waiting for the training {folder.name}, which another command has under way\n")
        wait_for_any(out, [[key]])
    try:
        if group is not None:
            group.wait()
        yield
    finally:
        claims.release_all()


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
