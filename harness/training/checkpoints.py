"""What a training leaves: checkpoints to continue from, and weights to track with. Files appear whole or not at all."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.seals import BLANK, KEY, check_seal, sealed, sealed_zip
from inmo.whole_files import place

FORMAT = 2


@dataclass(frozen=True)
class Progress:
    """How far a training is: steps done, pairs seen, seconds spent."""

    step: int = 0
    pairs: int = 0
    seconds: float = 0.0


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: Mapping[str, Tensor],
    progress: Progress,
    identity: str,
) -> None:
    """Everything that the rest of the training depends on. The pairs to come follow from the step alone."""
    state = {
        "format": FORMAT,
        "identity": identity,
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": dict(average),
        "progress": [progress.step, progress.pairs, progress.seconds],
        "random": _random_states(),
    }
    sink = io.BytesIO()
    torch.save(state, sink)
    place(path, sealed_zip(sink.getvalue()))


def load_checkpoint(
    path: Path, network: nn.Module, optimiser: torch.optim.Optimizer, identity: str, device: torch.device
) -> tuple[Progress, dict[str, Tensor]]:
    """Put a checkpoint's state back in place; returns progress and the averaged weights.

    Raises UserError for a file that is missing, damaged, or belongs to another config.
    """
    try:
        data = path.read_bytes()
        check_seal(path, data, "remove it and start again")  # torch checks nothing of what it reads
        state: dict[str, Any] = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"there is no checkpoint {path}: start the training without --resume") from error
    except UserError:
        raise
    except Exception as error:  # torch raises many kinds for a damaged file
        raise UserError(f"the checkpoint {path} cannot be read ({error}): remove it and start again") from error
    if state.get("format") != FORMAT or state.get("identity") != identity:
        raise UserError(f"the checkpoint {path} belongs to another config: give another --out, or the config it had")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    _restore_random(state["random"])
    step, pairs, seconds = state["progress"]
    return Progress(int(step), int(pairs), float(seconds)), state["average"]


def save_weights(
    path: Path, network: nn.Module, average: Mapping[str, Tensor], facts: Mapping[str, Any], *, half: bool
) -> None:
    """Weights as safetensors, ready for ``track --weights``: the averaged ones where there are some.

    Args:
        facts: written to the file's metadata, each as JSON; of absolute paths the last part, as weights are given to
            others, who need not know the folders of whoever trained them.
        half: store as fp16, half the size.
    """
    state = {key: average.get(key, value) for key, value in network.state_dict().items()}
    stored = {
        key: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous().clone()
        for key, value in state.items()
    }
    told = {key: json.dumps(_without_folders(value), default=str) for key, value in facts.items()}
    place(path, sealed(save(stored, told | {KEY: json.dumps(BLANK)})))


def _without_folders(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_folders(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(own) for own in value]
    if isinstance(value, Path):
        return _without_folders(str(value))
    if not isinstance(value, str):
        return value
    name, equals, root = value.partition("=")  # clips say NAME=ROOT
    if equals and _at_home(root):
        return f"{name}={Path(root).name}"
    return Path(value).name if _at_home(value) else value


def _at_home(path: str) -> bool:
    return Path(path).is_absolute() or path.startswith("~")


def read_facts(path: Path) -> dict[str, Any]:
    """The facts that ``save_weights`` wrote into a file of safetensors; none where something else wrote it."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    try:
        return {key: json.loads(value) for key, value in metadata.items()}
    except ValueError:
        return {}


def seen_pairs(path: Path) -> int:
    """Pairs that the training of a weights file saw, those of the weights that it started from with them; 0 where the
    file does not say."""
    known = read_facts(path) if path.suffix == ".safetensors" else {}
    return int(known.get("pairs", 0) + known.get("initial", {}).get("pairs", 0))


def save_batch(path: Path, parts: Mapping[str, Any]) -> None:
    """What made a loss non-finite, for looking at it."""
    sink = io.BytesIO()
    torch.save(dict(parts), sink)
    place(path, sink.getvalue())


def _random_states() -> dict[str, Any]:
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - the global state
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": list(random.getstate()[1]),
        "numpy": [int(v) for v in np.asarray(keys)] + [int(position), int(has_gauss)],
        "gauss": float(cached),
        "kind": str(kind),
    }


def _restore_random(states: Mapping[str, Any]) -> None:
    torch.set_rng_state(states["torch"].cpu())
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])
    random.setstate((3, tuple(states["python"]), None))
    *keys, position, has_gauss = states["numpy"]
    np.random.set_state((states["kind"], np.array(keys, np.uint32), position, has_gauss, states["gauss"]))  # noqa: NPY002
