"""The tests that need no network, under the newest other Python that is on this machine, in an environment of its own.

PYTHONS=all takes all of them.
torch's wheels for them are those with CUDA, gigabytes each: what imports torch is tested under this Python alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
FOLDERS = ("tests/datasets", "tests/reports", "tests/parity", "tests/trackers/recorded")
NEED_TORCH = (
    "tests/reports/paper/test_backbones.py",
    "tests/parity/test_end_to_end.py",
    "tests/parity/test_golden_*.py",
)
NOT_THERE = ("torch", "inmo-harness[", "openvino", "onnx", "got10k")  # wants torch, or is no wheel
LEAST = 900  # tests that have to pass: fewer means that they were not found


def interpreter(version: str) -> Path | None:
    """A Python of that version: on the path, or among those that pyenv keeps."""
    on_path = shutil.which(f"python{version}")
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for found in (*([Path(on_path)] if on_path else ()), *kept):
        answer = subprocess.run([found, "-c", "import ensurepip, venv"], capture_output=True)
        if answer.returncode == 0:
            return found
    return None


def requirements() -> list[str]:
    """What the project and its tests ask for, extras resolved, without ``NOT_THERE``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *extras["test"]]
    for line in extras["test"]:
        if own := re.fullmatch(r"inmo-harness\[(.*)\]", line):
            named += [need for extra in own[1].split(",") for need in extras[extra]]
    return [line for line in named if not line.startswith(NOT_THERE)]


def wanted() -> dict[str, Path]:
    """Interpreters by version, the newest first."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    there = {version: found for version in reversed(VERSIONS) if version != own and (found := interpreter(version))}
    return there if os.environ.get("PYTHONS") == "all" else dict(list(there.items())[:1])


def test_another_python(tmp_path: Path) -> None:
    others = wanted()
    if not others:
        pytest.skip(f"there is none of Python {', '.join(VERSIONS)} here but this one")
    for version, found in others.items():
        passes_under(found, tmp_path / version)


def passes_under(found: Path, place: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "VIRTUAL_ENV"))}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def call(*words: str | Path) -> str:
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout

    call(found, "-m", "venv", place / "env")
    python = place / "env" / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "constraints.txt")
    call(*pip, "--only-binary", ":all:", *requirements())
    ignored = [f"--ignore-glob={ROOT / path}" for path in NEED_TORCH]
    printed = call(
        python, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow",
        f"--basetemp={place / 'base'}", *ignored, *FOLDERS,
    )  # fmt: skip
    passed = re.search(r"(\d+) passed", printed)
    assert passed, printed[-2000:]
    assert int(passed[1]) >= LEAST
