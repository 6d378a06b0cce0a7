"""Training pairs by number: pair ``index`` of a seed is the same in any process, order and run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import joblib
import numpy as np
import platformdirs
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from inmo.datasets.training import open_source
from inmo.datasets.training.base import Source
from inmo.errors import UserError, unknown_name
from inmo.harness.training.augmentation import AUGMENTATIONS, Sample, make_sample
from inmo.harness.training.config import SourceConfig
from inmo.harness.training.pair_files import PairFiles, made_once
from inmo.trackers.pipeline.crop import Geometry
from inmo.whole_files import write_json

CHUNK = 480  # pairs that one job of the cache makes
AHEAD = 4  # batches that each process of a loader makes ahead of time
VERSION = 1  # of how pairs are made: part of the fingerprint
NAMES = ("template", "search", "box", "anchor")


class Batch(NamedTuple):
    """Pairs of one step.

    Attributes:
        template, search: (B, Z, Z, 3) and (B, X, X, 3) uint8 BGR.
        box: (B, 4) float32 cx, cy, w, h as fractions of the search region's side.
        anchor: (B, 2) float32 w, h of the target as fractions of the template crop's side.
        number: (B,) int64 numbers of the pairs.
        template_map, search_map: (B, h, h, C), (B, H, H, C) fp16 maps of a teacher, where they are cached.
    """

    template: Tensor
    search: Tensor
    box: Tensor
    anchor: Tensor
    number: Tensor
    template_map: Tensor | None = None
    search_map: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        return Batch(*(None if part is None else part.to(device, non_blocking=True) for part in self))  # type: ignore[arg-type]

    def part(self, number: int, parts: int) -> Batch:
        """Every ``parts``-th pair from ``number`` on."""
        return Batch(*(None if value is None else value[number::parts] for value in self))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PairMaker:
    """Endless pairs from a mixture of training sets.

    Attributes:
        sources, ratios: training sets and how often each is drawn, summing to one.
        geometry: how they are cut.
        augmentation: row.
        seed: of all of them.
    """

    sources: tuple[Source, ...]
    ratios: tuple[float, ...]
    geometry: Geometry
    augmentation: str
    seed: int

    def make(self, index: int) -> Sample:
        """Pair ``index``. Raises UserError for a frame that cannot be read."""
        dice = np.random.default_rng((self.seed, index))
        source = self.sources[int(np.searchsorted(np.cumsum(self.ratios)[:-1], dice.random(), side="right"))]
        pair = source.draw(dice, index)
        return make_sample(pair, self.geometry, AUGMENTATIONS[self.augmentation], dice)

    def fingerprint(self) -> str:
        """16 hex digits over all that decides the pairs."""
        words = {
            "version": VERSION,
            "sources": [(s.name, s.fingerprint(), r) for s, r in zip(self.sources, self.ratios, strict=True)],
            "geometry": (self.geometry.name, self.geometry.template_size, self.geometry.search_size),
            "augmentation": asdict(AUGMENTATIONS[self.augmentation]),
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:16]


def open_pairs(sources: Sequence[SourceConfig], geometry: Geometry, augmentation: str, seed: int) -> PairMaker:
    """The mixture of a config. Raises UserError for unknown names, missing data or ratios that cannot be."""
    if augmentation not in AUGMENTATIONS:
        raise unknown_name("augmentation", augmentation, AUGMENTATIONS)
    if not sources:
        raise UserError("the training has no data: list training sets under data.sources")
    total = sum(source.ratio for source in sources)
    if min(source.ratio for source in sources) < 0 or total <= 0:
        raise UserError("the ratios of the training sets must be 0 or more, and one of them above 0")
    used = [source for source in sources if source.ratio > 0]
    opened = tuple(open_source(source.name, source.root, source.settings) for source in used)
    return PairMaker(opened, tuple(s.ratio / total for s in used), geometry, augmentation, seed)


class MadePairs(Dataset[dict[str, Any]]):
    """Pairs made when asked for."""

    def __init__(self, maker: PairMaker) -> None:
        self.maker = maker

    def __getitem__(self, index: int) -> dict[str, Any]:
        cv2.setNumThreads(1)
        sample = self.maker.make(index)
        return {name: getattr(sample, name) for name in NAMES} | {"number": np.int64(index)}


class CachedPairs(Dataset[dict[str, Any]]):
    """The first pairs of a maker, kept as memory-mapped arrays; each epoch gives them in another order.

    ``maps``: a folder with more arrays of the same pairs. Raises UserError for a pair that is not as it was written.
    """

    def __init__(self, folder: Path, seed: int, maps: Path | None = None) -> None:
        self.folder, self.seed, self.maps = folder, seed, maps
        self.arrays = {**PairFiles(folder), **(PairFiles(maps) if maps else {})}
        self.count = len(self.arrays["box"])
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def __reduce__(self) -> tuple[Any, ...]:  # a worker maps the files itself: pickled maps carry their bytes
        return CachedPairs, (self.folder, self.seed, self.maps)

    def __getitem__(self, index: int) -> dict[str, Any]:
        epoch, place = divmod(index, self.count)
        if self._order[0] != epoch:
            self._order = (epoch, np.random.default_rng((self.seed, 77, epoch)).permutation(self.count))
        row = int(self._order[1][place])
        return {name: rows[row] for name, rows in self.arrays.items()} | {"number": np.int64(index)}


def cache_pairs(maker: PairMaker, count: int, home: str | Path = "", workers: int = 1) -> Path:
    """The folder with the first ``count`` pairs of a maker, made when it is not there.

    Raises UserError when the folder cannot be written.
    """
    root = Path(home).expanduser() if home else Path(platformdirs.user_cache_dir("inmo-harness")) / "pairs"
    fill = partial(_fill, maker=maker, count=count, workers=max(1, workers))
    return made_once(root / f"{maker.fingerprint()}-{count}", "the cache of pairs", fill)


def _fill(folder: Path, maker: PairMaker, count: int, workers: int) -> None:
    write_json(folder / "facts.json", {"fingerprint": maker.fingerprint(), "pairs": count})
    z, x = maker.geometry.template_size, maker.geometry.search_size
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "template": ((count, z, z, 3), np.uint8),
        "search": ((count, x, x, 3), np.uint8),
        "box": ((count, 4), np.float32),
        "anchor": ((count, 2), np.float32),
    }
    for name, (shape, kind) in shapes.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=kind, shape=shape).flush()
    run = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    starts = range(0, count, CHUNK)
    work = run(joblib.delayed(_fill_chunk)(folder, maker, start, min(start + CHUNK, count)) for start in starts)
    with tqdm(total=count, desc="making pairs", unit="pair", disable=None) as bar:
        for made in work:
            bar.update(made)


def _fill_chunk(folder: Path, maker: PairMaker, start: int, end: int) -> int:
    cv2.setNumThreads(1)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in NAMES}
    for index in range(start, end):
        sample = maker.make(index)
        for name, array in arrays.items():
            array[index] = getattr(sample, name)
    for array in arrays.values():
        array.flush()
    return end - start


@dataclass(frozen=True)
class Positions:
    """Which pairs a process takes at each step: step s of all processes together is s * batch .. s * batch + batch.

    Attributes:
        start, stop: steps.
        batch: pairs per step over all processes.
        rank, world: this process and their number; each takes every ``world``-th pair, the first ones one more where
            they do not share evenly.
    """

    start: int
    stop: int
    batch: int
    rank: int = 0
    world: int = 1

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.start, self.stop):
            yield list(range(step * self.batch + self.rank, (step + 1) * self.batch, self.world))

    def __len__(self) -> int:
        return max(0, self.stop - self.start)


def loader(pairs: Dataset[dict[str, Any]], positions: Positions, workers: int, *, pin: bool = False) -> Iterator[Batch]:
    """Batches in the order of ``positions``, made by ``workers`` processes ahead of time."""
    made: DataLoader[dict[str, Tensor]] = DataLoader(
        pairs,
        batch_sampler=positions,
        num_workers=min(workers, os.cpu_count() or 1),
        pin_memory=pin,
        prefetch_factor=AHEAD if workers else None,
        multiprocessing_context="spawn" if workers else None,
        generator=torch.Generator(),  # its own, or starting a loader would move the global one on
    )
    for batch in made:
        yield Batch(**batch)
