"""What a command costs before it does anything: torch is imported by those alone that compute with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inmo.harness.cli import main
from inmo.trackers import TRACKERS, tracker
from inmo.trackers.titles import title

CODE = """
import sys
from inmo.harness.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as left:  # --help
    status = left.code
assert not status, status
assert 'torch' not in sys.modules
"""
CHEAP = (
    "--help",
    "track --help",
    "list trackers",
    "list datasets",
    "list protocols",
    "track --tracker kcf --tracker constant --dataset folder=CLIPS --store OUT/new --lanes auto",
    "export --store OUT/store --format pysot --out OUT/again",
    "score --dataset folder=CLIPS --results OUT/raw",
    "report --store OUT/store --out OUT/page",
    "check --dataset folder=CLIPS",
    "tune --help",
    "validate --help",
    "draw --store OUT/store --sequence clip4 --width 160 --out OUT/clip4.mp4",
    "play --tracker kcf --video CLIPS/clip4/img --box 4 6 16 14 --out OUT/play.mp4",
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, its raw files and the clips they are of."""
    from tests.clips import write_sequence

    folder = tmp_path_factory.mktemp("startup")
    for frames in (4, 5):
        write_sequence(folder / "clips" / f"clip{frames}", frames)
    data = ["--dataset", f"folder={folder / 'clips'}", "--store", str(folder / "store")]
    assert main(["track", "--tracker", "kcf", *data]) == 0
    assert main(["export", "--store", str(folder / "store"), "--format", "pysot", "--out", str(folder / "raw")]) == 0
    return folder


@pytest.mark.parametrize("line", CHEAP)
def test_no_torch_where_no_network_runs(line: str, out: Path) -> None:
    words = line.replace("CLIPS", str(out / "clips")).replace("OUT", str(out)).split()
    done = subprocess.run([sys.executable, "-c", CODE, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_titles_read_from_the_text_are_those_of_the_rows() -> None:
    assert {name: title(name) for name in TRACKERS} == {name: tracker(name).title for name in TRACKERS}
