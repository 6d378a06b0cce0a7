"""From a stored run back to the command that makes it again, as far as what is stored says it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from inmo.harness.store.records import Run, StoredDataset
from inmo.paths import ROOT
from inmo.trackers.base import file_sha256

WEIGHTS = ("trackers/weights/*.safetensors", "experiments/ablations/*/*.safetensors")
"""Weights that come with the project: of the shipped trackers, and in a checkout of trainings of the ablations."""


def repeat_command(run: Run, dataset: StoredDataset, shipped: Mapping[str, str] | None = None) -> str:
    """The ``track`` command with the config of a run, every value spelled out, so that it has the same hash.

    Args:
        run: the run.
        dataset: where its images were.
        shipped: SHA-256 -> path of weights that come with the project; looked up when not given. Other files stand
            as FILE: only their content is known, and the provenance gives its SHA-256.

    Returns:
        one line for a shell, or nothing where the config was stored as a fingerprint of code or of recorded results.
    """
    values = {key: value for key, value in run.identity.items() if key not in ("name", "target")}
    target = run.identity.get("target", "")
    prints = [v for v in values.values() if isinstance(v, Mapping) and set(v) != {"sha256"}]  # of code, or results
    if prints or not isinstance(target, str) or "content" in values:
        return ""
    words = ["python", "run_all.py", "track", "--tracker", run.tracker + (f":{target}" if target else "")]
    for key, value in values.items():
        if isinstance(value, Mapping):
            known = shipped_weights() if shipped is None else shipped  # only now: it reads all the files
            value = known.get(value["sha256"], "FILE")
        elif value == "":
            continue
        text = value if isinstance(value, str) else _in_yaml(value)
        words += ["--weights", text] if key == "weights" else ["--set", f"{key}={text}"]
    if run.tuned:
        words += ["--tuned", "FILE"]  # the constants stand above; the file alone knows what they were tuned on
    if run.label:
        words += ["--label", run.label]
    name = dataset.benchmark if dataset.label == dataset.benchmark else f"{dataset.benchmark}:{dataset.label}"
    words += ["--dataset", f"{name}={dataset.root}", "--store", "STORE"]
    return shlex.join(words) + (" --partial" if dataset.holes else "")


@lru_cache(maxsize=1)
def shipped_weights() -> Mapping[str, str]:
    """SHA-256 -> path from the repository's root of the weights that come with the project."""
    files = (path for pattern in reversed(WEIGHTS) for path in sorted(ROOT.glob(pattern)))  # of equal ones the shipped
    return {file_sha256(path): path.relative_to(ROOT).as_posix() for path in files}


def _in_yaml(value: Any) -> str:
    """A value as ``--set`` reads it, on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1 << 20).removesuffix("...\n").strip()
