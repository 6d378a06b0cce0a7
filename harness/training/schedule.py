"""Optimisers and learning rates as rows: the released ones and those for small trackers.

Phases are fractions of the whole training, so a shorter one keeps its proportions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import nn

from inmo.errors import UserError, unknown_name
from inmo.harness.training.config import TrainConfig

NEVER = 1.0
BACKBONE = r"backbone\..*"


@dataclass(frozen=True)
class Schedule:
    """One row.

    Attributes:
        optimiser: adamw or sgd (momentum 0.9).
        rate: peak learning rate.
        backbone: learning rate of the backbone over ``rate``.
        weight_decay: of matrices; of vectors and scalars too if ``decay_all``.
        epochs, pairs, batch: the published length: pairs per epoch, and per step.
        warmup: steps of linear warm-up.
        shape: ``cosine`` to 0; ``step`` by ``factor`` at every multiple of ``at``; ``siamcar``: geometric from a
            fifth of ``rate`` over the first quarter, then geometric to a tenth of it.
        clip: largest norm of the gradient; 0: no limit.
        frozen: (regular expression over the network's parameter names, fraction of the training until which what it
            matches neither learns nor updates its batch statistics).
        betas: of AdamW.
        slow: regular expression of the parameters that learn at ``backbone`` times the rate.
    """

    optimiser: Literal["adamw", "sgd"]
    rate: float
    backbone: float
    weight_decay: float
    epochs: int
    pairs: int
    batch: int
    shape: Literal["cosine", "step", "siamcar"]
    warmup: int = 0
    at: float = 0.5
    factor: float = 0.1
    clip: float = 0.0
    decay_all: bool = True
    frozen: tuple[tuple[str, float], ...] = ()
    betas: tuple[float, float] = (0.9, 0.999)
    slow: str = BACKBONE

    def steps(self, batch: int = 0) -> int:
        """Of the published length, in batches of its own size or of another."""
        return self.epochs * (self.pairs // (batch or self.batch))

    def at_step(self, step: int, total: int) -> float:
        """Learning rate over ``rate`` at a step, 0 .. total - 1."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = step / max(total, 1)
        if self.shape == "cosine":
            rest = (step - self.warmup) / max(total - self.warmup, 1)
            return 0.5 * (1 + math.cos(math.pi * rest))
        if self.shape == "step":
            return float(self.factor ** math.floor(done / self.at + 1e-9))
        return float(5 ** (done / 0.25 - 1)) if done < 0.25 else float(10 ** -((done - 0.25) / 0.75))

    def is_frozen(self, name: str, step: int, total: int) -> bool:
        """Whether a parameter (or module) of this name does not learn at a step."""
        return any(re.fullmatch(pattern, name) and step < until * total for pattern, until in self.frozen)

    def never_learns(self, name: str) -> bool:
        """Whether a parameter of this name is frozen to the end, so that autograd need not follow it."""
        return any(re.fullmatch(pattern, name) and until >= NEVER for pattern, until in self.frozen)


_SIAMCAR_BODY = r"backbone\.(?!interactions(\.|$)).+"  # what starts from ImageNet: interactions start from nothing
_SIAMCAR_STEM = r"backbone\.(body\.)?(conv1|bn1|layer1)(\..*)?"
_LITE_BODY = r"backbone\.body\..*"
_LITE_STEM = r"backbone\.body\.(stem|blocks\.[0-4])(\..*)?"

SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "transt": Schedule("adamw", 1e-4, 0.1, 1e-4, 1000, 38_000, 38, "step"),
        "transinmo-released": Schedule("adamw", 5e-4, 0.1, 1e-4, 100, 800_000, 128, "step", at=0.2),
        "siamcar": Schedule(
            "sgd", 5e-3, 0.1, 1e-4, 20, 600_000, 80, "siamcar", clip=10.0,
            frozen=((_SIAMCAR_BODY, 0.5), (_SIAMCAR_STEM, NEVER)),
        ),
        "cnninmo-released": Schedule(
            "sgd", 5e-3, 0.1, 1e-4, 20, 600_000, 128, "siamcar", frozen=((_SIAMCAR_STEM, NEVER),)
        ),
        "small": Schedule(
            "adamw", 1e-3, 1.0, 0.05, 1, 40_000, 32, "cosine",
            warmup=60, clip=1.0, decay_all=False, betas=(0.9, 0.98),
        ),
        "lite": Schedule(
            "adamw", 1e-3, 0.15, 0.05, 1, 80_000, 32, "cosine",
            warmup=60, clip=1.0, decay_all=False, betas=(0.9, 0.98), slow=_LITE_BODY,
            frozen=((_LITE_STEM, NEVER),),
        ),
        "lite-further": Schedule(
            "adamw", 5e-4, 0.15, 0.05, 1, 64_000, 16, "cosine",
            warmup=60, clip=1.0, decay_all=False, betas=(0.9, 0.98), slow=_LITE_BODY,
            frozen=((_LITE_STEM, NEVER),),
        ),
        "finetune": Schedule(
            "adamw", 2e-4, 0.15, 0.05, 1, 3200, 16, "cosine",
            warmup=20, clip=1.0, decay_all=False, betas=(0.9, 0.98), slow=_LITE_BODY,
        ),
    }
)  # fmt: skip


def demand_schedule(config: TrainConfig) -> None:
    """Raises UserError with a did-you-mean for a training whose schedule has no row."""
    if config.schedule not in SCHEDULES:
        raise unknown_name("schedule", config.schedule, SCHEDULES)


def batch_of(config: TrainConfig) -> int:
    """Pairs of one step of a training, over all processes."""
    return config.batch or SCHEDULES[config.schedule].batch


def steps_of(config: TrainConfig) -> int:
    """Steps of a training."""
    return config.steps or SCHEDULES[config.schedule].steps(batch_of(config))


def schedule_of(config: TrainConfig, network: nn.Module) -> Schedule:
    """The row of a config, with the parts that the config freezes. Raises UserError for a part that is not there."""
    known = [name for name, _ in network.named_modules() if name]
    for name in config.frozen:
        if name not in known:
            near = [other for other in known if other.count(".") <= name.count(".")]
            raise unknown_name("part of the network to freeze", name, near)
    row = SCHEDULES[config.schedule]
    row = replace(row, frozen=(*row.frozen, *((rf"{re.escape(name)}(\..*)?", NEVER) for name in config.frozen)))
    if all(row.never_learns(name) for name, _ in network.named_parameters()):
        raise UserError(f"nothing is left to learn: frozen holds all of the network ({', '.join(config.frozen)})")
    return row


def make_optimiser(network: nn.Module, row: Schedule, beside: nn.Module | None = None) -> torch.optim.Optimizer:
    """The optimiser of a row for a network and what learns beside it at the full rate.

    Each group holds ``share``, its learning rate over the row's.
    """
    shares: dict[nn.Parameter, float] = {}
    for name, parameter in network.named_parameters():
        if row.never_learns(name):
            parameter.requires_grad_(False)
        else:
            shares[parameter] = row.backbone if re.fullmatch(row.slow, name) else 1.0
    if beside is not None:
        shares |= dict.fromkeys(beside.parameters(), 1.0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter, share in shares.items():
        decay = row.weight_decay if row.decay_all or parameter.dim() > 1 else 0.0
        groups.setdefault((share, decay), []).append(parameter)
    made: list[dict[str, Any]] = [
        {"params": parameters, "lr": row.rate * share, "weight_decay": decay, "share": share}
        for (share, decay), parameters in groups.items()
    ]
    if row.optimiser == "sgd":
        return torch.optim.SGD(made, momentum=0.9)
    return torch.optim.AdamW(made, betas=row.betas, fused=True)


def set_rate(optimiser: torch.optim.Optimizer, row: Schedule, step: int, total: int) -> float:
    """Set every group's learning rate for a step; returns that of the head."""
    rate = row.rate * row.at_step(step, total)
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]
    return rate


def freeze(network: nn.Module, row: Schedule, step: int, total: int) -> None:
    """Put the network in training mode, what is frozen at this step in evaluation mode and out of autograd's sight."""
    network.train()
    if not row.frozen:
        return
    for name, module in network.named_modules():
        if name and row.is_frozen(name, step, total):
            module.eval()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not row.is_frozen(name, step, total))
