"""What a tracker is: a registry row, a frozen config whose hash keys its results, and two calls, init and step.

A tracker follows a batch of B targets in lock-step, one frame of each per call; B = 1 is the ordinary case.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.base import Sequence
from inmo.datasets.images import Frame
from inmo.errors import UserError


class TrackerFailure(Exception):
    """A tracker went wrong at work. The message is one sentence that names it; its sequence becomes a hole with it."""


@dataclass(frozen=True)
class Step:
    """What one step gives for B targets.

    Attributes:
        boxes: (B, 4) float64 x, y, w, h in pixels of the frame, counted from 0.
        scores: (B,) float64 confidence in the tracker's own unit; NaN where it reports none.
        state: what the tracker remembers, for the next step.
        seconds: wall-clock parts of this step: any of ``pre``, ``network``, ``post``.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    state: Any
    seconds: Mapping[str, float] = field(default_factory=dict)


class Tracker(Protocol):
    """The two calls the engine makes. Frames are BGR uint8 (H, W, 3); boxes are 0-based x, y, w, h."""

    def init(self, frames: list[Frame], boxes: Boxes) -> Any:
        """Start B targets from their first frames and boxes (B, 4); returns the state."""
        ...

    def step(self, frames: list[Frame], state: Any) -> Step:
        """Find the B targets in their next frames."""
        ...


@runtime_checkable
class SequenceAware(Protocol):
    """A tracker that looks something up by sequence (recorded results, the ground-truth oracle), so B = 1.

    Its boxes are in the numbers of the benchmark's files, not counted from 0: what was recorded must come out as it
    went in, and subtracting and adding one again would cost the last bit.
    """

    def for_sequence(self, sequence: Sequence) -> Tracker:
        """The tracker to use for this one sequence. Raises UserError when it has nothing for it."""
        ...


@runtime_checkable
class Preparable(Protocol):
    """A tracker that needs a while before its first step with so many targets, which is no part of its speed."""

    @property
    def prepare(self) -> Callable[[int], None]:
        """(targets in a batch) -> after which a step with them takes as long as any."""
        ...


@runtime_checkable
class Sweepable(Protocol):
    """A tracker whose test-time constants may differ between the targets of a batch."""

    def variants(self, state: Any, constants: NDArray[np.float64]) -> Any:
        """The state of one target as W targets with penalty_k, lr and window_influence (W, 3) of their own."""
        ...


@runtime_checkable
class Searching(Protocol):
    """A tracker that looks for its targets in a part of the frame, and says in which."""

    def regions(self, state: Any) -> Boxes:
        """(B, 4) x, y, w, h of where the next step will look, in pixels of the frame; partly outside it perhaps."""
        ...


CONSTANTS = ("penalty_k", "lr", "window_influence")
"""Config fields that a ``Sweepable`` tracker takes per target."""


@dataclass(frozen=True)
class TrackerSpec:
    """A registry row.

    Attributes:
        name: the name on the command line.
        title: as papers print it.
        config: the default config, a frozen dataclass. A field with ``metadata={"file": True}`` is a path whose
            content, not name, enters the hash; one with ``metadata={"identity": False}`` stays out of the hash, one
            with ``metadata={"since": value}`` while it has that value (older hashes do not know the field); of one
            with ``metadata={"key": function}`` what the function makes of the value enters. A property ``label``, where
            there is one, names the tracker in tables and exports. A field ``target`` takes what follows the name and a
            colon on the command line, a field ``wanted`` what its class makes ``of`` a dataset.
        build: (config, device) -> Tracker; ``device`` is ``auto``, ``cpu``, ``cuda`` ...
        for_dataset: (config, benchmark name) -> config with the dataset's own hyper-parameters filled in.
        network: (config) -> its network as built, for looking into and training it; None for trackers without one.
    """

    name: str
    title: str
    config: Any
    build: Callable[[Any, str], Tracker]
    for_dataset: Callable[[Any, str], Any] = lambda config, dataset: config
    network: Callable[[Any], Any] | None = None


def identity(spec_name: str, config: Any) -> dict[str, Any]:
    """The values that decide a tracker's boxes: its name and every config field that enters the hash."""
    values: dict[str, Any] = {"name": spec_name}
    for item in fields(config):
        value = getattr(config, item.name)
        if not item.metadata.get("identity", True):
            continue
        if "since" in item.metadata and value in (None, item.metadata["since"]):
            continue
        if item.metadata.get("file") and value:
            value = {"sha256": file_sha256(Path(value))}
        if item.metadata.get("key"):
            value = item.metadata["key"](value)
        values[item.name] = {f.name: getattr(value, f.name) for f in fields(value)} if is_dataclass(value) else value
    return values


def config_hash(spec_name: str, config: Any) -> str:
    """12 hex digits of SHA-256 over ``identity``: the key under which results are stored."""
    text = json.dumps(identity(spec_name, config), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 hex digits. Raises UserError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the path") from error


@dataclass(frozen=True)
class RealKeys:
    """Among how many template tokens the cells of a search map choose in a TCA: its keys that are not padding.

    Of one key the softmax always takes all, whatever the cell shows, and of none nothing.

    Attributes:
        cells: number of keys -> cells that have as many, the fewest keys first.
    """

    cells: Mapping[int, int]

    @property
    def least(self) -> int:
        """Of all cells."""
        return min(self.cells)

    @property
    def median(self) -> int:
        """Over the cells; the lower one of two."""
        return statistics.median_low(Counter(self.cells).elements())

    def share(self, keys: int) -> float:
        """Share (0..1) of the cells with exactly this many keys."""
        return self.cells.get(keys, 0) / sum(self.cells.values())

    def without_choice(self) -> int:
        """Cells with one key or none."""
        return self.cells.get(0, 0) + self.cells.get(1, 0)


@dataclass(frozen=True)
class ActivationMap:
    """What one part of an interaction did at each place of the search region; ``inspect.activation`` makes them.

    Attributes:
        part: CSA or TCA.
        name: the module's name in the network, which tells stage and block.
        change, response: (H, W) float64 of the part's feature map, see there.
        keys: template tokens among which the softmax of a TCA chooses; None for parts without such a softmax.
    """

    part: str
    name: str
    change: NDArray[np.float64]
    response: NDArray[np.float64]
    keys: RealKeys | None = None
