"""The training loop."""

from __future__ import annotations

import gc
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.harness.store import provenance
from inmo.harness.training.checkpoints import Progress, load_checkpoint, save_batch, save_checkpoint, save_weights
from inmo.harness.training.config import CHECKPOINT, TrainConfig
from inmo.harness.training.diary import Diary, clock
from inmo.harness.training.distil import Teacher, difference
from inmo.harness.training.distributed import Group
from inmo.harness.training.model import Model, own_values
from inmo.harness.training.sampling import Batch
from inmo.harness.training.schedule import (
    Schedule,
    batch_of,
    freeze,
    make_optimiser,
    schedule_of,
    set_rate,
    steps_of,
)


@dataclass(frozen=True)
class Outcome:
    """How a training ended: how far it got, whether it was asked to stop early, and what was measured last."""

    progress: Progress
    interrupted: bool
    scores: dict[str, float]


class Stop:
    """Set by SIGTERM or SIGINT; the loop then saves and stops after the step in flight."""

    requested = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Install the handlers; elsewhere than in the main thread there are none."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        old = {number: signal.signal(number, self._request) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)

    def _request(self, *_: Any) -> None:
        self.requested = True


class Training:
    """A training in its folder.

    Args:
        config: what to do.
        model: on the group's device.
        group: this process among all.
        folder: where everything goes.
        data: fingerprint of the pairs, for the weights' metadata.
        teacher: whose maps the backbone learns to tell, for a trainee with an adapter.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: Model,
        group: Group,
        folder: Path,
        data: str = "",
        teacher: Teacher | None = None,
    ) -> None:
        self.config, self.model, self.group, self.folder, self.data = config, model, group, folder, data
        self.teacher = teacher
        self.row: Schedule = schedule_of(config, model.network)
        self.batch, self.total = batch_of(config), steps_of(config)
        self.clip = self.row.clip if config.clip < 0 else config.clip
        if self.batch < group.world * config.accumulate:
            raise UserError(
                f"a batch of {self.batch} cannot be shared by {group.world} processes in {config.accumulate} parts "
                "each: take fewer of them, or a larger batch"
            )
        self.optimiser = make_optimiser(model.network, self.row, model.trainee.adapter)
        self.average: dict[str, Tensor] = {}
        self.progress = Progress()
        self.learning: tuple[bool, ...] = ()
        self.forward: nn.Module = model.trainee
        torch.manual_seed((config.seed * 1009 + group.rank) % 2**63)

    def resume(self) -> None:
        """Continue from the folder's checkpoint. Raises UserError when it is not there or does not belong here."""
        self.progress, self.average = load_checkpoint(
            self.folder / CHECKPOINT, self.model.trainee, self.optimiser, self.config.identity(), self.group.device
        )

    def run(self, batches: Iterator[Batch], validate: Any = None) -> Outcome:
        """All steps from where it stands.

        Args:
            batches: this process's share of the pairs of every step from there on.
            validate: () -> scores by name, called every so often and at the end; they go to the diary.
        """
        config, group, scores = self.config, self.group, {}
        mlflow = (self.total, asdict(config)) if config.logger == "mlflow" else None
        diary = Diary(self.folder, self.progress.step, quiet=not group.first, mlflow=mlflow) if group.first else None
        stop, started = Stop(), time.perf_counter()
        first, spent = self.progress.step, self.progress.seconds
        with stop.listening(), closing(diary) if diary else nullcontext():
            for step, batch in zip(range(first, self.total), batches, strict=False):
                values = self.step(step, batch.to(group.device))
                done = step + 1
                seconds = time.perf_counter() - started
                self.progress = Progress(done, done * self.batch, spent + seconds)
                if diary and (done % max(config.log_every, 1) == 0 or done == self.total):
                    rate = (done - first) * self.batch / seconds
                    values |= {"pairs_per_second": rate}
                    diary.write(done, values, words=self._line(done, values, rate))
                due = config.validation.every and done % config.validation.every == 0
                if validate is not None and group.first and (due or done == self.total):
                    scores = validate(self)
                    if diary and scores:
                        shown = "  ".join(f"{name} {value:.3f}" for name, value in scores.items())
                        diary.write(done, scores, words=f"{done}: {shown}")
                stopping = group.any(stop.requested)
                if stopping or done == self.total or (config.save_every and done % config.save_every == 0):
                    self.save()
                if stopping and done < self.total:
                    break
        return Outcome(self.progress, self.progress.step < self.total, scores)

    def step(self, step: int, batch: Batch) -> dict[str, float]:
        """One optimisation step; returns the parts of the loss, its sum, the gradient's norm and the learning rate.

        Raises UserError for a loss that is not finite, after saving the batch.
        """
        model, row, parts = self.model, self.row, self.config.accumulate
        rate = set_rate(self.optimiser, row, step, self.total)
        freeze(model.network, row, step, self.total)
        self._share_gradients()
        labels = model.objective.labels(batch.box, model.shape)
        divisors = self.group.total(model.objective.divisors(labels))
        self.optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number in range(parts):
            piece = batch.part(number, parts) if parts > 1 else batch
            half = torch.autocast(self.group.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")
            with self._quiet_unless(number == parts - 1), half:
                outputs = self.forward(piece.template, piece.search, piece.anchor)
            own = outputs if self.teacher is None else outputs[:-2]
            shares = model.objective.parts(own, tuple(part[number::parts] for part in labels), divisors)
            if self.teacher is not None:
                shares["distil"] = self._distil(piece, outputs[-2:])
            loss = torch.stack(tuple(shares.values())).sum()
            with self._quiet_unless(number == parts - 1):
                (loss * self.group.world).backward()  # type: ignore[no-untyped-call]
            for name, value in shares.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach()
        norm = nn.utils.clip_grad_norm_(model.trainee.parameters(), self.clip or math.inf)
        whole = self.group.total(torch.stack([*sums.values()]))
        if not (torch.isfinite(whole).all() and torch.isfinite(norm)):
            self._fail(step, batch, sums, float(norm))
        self.optimiser.step()
        self._update_average()
        values = dict(zip(sums, whole.tolist(), strict=True))
        return {"loss": sum(values.values()), **values, "gradient": float(norm), "rate": rate}

    def _share_gradients(self) -> None:
        """Exchange gradients of the parameters that learn now; anew when these change, as an exchange waits for all of
        its own."""
        learning = tuple(parameter.requires_grad for parameter in self.model.trainee.parameters())
        if learning == self.learning:
            return
        self.forward = self.model.trainee
        gc.collect()  # of the exchange before, whose hooks would go on waiting
        forward, self.learning = self.group.wrap(self.model.trainee), learning
        self.forward = torch.compile(forward) if self.config.compile else forward  # type: ignore[assignment]

    def _distil(self, piece: Batch, found: tuple[Tensor, ...]) -> Tensor:
        """The weighted share of these pairs in the mean difference from the teacher's maps over the step's pairs."""
        assert self.teacher is not None
        if piece.template_map is not None and piece.search_map is not None:
            wanted = piece.template_map, piece.search_map
        else:
            sides = found[0].shape[1], found[1].shape[1]
            wanted = self.teacher.maps(piece.template, piece.search, sides)
        both = difference(found[0], wanted[0]) + difference(found[1], wanted[1])
        return self.config.distil.weight * both.sum() / self.batch

    def save(self) -> None:
        """Write a checkpoint (the first process alone)."""
        if self.group.first:
            save_checkpoint(
                self.folder / CHECKPOINT,
                self.model.trainee,
                self.optimiser,
                self.average,
                self.progress,
                self.config.identity(),
            )
        self.group.wait()

    def export(self, path: Path, *, half: bool = True, scores: dict[str, float] | None = None) -> None:
        """Write the weights with what made them."""
        facts = {
            "tracker": self.model.tracker,
            "config": own_values(self.model.config),
            "training": asdict(self.config),
            "data": self.data,
            **({"teacher": self.teacher.digest} if self.teacher else {}),
            **({"initial": dict(self.model.initial)} if self.model.initial else {}),
            "steps": self.progress.step,
            "pairs": self.progress.pairs,
            "seconds": round(self.progress.seconds),
            "scores": scores or {},
            "versions": provenance.versions(),
        }
        save_weights(path, self.model.network, self.average, facts, half=half)

    def _update_average(self) -> None:
        decay = self.config.ema
        if not decay:
            return
        state = self.model.network.state_dict()
        if not self.average:
            self.average = {key: value.detach().clone() for key, value in state.items()}
            return
        decay = min(decay, (self.progress.step + 1) / (self.progress.step + 10))  # short trainings forget their start
        for key, value in state.items():
            if value.is_floating_point():
                self.average[key].lerp_(value.detach(), 1.0 - decay)
            else:
                self.average[key].copy_(value)

    def _quiet_unless(self, last: bool) -> Any:
        """Gradients travel between processes with the last part only."""
        wrapped = isinstance(self.forward, nn.parallel.DistributedDataParallel)
        return self.forward.no_sync() if wrapped and not last else nullcontext()  # type: ignore[operator]

    def _fail(self, step: int, batch: Batch, sums: dict[str, Tensor], norm: float) -> None:
        path = self.folder / f"failed-batch-{step}-{self.group.rank}.pt"
        if self.config.keep_failed:
            kept = {"batch": batch._asdict(), "network": self.model.network.state_dict()}
            save_batch(path, kept | {"parts": {name: float(value) for name, value in sums.items()}, "gradient": norm})
        found = ", ".join(f"{name} {float(value):g}" for name, value in sums.items())
        raise UserError(
            f"the loss of step {step} is not finite ({found}, gradient {norm:g}): look at the batch in {path}, lower "
            "the learning rate or use precision fp32"
        )

    def _line(self, done: int, values: dict[str, float], rate: float) -> str:
        named = "  ".join(f"{k} {v:.3f}" for k, v in values.items() if k not in ("rate", "pairs_per_second"))
        left = (self.total - done) * self.batch / max(rate, 1e-9)
        return f"{done}/{self.total}  {named}  rate {values['rate']:.2g}  {rate:.0f} pairs/s  {clock(left)} left"
