"""A study and its kept file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.reports.blocks.ablation import kept_block
from inmo.reports.scoring.study import AUC, BEFORE, SHARE, KeptStudy, Study, read_study, write_study

NAMES = [f"d/s{number}" for number in range(7)]


def kept() -> KeptStudy:
    rows = {
        row: {seed: {n: {AUC: 0.5 + 0.01 * i + off, SHARE: 0.25 - off, BEFORE: 10.0 + i} for i, n in enumerate(NAMES)}
              for seed in (0, 1)}
        for row, off in (("with", 0.125), ("without", 0.0))
    }  # fmt: skip
    del rows["with"][1]["d/s6"][SHARE]  # no distractor can be seen there
    factors = {"with": {"tca": "true"}, "without": {"tca": "false"}}
    groups = {"OCC": frozenset(NAMES[2:4])}
    study = Study(rows, "without", factors, groups, "Every row was trained on 8 pairs.", frozenset(NAMES))
    return KeptStudy("own", "Is it worth it?", "2026-11-29", "run_all.py ablate own", ("7 sequences of D",), study)


def test_a_kept_file_gives_what_was_written(tmp_path: Path) -> None:
    file = write_study(kept(), tmp_path / "own" / "d.json")
    assert read_study(file) == kept()
    assert len(file.read_text().splitlines()) < 40  # a line per measure of a training, not per number


def test_rows_that_share_trainings_and_sequences_without_a_score_are_kept(tmp_path: Path) -> None:
    whose = {"with": {0: "a", 1: "b"}, "without": {0: "a", 1: "b"}}
    study = replace(kept().study, names=frozenset([*NAMES, "d/broken"]), trainings=whose)
    again = read_study(write_study(replace(kept(), study=study), tmp_path / "d.json")).study
    assert again == study and again.left_out == ("d/broken",)
    assert replace(study, trainings={}).whose == {"with": {0: "0 0", 1: "0 1"}, "without": {0: "1 0", 1: "1 1"}}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.625", "NaN", "success_auc of d/s0 is nan"),
        ("0.625", "Infinity", "success_auc of d/s0 is inf"),
        ("0.625", "62.5", "success_auc of d/s0 is 62.5"),
        ('"OCC": [2, 3]', '"OCC": [2, -1]', "groups hold [2, -1]"),
        ('"OCC": [2, 3]', '"OCC": [2, 7]', "groups hold [2, 7]"),
        ('["7 sequences of D"]', '["D"]', "'D' does not begin with a number of sequences"),
        ('{"tca": "true"}', "3", "factors must hold the values"),
        ('"rows": {', '"rows": {"none": {},', "row none has no training"),
        ('"rows": {', '"rows": {"none": 3,', "d.json is damaged"),
        ('"on_distractor"', '"share"', "'share', which is no measure"),
    ],
)
def test_what_a_hand_made_of_it_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Whoever edits a file takes its seal out; a NaN would else be the most certain of all effects."""
    file = write_study(kept(), tmp_path / "d.json")
    lines = [line for line in file.read_text().splitlines() if '"seal"' not in line]
    text = "\n".join(lines).replace("}},\n}", "}}\n}").replace("}}},\n}", "}}}\n}")
    text = text.rstrip().rstrip("}").rstrip().rstrip(",") + "\n}\n"
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=re.escape(said)):
        read_study(file)


def test_what_a_sequence_lacks_is_not_compared(tmp_path: Path) -> None:
    study = read_study(write_study(kept(), tmp_path / "d.json")).study
    assert study.shared == tuple(NAMES) and study.having(SHARE) == tuple(NAMES[:6])
    assert study.scores(SHARE, NAMES[:1]) == {"with": {0: {"d/s0": 0.125}, 1: {"d/s0": 0.125}},
                                              "without": {0: {"d/s0": 0.25}, 1: {"d/s0": 0.25}}}  # fmt: skip


def test_a_flipped_bit_and_another_json_are_refused(tmp_path: Path) -> None:
    file = write_study(kept(), tmp_path / "d.json")
    file.write_text(file.read_text().replace("0.625", "0.635", 1))
    with pytest.raises(UserError, match="its checksum is not that of what it holds"):
        read_study(file)
    file.write_text('{"a": 1}')
    with pytest.raises(UserError, match=r"unknown setting in .*d\.json"):
        read_study(file)
    with pytest.raises(UserError, match="missing or damaged"):
        read_study(tmp_path / "none.json")


def test_a_kept_block_says_when_it_was_measured_and_what_distractors_did() -> None:
    block = kept_block(kept(), "d")
    assert block.stem == "own-d" and "Kept scores, measured on 2026-11-29 on 7 sequences of D" in block.words
    assert "run_all.py ablate own" in block.words
    table = block.tables["own-d-switches"]
    keys = [column.key for column in table.columns]
    rows = {str(row[0].value): dict(zip(keys, row, strict=True)) for row in table.rows}
    assert list(rows) == ["with", "without", "with less without"]
    assert rows["with"]["on_distractor"].number == pytest.approx(0.125)
    assert rows["with less without"]["on_distractor"].number == pytest.approx(-0.125)
    assert rows["with less without"]["first_switch"].number == pytest.approx(0.0)
    assert "On 6 sequences whose distractors are annotated." in table.caption


def test_a_heading_adds_up_more_than_two_datasets() -> None:
    many = replace(kept(), on=("7 sequences of D", "2 sequences of E", "16 sequences of F (mini)"))
    block = kept_block(many, "d")
    assert block.title == "Is it worth it?: 25 sequences of 3 datasets"
    assert (
        "on 7 sequences of D and 2 sequences of E and 16 sequences of F (mini) by: run_all.py ablate own."
        in block.words
    )
