"""Which numbers a tuning touches: by the annotation wherever it turns up, by the name on the benchmark itself."""

from __future__ import annotations

from typing import Any

import pytest

from inmo.harness.constants.halves import Auc, Half
from inmo.harness.store.records import Run, StoredDataset
from inmo.reports.scoring.tuned import caution, tuned_on
from inmo.reports.tables.tuned_marks import footnote


def data(benchmark: str, label: str = "") -> StoredDataset:
    return StoredDataset(label or benchmark, benchmark, benchmark, "pysot", 0, "/", ("a", "b", "c"))


def run(benchmark: str, dataset: str = "", **sequences: str) -> Run:
    mark = {"dataset": dataset or benchmark, "benchmark": benchmark, "title": benchmark, "sequences": sequences}
    return Run("t", "T", "0" * 12, tuned=(mark,))


PRINTS = {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("made", "on", "words"),
    [
        (run("otb100", a="1", b="2"), data("otb100"), "on 2 of these 3 sequences"),
        (run("otb100", a="9"), data("otb100"), "on 1 of these 3 sequences"),  # annotated anew, the same video
        (run("otb100", z="9"), data("otb100"), "on 1 other sequence of this dataset"),
        (run("uav123", a="9"), data("uav123_10fps"), "on 1 of these 3 sequences"),  # every third frame of it
        (run("otb100", x="2"), data("folder", "clips"), "on 1 of these 3 sequences"),  # a copy under another name
        (run("folder", "clips", a="9"), data("folder", "more"), ""),  # names of two folders may be alike
        (run("folder", "clips", a="9"), data("folder", "clips"), "on 1 of these 3 sequences"),
        (run("mini-lasot", a="9"), data("lasot"), ""),
        (Run("t", "T", "0" * 12), data("otb100"), ""),
    ],
)
def test_who_was_tuned_on_what(made: Run, on: StoredDataset, words: str) -> None:
    assert caution(made, on, PRINTS) == words


def test_footnotes_name_those_alone_that_were_tuned() -> None:
    assert footnote([("A", ""), ("B", "")]) == {}
    assert footnote([("A", "on 2"), ("B", ""), ("A", "on 2")]) == {
        "†": "Test-time constants were tuned on the data that is scored: A, on 2."
    }


def test_provenance_names_the_sequences() -> None:
    assert tuned_on(run("otb100", b="2", a="1")) == "otb100, 2 sequences: a, b"
    many: dict[str, Any] = {f"s{i:02}": str(i) for i in range(14)}
    assert tuned_on(run("otb100", **many)).endswith("s10, s11 and 2 more")


def test_a_half_worked_by_hand() -> None:
    part = Half("held out", ("a", "b"), Auc((0.5, 0.7)), Auc((0.4, 0.9)))
    assert part.difference.values == pytest.approx((0.1, -0.2))
    plain = part.plain()
    assert (plain["chosen"]["auc"], plain["own"]["auc"], plain["difference"]["auc"]) == (0.6, 0.65, -0.05)
    assert plain["chosen"]["interval"] is None  # two sequences claim nothing
