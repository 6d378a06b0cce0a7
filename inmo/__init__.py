"""Benchmark and ablation harness for single-object trackers with informative interactions.

``from inmo import evaluate, load_results, track`` is the library (``harness.library``); the command ``inmo`` and
``python run_all.py`` are the same door.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inmo.harness.library import evaluate, load_results, track

__all__ = ["evaluate", "load_results", "track"]

_here = Path(__file__).resolve().parent
if not (_here / "datasets").is_dir():  # a checkout: the four packages lie beside this folder, not in it
    __path__.append(str(_here.parent))


def __getattr__(name: str) -> Any:
    """What the library offers, imported when it is asked for: ``import inmo`` stays cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'inmo' has no attribute '{name}'")
    from inmo.harness import library

    return getattr(library, name)
