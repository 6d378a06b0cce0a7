"""Who made a number: code, libraries, machine. Stored with every result."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from typing import Any

from inmo.paths import CHECKOUT, ROOT
from inmo.trackers.external.base import ExternalTracker

LIBRARIES = ("numpy", "opencv-contrib-python-headless", "torch", "pyarrow", "pandas", "scipy")


@lru_cache(maxsize=1)
def code_version() -> str:
    """The git commit (12 digits, ``+`` when tracked files were changed), else the package version."""
    if not CHECKOUT:  # a repository that an installed copy happens to lie in is somebody else's
        return package_version()
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return package_version()


def package_version() -> str:
    try:
        return metadata.version("inmo-harness")
    except metadata.PackageNotFoundError:
        return "source"


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Code, Python and library versions."""
    found = {"code": code_version(), "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """The machine in words: host system, processor, cores."""
    return {"system": platform.platform(terse=True), "processor": _processor(), "cores": os.cpu_count() or 1}


def device_of(tracker: Any, asked: str) -> str:
    """Where a built tracker computes, and what that is: ``cuda:0 (NVIDIA H100)``.

    OpenCV's trackers and the like have no device of their own and use the processor; one in another process keeps its
    choice to itself, and what it was asked for stands.
    """
    device = getattr(tracker, "device", None)
    if device is None:
        return asked if isinstance(tracker, ExternalTracker) else "cpu"
    if getattr(device, "type", "") != "cuda":
        return str(device)
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
