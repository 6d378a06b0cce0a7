"""What --help says: an example for every command, exit statuses; and that shells complete what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inmo.harness.cli import EPILOGUE, main, parse
from inmo.harness.commands import COMMANDS, kind
from tests.conftest import ROOT

KINDS = {name: kind(name) for name in COMMANDS}
EXAMPLE = re.compile(r"^Example: (python run_all\.py .*(?:\n.*)*)\Z", re.M)
SHELL = re.compile(r" +(?:#|>|\||&&?|;)(?: |$)")  # where the command ends and the shell's own words begin
STATUSES = {"0", "1", "2", "3", "130"}


def parsed(line: str) -> Any:
    program, script, *words = shlex.split(line)
    assert (program, script) == ("python", "run_all.py")
    if not words or words[0].startswith("-"):
        words.insert(0, "main")
    return parse(words)


def pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("harness/training/*.md"), *ROOT.glob("docs/*.md")]
    return sorted({path for path in found if not {".venv", "output"} & set(path.parts)})


def lines_of(page: Path) -> list[str]:
    """Every `python run_all.py` line in the page's blocks, continuation lines joined, comments left out."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    joined = "\n".join(text for language, text in blocks if language in ("sh", "text", "")).replace("\\\n", " ")
    return [SHELL.split(line)[0] for line in joined.splitlines() if re.match(r"python run_all\.py\b", line)]


@pytest.mark.parametrize("name", KINDS)
def test_every_command_shows_an_example_that_parses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    import inspect

    found = EXAMPLE.search(inspect.getdoc(KINDS[name]) or "")
    assert found, f"{name} --help has no line 'Example: python run_all.py {name} ...' at the end of its text"
    assert type(parsed(found[1])) is KINDS[name]
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert re.search(rf"^ *Example: python run_all\.py {name}\b", printed, re.M), "the example begins a line"


def test_exit_statuses_are_said() -> None:
    said = set(re.findall(r"(?:^|[;:] |\n)(\d+) ", EPILOGUE))
    assert said == STATUSES
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| (\d+) \|", page, re.M)) == STATUSES


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_in_the_documentation_parses(page: Path) -> None:
    for line in lines_of(page):
        if "..." not in line and "--tyro-" not in line:
            parsed(line)


def test_pages_with_commands_are_found() -> None:
    assert len(lines_of(ROOT / "README.md")) >= 10


def test_the_shell_completes_commands_options_and_choices(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    with pytest.raises(SystemExit):
        main(["--tyro-print-completion", "bash"])
    (tmp_path / "run_all.bash").write_text(capfd.readouterr().out)

    def completed(*asked: tuple[str, ...]) -> list[list[str]]:
        """What bash offers for each of these words after the program's name."""
        script = [f"source {tmp_path / 'run_all.bash'}"]
        for words in asked:
            line = " ".join(shlex.quote(word) for word in ("run_all.py", *words))
            script.append(f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; COMPREPLY=()")
            script.append("_tyro_run_all_py; printf '%s\\t' \"${COMPREPLY[@]}\"; echo")
        env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        done = subprocess.run([bash, "-c", "\n".join(script)], capture_output=True, text=True, check=True, env=env)
        return [line.split("\t")[:-1] for line in done.stdout.splitlines()]

    first, formats = completed(("tr",), ("score", "--format", ""))
    assert {"track", "train"} <= set(first)
    assert formats == ["table", "json", "csv", "latex"]
    offered = completed(*((name, "--") for name in KINDS))
    for name, words in zip(KINDS, offered, strict=True):
        assert "--help" in words
        assert all(re.fullmatch(r"--[a-z-]+", word) for word in words), (name, words)  # a line break splits a word
