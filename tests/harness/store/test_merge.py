"""Stores of several machines as one: nothing lost, nothing silently one of two, seals kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Hole
from inmo.harness.cli import main
from inmo.harness.store.check import check_store
from inmo.harness.store.records import Result
from inmo.harness.store.store import Store
from tests.harness.store.stores import KCF, MOSSE, TRUTH, a_result, a_store

A, B = ("clip0", "clip1", "clip2"), ("clip1", "clip2", "clip3")


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def merge(tmp_path: Path, *more: object) -> int:
    words = ["merge", tmp_path / "a", tmp_path / "b", "--into", tmp_path / "m", *more]
    return main([str(word) for word in words])


def test_two_halves_are_a_whole_with_their_seals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    b = a_store(tmp_path / "b", [KCF, MOSSE], {"kcf": 3, "mosse": 2}, clips=B)
    assert merge(tmp_path) == 0
    assert "6 results, 2 of them in several stores with the same boxes" in capsys.readouterr().out
    merged = Store(tmp_path / "m")
    assert merged.dataset("folder").names == ("clip0", "clip1", "clip2", "clip3")
    for store, run, names in ((a, KCF, A), (b, KCF, B), (b, MOSSE, B[:2])):
        for name in names:
            assert isinstance(merged.result("folder", run, name), Result)
            if store is a or name == "clip3" or run is MOSSE:
                path = store.result_file("folder", run.folder, name)
                assert merged.result_file("folder", run.folder, name).read_bytes() == path.read_bytes()
    assert merged.result("folder", MOSSE, "clip3") == Hole("clip3", "not run yet")
    found = check_store(merged)
    assert not found.damaged and not found.unsealed


def test_it_may_be_said_again_and_into_one_of_them(tmp_path: Path) -> None:
    a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [KCF], {"kcf": 3}, clips=B)
    assert merge(tmp_path) == 0
    before = files(tmp_path / "m")
    assert merge(tmp_path) == 0
    assert files(tmp_path / "m") == before
    assert main(["merge", str(tmp_path / "b"), "--into", str(tmp_path / "a")]) == 0
    assert {k for k in files(tmp_path / "a") if k.endswith(".parquet")} == {k for k in before if k.endswith(".parquet")}


def test_different_boxes_are_a_conflict_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [KCF], {"kcf": 3}, clips=B, shift=2.5)
    assert merge(tmp_path) == 2
    err = capsys.readouterr().err
    assert (
        "conflict: folder, KCF, clip1: boxes differ in 6 of 6 frames from frame 0 on, by up to 2.5 px (2026-01-02"
        in err
    )
    assert str(tmp_path / "a") in err and str(tmp_path / "b") in err
    assert "2 conflicts, so nothing was written" in err
    assert not files(tmp_path / "m")


@pytest.mark.parametrize(("which", "left"), [("a", 10.0), ("b", 12.5)])
def test_it_is_said_whose_copy_is_meant(
    tmp_path: Path, which: str, left: float, capsys: pytest.CaptureFixture[str]
) -> None:
    a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [KCF], {"kcf": 3}, clips=B, shift=2.5)
    assert merge(tmp_path, "--prefer", tmp_path / which) == 0
    assert capsys.readouterr().err.count(f"taken from {tmp_path / which}: folder, KCF, clip") == 2
    for name, expected in (("clip0", 10.0), ("clip1", left), ("clip2", left), ("clip3", 12.5)):
        result = Store(tmp_path / "m").result("folder", KCF, name)
        assert isinstance(result, Result) and result.boxes[0, 0] == expected
    assert merge(tmp_path, "--prefer", tmp_path / "c") == 2


def test_a_copy_in_the_store_that_is_written_is_replaced_where_that_is_said(tmp_path: Path) -> None:
    a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [KCF], {"kcf": 3}, clips=B, shift=2.5)
    words = ["merge", str(tmp_path / "b"), "--into", str(tmp_path / "a")]
    assert main(words) == 2
    assert main([*words, "--prefer", str(tmp_path / "b")]) == 0
    result = Store(tmp_path / "a").result("folder", KCF, "clip2")
    assert isinstance(result, Result) and result.boxes[0, 0] == 12.5


def test_another_annotation_or_benchmark_is_a_conflict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [KCF], {"kcf": 3}, clips=B, truth=TRUTH + 1)
    assert merge(tmp_path) == 2
    assert "conflict: folder, clip1: the annotations differ" in capsys.readouterr().err
    store = a_store(tmp_path / "c", [KCF], {"kcf": 3}, clips=B)
    store._write_dataset(replace(store.dataset("folder"), benchmark="otb100", protocol="otb"))
    assert main(["merge", str(tmp_path / "a"), str(tmp_path / "c"), "--into", str(tmp_path / "m")]) == 2
    err = capsys.readouterr().err
    assert "conflict: folder: the benchmark is folder and otb100; the protocol is pysot and otb" in err


def test_a_result_stands_for_a_hole_and_a_hole_is_kept(tmp_path: Path) -> None:
    a = a_store(tmp_path / "a", [KCF], {}, clips=A)
    a.put_hole("folder", KCF, Hole("clip0", "frame 3 is cut short"))
    a.put_hole("folder", KCF, Hole("clip1", "frame 4 is cut short"))
    a_store(tmp_path / "b", [KCF], {"kcf": 1}, clips=B)
    assert main(["merge", str(tmp_path / "b"), "--into", str(tmp_path / "a")]) == 0
    assert a.result("folder", KCF, "clip0") == Hole("clip0", "frame 3 is cut short")
    assert isinstance(a.result("folder", KCF, "clip1"), Result)
    assert len(list((tmp_path / "a").rglob("*.hole.json"))) == 1


def test_damaged_files_are_named_and_another_store_stands_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [KCF], {"kcf": 3}, clips=B)
    broken = [a.result_file("folder", KCF.folder, name) for name in ("clip0", "clip1")]
    for path in broken:
        path.write_bytes(path.read_bytes()[:-20])
    assert merge(tmp_path) == 2
    err = capsys.readouterr().err
    assert all(str(path) in err for path in broken)
    merged = Store(tmp_path / "m")
    assert merged.result("folder", KCF, "clip0") == Hole("clip0", "not run yet")
    assert isinstance(merged.result("folder", KCF, "clip1"), Result)


def test_marks_of_tuning_and_labels_are_kept(tmp_path: Path) -> None:
    a_store(tmp_path / "a", [KCF], {"kcf": 3}, clips=A)
    a_store(tmp_path / "b", [replace(KCF, label="mine", tuned=({"sequences": 3},))], {"kcf": 3}, clips=B)
    assert merge(tmp_path) == 0
    (run,) = Store(tmp_path / "m").runs("folder")
    assert run.tuned == ({"sequences": 3},)


def test_boxes_that_are_no_numbers_in_both_are_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        store = a_store(tmp_path / name, [KCF], {}, clips=A)
        result = a_result(annotation=store.sequence("folder", "clip0").annotation.fingerprint())
        result.boxes[3] = np.nan
        store.put_result("folder", KCF, "clip0", result)
    assert merge(tmp_path) == 0
