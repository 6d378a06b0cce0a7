"""What the flags of a command come to, tracker by tracker."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.harness.commands.options import NetworkOptions
from inmo.harness.commands.shared import setups_of
from inmo.harness.run.setup import configure


def test_an_option_goes_to_the_trackers_that_have_it(tmp_path: Path) -> None:
    weights = tmp_path / "own.safetensors"
    weights.touch()
    options = NetworkOptions(
        (str(weights),), None, "nano", "bf16", compile=True, set=("window_influence=0.3", "seed=7")
    )
    csrt, siamcar, kcf = setups_of(["csrt", "siamcar", "kcf"], options, random_weights=True)
    assert csrt.config == configure("csrt", {"seed": "7"}).config
    assert kcf.config == configure("kcf", {"seed": "7"}).config
    found = siamcar.config
    assert (found.weights, found.preset, found.precision, found.compile) == (str(weights), "nano", "bf16", True)
    assert (found.window_influence, found.seed) == (0.3, 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (NetworkOptions(preset="lite"), "csrt takes no --preset"),
        (NetworkOptions(compile=True), "csrt takes no --compile"),
        (NetworkOptions(("a.pth",)), "csrt takes no --weights"),
        (NetworkOptions(set=("sead=7",)), "did you mean seed"),
        (NetworkOptions(python="python3"), "none was asked for"),
    ],
)
def test_an_option_of_none_of_them_is_refused(options: NetworkOptions, message: str) -> None:
    with pytest.raises(UserError, match=message):
        setups_of(["csrt", "kcf"], options, random_weights=False)


def test_an_option_by_a_trackers_name_is_for_that_tracker() -> None:
    with pytest.raises(UserError, match="csrt takes no --weights"):
        setups_of(["csrt", "siamcar"], NetworkOptions(("csrt=a.pth",)), random_weights=False)
    with pytest.raises(UserError, match="did you mean window_influence"):
        setups_of(["siamcar", "csrt"], NetworkOptions(set=("window_influense=0.3",)), random_weights=False)
