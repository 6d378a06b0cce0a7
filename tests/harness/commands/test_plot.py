"""`plot`: which files it writes, and what it says of what it cannot draw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inmo.harness.cli import main
from tests.reports.example import example_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("plot")
    example_store(folder, images=False, labels=("one", "two"))
    return str(folder / "store")


def test_chosen_figures_of_chosen_trackers(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--figure", "success", "rank*", "--tracker", "Good", "Fair & square", "--colour", "Good=#010203"]
    status = main(["plot", "--store", store, "--out", str(tmp_path), "--dataset", "one", *words, "--width", "3.3"])
    assert status == 0
    assert {path.name for path in tmp_path.iterdir()} == {"one_success.svg", "one_success.pdf"}
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(tmp_path / f"one_success.{kind}") for kind in ("svg", "pdf")]
    assert "one: nothing to show as ranks" in said.err  # of two trackers
    text = (tmp_path / "one_success.svg").read_text()
    assert "#010203" in text
    width = re.search(r'width="([0-9.]+)pt"', text)
    assert width and float(width.group(1)) == pytest.approx(3.3 * 72)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--figure", "succes"], "unknown figure 'succes': did you mean success"),
        (["--tracker", "God"], "unknown tracker 'God': did you mean Good"),
        (["--dataset", "three"], "three"),
        (["--figure", "radar"], "nothing of radar can be drawn"),
        (["--style", "gone.mplstyle"], "no style file"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["plot", "--store", store, "--out", str(tmp_path / "out"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
