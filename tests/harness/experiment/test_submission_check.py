"""A submission with every fault there is: each is named, none hides another, and a good one is called good."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from inmo.datasets.base import read_table
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.experiment.submission import check_submission
from inmo.harness.experiment.submission_check import submission_problems, wanted_frames

BOXES = "1,2,3,4\n1.5,2,3e1,4\n0,0,0,0\n"
GOOD = {f"{name}.txt": BOXES for name in ("-a_0", "b_1", "c_2")}
FRAMES = {"-a_0": 3, "b_1": None, "c_2": 3}


def packed(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_good_one_has_no_problem(tmp_path: Path) -> None:
    extra = {"__MACOSX/._b_1.txt": "x", "__MACOSX/": ""}
    assert submission_problems(packed(tmp_path / "a.zip", GOOD | extra), FRAMES) == []
    check_submission(tmp_path / "a.zip", FRAMES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2,3,4\n1,2,3,4\n", "has 2 rows for 3 frames, frame 0 is perhaps left out"),
        ("1,2,3,4\n" * 5, "has 5 rows for 3 frames"),
        ("x,y,w,h\n1,2,3,4\n1,2,3,4\n", "starts with a header, line 1"),
        ("1,2,3,4\n1,2,nan,4\ninf,2,3,4\n", "has numbers that are not finite, line 2 and 1 more"),
        ("1,2,3,4\n1,2,3,four\n1,2,3,4\n", "has words among its numbers, line 2"),
        ("1\t2\t3\t4\n" * 3, "has a line that is not x,y,w,h (separated by tabs or blanks), line 1 and 2 more"),
        ("1,2,3,4\n\n1,2,3,4\n", "has an empty line that is not x,y,w,h, line 2"),
        ("1,2,3,4,5\n1,2,3,4\n1,2,3,4\n", "has a line that is not x,y,w,h, line 1"),
        ("\n\n", "is empty"),
        (b"\xef\xbb\xbf1,2,3,4\n", "holds bytes that are not ASCII (a byte order mark, perhaps): write plain digits"),
    ],
)
def test_what_a_file_may_have_wrong(tmp_path: Path, text: str | bytes, problem: str) -> None:
    path = packed(tmp_path / "a.zip", GOOD | {"c_2.txt": text})
    assert submission_problems(path, FRAMES) == [f"c_2.txt: {problem}"]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    files = {"-a_0.txt": "1,2,3,nan\n", "run/b_1.txt": BOXES, "C_2.TXT": BOXES, "notes.md": "hello"}
    path = packed(tmp_path / "a.zip", files)
    assert submission_problems(path, FRAMES) == [
        "run/b_1.txt: lies in a folder, but must be in the zip's root",
        "C_2.TXT: is no sequence of the benchmark: call it c_2.txt",
        "notes.md: is no sequence of the benchmark",
        "b_1.txt: is missing",
        "c_2.txt: is missing",
        "-a_0.txt: has numbers that are not finite, line 1",
        "-a_0.txt: has 1 rows for 3 frames",
    ]
    with pytest.raises(UserError, match=r"must be in the zip's root, and 6 more: `validate` lists them"):
        check_submission(path, FRAMES)


def test_a_file_that_is_there_twice_or_huge_or_no_zip(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", GOOD)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("b_1.txt", BOXES)
    assert submission_problems(path, FRAMES) == ["b_1.txt: is in the zip 2 times"]
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", b"0" * (17 << 20))
    assert submission_problems(tmp_path / "bomb.zip", {"x": 3}) == [
        f"x.txt: has {17 << 20:,} bytes: these are no boxes"
    ]
    (tmp_path / "no.zip").write_text("no zip")
    for name in ("no.zip", "absent.zip"):
        with pytest.raises(UserError, match="as a zip"):
            submission_problems(tmp_path / name, FRAMES)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [row["name"] for row in read_table("trackingnet_test.csv")]
    assert wanted_frames("trackingnet") == dict.fromkeys(names)
    path = packed(tmp_path / "all.zip", {f"{name}.txt": BOXES for name in names})
    assert main(["validate", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out == f"{path}: good\n"
    assert "0 problems; 511 sequences wanted, the number of rows is known of 0" in told.err

    root = tmp_path / "data"  # one sequence is on this disk: its rows are counted
    folder = root / "TEST" / "frames" / names[0]
    folder.mkdir(parents=True)
    (root / "TEST" / "anno").mkdir()
    (root / "TEST" / "anno" / f"{names[0]}.txt").write_text("1,2,3,4\n")
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.zeros((8, 8, 3), np.uint8))
    assert main(["validate", str(path), "--dataset", f"trackingnet={root}"]) == 1
    told = capsys.readouterr()
    assert told.out == f"{path}: {names[0]}.txt: has 3 rows for 4 frames, frame 0 is perhaps left out\n"
    assert "1 problem; 511 sequences wanted, the number of rows is known of 1" in told.err
