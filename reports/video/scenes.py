"""From the store to a scene: the results of several trackers on one sequence, with the page's colours."""

from __future__ import annotations

from collections.abc import Sequence

from inmo.boxes import shift_origin
from inmo.datasets import open_dataset
from inmo.datasets.base import Hole
from inmo.datasets.images import Frames
from inmo.errors import UserError, unknown_name
from inmo.harness.store.records import Result, display_names
from inmo.harness.store.store import Store
from inmo.reports.figures.style import styles
from inmo.reports.scoring.failures import fitted, frame_overlaps, seen
from inmo.reports.scoring.stored import evaluate
from inmo.reports.video.film import Follower, Scene


def scene_of(
    store: Store, label: str, name: str, *, trackers: Sequence[str] = (), root: str = ""
) -> tuple[Scene, Frames, list[Hole]]:
    """What ``draw`` shows of a sequence, its images, and the trackers that have no result on it with the reason.

    Args:
        label: of the dataset; may be empty where the store has one.
        trackers: by the names that a report prints; all when empty.
        root: where the images are, in place of where they were.

    Raises:
        UserError: an unknown dataset, sequence or tracker, images that are gone, or no result at all.
    """
    label = label or _holding(store, name)
    data = store.dataset(label)
    if name not in data.names:
        raise unknown_name(f"sequence of {label}", name, data.names)
    dataset = open_dataset(data.benchmark, root or data.root, label=label)
    sequence = next((s for s in dataset.sequences if s.name == name), None)
    if sequence is None or sequence.frames is None:
        raise UserError(f"{dataset.root} holds no images of {name}: say where they are with --root")
    stored, frames = store.sequence(label, name), sequence.frames()
    runs = store.runs(label)
    names = display_names(runs)
    for wanted in trackers:
        if wanted not in names.values():
            raise unknown_name(f"tracker on {label}", wanted, names.values())
    look = styles(evaluate(store).trackers)
    length = len(frames)
    truth = fitted(seen(stored.annotation), length)
    followers, holes = [], []
    for run in runs:
        title = names[run.folder]
        if trackers and title not in trackers:
            continue
        result = store.result(label, run, name)
        if not isinstance(result, Result):
            holes.append(Hole(title, result.reason))
            continue
        boxes = fitted(result.boxes, length)
        overlaps = frame_overlaps(boxes, truth)
        followers.append(Follower(title, shift_origin(boxes, -data.origin), overlaps, look[title]))
    if not followers:
        raise UserError(f"nothing is stored of {name}: {holes[0].reason if holes else 'no tracker was run'}")
    followers.sort(key=lambda each: -each.style.number)  # the best is drawn last, on top
    words = f"{data.title} · overlap with the ground truth (thick white box)"
    return Scene(name, words, shift_origin(truth, -data.origin), tuple(followers)), frames, holes


def _holding(store: Store, name: str) -> str:
    """The dataset that has a sequence of that name, or the only one there is, which will say that it has none."""
    labels = store.datasets()
    found = [label for label in labels if name in store.dataset(label).names] or list(labels)
    if len(found) > 1:
        raise UserError(f"the store holds several datasets: choose one with --dataset ({', '.join(found)})")
    return found[0]
