"""Benchmark and ablation harness for single-object trackers with informative interactions.

The names below are the library; modules may move. The command ``inmo`` and ``python run_all.py`` are the same door.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from inmo.registry import resolve

if TYPE_CHECKING:
    from inmo.datasets import open_dataset
    from inmo.datasets.base import Annotation, Benchmark, Dataset, Hole, Sequence
    from inmo.errors import UserError
    from inmo.harness.library import RawFiles, Results, evaluate, load_results, track
    from inmo.harness.store.store import Store, open_store
    from inmo.reports.notebook import Plot, Scores
    from inmo.reports.scoring.raw import score_dataset, score_sequence
    from inmo.reports.scoring.score import Measures, Score
    from inmo.trackers.base import SequenceAware, Step, Tracker, TrackerSpec

__all__ = [
    "Annotation", "Benchmark", "Dataset", "Hole", "Measures", "Plot", "RawFiles", "Results", "Score", "Scores",
    "Sequence", "SequenceAware", "Step", "Store", "Tracker", "TrackerSpec", "UserError", "evaluate", "load_results",
    "open_dataset", "open_store", "score_dataset", "score_sequence", "track",
]  # fmt: skip

_HOMES = MappingProxyType(
    {
        "inmo.datasets": ("open_dataset",),
        "inmo.datasets.base": ("Annotation", "Benchmark", "Dataset", "Hole", "Sequence"),
        "inmo.errors": ("UserError",),
        "inmo.harness.library": ("RawFiles", "Results", "evaluate", "load_results", "track"),
        "inmo.harness.store.store": ("Store", "open_store"),
        "inmo.reports.notebook": ("Plot", "Scores"),
        "inmo.reports.scoring.raw": ("score_dataset", "score_sequence"),
        "inmo.reports.scoring.score": ("Measures", "Score"),
        "inmo.trackers.base": ("SequenceAware", "Step", "Tracker", "TrackerSpec"),
    }
)
"""Where the library's names are at home; a module is imported when one of its names is asked for."""

_here = Path(__file__).resolve().parent
if not (_here / "datasets").is_dir():  # a checkout: the four packages lie beside this folder, not in it
    __path__.append(str(_here.parent))


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'inmo' has no attribute '{name}'")
    return resolve({name: f"{home}:{name}"}, name, "name of the library")
