"""From a file to rows and their trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inmo.errors import UserError
from inmo.harness.ablation.command import Asked, factors, open_ablation
from inmo.harness.ablation.spec import (
    FOLDER,
    find_ablation,
    flat,
    load_ablation,
    network_rows,
    raw_config,
    row_config,
    rows_of,
)
from inmo.harness.ablation.trainings import members, missing, training_key
from tests.harness.ablation.small import write_ablation, write_config


def test_rows_set_values_anywhere_in_the_config(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    rows = {
        "nested": {"settings": {"tca": False}, "batch": 8},
        "by path": {"settings.window_influence": 0.2, "data.augmentation": "transt", "objective": "transt"},
    }
    file = write_ablation(tmp_path, rows=rows, base={"settings": {"wp": False}, "steps": 7})
    ablation = load_ablation(file)
    raw = raw_config(ablation, file, overrides=("steps=9",))
    nested, by_path = (row_config(raw, row, 3) for row in rows_of(ablation))
    assert nested.settings["tca"] is False and nested.settings["wp"] is False and nested.settings["dim"] == 16
    assert (nested.batch, nested.steps, nested.seed, nested.objective) == (8, 9, 3, "small")
    assert by_path.settings["window_influence"] == 0.2 and "tca" not in by_path.settings
    assert (by_path.data.augmentation, by_path.objective, by_path.batch) == ("transt", "transt", 4)
    assert len(by_path.data.sources) == 1  # what is beside a value stays


def test_a_grid_is_every_combination(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    grid = {"settings": {"wp": [False, True]}, "batch": [4, 8]}
    opened = open_ablation(
        Asked(write_ablation(tmp_path, rows={}, grid=grid, seeds=[1, 2]), datasets=("folder=x",)), tmp_path
    )
    names = ["wp=false batch=4", "wp=false batch=8", "wp=true batch=4", "wp=true batch=8"]
    assert [row.name for row in opened.rows] == names and opened.reference == names[-1]
    assert [(m.row, m.seed) for m in opened.members] == [(name, seed) for seed in (1, 2) for name in names]
    assert factors(opened)["wp=false batch=8"] == {"wp": "false", "batch": "8"}


def test_factors_are_what_configs_differ_in_however_they_are_written(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    rows = {"plain": {}, "no wp": {"settings.wp": False, "settings.dim": 16}, "bare": {"settings": {"wp": False}}}
    opened = open_ablation(Asked(write_ablation(tmp_path, rows=rows), datasets=("folder=x",)), tmp_path)
    assert factors(opened) == {"plain": {"wp": "true"}, "no wp": {"wp": "false"}, "bare": {"wp": "false"}}
    assert len(missing(opened.members)) == 2  # two rows are one training


def test_test_time_alone_is_no_training_of_its_own(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    file = write_ablation(tmp_path, rows={}, grid={"settings.window_influence": [0.0, 0.4, 0.8]}, seeds=[0, 1])
    opened = open_ablation(Asked(file, datasets=("folder=x",)), tmp_path)
    assert len(opened.members) == 6 and len(missing(opened.members)) == 2
    assert len({m.setup(untrained=True).config.window_influence for m in opened.members}) == 3


def test_what_decides_a_training_decides_its_folder(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    rows = {
        "plain": {},
        "said again": {"settings.wp": True},
        "drop path": {"settings.drop_path": 0.3},
        "its default": {"settings.drop_path": 0.0},
        "objective": {"objective": "transt"},
        "data": {"data.augmentation": "transt"},
        "steps": {"steps": 3},
    }
    file = write_ablation(tmp_path, rows=rows)
    ablation = load_ablation(file)
    raw = raw_config(ablation, file)
    keys = {row.name: training_key(row_config(raw, row, 0)) for row in rows_of(ablation)}
    assert keys["plain"] == keys["said again"] == keys["its default"]
    assert len(set(keys.values())) == 5


def test_rows_may_name_weights_that_are_there(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    (tmp_path / "a.safetensors").touch()
    rows: dict[str, Any] = {"done": {"weights": {4: "a.safetensors"}}, "to do": {"settings.wp": False}}
    file = write_ablation(tmp_path, rows=rows)
    opened = open_ablation(Asked(file, seeds=(0, 1), datasets=("folder=x",)), tmp_path / "home")
    assert [(m.row, m.seed) for m in opened.members] == [("done", 4), ("to do", 0), ("to do", 1)]
    assert opened.members[0].weights == tmp_path / "a.safetensors" and len(missing(opened.members)) == 2
    rows["done"]["weights"] = ["a.safetensors", "b.safetensors"]
    file = write_ablation(tmp_path, rows=rows)
    with pytest.raises(UserError, match=r"row done: its weights .*b.safetensors are not there"):
        members(rows_of(load_ablation(file)), raw_config(load_ablation(file), file), (0,), tmp_path, file)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rows": {}}, "wants rows, or a grid"),
        ({"rows": {"a": 3}}, "row a must hold lines"),
        ({"rows": {"a": {"seed": 3}}}, "row a sets the seed"),
        ({"rows": {"a": {"weights": 3}}}, "weights must be a file, a list of files"),
        ({"rows": {"wp=true": {}}, "grid": {"settings.wp": [True]}}, "two rows are called 'wp=true'"),
        ({"grid": {"settings.wp": True}}, "grid: settings.wp must hold a list"),
        ({"reference": "wpp"}, "did you mean wp"),
        ({"rowss": {}}, "did you mean rows"),
        ({"rows": {"a": {"settings.tcaa": True}}}, "did you mean tca"),
        ({"rows": {"a": {"batches": 3}}}, "did you mean batch"),
        ({"rows": {"a": {"batch.size": 3}}}, "batch holds no further names"),
        ({"rows": {"a": {"schedule": "smal"}}}, "did you mean small"),
        ({"rows": {"a": {"objective": "smal"}}}, "did you mean small"),
    ],
)
def test_what_cannot_be_is_a_sentence(photos: Path, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    write_config(tmp_path, photos)
    with pytest.raises(UserError, match=message):
        open_ablation(Asked(write_ablation(tmp_path, **values), datasets=("folder=x",)), tmp_path)


def test_files_and_names_that_are_not_there_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean table4"):
        find_ablation("tabel4")
    with pytest.raises(UserError, match="cannot read the ablation"):
        load_ablation(find_ablation(str(tmp_path / "none.yaml")))


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_ablations_that_come_with_the_project_can_be_built(file: Path, tmp_path: Path) -> None:
    opened = open_ablation(Asked(file), tmp_path)
    assert len(opened.rows) >= 2
    for member in opened.members:
        network = member.setup(untrained=True).spec.network
        assert network is not None
        network(member.setup(untrained=True).config)
    different = {repr(sorted(own.items())) for own in factors(opened).values()}
    assert len(different) == len(opened.rows)  # every row is another one


def test_rows_without_what_their_config_says() -> None:
    assert network_rows("table4")["wp"] == ("transinmo-star", {"interaction": "paper", "wp": True, "tca": False})
    assert flat({"a": {"b": {"c": 1}, "d": []}, "e": {}}) == {"a.b.c": 1, "a.d": [], "e": {}}
