"""Photographs painted for the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.conftest import LENGTHS, write_sequence
from tests.training.tiny import write_photos


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("painted") / "photos")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three clips of moving squares, in the folder layout."""
    for name, frames in LENGTHS.items():
        write_sequence(tmp_path / "clips" / name, frames)
    return tmp_path / "clips"
