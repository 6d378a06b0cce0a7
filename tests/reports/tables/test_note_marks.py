"""A score that rests on missing absent flags says so wherever its number is printed."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from inmo.boxes import Boxes
from inmo.datasets import benchmark, open_dataset
from inmo.datasets.base import Annotation, Dataset, Sequence
from inmo.datasets.files import open_tree
from inmo.harness.library import evaluate, load_results
from inmo.harness.store.records import Result, Run
from inmo.harness.store.store import Store, open_store
from inmo.reports.figures.style import lines
from inmo.reports.page.page import write_report
from inmo.reports.scoring.as_json import scores_json
from inmo.reports.scoring.raw import score_dataset, score_tracker
from inmo.reports.scoring.score import SUCCESS, Measures, Score
from inmo.reports.scoring.stored import evaluate as evaluate_store
from inmo.reports.tables.builders import overview_table, protocol_table, score_table, sequence_table
from inmo.reports.tables.note_marks import NOTE, briefly, note_footnote
from inmo.reports.tables.pooled import pooled_footnotes, pooled_marks, pooled_table
from inmo.reports.tables.table import Cell, Column, Table
from tests.datasets.tiny import write

NAMES = ("HaiBao_video_06-done",)  # one of 46 frames
SAID = f"takes absent flags, and 1 of 1 sequences ({NAMES[0]}) lack them: these are not its numbers"


def truth(*, flags: bool) -> Annotation:
    """46 frames, the target gone in 6 of them, where the box is 0, 0, 0, 0."""
    boxes = np.array([[50.0 + k, 60, 30, 40] for k in range(46)])
    gone = np.isin(np.arange(46), range(20, 26))
    boxes[gone] = 0
    return Annotation(boxes, gone if flags else None)


def followed() -> Boxes:
    """3 px off wherever the target is."""
    return np.array([[53.0 + k, 60, 30, 40] for k in range(46)])


@pytest.mark.parametrize(
    ("name", "rule", "with_flags", "without"),
    [
        ("tnl2k", "tnl2k-matlab", 40 / 46, 1.0),
        ("lasot", "lasot-matlab", 40 / 46, 1.0),
        ("lasot", "pysot", 40 / 46, 1.0),
        ("lasot", "pytracking", 40 / 46, 40 / 46),  # a box of no size is a failure there too
        ("mini-tnl2k", "tnl2k-matlab", 40 / 46, 1.0),
    ],
)
def test_what_flags_are_worth_and_that_they_lack(name: str, rule: str, with_flags: float, without: float) -> None:
    for flags, precision in ((True, with_flags), (False, without)):
        score = score_tracker(name, "t", {"a": followed()}, {"a": truth(flags=flags)}, rule)
        assert score.mean.precision_20 == pytest.approx(precision)
        assert bool(score.notes) is not flags
        assert score.brief == ("" if flags else "no absent flags")


@pytest.mark.parametrize("pair", ["tnl2k pysot", "tnl2k pytracking", "lasot got10k", "lasot sots-auc", "folder clean"])
def test_nothing_is_said_where_flags_do_not_count(pair: str) -> None:
    name, rule = pair.split()
    assert not score_tracker(name, "t", {"a": followed()}, {"a": truth(flags=False)}, rule).notes


def test_some_sequences_lack_them() -> None:
    predictions = dict.fromkeys("abcdefg", followed())
    annotations = {name: truth(flags=name == "a") for name in predictions}
    (note,) = score_tracker("lasot", "t", predictions, annotations, "lasot-matlab").notes
    assert "6 of 7 sequences (b, c, d, e ...) lack them" in note
    annotations["a"] = truth(flags=False)
    (note,) = score_tracker("lasot", "t", predictions, annotations, "lasot-matlab").notes
    assert "all 7 sequences lack them" in note


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in NAMES:
        rows = "".join(f"{','.join(f'{v:g}' for v in row)}\n" for row in truth(flags=False).boxes)
        write(tmp_path / "tnl2k" / name / "groundtruth.txt", rows)
        write(tmp_path / "results" / "T" / f"{name}.txt",
              "".join(f"{','.join(f'{v:g}' for v in row)}\n" for row in followed()))  # fmt: skip
    return tmp_path


def scored(files: Path, *protocols: str) -> list[Score]:
    dataset, results = open_dataset("tnl2k", str(files / "tnl2k")), open_tree(files / "results")
    return score_dataset(dataset, results, protocols=protocols, partial=True)


@pytest.mark.parametrize("rendering", ["text", "csv", "md", "tex", "json"])
def test_every_rendering_of_the_scores(files: Path, rendering: str) -> None:
    for table in (score_table(scored(files)), sequence_table(scored(files))):
        said = table.render(rendering)
        assert (SAID.replace("_", r"\_") if rendering == "tex" else SAID) in said
        assert (r"\textsuperscript{\S}" if rendering == "tex" else NOTE) in said


def test_the_json_object(files: Path) -> None:
    ours, theirs = scores_json(scored(files, "tnl2k-matlab", "pysot"))["scores"]
    assert SAID in ours["notes"][0]
    assert "notes" not in theirs


def test_a_notebook(files: Path) -> None:
    scores = evaluate(load_results(files / "results", f"tnl2k={files / 'tnl2k'}"), partial=True)
    assert SAID in repr(scores)
    assert SAID in scores.frame()["notes"][0]
    assert "no absent flags" in scores.plot().figure.axes[0].get_title()


def test_with_the_flags_all_is_quiet(files: Path) -> None:
    for name in NAMES:
        write(files / "tnl2k/annos/absent" / f"{name}.txt", "".join(f"{int(20 <= k < 26)} \n" for k in range(46)))
    (score,) = scored(files)
    assert score.mean.precision_20 == pytest.approx(40 / 46)
    assert NOTE not in score_table([score]).to_text() + json.dumps(scores_json([score]))


def stored(root: Path, *, flags: bool) -> Store:
    store, run = open_store(root, write=True), Run("csrt", "CSRT", "0123456789ab")
    sequences = tuple(Sequence("tnl2k", name, lambda: truth(flags=flags), attributes=("FM",)) for name in NAMES)
    store.put_dataset(Dataset(benchmark("tnl2k"), "tnl2k", str(root), sequences), NAMES)
    store.put_run("tnl2k", run)
    for each in sequences:
        store.put_sequence("tnl2k", each, each.annotation())
        store.put_result("tnl2k", run, each.name, Result(followed(), np.full(46, np.nan), {}))
    return store


def test_the_page_and_all_of_its_tables(tmp_path: Path) -> None:
    page = write_report(stored(tmp_path / "store", flags=False), tmp_path / "page", protocols=("pysot",))
    text = html.unescape(page.read_text())
    assert re.search(rf"<b>{NOTE}</b>.*{re.escape(SAID)}", text)
    for stem, written in (("tnl2k", True), ("tnl2k_sequences", True), ("tnl2k_attributes", True),
                          ("tnl2k_protocols", True), ("tnl2k_pysot", False)):  # fmt: skip
        file = tmp_path / "page/tables" / f"{stem}.json"
        assert (SAID in file.read_text()) is written, stem
    assert "no absent flags" in (tmp_path / "page/tables/overview.csv").read_text()
    quiet = write_report(stored(tmp_path / "whole", flags=True), tmp_path / "quiet").read_text()
    assert NOTE not in quiet and "no absent flags" not in quiet


def test_headings_over_all_datasets(tmp_path: Path) -> None:
    evaluation = evaluate_store(stored(tmp_path, flags=False))
    assert "tnl2k (1, tnl2k-matlab, no absent flags)" in pooled_table(evaluation).caption
    (data,) = evaluation.datasets
    assert overview_table([("TNL2K", data.default)]).columns[1].sub == "tnl2k-matlab, no absent flags"


def test_whose_note_it_is() -> None:
    def score(tracker: str, dataset: str = "d", *sequences: str) -> Score:
        done = dict.fromkeys(("a", "b"), Measures())
        return Score(dataset, tracker, "got10k", 2, Measures(), done, remarks={"late": sequences} if sequences else {})

    assert note_footnote([score("A")]) == {}
    assert note_footnote([score("A", "d", "a"), score("B", "d", "a")])[NOTE].startswith("got10k begins")
    assert note_footnote([score("A"), score("B", "d", "a")])[NOTE].startswith("B: got10k begins")
    assert note_footnote([score("A", "d", "a"), score("A", "e")])[NOTE].startswith("d: got10k begins")
    assert briefly([score("A", "d", "a")]) == ""
    assert note_footnote([score("A"), score("B", "d", "a"), score("A", "e")])[NOTE].startswith("B on d: got10k begins")


ROWS = {
    "longer": (4, "There are more rows than the annotation has in 1 of 2 sequences (1 in Walk_a)"),
    "shorter": (2, "There are fewer rows than the annotation has in 1 of 2 sequences (1 in Walk_a)"),
    "broken": (3, "Boxes are NaN, infinite or without size in 1 of 2 sequences (1 in Walk_a)"),
    "infinite": (3, "Boxes are NaN, infinite or without size in 1 of 2 sequences (1 in Walk_a)"),
    "refused": (3, "Left out for results that cannot be scored: 1 of 2 sequences (Walk_a: line 2 of "),
}


def three(count: int, last: str = "5,5,20,20") -> str:
    return "".join(f"{row}\n" for row in [*["5,5,20,20"] * (count - 1), last])


@pytest.mark.parametrize("what", ROWS)
@pytest.mark.parametrize("rendering", ["text", "csv", "md", "tex", "json"])
def test_rows_that_were_treated_are_told_in_every_rendering(tmp_path: Path, what: str, rendering: str) -> None:
    count, said = ROWS[what]
    for name in ("Walk_a", "Walk_b"):
        write(tmp_path / "data" / name / "groundtruth.txt", three(3))
        write(tmp_path / "results/Whole" / f"{name}.txt", three(3))
        write(tmp_path / "results/Other" / f"{name}.txt", three(3))
    last = {"broken": "NaN,NaN,NaN,NaN", "infinite": "5,inf,20,20"}.get(what, "5,5,20,20")
    text = "5,5,20,20\n5,5,x,20\n5,5,20,20\n" if what == "refused" else three(count, last)
    write(tmp_path / "results/Other/Walk_a.txt", text)
    dataset = open_dataset("folder", str(tmp_path / "data"))
    scores = score_dataset(dataset, open_tree(tmp_path / "results"), protocols=("got10k",), partial=True)
    for table in (
        score_table(scores),
        overview_table([("Walks", scores)]),
        protocol_table({"got10k": scores}, "got10k"),
    ):
        whole = table.render(rendering)
        assert f"Other: {said}".replace("_", r"\_" if rendering == "tex" else "_") in whole
    assert f"{1 if what == 'refused' else 2} of 2{NOTE}" in score_table(scores).to_text()
    assert f"2 of 2{' '}" in score_table(scores).to_text()
    assert said in scores_json(scores)["scores"][0]["notes"][0]
    assert said in evaluate(load_results(tmp_path / "results", f"folder={tmp_path / 'data'}"), protocol="got10k",
                            partial=True).frame()["notes"][0]  # fmt: skip


def test_a_table_without_marks_tells_its_footnote_in_every_line_of_a_file() -> None:
    column = Column("tracker", "Tracker")
    table = Table("", "", (column,), ((Cell("A"),), (Cell("B"),)), {NOTE: "No flags."})
    assert table.to_csv() == "Tracker,note\nA,§ No flags.\nB,§ No flags.\n"


def test_legends_and_closing_sentences_bear_the_signs(tmp_path: Path) -> None:
    evaluation = evaluate_store(stored(tmp_path, flags=False))
    (data,) = evaluation.datasets
    (line,) = lines(data.default, SUCCESS, cautions={"CSRT": "on 1 of these 1 sequences"})
    assert line.label == f"CSRT†{NOTE} [{100 * line.value:.1f}]"
    assert pooled_marks(evaluation) == {"CSRT": NOTE}
    assert SAID in pooled_footnotes(evaluation)[NOTE]
    assert f"CSRT{NOTE}" in pooled_table(evaluation).to_text()
    page = write_report(open_store(tmp_path), tmp_path / "page").read_text()
    assert f"<span>CSRT{NOTE}</span>" in page
