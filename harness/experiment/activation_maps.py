"""Activation maps of CSA and TCA: computed while a tracker follows a sequence, kept as arrays, read by the reports.

FOLDER/<dataset>/<tracker>-<hash>/<sequence>-<frame>.npz     arrays, and who made them as JSON in ``facts``
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inmo.boxes import shift_origin
from inmo.datasets.base import Dataset
from inmo.datasets.base import Sequence as VideoSequence
from inmo.errors import UserError, unknown_name
from inmo.harness.run.jobs import Job, built, facts_of, run_of
from inmo.harness.run.setup import Setup
from inmo.harness.store import provenance
from inmo.harness.store.records import Run
from inmo.harness.store.store import file_name
from inmo.harness.store.stored_maps import Maps, read_maps
from inmo.seals import sealed_zip
from inmo.trackers.pipeline.crop import crop
from inmo.whole_files import place


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
    missing = [frame for frame, path in paths.items() if not _current(path, annotation)]
    if missing:
        _compute(setup, config, run, dataset, found, {frame: paths[frame] for frame in missing}, device)
    return [replace(read_maps(path), tracker=run.label or run.title) for path in paths.values()]


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
    from inmo.trackers.inspect.activation import watch_step
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
    side = float(tracker.recipe.geometry.template_side(state.size)[0])
    template = crop(first, state.centre[0], side, tracker.recipe.geometry.template_size, state.fill[0])
    common = facts_of(job, annotation, images, lanes=1, device=provenance.device_of(tracker, device))
    for index in range(1, max(paths) + 1):
        image = images.read(index)
        if index not in paths:
            state = tracker.step([image], state).state
            continue
        watched = watch_step(tracker, image, state)
        x, y, side, _ = tracker.regions(state)[0]
        box = np.concatenate([watched.box[:2] - (x, y), watched.box[2:]]) / side
        facts = {
            **common, "tracker": run.label or run.title, "registry": run.tracker,
            "dataset": dataset.label, "frame": index, "config": dict(run.identity), "hash": run.hash,
            "parts": [(item.part, item.name) for item in watched.parts],
            "keys": [item.keys and list(item.keys.cells.items()) for item in watched.parts],
        }  # fmt: skip
        arrays: dict[str, Any] = {f"change{number}": item.change for number, item in enumerate(watched.parts)}
        arrays |= {f"response{number}": item.response for number, item in enumerate(watched.parts)}
        arrays |= {"template": template, "search": watched.search, "score": watched.score, "box": box}
        sink = io.BytesIO()
        np.savez_compressed(sink, facts=np.array(json.dumps(facts, default=str)), **arrays)
        place(paths[index], sealed_zip(sink.getvalue()))
        state = watched.state


def _current(path: Path, annotation: str) -> bool:
    """Whether the file is there, of this annotation and with counted keys, which earlier versions did not keep."""
    facts = read_maps(path).facts if path.exists() else {}
    return facts.get("annotation") == annotation and "keys" in facts


def _path(folder: Path, label: str, run: Run, sequence: str, frame: int) -> Path:
    return folder / file_name(label) / run.folder / f"{file_name(sequence)}-{frame}.npz"
