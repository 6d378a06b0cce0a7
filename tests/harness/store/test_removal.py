"""Runs out of a store: said first, done on request, never while somebody is at work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inmo.harness.cli import main
from inmo.harness.store.claims import Claims
from inmo.harness.store.store import Store
from tests.harness.store.stores import KCF, MOSSE, a_store


def rm(root: Path, *words: str) -> int:
    return main(["rm", "--store", str(root), *words])


@pytest.mark.parametrize("word", ["KCF", "kcf", KCF.folder, KCF.hash, KCF.hash[:6]])
def test_a_run_goes_when_that_is_said_twice(tmp_path: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 2, "mosse": 5})
    assert rm(tmp_path, "--tracker", word) == 0
    out = capsys.readouterr().out
    assert f"KCF on folder ({KCF.folder}): 2 results, " in out
    assert "would be deleted; nothing was: --yes does it" in out
    assert len(store.runs("folder")) == 2
    assert rm(tmp_path, "--tracker", word, "--yes") == 0
    assert "2 results, " in capsys.readouterr().out
    assert store.runs("folder") == (MOSSE,)
    assert not (tmp_path / ".removed").exists()


def test_only_on_the_datasets_that_are_named(tmp_path: Path) -> None:
    for label in ("folder", "other"):
        store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 2}, label=label)
    assert rm(tmp_path, "--tracker", "KCF", "--dataset", "other", "--yes") == 0
    assert [len(store.runs(label)) for label in ("folder", "other")] == [2, 1]
    assert rm(tmp_path, "--dataset", "other", "--yes") == 0
    assert store.datasets() == ("folder",)


def test_a_name_of_two_runs_and_unknown_ones_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = a_store(tmp_path, [KCF, replace(KCF, hash="0123ffffffff")], {"kcf": 2})
    for words in (["--tracker", "KCF"], ["--tracker", "0123"]):
        assert rm(tmp_path, *words, "--yes") == 2
        assert "is 2 runs on folder: KCF [012345] (kcf-0123456789ab), KCF [0123ff]" in capsys.readouterr().err
    assert rm(tmp_path, "--tracker", "KCG", "--yes") == 2
    assert "did you mean" in capsys.readouterr().err
    assert rm(tmp_path, "--tracker", "KCF", "--dataset", "floder") == 2
    assert "did you mean folder?" in capsys.readouterr().err
    assert rm(tmp_path, "--yes") == 2
    assert len(store.runs("folder")) == 2


def test_nothing_goes_while_somebody_is_at_work_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, claims = a_store(tmp_path, [KCF, MOSSE], {"kcf": 2}), Claims(tmp_path)
    assert claims.take([("folder", KCF.folder, "clip3")])
    try:
        assert rm(tmp_path, "--tracker", "KCF", "mosse", "--yes") == 2
        assert "is at work on KCF on folder" in capsys.readouterr().err
        assert len(store.runs("folder")) == 2
        assert rm(tmp_path, "--tracker", "KCF") == 0
        assert "is at work on it" in capsys.readouterr().out
    finally:
        claims.release_all()
    assert rm(tmp_path, "--tracker", "KCF", "mosse", "--yes") == 0
    assert not Store(tmp_path).runs("folder")


def test_a_run_whose_record_is_damaged_can_go_by_its_folder(tmp_path: Path) -> None:
    store = a_store(tmp_path, [KCF, MOSSE], {"kcf": 2})
    (store.run_folder("folder", KCF.folder) / "run.json").write_text("{")
    assert rm(tmp_path, "--tracker", KCF.folder, "--yes") == 0
    assert store.runs("folder") == (MOSSE,)
