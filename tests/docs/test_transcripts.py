"""The transcripts of the quick start and of datasets/README.md: their commands are run as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from inmo.datasets.mini.suite import write_clips
from tests.conftest import ROOT
from tests.docs.printed import assert_alike

PAIR = re.compile(r"^```(?:sh)?\n(python .*?)^```\n(?:\n```text\n(.*?)^```)?", re.M | re.S)


def transcripts(page: str) -> list[tuple[str, str]]:
    """(commands, what the page shows after them) of its blocks."""
    return PAIR.findall((ROOT / page).read_text(encoding="utf-8"))


def run(commands: str, folder: Path) -> str:
    """The commands' standard output; every status is 0, but that of ``check`` may be 1."""
    printed = ""
    for line in commands.splitlines():
        words = shlex.split(line)
        words[0] = sys.executable
        if words[1] == "run_all.py":
            words[1] = str(ROOT / "run_all.py")
        env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HOME": str(folder)}
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0 or ("check" in words and done.returncode == 1), done.stderr
        printed += done.stdout
    return printed


@pytest.mark.slow
def test_the_quick_start(tmp_path: Path) -> None:
    pairs = transcripts("docs/quickstart.md")
    assert sum(bool(shown) for _, shown in pairs) == 3
    own = re.search(
        r"^```yaml\n(.*?)^```\n\nAs `own.yaml`", (ROOT / "docs" / "quickstart.md").read_text("utf-8"), re.M | re.S
    )
    assert own
    (tmp_path / "own.yaml").write_text(own[1], encoding="utf-8")
    for commands, shown in pairs:
        printed = run(commands, tmp_path)
        if shown:
            assert_alike(shown, printed.replace(f"{tmp_path}/", ""))
    assert (tmp_path / "page" / "index.html").is_file()
    assert (tmp_path / "ablations" / "own" / "index.html").is_file()


@pytest.mark.slow
@pytest.mark.shared
def test_what_check_says(tmp_path: Path, shared: Path) -> None:
    (tmp_path / "OTB100").symlink_to(shared / "data" / "OTB100")
    (tmp_path / "LaSOT_test.zip").symlink_to(shared / "data" / "annotations" / "LaSOT_test.zip")
    clips = tmp_path / "clips"
    write_clips(clips, 6)
    (clips / "clip-700002" / "img" / "0007.jpg").unlink()
    broken = clips / "clip-700003" / "img" / "0005.jpg"
    broken.write_bytes(broken.read_bytes()[:3000])
    pairs = [pair for pair in transcripts("datasets/README.md") if pair[1]]
    assert len(pairs) == 2
    for commands, shown in pairs:
        assert run(commands, tmp_path) == shown
