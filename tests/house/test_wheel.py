"""The built wheel in an environment of its own, away from the checkout and beside the other package named datasets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clips import write_sequence
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def call(words: Sequence[str | Path], folder: Path) -> str:
    """What a command prints, run in a folder without a word of this environment about where modules are."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([*map(str, words)], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a new environment with the wheel and Hugging Face's datasets.

    The large libraries come from this environment's folder by a path, whose own .pth files (an editable install of
    the checkout is one) are not read then.
    """
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    try:
        ignored = shutil.ignore_patterns(".*", "build", "output", "*.egg-info", "__pycache__")
        shutil.copytree(ROOT, folder / "source", ignore=ignored)  # no leftover of an earlier build gets in
        call([*pip, "wheel", "--no-deps", "--wheel-dir", folder, folder / "source"], folder)
        call([sys.executable, "-m", "venv", "--without-pip", folder / "env"], folder)
        python = folder / "env" / "bin" / "python"
        own = Path(call([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
        (own / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "--quiet",
            "install",
            "-c",
            ROOT / "constraints.txt",
        ]
        call([*install, "--no-deps", "--ignore-installed", *folder.glob("*.whl")], folder)
        call([*install, "datasets"], folder)
    except AssertionError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the environment could not be made, perhaps for want of a package index: {error!s:.300}")
    return python.parent


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty folder to stand in; ``clips`` lie beside it."""
    write_sequence(tmp_path / "clips" / "one", 12)
    write_sequence(tmp_path / "clips" / "two", 12)
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_both_packages_are_there_and_every_module_has_one_object(programs: Path, empty: Path) -> None:
    code = (
        "import sys, datasets, inmo, inmo.datasets, inmo.harness.library, inmo.reports.page.page\n"
        "assert hasattr(datasets, 'load_dataset') and hasattr(inmo.datasets, 'open_dataset')\n"
        "files = [m.__file__ for n, m in list(sys.modules.items()) if 'inmo' in n and getattr(m, '__file__', None)]\n"
        "assert len(files) == len(set(files))\n"
        "print(inmo.__file__)\nprint(datasets.__file__)"
    )
    for line in call([programs / "python", "-c", code], empty).split():
        assert line.startswith(str(programs.parent))


def test_it_tracks_and_reports_with_processes_and_with_dask(programs: Path, empty: Path) -> None:
    track = [
        programs / "inmo",
        "track",
        "--dataset",
        f"folder={empty.parent / 'clips'}",
        "--store",
        "runs",
        "--jobs",
        "2",
    ]
    call([*track, "--tracker", "kcf", "--tracker", "constant"], empty)
    call([*track, "--tracker", "mosse", "--backend", "dask"], empty)
    assert len(list((empty / "runs").rglob("runs/*/*.parquet"))) == 6
    call([programs / "inmo", "report", "--store", "runs", "--out", "page"], empty)
    assert "usage: inmo" in call([programs / "inmo", "--help"], empty)


def test_the_main_job_finds_its_experiment_and_its_weights(programs: Path, empty: Path) -> None:
    """Of the mini-suite one dataset, which is tracked by every tracker of the embedded experiment."""
    call([programs / "inmo", "main", "--datasets", "mini-otb100", "--table", "3", "--jobs", "2", "--lanes", "4"], empty)
    assert (empty / "output" / "report" / "index.html").is_file()


def test_the_notebook_runs(programs: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    kernel = {"argv": [str(programs / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
              "display_name": "wheel", "language": "python"}  # fmt: skip
    (empty.parent / "jupyter" / "kernels" / "wheel").mkdir(parents=True)
    (empty.parent / "jupyter" / "kernels" / "wheel" / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(empty.parent / "jupyter"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebook = nbformat.read(ROOT / "docs" / "library.ipynb", as_version=4)
    NotebookClient(notebook, kernel_name="wheel", timeout=300, resources={"metadata": {"path": str(empty)}}).execute()
    assert any("CSRT" in str(cell.get("outputs")) for cell in notebook.cells)
