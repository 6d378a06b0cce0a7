"""From a file to rows and their trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inmo.errors import UserError
from inmo.harness.ablation.measured import factors
from inmo.harness.ablation.members import members, missing, training_key
from inmo.harness.ablation.opened import Asked, open_ablation
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
        ({"rows": {"a": {"settings": {"tca": False}, "settings.tca": True}}}, r"row a gives settings\.tca twice: keep"),
        ({"base": {"steps.x": 1, "steps": {"x": 1}}}, r"own\.yaml: base gives steps\.x twice"),
        ({"grid": {"settings": {"wp": [True]}, "settings.wp": [False]}}, r"grid gives settings\.wp twice"),
        ({"grid": {"settings": [{"wp": True}], "settings.wp": [False]}}, r"grid gives settings\.wp twice"),
        (
            {"rows": {"a": {"settings": {"weights": "x"}}}},
            "^row a: weights belong beside 'settings:', as 'weights: FILE'",
        ),
        ({"rows": {"a": {"settings.weights": {0: "x"}}}}, "^row a: weights belong beside"),
        ({"grid": {"settings.weights": ["x"]}, "rows": {}}, "^row weights=x: weights belong beside"),
        ({"base": {"settings.weights": "x"}}, r"own\.yaml: base: weights belong beside"),
        ({"base": {"seed": 7}}, r"own\.yaml: base sets the seed: list seeds under 'seeds:' or give --seeds 7"),
        ({"rows": {True: {}}}, "the name of a row is read as true: put the name in quotes"),
        ({"rows": {None: {}}}, "the name of a row is read as none: put the name in quotes"),
        ({"reference": False}, r"own\.yaml: reference is read as false: put the name in quotes"),
        ({"reference": 2, "rows": {1: {}}}, "unknown reference '2': known: 1"),
        ({"seeds": [-1]}, f"seed of the training is -1: choose one from 0 to {2**63 - 1}"),
        ({"seeds": [0, 2**63]}, f"seed of the training is {2**63}: choose"),
    ],
)
def test_what_cannot_be_is_a_sentence(photos: Path, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    write_config(tmp_path, photos)
    with pytest.raises(UserError, match=message):
        open_ablation(Asked(write_ablation(tmp_path, **values), datasets=("folder=x",)), tmp_path)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=7", "^--set seed=7 sets the seed: list seeds under 'seeds:' or give --seeds 7"),
        ("settings.weights=x", "^--set settings.weights=x: weights belong beside"),
        ("settings={weights: x}", "^--set settings={weights: x}: weights belong beside"),
    ],
)
def test_words_that_would_be_ignored_are_a_sentence(photos: Path, tmp_path: Path, word: str, message: str) -> None:
    write_config(tmp_path, photos)
    with pytest.raises(UserError, match=message):
        open_ablation(Asked(write_ablation(tmp_path), overrides=(word,), datasets=("folder=x",)), tmp_path)


def test_of_the_config_file_weights_are_refused_and_a_seed_gives_way(photos: Path, tmp_path: Path) -> None:
    config, asked = write_config(tmp_path, photos), Asked(write_ablation(tmp_path, seeds=[2]), datasets=("folder=x",))
    text = config.read_text()
    config.write_text(f"{text}seed: 7\n")
    assert [m.config.seed for m in open_ablation(asked, tmp_path).members] == [2, 2]
    config.write_text(text.replace("settings:\n", "settings:\n  weights: x\n"))
    with pytest.raises(UserError, match=r"base\.yaml: weights belong beside 'settings:'"):
        open_ablation(asked, tmp_path)


def test_names_twice_or_lacking_are_sentences(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    for text, message in {
        "title: T\nrows:\n  a: {}\n  b: {}\n  a: {steps: 3}\n": "'a' stands twice, in lines 3 and 5",
        "title: T\nrows: {a: {}}\nrows: {b: {}}\n": "'rows' stands twice, in lines 2 and 3",
        "rows: {a: {}}\n": r"own\.yaml is not complete: add the line 'title:' with a value",
        "title: T\nrows: {a: {}}\nreference: off": "reference is read as false",
    }.items():
        file.write_text(text)
        with pytest.raises(UserError, match=message):
            load_ablation(file)
    file.write_text("title: T\nrows: {a: {}}")
    with pytest.raises(UserError, match="row a is not complete: add the line 'tracker:'"):
        row_config(raw_config(load_ablation(file), file), rows_of(load_ablation(file))[0], 0)


def test_a_row_may_be_named_by_a_number(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    file = write_ablation(tmp_path, rows={1: {}, "off": {"settings.tca": False}}, reference=1)
    opened = open_ablation(Asked(file, datasets=("folder=x",)), tmp_path)
    assert ([row.name for row in opened.rows], opened.reference) == (["1", "off"], "1")


def test_an_empty_mapping_sets_nothing(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    rows = {"as it is": {"settings": {}, "data": {}}, "bare": {}}
    opened = open_ablation(
        Asked(write_ablation(tmp_path, rows=rows, base={"settings": {}}), datasets=("folder=x",)), tmp_path
    )
    one, other = opened.members
    assert one.config == other.config and one.config.settings["dim"] == 16


def test_mappings_of_a_grid_are_merged_into_the_base(photos: Path, tmp_path: Path) -> None:
    write_config(tmp_path, photos)
    grid = {"settings": [{"tca": True}, {"tca": False, "wp": False}], "batch": [4, 8]}
    opened = open_ablation(Asked(write_ablation(tmp_path, rows={}, grid=grid), datasets=("folder=x",)), tmp_path)
    names = ["tca=true batch=4", "tca=true batch=8", "tca=false wp=false batch=4", "tca=false wp=false batch=8"]
    assert [row.name for row in opened.rows] == names
    assert all(m.config.settings["dim"] == 16 for m in opened.members)
    assert factors(opened)[names[3]] == {"tca": "false", "wp": "false", "batch": "8"}
    ablation = load_ablation(write_ablation(tmp_path, rows={}, grid={"settings": [{}, {"tca": False}]}))
    assert [(row.name, row.values) for row in rows_of(ablation)] == [
        ("as it is", {}), ("tca=false", {"settings.tca": False}),
    ]  # fmt: skip


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
    assert flat({"a": {"b": {"c": 1}, "d": []}, "e": {}}) == {"a.b.c": 1, "a.d": []}
