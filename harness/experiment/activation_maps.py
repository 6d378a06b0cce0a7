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
from inmo.errors import UserError, unknown_name
from inmo.harness.run.jobs import Job, built, facts_of, run_of
from inmo.harness.run.setup import Setup
from inmo.harness.store import provenance
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
    known = {each.name: each for each in dataset.sequences}
    if sequence not in known:
        raise unknown_name(f"sequence of {dataset.label}", sequence, known)
    found = known[sequence]
    config = setup.on(dataset.benchmark.name)
    run = run_of(setup.spec, config, setup.label)
    annotation = found.annotation().fingerprint()
    own = folder / file_name(dataset.label) / run.folder
    paths = {frame: own / f"{file_name(sequence)}-{frame}.npz" for frame in sorted(set(frames))}
    missing = {frame: path for frame, path in paths.items() if not _current(path, annotation)}
    if missing:
        versions = tuple(provenance.versions().items())
        _compute(Job(Path(), dataset.label, run, config, found, 0, device, versions), missing)
    return [replace(read_maps(path), tracker=run.label or run.title) for path in paths.values()]


def _compute(job: Job, paths: Mapping[int, Path]) -> None:
    """Follow the sequence to the last of the frames, and look into the steps that are asked for."""
    from inmo.trackers.inspect.activation import watch_step
    from inmo.trackers.pipeline.neural import NeuralTracker

    run = job.run
    tracker = built(run.tracker, job.config, job.device)
    if not isinstance(tracker, NeuralTracker):
        raise UserError(f"{run.tracker} has no network to look into: name one of the InMo trackers")
    annotation, images = job.open()
    for frame in paths:
        if not 1 <= frame < len(images):
            raise UserError(f"{job.sequence.name} has frames 1 to {len(images) - 1} to look into, not {frame}")
    first = images.read(0)
    start = shift_origin(annotation.boxes[:1], -job.sequence.origin)
    state = tracker.init([first], start)
    side = float(tracker.recipe.geometry.template_side(state.size)[0])
    template = crop(first, state.centre[0], side, tracker.recipe.geometry.template_size, state.fill[0])
    common = facts_of(job, tracker, annotation, images, lanes=1)
    for index in range(1, max(paths) + 1):
        image = images.read(index)
        if index not in paths:
            state = tracker.step([image], state).state
            continue
        watched = watch_step(tracker, image, state)
        facts = {
            **common, "tracker": run.label or run.title, "registry": run.tracker,
            "dataset": job.label, "frame": index,
            "parts": [(item.part, item.name) for item in watched.parts],
            "keys": [item.keys and list(item.keys.cells.items()) for item in watched.parts],
        }  # fmt: skip
        arrays: dict[str, Any] = {f"change{number}": item.change for number, item in enumerate(watched.parts)}
        arrays |= {f"response{number}": item.response for number, item in enumerate(watched.parts)}
        arrays |= {"template": template, "search": watched.search, "score": watched.score}
        arrays["box"] = watched.on_search(watched.box)
        sink = io.BytesIO()
        np.savez_compressed(sink, facts=np.array(json.dumps(facts, default=str)), **arrays)
        place(paths[index], sealed_zip(sink.getvalue()))
        state = watched.state


def _current(path: Path, annotation: str) -> bool:
    """Whether the file is there, of this annotation and with counted keys, which earlier versions did not keep."""
    facts = read_maps(path).facts if path.exists() else {}
    return facts.get("annotation") == annotation and "keys" in facts
