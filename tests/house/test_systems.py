"""What Windows and macOS do differently, simulated: names, locks, links, open files, processes, how workers start."""

from __future__ import annotations

import ast
import errno
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from inmo import whole_files
from inmo.datasets.base import Annotation, Benchmark, Dataset, Sequence
from inmo.errors import UserError
from inmo.harness.store import store as stores
from inmo.harness.store.store import file_name, open_store
from inmo.trackers.external.process import Running
from inmo.whole_files import place
from tests.clips import LENGTHS, write_clips
from tests.conftest import ROOT
from tests.house.test_source import FILES

ABSENT = frozenset({"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"})  # on Windows
FORBIDDEN = '<>:"/\\|?*'


@pytest.mark.parametrize(
    "name",
    [
        "CON", "con", "Con.txt", "NUL", "aux.", "prn .x", "COM1", "lpt9.jpg", "a.", "a ", "a. ", ".a", ".", "..", " ",
        'a<b>c:d"e|f?g*h/i\\j', "CON" + "x" * 300, "con." + "x" * 300, "\x01\x1f", "conference", "com10",
    ],
)  # fmt: skip
def test_no_file_has_a_name_that_windows_forbids(name: str) -> None:
    found = file_name(name)
    assert not set(found) & {*FORBIDDEN, *map(chr, range(32))}
    assert found[-1] not in ". " and not found.startswith(".")
    assert found.partition(".")[0].rstrip().lower() not in stores.RESERVED
    assert len(name) > 200 or unquote(found) == name
    if name in ("conference", "com10"):
        assert found == name  # names that are allowed stay as they are


def dataset(*names: str, label: str = "own") -> Dataset:
    facts = Benchmark("x", "X", lambda *_: None, 0, "otb")  # type: ignore[arg-type,return-value]
    sequences = (Sequence("x", name, lambda: Annotation(np.ones((2, 4)))) for name in names)
    return Dataset(facts, label, "/nowhere", tuple(sequences))


def test_a_disk_that_is_blind_to_case_is_recognised(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("")
    assert not stores._blind(tmp_path / ".lock")
    (tmp_path / ".LOCK").write_text("")  # what such a disk answers
    assert stores._blind(tmp_path / ".lock")


def test_names_that_differ_in_case_alone_are_refused_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path, write=True)
    store.put_dataset(dataset("Bird", "bird"), ("Bird", "bird"))  # no trouble here
    monkeypatch.setattr(stores, "_blind", lambda path: True)
    with pytest.raises(UserError, match=r"does not tell Bird from bird, sequences of other"):
        store.put_dataset(dataset("Bird", "bird", "Car", label="other"), ("Bird", "bird"))
    assert store.datasets() == ("own",)  # nothing is left of it
    store.put_dataset(dataset("Bird", "bird", "Car", label="other"), ("bird", "Car"))
    (tmp_path / "OWN").symlink_to(tmp_path / "own")
    with pytest.raises(UserError, match=r"does not tell the names own and OWN apart"):
        store.put_dataset(dataset("Bird", label="OWN"), ("Bird",))


def unlinked(*_: object) -> None:
    """A file system without hard links."""
    raise OSError(errno.EPERM, "Operation not permitted")


def test_without_hard_links_the_first_file_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", unlinked)
    assert place(tmp_path / "x", b"first", keep_first=True)
    assert not place(tmp_path / "x", b"second", keep_first=True)
    assert (tmp_path / "x").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_is_read_is_replaced_when_its_reader_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    tries = []
    real = Path.replace

    def busy(self: Path, target: Path) -> Path:
        tries.append(target)
        if len(tries) <= 3:
            raise PermissionError(errno.EACCES, "The process cannot access the file")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", busy)
    if links:
        (tmp_path / "x").write_bytes(b"old")
    else:
        monkeypatch.setattr(os, "link", unlinked)
    assert place(tmp_path / "x", b"new", keep_first=not links)
    assert (tmp_path / "x").read_bytes() == b"new" and len(tries) == 4


def test_a_file_that_nobody_lets_go_of_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    (tmp_path / "x").write_bytes(b"old")
    monkeypatch.setattr(whole_files, "PATIENCE", 0.05)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UserError, match=r"cannot write .*x: The process cannot access the file"):
        place(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_no_process_is_sent_a_ctrl_c_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / whole_files.unfinished("x").replace(f".{os.getpid()}-", ".4194999-")
    left.write_bytes(b"half")
    monkeypatch.setattr(whole_files, "SYSTEM", "nt")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("os.kill(pid, 0) is a Ctrl-C there"))
    whole_files.sweep(tmp_path)
    assert left.exists()


def test_external_trackers_are_refused_in_words_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        with pytest.raises(UserError, match=r"Mine: external trackers need process groups: use Linux or macOS"):
            Running([sys.executable], "Mine")


def needed(source: str) -> set[str]:
    """Top names of the modules without which a source cannot be imported."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_no_module_needs_what_windows_lacks_to_be_imported() -> None:
    assert needed("import os, fcntl\nfrom resource import getrusage\nif 1:\n    import pwd") & ABSENT == {
        "fcntl", "resource",
    }  # fmt: skip
    assert [path for path in FILES if needed(path.read_text(encoding="utf-8")) & ABSENT] == []


def test_locks_and_claims_work_without_fcntl(tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules["fcntl"] = sys.modules["resource"] = None
from pathlib import Path
from inmo.harness.bench import parts
from inmo.harness.store.claims import Claims
from inmo.harness.store.store import open_store
from inmo.locks import locked
from tests.house.test_systems import dataset

root = Path({str(tmp_path)!r})
with locked(root / "own.lock") as held:
    assert held
store = open_store(root, write=True)
store.put_dataset(dataset("a"), ("a",))
assert store.datasets() == ("own",)
claims = Claims(root)
assert claims.take([("own", "kcf", "a")])
assert not Claims(root).take([("own", "kcf", "a")])
claims.release_all()
assert Claims(root).take([("own", "kcf", "a")])
parts.CLEAR = root / "nowhere"
assert parts.peak_bytes() == 0
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_workers_start_where_nothing_is_forked(tmp_path: Path) -> None:
    """Windows and macOS spawn: what workers get is pickled, and their first import is the program."""
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, os, sys\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    del os.fork\n"
        "    from inmo.harness.cli import main\n"
        "    sys.exit(main(sys.argv[1:]))\n"
    )
    words = ["track", "--tracker", "mosse", "--dataset", f"folder={write_clips(tmp_path / 'clips')}", "--jobs", "2",
             "--store", str(tmp_path / "store")]  # fmt: skip
    done = subprocess.run(
        [sys.executable, program, *words], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    store = open_store(tmp_path / "store")
    (run,) = store.runs("folder")
    assert all(store.result_facts("folder", run, name) for name in LENGTHS)
