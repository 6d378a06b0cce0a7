"""The words that a kept file says it was measured by."""

from __future__ import annotations

from pathlib import Path

from inmo.harness.ablation.opened import Asked, command_of, open_ablation
from inmo.harness.ablation.spec import find_ablation
from tests.conftest import ROOT


def test_all_that_was_asked_is_in_it_but_roots(tmp_path: Path) -> None:
    asked = Asked(
        find_ablation("interaction-lite"), overrides=("settings.window_influence=0.3",), rows=("as defined",),
        datasets=("folder=/data/my clips", "mini-lasot"), partial=True,
    )  # fmt: skip
    assert command_of(asked, open_ablation(asked, tmp_path)) == (
        "run_all.py ablate interaction-lite --set settings.window_influence=0.3 --rows 'as defined' --seeds 0 "
        "--dataset folder=ROOT mini-lasot --partial"
    )


def test_a_file_of_ones_own_is_named_with_its_ending(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "title: Own\nconfig: configs/nano/transinmo.yaml\nrows: {a: {}}\nseeds: [2]\ndatasets: [mini-lasot]\n"
    )
    said = command_of(Asked(own), open_ablation(Asked(own), tmp_path))
    elsewhere = Asked(own, config=ROOT / "configs/nano/transt.yaml", roots=("photos=/mine",))
    assert command_of(elsewhere, open_ablation(elsewhere, tmp_path)) == (
        "run_all.py ablate own.yaml --config configs/nano/transt.yaml --seeds 2 "
        "--roots photos=ROOT --dataset mini-lasot"
    )
    assert said == "run_all.py ablate own.yaml --seeds 2 --dataset mini-lasot"


def test_seeds_that_were_asked_for_are_said_beside_rows_with_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    own = tmp_path / "own.yaml"
    own.write_text(
        "title: Own\nconfig: configs/nano/transinmo.yaml\nrows: {done: {weights: {4: a.safetensors}}, to do: {}}\n"
        "datasets: [mini-lasot]\n"
    )
    asked, silent = Asked(own, seeds=(0, 1)), Asked(own)
    said = command_of(asked, open_ablation(asked, tmp_path))
    assert said == "run_all.py ablate own.yaml --seeds 0 1 --dataset mini-lasot"
    assert command_of(silent, open_ablation(silent, tmp_path)) == "run_all.py ablate own.yaml --dataset mini-lasot"
