"""Run the notebooks of this folder again and keep their outputs: ``python docs/execute.py``."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook with fresh outputs, run in this environment with the checkout's root on the path."""
    notebook = nbformat.read(path, as_version=4)
    environment = os.environ | {"PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"}
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(HERE.parent)}}
    ).execute(env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times of day at which it ran
    return notebook


if __name__ == "__main__":
    for found in sorted(HERE.glob("*.ipynb")):
        nbformat.write(executed(found), found)
