"""Activation maps of CSA and TCA: computed while a tracker follows a sequence, kept as arrays, read by the reports.

FOLDER/<dataset>/<tracker>-<hash>/<sequence>-<frame>.npz     arrays, and who made them as JSON in ``facts``
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import shift_origin
from inmo.datasets.base import Dataset
from inmo.datasets.base import Sequence as VideoSequence
from inmo.datasets.images import Frame
from inmo.errors import UserError, unknown_name
from inmo.harness.run.jobs import run_of
from inmo.harness.run.setup import Setup
from inmo.harness.store.store import Run, file_name
from inmo.trackers.base import ActivationMap
from inmo.whole_files import place


@dataclass(frozen=True)
class Maps:
    """One step of a tracker, looked into.

    Attributes:
        tracker: name in tables; dataset: label; sequence: name; frame: index from 0.
        template, search: (Z, Z, 3) and (X, X, 3) uint8 BGR, what the network sees.
        parts: the maps in the order in which the parts ran.
        score: (R, R) float64 foreground probability.
        box: (4,) x, y, w, h found, as fractions of the search region.
        facts: who made it: config, hash, versions, machine, device, date, fingerprint of the annotation.
    """

    tracker: str
    dataset: str
    sequence: str
    frame: int
    template: Frame
    search: Frame
    parts: tuple[ActivationMap, ...]
    score: NDArray[np.float64]
    box: NDArray[np.float64]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def interactions(self) -> list[tuple[ActivationMap, ActivationMap]]:
        """CSA and TCA that belong together, from the first stage to the last.

        A TCA belongs to the CSA whose module's path has most in common with its own, the later one among equals.
        """
        own = [part for part in self.parts if part.part == "CSA"]
        pairs = []
        for other in (part for part in self.parts if part.part == "TCA"):
            near = max(own, key=lambda part: (_common(part.name, other.name), own.index(part)), default=None)
            if near is not None:
                pairs.append((near, other))
        return pairs


def run_maps(
    folder: Path, setup: Setup, dataset: Dataset, sequence: str, frames: Sequence[int], *, device: str = "auto"
) -> list[Maps]:
    """The maps of some frames, computed where they are missing: the tracker follows the sequence from its first frame.

    Args:
        folder: where maps are kept.
        setup: a neural tracker with CSA and TCA.
        sequence: a name of ``dataset``.
        frames: indices from 1 up; the first frame holds the template.

    Raises:
        UserError: a name or frame that is not there, or a tracker without interaction.
    """
    found = next((s for s in dataset.sequences if s.name == sequence), None)
    if found is None:
        raise unknown_name(f"sequence of {dataset.label}", sequence, [s.name for s in dataset.sequences])
    config = setup.on(dataset.benchmark.name)
    run = run_of(setup.spec, config, setup.label)
    annotation = found.annotation().fingerprint()
    paths = {frame: _path(folder, dataset.label, run, sequence, frame) for frame in sorted(set(frames))}
    missing = [f for f, path in paths.items() if not path.exists() or read_maps(path).facts["annotation"] != annotation]
    if missing:
        _compute(setup, config, run, dataset, found, {frame: paths[frame] for frame in missing}, device)
    return [replace(read_maps(path), tracker=run.label or run.title) for path in paths.values()]


def read_maps(path: Path) -> Maps:
    """Maps from their file. Raises UserError for one that is damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            parts = tuple(
                ActivationMap(part, name, stored[f"change{number}"], stored[f"response{number}"], keys)
                for number, (part, name, keys) in enumerate(facts["parts"])
            )
            arrays = {key: stored[key] for key in ("template", "search", "score", "box")}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"cannot read the activation maps {path} ({error}): delete the file and run again") from error
    names = {key: facts.pop(key) for key in ("tracker", "dataset", "sequence", "frame")}
    return Maps(**names, **arrays, parts=parts, facts=facts)


def _compute(
    setup: Setup,
    config: Any,
    run: Run,
    dataset: Dataset,
    sequence: VideoSequence,
    paths: Mapping[int, Path],
    device: str,
) -> None:
    """Follow the sequence to the last of the frames, and look into the steps that are asked for."""
    from inmo.harness.run.jobs import Job, built, facts_of
    from inmo.harness.store import provenance
    from inmo.trackers.inspect.activation import watch_step
    from inmo.trackers.pipeline.crop import crop
    from inmo.trackers.pipeline.neural import NeuralTracker

    tracker = built(setup.spec.name, config, device)
    if not isinstance(tracker, NeuralTracker):
        raise UserError(f"{setup.spec.name} has no network to look into: name one of the InMo trackers")
    job = Job(Path(), dataset.label, run, config, sequence, 0, device, tuple(provenance.versions().items()))
    annotation, images = job.open()
    for frame in paths:
        if not 1 <= frame < len(images):
            raise UserError(f"{sequence.name} has frames 1 to {len(images) - 1} to look into, not {frame}")
    first = images.read(0)
    start = shift_origin(annotation.boxes[:1], -sequence.origin)
    state = tracker.init([first], start)
    side = float(tracker.recipe.template_side(state.size)[0])
    template = crop(first, state.centre[0], side, tracker.recipe.template_size, state.fill[0])
    common = facts_of(job, annotation, images, lanes=1, device=provenance.device_of(tracker, device))
    for index in range(1, max(paths) + 1):
        image = images.read(index)
        if index not in paths:
            state = tracker.step([image], state).state
            continue
        watched = watch_step(tracker, image, state)
        side = float(tracker.recipe.search_side(state.size)[0])
        corner = state.centre[0] - side / 2
        box = np.concatenate([watched.box[:2] - corner, watched.box[2:]]) / side
        facts = {
            **common, "tracker": run.label or run.title, "registry": run.tracker,
            "dataset": dataset.label, "frame": index, "config": dict(run.identity), "hash": run.hash,
            "parts": [(item.part, item.name, item.keys) for item in watched.parts],
        }  # fmt: skip
        arrays: dict[str, Any] = {f"change{number}": item.change for number, item in enumerate(watched.parts)}
        arrays |= {f"response{number}": item.response for number, item in enumerate(watched.parts)}
        arrays |= {"template": template, "search": watched.search, "score": watched.score, "box": box}
        sink = io.BytesIO()
        np.savez_compressed(sink, facts=np.array(json.dumps(facts, default=str)), **arrays)
        place(paths[index], sink.getvalue())
        state = watched.state


def _path(folder: Path, label: str, run: Run, sequence: str, frame: int) -> Path:
    return folder / file_name(label) / run.folder / f"{file_name(sequence)}-{frame}.npz"


def _common(one: str, other: str) -> int:
    """How many leading steps two module paths share."""
    count = 0
    for a, b in zip(one.split("."), other.split("."), strict=False):
        if a != b:
            break
        count += 1
    return count
