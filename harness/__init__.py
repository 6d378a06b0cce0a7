"""Running trackers over sequences and keeping what they gave.

As a library: ``from harness import evaluate, load_results, track``, see ``harness.library``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.library import evaluate, load_results, track

__all__ = ["ROOT", "evaluate", "load_results", "track"]

ROOT = Path(__file__).resolve().parent.parent


def _claim_datasets() -> None:
    """Make ``import datasets`` mean ours: a well-known distribution has the same name.

    Worker processes import this package first too, so the guard holds there as well.
    """
    if sys.path[:1] != [str(ROOT)]:
        sys.path.insert(0, str(ROOT))
    import datasets

    found = Path(datasets.__file__ or "").resolve()
    if found.parent != ROOT / "datasets":
        # A dask worker that left here would be waited for; an ImportError reaches the command, which prints it.
        kind = ImportError if "distributed" in sys.modules else SystemExit
        raise kind(
            f"'datasets' was imported from {found.parent}, another package of that name: start run_all.py from a fresh "
            "interpreter, or uninstall the other package from this environment"
        )


_claim_datasets()


def __getattr__(name: str) -> Any:
    """What the library offers, imported when it is asked for: ``import harness`` stays cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    from harness import library

    return getattr(library, name)
