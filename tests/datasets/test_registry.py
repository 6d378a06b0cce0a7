"""One walk over every row of ``DATASETS``: a new benchmark is covered by being in it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from inmo.datasets import DATASETS, benchmark, family, open_dataset, videos
from inmo.datasets.base import ROOT_TABLE, Benchmark
from inmo.datasets.files import open_tree
from inmo.datasets.layout import table_rows
from inmo.errors import UserError
from tests.datasets.tiny import rows, write


@pytest.fixture(params=sorted(DATASETS))
def row(request: pytest.FixtureRequest) -> Benchmark:
    module = DATASETS[request.param].partition(":")[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} does not exist")
    return benchmark(request.param)


def test_a_row_is_complete(row: Benchmark) -> None:
    assert DATASETS[row.name].endswith(row.name.upper().replace("-", "_"))
    assert row.title
    assert row.origin in (0, 1)
    assert row.protocol == row.protocol.lower()
    assert row.ground_truth in ("full", "first")


def test_whose_rules_and_whose_videos(row: Benchmark) -> None:
    assert family(row.name) in DATASETS
    assert family(family(row.name)) == family(row.name)
    assert videos(row.name) == row.videos


@pytest.mark.parametrize(
    ("name", "rules", "shown"),
    [
        ("uav123", "uav123", "uav123"),
        ("uav123_10fps", "uav123", "uav123"),
        ("mini-uav123", "uav123", "mini-uav123"),
        ("mini-lasot", "lasot", "mini-lasot"),
        ("folder", "folder", "folder"),
        ("somebody's", "somebody's", "somebody's"),
    ],
)
def test_benchmarks_that_belong_together(name: str, rules: str, shown: str) -> None:
    assert (family(name), videos(name)) == (rules, shown)


def test_the_table_names_each_sequence_once_and_knows_its_attributes(row: Benchmark, tmp_path: Path) -> None:
    if not row.table or row.table.startswith(ROOT_TABLE):
        pytest.skip("the root itself decides")
    table = table_rows(row, open_tree(tmp_path))
    names = [line["name"].casefold() for line in table]
    assert len(names) == len(set(names))
    assert {code for line in table for code in (line.get("attributes") or "").split()} <= set(row.attributes)


def test_a_flat_folder_of_annotations_is_enough(row: Benchmark, tmp_path: Path) -> None:
    if row.table.startswith(ROOT_TABLE):
        pytest.skip("its table comes with the images")
    wanted = table_rows(row, open_tree(tmp_path))[:3] if row.table else ({"name": "cat"},)
    for line in wanted:
        write(tmp_path / f"{line['name']}.txt", rows(2))
    dataset = open_dataset(row.name, str(tmp_path), label="mine")
    assert [s.name for s in dataset.sequences] == [line["name"] for line in wanted]
    for sequence in dataset.sequences:
        assert (sequence.dataset, sequence.frames, sequence.origin) == ("mine", None, row.origin)
        assert set(sequence.attributes) <= set(row.attributes)


def test_an_empty_root_is_an_error_for_people(row: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=str(tmp_path)):
        open_dataset(row.name, str(tmp_path))


def test_a_misspelt_name_has_a_hint() -> None:
    with pytest.raises(UserError, match="did you mean lasot"):
        benchmark("lassot")
