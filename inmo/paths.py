"""Where the project's own files lie: in a checkout its top folder, installed the folder of the package."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent

CHECKOUT = not (_HERE / "datasets").is_dir()
"""Whether this is a checkout, or an editable install of one."""

ROOT = _HERE.parent if CHECKOUT else _HERE
"""The folder with ``configs``, ``experiments`` and the four packages."""
