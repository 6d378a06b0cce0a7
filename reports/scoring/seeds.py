"""How far a row's mean would move with other trainings: the seeds' deviations, drawn anew for ``effects``.

Rows may share trainings: one network at several test-time settings is several rows. Rows that do are a family. Their
luck with a training is one deviation that all of them have, drawn once, so that it falls out of their difference; what
is left, how differently rows take one training, is a second one, drawn for every row and training. Deviations of all
families together say how large each is: of two trainings of one row alone nobody could tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Trainings = Mapping[str, Mapping[int, str]]
"""Row -> seed -> name of the training; rows that name the same one share it."""


def families(trainings: Trainings) -> list[tuple[str, ...]]:
    """Rows that share trainings, or share them with rows that do, in the order of the rows."""
    found: list[tuple[set[str], tuple[str, ...]]] = []
    for row, seeds in trainings.items():
        kin = [own for own in found if own[0] & set(seeds.values())]
        together = set(seeds.values()).union(*(names for names, _ in kin))
        found = [own for own in found if own not in kin]
        found.append((together, (*(name for _, rows in kin for name in rows), row)))
    return [rows for _, rows in found]


def seed_freedom(trainings: Trainings) -> int:
    """Degrees of freedom of the seeds' deviation: trainings beyond the first of each family."""
    return sum(len(_names(trainings, rows)) - 1 for rows in families(trainings))


def seed_draws(
    tables: Mapping[str, Floats], trainings: Trainings, resamples: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Row -> (resamples,) deviations of its mean over trainings.

    Args:
        tables: row -> (trainings, n sequences), in the order of the row's seeds.
        trainings: which these are.
    """
    kin = families(trainings)
    names = [_names(trainings, rows) for rows in kin]
    off = {row: table - table.mean(axis=0) for row, table in tables.items()}
    luck = [_luck(off, trainings, rows, own) for rows, own in zip(kin, names, strict=True)]
    drawn = _drawn(luck, sum(len(own) - 1 for own in names), [len(own) for own in names], resamples, rng)
    found: dict[str, Floats] = {}
    rest: list[Floats] = []
    freedom = 0
    for rows, own, common, draws in zip(kin, names, luck, drawn, strict=True):
        places = {row: [own.index(name) for name in trainings[row].values()] for row in rows}
        found |= {row: draws[:, places[row]].mean(axis=1) for row in rows}
        several = [row for row in rows if len(off[row]) > 1] if len(rows) > 1 else []
        rest += [off[row] - common[places[row]] for row in several]
        freedom += max(0, sum(len(off[row]) - 1 for row in several) - (len(own) - 1))
    shared = [row for rows in kin if len(rows) > 1 for row in rows]
    for row, draws in zip(
        shared, _drawn(rest, freedom, [len(off[row]) for row in shared], resamples, rng), strict=True
    ):
        found[row] = found[row] + draws.mean(axis=1)
    return {row: found[row] for row in tables}


def seed_deviations(means: Sequence[Floats], resamples: int, rng: np.random.Generator) -> Floats:
    """(rows, resamples) deviations of every row's mean over trainings of its own, drawn from those of all rows.

    Args:
        means: per row a value of each training.
    """
    off = [(own - own.mean())[:, None] for own in means]
    counts = [len(own) for own in means]
    drawn = _drawn(off, sum(counts) - len(counts), counts, resamples, rng)
    return np.stack([draws.mean(axis=1) for draws in drawn])


def student(freedom: int, resamples: int, rng: np.random.Generator) -> Floats:
    """What turns normal deviates of an estimated scale into Student's t."""
    return np.asarray(np.sqrt(freedom / rng.chisquare(freedom, resamples)))


def _names(trainings: Trainings, rows: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in trainings[row].values()))


def _luck(off: Mapping[str, Floats], trainings: Trainings, rows: Sequence[str], names: Sequence[str]) -> Floats:
    """(trainings, n) deviations of a family's trainings on every sequence: the mean of its rows that can tell."""
    telling = [row for row in rows if len(off[row]) > 1]
    each: dict[str, list[Floats]] = {name: [] for name in names}
    for row in telling:
        for name, own in zip(trainings[row].values(), off[row], strict=True):
            each[name].append(own)
    return np.stack([np.mean(own, axis=0) if own else np.zeros_like(off[rows[0]][0]) for own in each.values()])


def _drawn(
    off: Sequence[Floats], freedom: int, counts: Sequence[int], resamples: int, rng: np.random.Generator
) -> list[Floats]:
    """(resamples, count) deviations for each count, drawn with replacement from those of all tables together.

    Means of few values vary too little, and their own spread is not well known: they are scaled up to the unbiased
    variance, and that is drawn, too, over a chi-square. What the trainings' means differ by because each met these few
    sequences is taken off (analysis of variance), as drawing sequences has it already: off every draw, since taken off
    the estimate, which is below it by chance as often as not where seeds differ little, it would leave no deviation.
    """
    several = [own for own in off if len(own) > 1]
    if freedom < 1 or not several:
        return [np.zeros((resamples, count)) for count in counts]
    pool = np.concatenate([own.mean(axis=1) * np.sqrt(len(own) / (len(own) - 1)) for own in several])
    sequences = several[0].shape[1]
    squares = sum(float((own.mean(axis=1) ** 2).sum()) for own in several)
    noise = sum(float(((own - own.mean(axis=1, keepdims=True)) ** 2).sum()) for own in several) / sequences
    noise /= freedom * max(1, sequences - 1)
    spread = float(np.sqrt((pool**2).mean()))
    pool = pool / spread if spread else pool
    scale = np.sqrt(np.maximum(0.0, squares / freedom * student(freedom, resamples, rng) ** 2 - noise))
    return [rng.choice(pool, (resamples, count)) * scale[:, None] for count in counts]
