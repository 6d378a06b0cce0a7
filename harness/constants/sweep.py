"""A tracker under many test-time constants: all values of a sequence run as one batch, frames and template shared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from inmo.datasets.base import Dataset
from inmo.errors import UserError, unknown_name
from inmo.harness.run.jobs import Outcome, merge_variants, plan
from inmo.harness.run.setup import Setup
from inmo.harness.store.records import Swept, Values
from inmo.harness.store.store import Store
from inmo.harness.workers.parallel import run_jobs
from inmo.harness.workers.resources import Resources
from inmo.trackers.base import CONSTANTS


def parse_over(words: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """``("window_influence=0,0.1", "lr=0.1:0.5:0.1")`` to values; first:last:step counts the last in.

    Raises UserError for a word that cannot be read or a constant that is none.
    """
    found: dict[str, tuple[float, ...]] = {}
    for word in words:
        name, separator, text = word.partition("=")
        if not separator:
            raise UserError(f"--over wants name=value,value or name=first:last:step, not '{word}'")
        if name not in CONSTANTS:
            raise unknown_name("test-time constant", name, CONSTANTS)
        try:
            if ":" in text:
                first, last, step = (float(part) for part in text.split(":"))
                values = tuple(round(first + k * step, 10) for k in range(int((last - first) / step + 1.5)))
            else:
                values = tuple(float(part) for part in text.split(","))
        except (ValueError, ZeroDivisionError) as error:
            raise UserError(f"--over {word}: give numbers as 0,0.1,0.2 or as 0:0.9:0.1") from error
        if not values:
            raise UserError(f"--over {word} names no value")
        found[name] = tuple(dict.fromkeys(values))
    if not found:
        raise UserError("a sweep wants values, as --over window_influence=0:0.9:0.1")
    return found


def trainings(bases: Sequence[Setup], seeds: Sequence[int]) -> list[Setup]:
    """Every tracker with the weights of each seed, under one label; as they are for no seed.

    Raises UserError for a tracker without seeds, or one whose weights are named.
    """
    for base in bases if seeds else ():
        if getattr(base.config, "seed", None) is None or base.config.weights:
            raise UserError(
                f"{base.called}: --seeds chooses among weights that come with the project, so that "
                "the tracker must be a network whose weights are not named"
            )
    return [
        replace(base, config=replace(base.config, seed=seed), label=base.called)
        for base in bases
        for seed in dict.fromkeys(seeds)
    ] or [*bases]


def variants(setup: Setup, over: Mapping[str, Sequence[float]]) -> list[Setup]:
    """One setup per combination of values, labelled by them. Raises UserError for a tracker without these constants."""
    return [variant(setup, dict(zip(over, values, strict=True))) for values in itertools.product(*over.values())]


def variant(setup: Setup, chosen: Mapping[str, float]) -> Setup:
    """The setup with these constants, labelled by them. Raises UserError for a tracker without them."""
    missing = [name for name in chosen if not hasattr(setup.config, name)]
    if missing:
        raise UserError(f"{setup.spec.name} has no {missing[0]} to sweep: name one of the neural trackers")
    words = ", ".join(f"{name} {value:g}" for name, value in chosen.items())
    try:
        config = replace(setup.config, **chosen)
    except ValueError as error:
        raise UserError(f"{setup.spec.name}: {error}") from error
    return replace(setup, config=config, label=f"{setup.called}: {words}")


def swept(
    bases: Sequence[Setup], over: Mapping[str, Sequence[float]], datasets: Sequence[Dataset]
) -> tuple[Swept, ...]:
    """Where the results of a sweep stand, done or not, a dataset at a time; trainings of a tracker are one each.

    Raises UserError as ``variants``.
    """
    found = []
    for dataset in datasets:
        name = dataset.benchmark.name
        for base in bases:
            own = base.on(name)
            runs = {_values(setup.config, over): setup.folder(dataset) for setup in variants(base, over)}
            found.append(Swept(base.called, dataset.label, tuple(over), _values(own, over), runs))
    return tuple(found)


def run_sweep(
    store: Store,
    bases: Sequence[Setup],
    over: Mapping[str, Sequence[float]],
    datasets: Sequence[Dataset],
    *,
    names: Sequence[str] = (),
    resources: Resources = Resources(),
    partial: bool = False,
) -> tuple[list[Outcome], int, int]:
    """Do what is missing of a sweep.

    Args:
        store: of sweeps alone. Results of single runs stay out of it, and its own out of other stores: boxes of a
            batch are those of a single run up to 1e-2 px, so that a curve should be made of one kind.
        names: sequences wanted; empty for all that are present.
        resources, partial: see ``run.jobs``.

    Returns:
        the outcomes (one for each sequence of a tracker), and how many results were missing and were there before.

    Raises:
        UserError: whatever the user can mend, before any work.
    """
    resources.check(bases, datasets)
    setups = [each for base in bases for each in variants(base, over)]
    jobs, done = plan(store, datasets, setups, names=names, device=resources.device, partial=partial)
    return run_jobs(merge_variants(jobs), resources), len(jobs), done


def _values(config: object, over: Mapping[str, Sequence[float]]) -> Values:
    return tuple(getattr(config, name) for name in over)
