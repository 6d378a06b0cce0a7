"""The store: whole files only, first writer wins, names of any kind, errors in words."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.datasets.base import Annotation, Hole
from inmo.errors import UserError
from inmo.harness.store.records import Result, Run, display_names, export_names
from inmo.harness.store.store import PARTS, Store, file_name, open_store
from inmo.whole_files import unfinished
from tests.conftest import ROOT

RUN = Run("kcf", "KCF", "0123456789ab", identity={"tracker": "kcf", "seed": 0})


def result(rows: int = 4, value: float = 1.0) -> Result:
    boxes = np.full((rows, 4), value)
    seconds = {part: np.full(rows, 0.25) for part in PARTS}
    return Result(boxes, np.full(rows, np.nan), seconds, {"annotation": "f00", "tracker": "kcf"})


def test_a_result_comes_back_as_it_was_put(tmp_path: Path) -> None:
    store = open_store(tmp_path, write=True)
    assert store.put_result("otb100", RUN, "Jogging_1", result(value=0.1 + 0.2))
    back = store.result("otb100", RUN, "Jogging_1")
    assert isinstance(back, Result)
    np.testing.assert_array_equal(back.boxes, np.full((4, 4), 0.1 + 0.2))
    assert np.isnan(back.scores).all()
    assert set(back.seconds) == set(PARTS)
    assert back.provenance["annotation"] == "f00"


def test_the_first_writer_of_a_result_wins(tmp_path: Path) -> None:
    store = open_store(tmp_path, write=True)
    assert store.put_result("otb100", RUN, "Deer", result(value=1.0))
    assert not store.put_result("otb100", RUN, "Deer", result(value=2.0))
    back = store.result("otb100", RUN, "Deer")
    assert isinstance(back, Result)
    assert back.boxes[0, 0] == 1.0


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from inmo.harness.store.store import open_store
from tests.harness.store.test_store import RUN, result
store, own = open_store(Path(sys.argv[1]), write=True), float(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(*[int(store.put_result("otb100", RUN, f"clip{n}", result(value=own))) for n in range(100)])
"""


def test_of_two_processes_that_write_the_same_results_one_wins_each(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*words, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for n in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:  # both are loaded; now they start as close together as can be
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    first, second = ([bool(int(word)) for word in writer.communicate()[0].split()] for writer in writers)
    assert len(first) == 100
    assert [a != b for a, b in zip(first, second, strict=True)] == [True] * 100
    store = Store(tmp_path)
    for n, won in enumerate(first):
        found = store.result("otb100", RUN, f"clip{n}")
        assert isinstance(found, Result)
        assert found.boxes[0, 0] == (0.0 if won else 1.0)
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_hole_keeps_its_reason_until_a_result_comes(tmp_path: Path) -> None:
    store = open_store(tmp_path, write=True)
    assert store.result("otb100", RUN, "Deer") == Hole("Deer", "not run yet")
    store.put_hole("otb100", RUN, Hole("Deer", "frame 3 is cut short"))
    assert store.result("otb100", RUN, "Deer") == Hole("Deer", "frame 3 is cut short")
    store.put_result("otb100", RUN, "Deer", result())
    assert isinstance(store.result("otb100", RUN, "Deer"), Result)


def test_a_cut_file_is_named_in_the_error(tmp_path: Path) -> None:
    store = open_store(tmp_path, write=True)
    store.put_result("otb100", RUN, "Deer", result())
    path = next(tmp_path.rglob("Deer.parquet"))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"Deer\.parquet is missing or damaged"):
        store.result("otb100", RUN, "Deer")


