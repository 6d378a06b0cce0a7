"""Trainings that ablate left are found by what they are, and every tracker of a command has its own weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.harness.commands.options import NetworkOptions
from inmo.harness.commands.shared import setups_of
from inmo.harness.experiment.paper_rows import trainings
from inmo.harness.experiment.spec import AblationEntry


def training(folder: Path, tracker: str, settings: str, seed: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"tracker: {tracker}\nsettings: {settings}\nseed: {seed}\n")
    (folder / "weights.safetensors").write_bytes(b"")
    return folder / "weights.safetensors"


def found(entry: AblationEntry) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for candidate in trainings(entry):
        rows.setdefault(candidate.row, []).append(candidate.run)
    return rows


def test_trainings_are_found_by_their_network(tmp_path: Path) -> None:
    wp = "{preset: nano, interaction: paper, wp: true, tca: false}"
    first = training(tmp_path / "transinmo-star-aaaa-seed-0", "transinmo-star", wp, 0)
    second = training(tmp_path / "transinmo-star-aaaa-seed-3", "transinmo-star", wp, 3)
    training(tmp_path / "transinmo-star-bbbb-seed-0", "transinmo-star", wp.replace("nano", "full"), 0)
    both = training(tmp_path / "transinmo-star-cccc-seed-0", "transinmo-star", "{preset: nano}", 0)  # paper by default
    rows = found(AblationEntry(4, {"preset": "nano"}, trainings=str(tmp_path)))
    assert rows["wp"] == [str(first), str(second)] and rows["wp-tca"] == [str(both)]
    five = found(AblationEntry(5, {"preset": "nano"}, trainings=str(tmp_path)))
    assert five["transt-4"] == [str(both)]  # the row that both tables have
    (absent,) = [c for c in trainings(AblationEntry(4, {"preset": "nano"}, trainings=str(tmp_path))) if c.row == "tca"]
    assert "row tca: ablate table4" in absent.absent and absent.absent.endswith("is not there")


def test_a_training_that_is_not_done_is_not_there(tmp_path: Path) -> None:
    training(tmp_path / "transinmo-star-aaaa-seed-0", "transinmo-star", "{preset: nano}", 0).unlink()
    rows = trainings(AblationEntry(4, {"preset": "nano"}, trainings=str(tmp_path)))
    assert all(candidate.absent for candidate in rows)


def test_two_trainings_with_one_seed_are_a_sentence(tmp_path: Path) -> None:
    for key in ("aaaa", "bbbb"):  # another number of steps, say
        training(tmp_path / f"transinmo-star-{key}-seed-0", "transinmo-star", "{preset: nano}", 0)
    with pytest.raises(UserError, match="both row wp-tca of table 4 with seed 0: name the one that is meant"):
        trainings(AblationEntry(4, {"preset": "nano"}, trainings=str(tmp_path)))


def test_every_tracker_has_its_own_weights(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}=1.pth" for name in ("transt", "siamcar")}
    for path in files.values():
        path.touch()
    words = tuple(f"{name}={path}" for name, path in files.items())
    made = setups_of(["siamcar", "transt"], NetworkOptions(weights=words), random_weights=False)
    assert [setup.config.weights for setup in made] == [str(files["siamcar"]), str(files["transt"])]
    both = setups_of(["siamcar", "transt"], NetworkOptions(weights=(str(files["transt"]),)), random_weights=False)
    assert {setup.config.weights for setup in both} == {str(files["transt"])}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("transt=a.pth", "transt=b.pth"), "gives transt two files: a.pth and b.pth"),
        (("a.pth", "transt=b.pth"), "gives transt two files: a.pth and b.pth"),
        (("cnninmo=a.pth",), "cnninmo is not among the trackers, siamcar, transt"),
    ],
)
def test_weights_of_nobody_or_twice_are_a_sentence(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        setups_of(["siamcar", "transt"], NetworkOptions(weights=words), random_weights=False)
