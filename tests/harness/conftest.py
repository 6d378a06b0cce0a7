"""Photographs painted for the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.training.tiny import write_photos


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("painted") / "photos")
