"""Training as a config file says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from inmo.harness.commands.options import Flag, Names, Roots


@dataclass(frozen=True)
class Train:
    """Train a tracker as a config file says; under torchrun, on every process it starts.

    Example: python run_all.py train configs/nano/transinmo-star.yaml --set steps=2000 --out runs/star
    """

    config: Positional[Path]
    """YAML, see configs/."""
    set: Names = ()
    """Any value of the config, as a.b=value; may be given several times."""
    dataset: Roots = ()
    """Where the training set NAME lies, wherever the config names it, e.g. folder=CLIPS as `track` takes it."""
    out: Path = Path("runs")
    """Folder of the run: config.yaml, log.csv, checkpoint.pt, and at the end curves.png and weights.safetensors."""
    resume: Flag = False
    """Continue from the checkpoint in OUT."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    loader_seconds: Annotated[float | None, arg(metavar="SECONDS")] = None
    """Train nothing: measure for so long how many pairs a second the loader alone gives, and print it."""


def run(command: Train) -> int:
    from inmo.harness.training.command import measure_loader
    from inmo.harness.training.command import train as start
    from inmo.harness.training.config import load_config, with_roots

    config = with_roots(load_config(command.config, command.set), command.dataset)
    if command.loader_seconds is not None:
        return measure_loader(config, seconds=command.loader_seconds, device=command.device)
    return start(config, out=command.out, resume=command.resume, device=command.device)
