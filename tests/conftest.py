"""What tests of several packages are given: reference material, and clips that need none.

Reference material is looked for in ``TRACKING_SHARED``, else in ``../shared`` beside the checkout.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.clips import write_clips

ROOT = Path(__file__).resolve().parent.parent

SLOW_MINUTES = float(os.environ.get("SLOW_MINUTES", "inf"))
BEGUN = time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start no slow test after ``SLOW_MINUTES``: on a machine that is slower than thought, all that is fast is run."""
    if item.get_closest_marker("slow") and time.monotonic() - BEGUN > 60 * SLOW_MINUTES:
        pytest.skip(f"the {SLOW_MINUTES:g} minutes in which slow tests are started are over (SLOW_MINUTES)")


def shared_root() -> Path | None:
    path = Path(os.environ.get("TRACKING_SHARED", ROOT.parent / "shared"))
    return path if (path / "reference").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material and real data; skips the test, saying so, where there is none."""
    found = shared_root()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("the reference material is missing: CI must have it in ../shared or TRACKING_SHARED")
        pytest.skip("no reference material: put it in ../shared or name its folder in TRACKING_SHARED")
    return found


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three clips of moving squares, in the folder layout."""
    return write_clips(tmp_path / "clips")
