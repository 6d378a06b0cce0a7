"""What int8 costs and gives: ``python -m tools.int8 --photos FOLDER --clips FOLDER``, after ``pip install nncf``.

A tracker's search is quantised after training by NNCF on pairs that are cut from photographs; then whole clips are
tracked in float32 and in int8, both by OpenVINO, and their searches are timed in turn.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor

from inmo.datasets import open_dataset
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.setup import configure
from inmo.harness.training.config import SourceConfig
from inmo.harness.training.sampling import open_pairs
from inmo.reports.scoring.raw import score_tracker
from inmo.trackers.runtimes.graph import random_images, search_graph, tensors_of
from inmo.trackers.runtimes.openvino import _loaded, write_openvino
from tools.door import leave_after

PAIRS, SEED = 200, 7
ROUNDS, STEPS = 9, 20
TRANSFORMERS = ("transt", "transinmo", "transinmo-star")


@dataclass(frozen=True)
class Int8:
    """Quantise small trackers and say what it changes.

    Example: python -m tools.int8 --photos photos --clips clips --tracker siamcar --preset lite
    """

    photos: Path
    """Photographs to quantise with, as the training set `photos` takes them."""
    clips: Path
    """Clips to measure on, in the folder layout."""
    tracker: str = "siamcar"
    """Tracker with a network."""
    preset: str = "lite"
    """Its size."""
    threads: int = 1
    """Processor threads."""


def samples(tracker: Any, config: Any, photos: Path, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Inputs of the search graph, from pairs of crops of photographs."""
    geometry = config.sizes().geometry
    maker = open_pairs((SourceConfig("photos", str(photos)),), geometry, "small", SEED)
    for number in range(PAIRS):
        pair = maker.make(number)
        z, x = (_images(tracker, crop) for crop in (pair.template, pair.search))
        anchor = torch.as_tensor(np.asarray(pair.anchor), dtype=torch.float32)[None]
        with torch.no_grad():
            features = tracker.network.template(z, anchor) if tracker.recipe.anchored else tracker.network.template(z)
        yield dict(zip(names, (one.numpy() for one in (x, *tensors_of(features))), strict=True))


def _images(tracker: Any, crop: Any) -> Tensor:
    images: Tensor = tracker.recipe.normalise(torch.from_numpy(crop)[None].permute(0, 3, 1, 2).float())
    return images.contiguous()


def auc(tracker: Any, clips: Path, title: str) -> float:
    """Mean success AUC over the clips, 0..100."""
    dataset = open_dataset("folder", str(clips))
    annotations = {one.name: one.annotation() for one in dataset.sequences}
    boxes = {
        one.name: track_sequence(tracker, one, annotations[one.name], one.frames()).boxes  # type: ignore[misc]
        for one in dataset.sequences
    }
    scores = score_tracker(dataset.label, title, boxes, annotations, "clean", benchmark_name=dataset.benchmark.name)
    return 100 * statistics.fmean(measures.success_auc or 0.0 for measures in scores.per_sequence.values())


def measure(command: Int8) -> str:
    """One line of what was found."""
    import nncf
    import openvino

    nncf.set_log_level(logging.ERROR)
    torch.set_num_threads(command.threads)
    setup = configure(command.tracker, {"preset": command.preset, "precision": "fp32"})
    config = setup.on("folder")
    tracker: Any = setup.spec.build(config, "cpu")
    template, images = random_images(tracker.network, 1)
    with torch.no_grad():
        graph = search_graph(tracker.network, images, tracker.network.template(template))
    kind = nncf.ModelType.TRANSFORMER if command.tracker in TRANSFORMERS else None
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.xml" for name in ("float32", "int8")}
        write_openvino(graph, paths["float32"])
        data = nncf.Dataset(list(samples(tracker, config, command.photos, graph.inputs)))
        model = openvino.Core().read_model(paths["float32"])
        made = nncf.quantize(model, data, subset_size=PAIRS, model_type=kind, preset=nncf.QuantizationPreset.MIXED)
        openvino.save_model(made, paths["int8"], compress_to_fp16=False)
        settings = {"SNIPPETS_MODE": "DISABLE"} if kind else {}
        calls = {n: _loaded(path, graph.inputs, "fp32", command.threads, settings) for n, path in paths.items()}
        scores = {}
        for name, call in calls.items():
            tracker._search = _search(call, len(graph.inputs))
            scores[name] = auc(tracker, command.clips, name)
        rounds = []
        for _ in range(ROUNDS + 1):
            spent = [_seconds(lambda call=call: call(graph.examples)) for call in calls.values()]  # type: ignore[misc]
            rounds.append(spent[0] / spent[1])
        rounds = rounds[1:]
    return (
        f"{setup.spec.title} {command.preset}: AUC {scores['float32']:.1f} in float32, {scores['int8']:.1f} in int8, "
        f"which is {statistics.median(rounds):.2f} times as fast ({min(rounds):.2f} to {max(rounds):.2f})"
    )


def _search(call: Any, inputs: int) -> Callable[[Tensor, Any], tuple[Tensor, ...]]:
    return lambda images, features: tuple(call((images, *tensors_of(features))))


def _seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()  # of all threads, whatever else the machine does
    for _ in range(STEPS):
        work()
    return time.process_time() - started


def main() -> None:
    sys.stdout.write(measure(tyro.cli(Int8)) + "\n")


if __name__ == "__main__":
    leave_after(main)
