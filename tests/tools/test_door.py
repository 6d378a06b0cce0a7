"""Scripts end as the commands do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inmo.errors import Exit, UserError
from tests.conftest import ROOT
from tools.door import leave_after


@pytest.mark.parametrize(("status", "left"), [(None, 0), (0, 0), (1, 1)])
def test_the_status_is_that_of_the_work(status: int | None, left: int) -> None:
    with pytest.raises(SystemExit) as ended:
        leave_after(lambda: status)
    assert ended.value.code == left


def test_an_error_for_people_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise UserError("no such store: give its folder")

    with pytest.raises(SystemExit) as ended:
        leave_after(work)
    assert ended.value.code == Exit.MEND
    assert capsys.readouterr().err == "error: no such store: give its folder\n"


def test_a_script_asked_for_what_is_not_there_says_so(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tools.model_cards", f"none={tmp_path / 'none'}"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == Exit.MEND
    assert ended.stderr.startswith("error: ") and "Traceback" not in ended.stderr
