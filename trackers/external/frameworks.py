"""``pytracking:NAME`` and ``pysot:NAME``: trackers of those frameworks, from a checkout that the user points at."""

from __future__ import annotations

import tempfile
import weakref
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from inmo.errors import UserError, unknown_name
from inmo.trackers.base import TrackerSpec
from inmo.trackers.external.base import ExternalTracker, Limits, source_key
from inmo.trackers.external.isolated import build


@dataclass(frozen=True)
class CheckoutConfig(Limits):
    """A tracker in a checkout.

    Attributes:
        target: which one, by the framework's own names.
        checkout: the framework's folder; its Python files enter the key.
        python: interpreter with what the framework needs, or folder of a virtual environment.
    """

    target: str = ""
    checkout: str = field(default="", metadata={"key": source_key})
    python: str = ""

    @property
    def label(self) -> str:
        """What tables and exports call it."""
        return self.target.rpartition("/")[2]


@dataclass(frozen=True)
class PytrackingConfig(CheckoutConfig):
    """``TRACKER/PARAMETER``, or one name where that is enough. Weights are found by the checkout's ``local.py``."""

    @property
    def label(self) -> str:
        """The parameter's name (dimp50), or the tracker's where that is ``default``."""
        tracker, _, parameter = self.target.rpartition("/")
        return tracker if tracker and parameter == "default" else parameter


@dataclass(frozen=True)
class PysotConfig(CheckoutConfig):
    """The name of a folder under ``experiments``.

    Attributes:
        weights: the checkpoint; empty = ``model.pth`` of the experiment.
        config: its YAML file; empty = ``config.yaml`` of the experiment.
        package: the package's name in a fork (siamban); empty = found in the checkout.
    """

    weights: str = field(default="", metadata={"file": True})
    config: str = field(default="", metadata={"file": True})
    package: str = ""


def pytracking_for_dataset(config: PytrackingConfig, dataset: str) -> PytrackingConfig:
    """The config with the target in full, TRACKER/PARAMETER; ``dataset`` does not matter. Raises UserError."""
    checkout = _checkout("pytracking", config, "pytracking/parameter", "dimp/dimp50")
    root = checkout / "pytracking" / "parameter"
    known = sorted(f"{p.parent.name}/{p.stem}" for p in root.glob("*/*.py") if not p.stem.startswith("_"))
    if config.target in known:
        return config
    found = [name for name in known if config.target in (name.removesuffix("/default"), name.partition("/")[2])]
    if len(found) != 1:
        if found:
            raise UserError(f"pytracking:{config.target} may be {' or '.join(found)}: name one of them in full")
        raise unknown_name(f"tracker of {checkout}", config.target, known)
    return replace(config, target=found[0])


def build_pytracking(config: PytrackingConfig, device: str) -> ExternalTracker:
    """Start the tracker in its checkout. Raises UserError when it does not start."""
    config = pytracking_for_dataset(config, "")
    tracker, _, parameter = config.target.partition("/")
    return _build("pytracking", config, {"tracker": tracker, "parameter": parameter}, device)


def pysot_for_dataset(config: PysotConfig, dataset: str) -> PysotConfig:
    """The config with files and package filled in; ``dataset`` does not matter. Raises UserError."""
    checkout = _checkout("pysot", config, "experiments", "siamrpn_r50_l234_dwxcorr")
    experiment = checkout / "experiments" / config.target
    if not (config.config and config.weights) and not experiment.is_dir():
        known = [p.name for p in (checkout / "experiments").iterdir() if p.is_dir()]
        raise unknown_name(f"experiment of {checkout}", config.target, known)
    config = replace(
        config,
        config=config.config or str(experiment / "config.yaml"),
        weights=config.weights or str(experiment / "model.pth"),
        package=config.package or _package(checkout),
    )
    for path, flag in ((config.config, "--set config=FILE"), (config.weights, "--weights FILE")):
        if not Path(path).is_file():
            raise UserError(f"pysot:{config.target}: {path} does not exist: put it there or name it with {flag}")
    return config


def build_pysot(config: PysotConfig, device: str) -> ExternalTracker:
    """Start the tracker in its checkout. Raises UserError when it does not start."""
    config = pysot_for_dataset(config, "")
    with ExitStack() as kept:
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="inmo-pysot-")))
        options = {
            "package": config.package,
            "config": str(Path(config.config).absolute()),
            "weights": _arrays(Path(config.weights), folder),
        }
        tracker = _build("pysot", config, options, device)
        weakref.finalize(tracker, kept.pop_all().close)  # a process that is started later reads them again
    return tracker


def _arrays(weights: Path, folder: Path) -> str:
    """The checkpoint's parameters as arrays in a file: read here, with care, and by an environment of any age."""
    from inmo.trackers.pipeline.checkpoint import load_state_dict

    state = load_state_dict(weights)
    arrays = {name: (v.float() if str(v.dtype) == "torch.bfloat16" else v).numpy() for name, v in state.items()}
    np.savez(folder / "weights.npz", **arrays)  # type: ignore[arg-type]
    return str(folder / "weights.npz")


def _build(kind: str, config: CheckoutConfig, options: dict[str, Any], device: str) -> ExternalTracker:
    title, folder = f"{kind}:{config.target}", str(Path(config.checkout).absolute())
    options = {"checkout": folder, **options}
    return build(title, kind, options, python=config.python, limits=config, device=device, folder=folder)


def _checkout(kind: str, config: CheckoutConfig, inside: str, example: str) -> Path:
    if not config.target:
        raise UserError(f"{kind} needs to know which tracker: --tracker {kind}:NAME, as {kind}:{example}")
    if not config.checkout:
        raise UserError(f"{kind}:{config.target} needs {kind}'s own code: add --set checkout=FOLDER")
    checkout = Path(config.checkout)
    if not (checkout / inside).is_dir():
        raise UserError(f"{checkout} is no checkout of {kind}, it has no folder {inside}: mend --set checkout=FOLDER")
    return checkout


def _package(checkout: Path) -> str:
    found = [p.parent.parent.name for p in sorted(checkout.glob("*/tracker/tracker_builder.py"))]
    if len(found) != 1:
        which = " and ".join(found) or "none"
        raise UserError(f"{checkout} should hold one package with tracker/tracker_builder.py, not {which}: "
                        "name it with --set package=NAME")  # fmt: skip
    return found[0]


PYTRACKING = TrackerSpec("pytracking", "pytracking", PytrackingConfig(), build_pytracking, pytracking_for_dataset)
PYSOT = TrackerSpec("pysot", "pysot", PysotConfig(), build_pysot, pysot_for_dataset)