def test_unfinished_files_of_dead_writers_are_swept(tmp_path: Path) -> None:
    """Of a process that is gone, of one whose number another process has now, and of one that waits to be asked."""
    child = subprocess.Popen([sys.executable, "-c", "import sys; from inmo.whole_files import unfinished as u; "
                              "print(u('x'), flush=True); sys.stdin.read()"], cwd=ROOT, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout is not None and child.stdin is not None
    running, mine = child.stdout.readline().strip(), unfinished("x")
    host, number = socket.gethostname(), os.getpid()
    assert f".{host}.{child.pid}-" in running and f".{host}.{number}-" in mine
    dead, reused = mine.replace(f".{number}-", ".4194999-"), mine.replace(f".{number}-", f".{number}-1")
    elsewhere, finished = mine.replace(host, "another-host"), "x.parquet"
    for name in (running, mine, dead, reused, elsewhere, finished):
        (tmp_path / name).write_bytes(b"half")

    open_store(tmp_path, write=True)
    assert {p.name for p in tmp_path.iterdir()} == {running, mine, elsewhere, finished}

    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked for its status
    open_store(tmp_path, write=True)
    assert {p.name for p in tmp_path.iterdir()} == {mine, elsewhere, finished}
    child.wait()


def test_absent_flags_and_nan_rows_survive(tmp_path: Path) -> None:
    from inmo.datasets.base import Sequence

    boxes = np.array([[1.0, 2, 3, 4], [np.nan] * 4, [0, 0, 0, 0]])
    annotation = Annotation(boxes, np.array([False, True, True]))
    sequence = Sequence("uav123", "bird1_1", lambda: annotation, attributes=("SV", "OV"))
    store = open_store(tmp_path, write=True)
    store.put_sequence("uav123", sequence, annotation)
    back = store.sequence("uav123", "bird1_1")
    np.testing.assert_array_equal(back.annotation.boxes, boxes)
    assert back.annotation.absent is not None
    assert back.annotation.absent.tolist() == [False, True, True]
    assert back.attributes == ("SV", "OV")
    assert back.annotation.fingerprint() == annotation.fingerprint()


def test_boxes_of_other_targets_are_kept_and_written_anew_when_they_change(tmp_path: Path) -> None:
    from inmo.datasets.base import Sequence

    annotation = Annotation(np.array([[1.0, 2, 3, 4], [2, 2, 3, 4]]))
    others = np.array([[[9.0, 2, 3, 4], [np.nan] * 4], [[20, 2, 3, 4], [21, 2, 3, 4]]])
    store = open_store(tmp_path, write=True)
    alone = Sequence("otb100", "Jogging_1", lambda: annotation)
    store.put_sequence("otb100", alone, annotation)
    assert store.sequence("otb100", "Jogging_1").others.shape == (0, 2, 4)
    for count in (2, 1):
        store.put_sequence("otb100", replace(alone, others=lambda kept=others[:count]: kept), annotation)
        back = store.sequence("otb100", "Jogging_1")
        np.testing.assert_array_equal(back.others, others[:count])
        assert (back.others_reason, back.annotation.fingerprint()) == ("", annotation.fingerprint())


@given(st.text(min_size=1, max_size=40).filter(lambda s: s.isprintable()))
def test_any_name_is_one_safe_file_name(name: str) -> None:
    from urllib.parse import unquote

    escaped = file_name(name)
    assert unquote(escaped) == name
    assert "/" not in escaped
    assert "\\" not in escaped
    assert not escaped.startswith(".")


def test_runs_that_would_be_alike_show_their_hash() -> None:
    other = Run("kcf", "KCF", "ba9876543210")
    labelled = Run("kcf", "KCF", "aaaaaaaaaaaa", label="KCF slow")
    assert display_names((RUN,)) == {RUN.folder: "KCF"}
    names = display_names((RUN, other, labelled))
    assert names == {RUN.folder: "KCF [012345]", other.folder: "KCF [ba9876]", labelled.folder: "KCF slow"}
    assert export_names((RUN, other))[other.folder] == "kcf-ba9876"


def test_an_empty_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no results"):
        open_store(tmp_path)


def test_a_read_only_place_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write"):
        open_store(tmp_path / "file" / "store", write=True)
    with pytest.raises(UserError, match="cannot write"):
        Store(tmp_path / "file").put_hole("otb100", RUN, Hole("a", "b"))
