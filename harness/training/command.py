"""``run_all.py train``: from a config file to weights."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch.utils.data import Dataset

from inmo.datasets.training.videos import VideoSource
from inmo.errors import Exit, UserError
from inmo.harness.training.config import CHECKPOINT, CONFIG, WEIGHTS, DistilConfig, TrainConfig
from inmo.harness.training.curves import draw_curves
from inmo.harness.training.distil import Teacher, cache_maps, open_teacher
from inmo.harness.training.distributed import Group, joined
from inmo.harness.training.loop import Outcome, Training
from inmo.harness.training.mlflow_run import demand_mlflow
from inmo.harness.training.model import Model, build_model
from inmo.harness.training.sampling import (
    AHEAD,
    CachedPairs,
    MadePairs,
    PairMaker,
    Positions,
    cache_pairs,
    loader,
    open_pairs,
)
from inmo.harness.training.schedule import batch_of, demand_schedule, schedule_of
from inmo.harness.training.validation import calibrate, make_batches, open_clips, score_clips, score_pairs
from inmo.trackers.pipeline.family import family

VALIDATION_SEED = 1_000_003
LATEST = "latest.safetensors"


def train(
    config: TrainConfig,
    *,
    out: str | Path = "runs",
    resume: bool = False,
    device: str = "auto",
) -> int:
    """Train what a config says; the exit status: 0 done, 130 asked to stop (``resume`` continues).

    Under torchrun every process calls this.

    Args:
        config: see ``config.load_config``.
        out: folder of the run: ``config.yaml``, ``log.csv``, ``checkpoint.pt``, and at the end ``weights.safetensors``.
        resume: continue from the checkpoint in ``out``; a run that is done stays as it is.
        device: auto, cpu, cuda ...

    Raises:
        UserError: whatever the user can mend, a non-finite loss included.
    """
    outcome = run_training(config, Path(out), resume=resume, device=device)
    return Exit.INTERRUPTED if outcome.interrupted else 0


def run_training(
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    quiet: bool = False,
    group: Group | None = None,
) -> Outcome:
    """As ``train``, from a config. ``group``: processes that do it and stay together; None: all that there are."""
    _check(config, out, resume)
    with joined(device) if group is None else nullcontext(group) as group:
        prepared = prepare(config, group)
        if prepared.model.note and group.first and not (resume or quiet):
            sys.stderr.write(f"{prepared.model.note}\n")
        training = Training(config, prepared.model, group, out, prepared.maker.fingerprint(), prepared.teacher)
        if resume:
            training.resume()
        elif group.first:
            _write_config(config, out)
        if group.first and not quiet:
            for source in prepared.maker.sources:
                if isinstance(source, VideoSource) and source.note:
                    sys.stderr.write(source.note + "\n")
        group.wait()
        workers = config.data.workers
        positions = Positions(training.progress.step, training.total, training.batch, group.rank, group.world)
        batches = loader(prepared.pairs, positions, workers, pin=group.device.type == "cuda")
        validate = partial(_validate, batches=prepared.validation, clips=config.validation.clips)
        wants = prepared.validation or config.validation.clips
        outcome = training.run(batches, validate if wants else None)
        if group.first:
            draw_curves(out)
        if not outcome.interrupted and group.first:
            _finish(training, prepared, outcome)
            if not quiet:
                sys.stderr.write(f"weights: {out / WEIGHTS}\n")
        return outcome


def check_data(config: TrainConfig) -> None:
    """Raises UserError for a training set or validation clips that are not there, and whatever else does not fit."""
    geometry, checked = family(config.tracker).config.sizes().geometry, config.validation
    open_pairs(config.data.sources, geometry, config.data.augmentation, 0)
    if checked.pairs and checked.sources:
        open_pairs(checked.sources, geometry, checked.augmentation, 0)
    for root in checked.clips:
        open_clips(root)


def check_network(config: TrainConfig) -> None:
    """Raises UserError for a network, objective, initial file, frozen part or teacher that cannot be."""
    demand_schedule(config)
    model = build_model(config.tracker, config.settings, config.objective, initial=config.initial)
    schedule_of(config, model.network)
    if config.distil.weight:
        model.trainee.distil(open_teacher(config.distil, torch.device("cpu")).channels)


@dataclass(frozen=True)
class Prepared:
    """What a training needs beside its config: model, pairs, validation pairs, and perhaps a teacher."""

    model: Model
    maker: PairMaker
    pairs: Dataset[dict[str, Any]]
    validation: list[Any]
    teacher: Teacher | None = None


def prepare(config: TrainConfig, group: Group) -> Prepared:
    """Build model and data. Raises UserError for whatever does not fit, before any work is done."""
    model = build_model(
        config.tracker,
        config.settings,
        config.objective,
        seed=config.seed,
        initial=config.initial,
        checkpointing=config.checkpointing,
    )
    teacher, sides = None, (0, 0)
    if config.distil.weight:
        teacher = open_teacher(config.distil, group.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            sides = model.trainee.distil(teacher.channels)
    model.trainee.to(group.device)
    data, checked = config.data, config.validation
    seed = config.seed if data.seed < 0 else data.seed
    maker = open_pairs(data.sources, model.geometry, data.augmentation, seed)
    pairs: Dataset[dict[str, Any]] = MadePairs(maker)
    if data.cache:
        if group.first:
            folder = cache_pairs(maker, data.cache, data.cache_dir, max(1, data.workers))
            if teacher is not None:
                cache_maps(folder, teacher, sides)
        group.wait()
        folder = cache_pairs(maker, data.cache, data.cache_dir)
        pairs = CachedPairs(folder, config.seed, cache_maps(folder, teacher, sides) if teacher is not None else None)
    validation = []
    if checked.pairs and group.first:
        sources = checked.sources or data.sources
        held_out = open_pairs(sources, model.geometry, checked.augmentation, VALIDATION_SEED)
        validation = make_batches(held_out, checked.pairs)
    return Prepared(model, maker, pairs, validation, teacher)


def measure_loader(config: TrainConfig, *, seconds: float, device: str = "auto") -> int:
    """Print how many pairs per second the loader of a config gives, without training. The exit status.

    Args:
        config, device: see ``train``.
        seconds: for how long to measure; making the cache and starting the workers comes before.

    Raises:
        UserError: see ``prepare``, or seconds that are not above 0.
    """
    if not seconds > 0:
        raise UserError(f"the loader cannot be measured for {seconds:g} seconds: choose a number above 0")
    rate = loader_rate(config, seconds=seconds, device=device)
    kind = "cached pairs" if config.data.cache else "pairs made anew"
    if rate is not None:
        sys.stdout.write(f"loader: {rate:.1f} pairs/s ({kind}, {config.data.workers} workers)\n")
    return 0


def loader_rate(config: TrainConfig, *, seconds: float = 10.0, device: str = "cpu") -> float | None:
    """Pairs per second of the loader alone: what it could feed, whatever the network takes.

    Of all processes together, and None in all but the first. The pairs that the workers hold ready at the start are
    not counted.
    """
    demand_schedule(config)
    workers = config.data.workers
    with joined(device) as group:
        alone = replace(
            config,
            initial="",
            checkpointing=False,
            distil=DistilConfig(),
            validation=replace(config.validation, pairs=0),
        )
        prepared = prepare(alone, group)
        batch = batch_of(config)
        positions = Positions(0, 1 << 30, batch, group.rank, group.world)
        batches = loader(prepared.pairs, positions, workers, pin=group.device.type == "cuda")
        for _ in range(1 + AHEAD * workers):
            next(batches)
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            count += len(next(batches).number)
        rate = group.total(torch.tensor(count / (time.perf_counter() - started), device=group.device))
        return float(rate) if group.first else None


def _check(config: TrainConfig, out: Path, resume: bool) -> None:
    demand_schedule(config)
    if config.logger == "mlflow":
        demand_mlflow()
    if resume:
        if not (out / CHECKPOINT).is_file():
            raise UserError(f"there is no checkpoint in {out}: start the training without --resume")
    elif (out / CHECKPOINT).is_file():
        raise UserError(f"{out} holds a training already: continue it with --resume, or give another --out")


def _validate(training: Training, batches: Sequence[Any], clips: Sequence[str]) -> dict[str, float]:
    model, group = training.model, training.group
    scores = score_pairs(model, batches, group.device).values() if batches else {}
    if clips:
        path = training.folder / LATEST
        training.export(path, half=False)
        values = score_clips(model, path, clips, str(group.device))
        path.unlink()
        scores["clips/auc"] = float(np.mean(list(values.values())))
        scores["clips/count"] = float(len(values))
    return scores


def _finish(training: Training, prepared: Prepared, outcome: Outcome) -> None:
    """Averaged weights take the network's place, the mean error of log size comes off, and the weights are written."""
    network = training.model.network
    if training.average:
        network.load_state_dict(training.average)
        training.average = {}
    scores = dict(outcome.scores)
    if training.config.validation.calibrate and prepared.validation:
        before = score_pairs(training.model, prepared.validation, training.group.device)
        calibrate(training.model, before.bias)
        scores |= score_pairs(training.model, prepared.validation, training.group.device).values()
    training.export(training.folder / WEIGHTS, scores=scores)


def _write_config(config: TrainConfig, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(_plain(asdict(config)), sort_keys=False)
        (out / CONFIG).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write into {out}: {error.strerror or error}; give another --out") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
