"""Links below ``build/types`` that show the packages where an installed copy has them.

Run it as ``python -m tools.link_packages``.

In a checkout ``inmo/__init__.py`` extends its path; what reads modules without importing them (mypy, mkdocstrings) does
not see that.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("datasets", "harness", "reports", "trackers")


def linked() -> Path:
    """The folder that holds ``inmo``, its links made anew."""
    folder = ROOT / "build" / "types" / "inmo"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for path in [*(ROOT / "inmo").glob("*.py"), *(ROOT / name for name in PACKAGES)]:
        (folder / path.name).symlink_to(path)
    return folder.parent


if __name__ == "__main__":
    linked()
