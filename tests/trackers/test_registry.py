"""Every row of the registry, and the tracker that the README shows how to add."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from typing import Any

import numpy as np
import pytest

from inmo.trackers import TRACKERS, tracker
from inmo.trackers.base import config_hash
from tests.conftest import ROOT


@pytest.mark.parametrize("name", TRACKERS)
def test_every_row_is_whole(name: str) -> None:
    spec = tracker(name)
    assert spec.name == name
    assert spec.title
    assert is_dataclass(spec.config)
    assert hash(spec.config) == hash(type(spec.config)(**vars(spec.config)))  # frozen: it keys a cache
    assert config_hash(name, spec.config) != config_hash("other", spec.config)


def test_titles_tell_trackers_apart() -> None:
    titles = [tracker(name).title for name in TRACKERS]
    assert len(set(titles)) == len(titles)


def test_the_tracker_of_the_readme_runs() -> None:
    block = re.search(r"```python\n(# trackers/drift\.py\n.*?)```", (ROOT / "trackers" / "README.md").read_text(), re.S)
    assert block
    import sys
    import types

    module = types.ModuleType("drift")
    sys.modules["drift"] = module  # dataclasses look their module up
    space: dict[str, Any] = module.__dict__
    exec(compile(block.group(1), "README", "exec"), space)
    spec = space["DRIFT"]
    built = spec.build(spec.config, "cpu")
    frame = np.zeros((8, 8, 3), np.uint8)
    state = built.init([frame], np.array([[1.0, 2, 3, 4]]))
    for _ in range(2):
        step = built.step([frame], state)
        state = step.state
    assert step.boxes.tolist() == [[3.0, 2, 3, 4]]
