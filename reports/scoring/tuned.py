"""What must be known of scores of runs whose test-time constants were tuned: on what, and whether that is scored."""

from __future__ import annotations

from collections.abc import Mapping

from inmo.datasets import videos
from inmo.harness.store.records import Run, StoredDataset
from inmo.terminal import listed

OWN_FOLDER = "folder"  # any folder of somebody's own: its name alone says nothing
SHOWN = 12  # of a long list of names


def caution(run: Run, data: StoredDataset, fingerprints: Mapping[str, str]) -> str:
    """Why the scores of a run on a dataset are not those of an untuned tracker, in words; empty where they are.

    Args:
        fingerprints: sequence of the dataset -> fingerprint of its annotation. A sequence is known by it wherever it
            turns up, and by its name on the benchmark that was tuned on.
    """
    told = []
    for mark in run.tuned:
        tuned: Mapping[str, str] = mark["sequences"]
        same = videos(mark["benchmark"]) == videos(data.benchmark) and (
            data.benchmark != OWN_FOLDER or mark["dataset"] == data.label
        )
        known = set(tuned.values())
        shared = [n for n, found in fingerprints.items() if found in known or (same and n in tuned)]
        if shared:
            told.append(f"on {len(shared)} of these {len(fingerprints)} sequences")
        elif same:
            told.append(f"on {len(tuned)} other sequence{'s' if len(tuned) != 1 else ''} of this dataset")
    return " and ".join(dict.fromkeys(told))


def tuned_on(run: Run) -> str:
    """What the constants of a run were tuned on, wherever it is scored, for its provenance; empty for none."""
    words = []
    for mark in run.tuned:
        names = sorted(mark["sequences"])
        shown = listed(names, SHOWN)
        words.append(f"{mark['title']}, {len(names)} sequence{'s' if len(names) != 1 else ''}: {shown}")
    return "; ".join(words)
