"""What an ablation will take before it is done: trainings, pairs, hours of training and of tracking."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from inmo.errors import UserError
from inmo.harness.ablation.measured import pairs_of
from inmo.harness.ablation.members import demand, missing
from inmo.harness.ablation.opened import STORE, Asked, Opened, demand_folder, open_ablation
from inmo.harness.experiment.planning import Wanted, duration, footage, lines, make_plan
from inmo.harness.run.jobs import demand_sequences
from inmo.harness.run.setup import open_datasets
from inmo.harness.store.store import open_store
from inmo.harness.training.config import DistilConfig, TrainConfig
from inmo.harness.training.diary import read_log
from inmo.harness.training.distributed import Group
from inmo.harness.training.loop import Training
from inmo.harness.training.model import build_model
from inmo.harness.training.sampling import Batch
from inmo.harness.training.schedule import batch_of
from inmo.harness.workers.makespan import makespan
from inmo.terminal import aligned
from inmo.trackers.pipeline.neural import resolve_device

STEPS = 3  # timed, after one that is not
BLOCKED = "before it can run:"


@dataclass(frozen=True)
class TrainingCost:
    """One training that is missing: pairs that are left of it, pairs per second, and who says so."""

    name: str
    rows: tuple[str, ...]
    pairs: int
    rate: float
    source: str

    @property
    def seconds(self) -> float:
        return self.pairs / self.rate


def dry_run(asked: Asked, out: Path, *, at_once: int = 1, jobs: int = 1, device: str = "auto") -> list[str]:
    """Lines that say what ``ablate`` with these words would do.

    Speeds of trainings are those of their own logs or of another seed's, else of a few steps now; of tracking those of
    stored results, else of a few frames now.

    The last lines are what ``ablate`` would refuse here and now, each beginning with ``BLOCKED``: data and weights may
    lie elsewhere, so that it is planned all the same.

    Raises UserError as ``ablate`` does for its file, and for a dataset whose lengths nobody knows.
    """
    opened = open_ablation(asked, out)
    costs = training_costs(opened, device)
    own = {m.folder for m in opened.members if m.folder is not None}
    given = sum(m.folder is None for m in opened.members)
    said = [
        f"{opened.title}: {len(opened.rows)} rows, {len(opened.members)} of a row with a seed: {len(own)} trainings, "
        f"{len(own) - len(costs)} of them done, and {given} weights that the file names",
        f"to be trained: {len(costs)} trainings, {sum(cost.pairs for cost in costs):,} pairs",
    ]
    if costs:
        rows = [["training", "row", "pairs", "pairs/s", "time", "speed from"]]
        for cost in costs:
            numbers = (f"{cost.pairs:,}", f"{cost.rate:.1f}", duration(cost.seconds))
            rows.append([cost.name, ", ".join(cost.rows), *numbers, cost.source])
        said += ["", *aligned(rows, left=[True, True, False, False, False, True])]
        whole = makespan([cost.seconds for cost in costs], at_once)
        said += ["", f"training: {duration(whole)}{f', {at_once} at a time' if at_once > 1 else ''}"]
        if at_once > 1:
            said.append("(each as fast as alone: trainings that share cores or a device are slower)")
    store = out / STORE
    there = open_store(store) if store.is_dir() else None
    plan = make_plan(_wanted(opened), store=there, bench=None, device=device)
    refused = [f"{BLOCKED} {reason}" for reason in blockers(opened, out)]
    return [*said, "", "tracking:", *lines(plan, jobs), *([""] if refused else []), *refused]


def blockers(opened: Opened, out: Path) -> list[str]:
    """What ``ablate`` would refuse, a sentence each: data, weights or networks, and a folder that cannot be."""

    def datasets() -> None:
        rooted = [word for word in opened.datasets if "=" in word]
        demand_sequences(open_datasets(rooted), (), opened.partial)

    found = []
    for check in (datasets, lambda: demand_folder(out), lambda: demand(opened.members)):
        try:
            check()
        except UserError as error:
            found.append(str(error))
    return found


def training_costs(opened: Opened, device: str) -> list[TrainingCost]:
    """The trainings that are missing, each once."""
    found, measured = [], dict[str, tuple[float, str]]()
    for folder, config in missing(opened.members).items():
        key = folder.name.rpartition("-seed-")[0]
        pairs = pairs_of(config)
        known = stored_rate(folder, key) or measured.get(key)
        if known is None:
            known = measured[key] = measured_rate(config, device)
        done = max((int(row["step"]) for row in read_log(folder)), default=0) * batch_of(config)
        rows = tuple(dict.fromkeys(member.row for member in opened.members if member.folder == folder))
        found.append(TrainingCost(folder.name, rows, pairs - min(done, pairs), *known))
    return found


def stored_rate(folder: Path, key: str) -> tuple[float, str] | None:
    """Pairs per second of a training's own log, else of one that differs in the seed alone; None without one."""
    for place in (folder, *sorted(folder.parent.glob(f"{key}-seed-*"))):
        rates = [float(row["pairs_per_second"]) for row in read_log(place) if row.get("pairs_per_second")]
        if rates:
            return rates[-1], f"the log in {place}"
    return None


def measured_rate(config: TrainConfig, device: str) -> tuple[float, str]:
    """Pairs per second of a few steps on made-up pairs: what making pairs takes, or a teacher, is not in it."""
    alone = replace(config, compile=False, distil=DistilConfig(), initial="")
    model = build_model(alone.tracker, alone.settings, alone.objective, checkpointing=alone.checkpointing)
    place, count = resolve_device(device), batch_of(config)
    model.trainee.to(place)
    geometry = model.geometry
    sides = geometry.template_size, geometry.search_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = [torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8) for side in sides]
    box, anchor = torch.tensor([0.5, 0.5, 0.25, 0.25]), torch.tensor([0.5, 0.5])
    template, search = images
    batch = Batch(template, search, box.repeat(count, 1), anchor.repeat(count, 1), torch.arange(count)).to(place)
    with tempfile.TemporaryDirectory() as folder:
        training = Training(alone, model, Group(0, 1, place), Path(folder))
        training.step(0, batch)
        started = time.perf_counter()
        for step in range(1, STEPS + 1):
            training.step(step, batch)
        if place.type == "cuda":
            torch.cuda.synchronize(place)
        seconds = time.perf_counter() - started
    left_out = " and teacher" if config.distil.weight else ""
    return STEPS * count / seconds, f"{STEPS} steps of made-up pairs, measured now without loader{left_out}"


def _wanted(opened: Opened) -> list[Wanted]:
    """Every training on every dataset; those that are missing as random networks, which are as fast."""
    films = [footage(word) for word in opened.datasets]
    wanted = []
    for member in opened.members:
        there = member.weights.is_file()
        setup = member.setup(f"{member.row} seed {member.seed}", untrained=not there)
        place = "" if there or member.folder is None else member.folder.name
        wanted += [Wanted(setup, film, place) for film in films]
    return wanted
