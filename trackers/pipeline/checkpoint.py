"""Weights: the authors' checkpoint files as they come, strict loading, ImageNet initialisation.

No code from a checkpoint runs; ``pipeline.pickles`` says how. What the released files look like: SOTS and SiamCAR
write ``{"state_dict": ...}`` or the bare state dict, perhaps with keys below ``module.``; pytracking's ltr (TransT)
writes ``{"net": ...}`` among pickled objects of its own; Swin writes ``{"model": ...}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.seals import KEY, check_listed, check_seal
from inmo.terminal import listed
from inmo.trackers.networks.efficientnet import key_map as key_of_lite0
from inmo.trackers.pipeline.mistaken import short_safetensors
from inmo.trackers.pipeline.pickles import TensorRecord, read_torch_file

KeyMap = Callable[[str], str]
"""The authors' name of a parameter -> ours."""

_WRAPPERS = ("state_dict", "net", "model")
_PREFIX = "module."
_NAMED = 6  # keys named in a message; the rest is counted


def same_names(key: str) -> str:
    """The KeyMap of a network that keeps the authors' names."""
    return key


def load_state_dict(path: str | Path) -> dict[str, Tensor]:
    """The state dict in a checkpoint file, on the CPU, ``module.`` prefixes stripped.

    Args:
        path: a safetensors file, or what torch.save wrote in either of its layouts: a bare state dict, or one below
            ``state_dict``, ``net`` or ``model``, whatever else stands beside it.

    Raises:
        UserError: the file is missing, damaged, something else, not the one that its folder's SHA256SUMS lists, holds
            no state dict or NaN, or asks for code to run.
    """
    path = Path(path).expanduser()
    check_listed(path)
    state = _load_safetensors(path) if _is_safetensors(path) else _load_torch(path)
    stripped = {key.removeprefix(_PREFIX): value for key, value in state.items()}
    if len(stripped) != len(state):
        raise UserError(f"{path} holds the same keys with and without '{_PREFIX}': use a file with one set of weights")
    broken = [key for key, value in stripped.items() if value.is_floating_point() and bool(value.isnan().any())]
    if broken:
        raise UserError(
            f"{path} holds NaN in {_some(broken)}: its training diverged or the file is damaged; use an earlier "
            "checkpoint or download it again"
        )
    return stripped


def apply_strict(
    network: nn.Module, state: Mapping[str, Tensor], key_map: KeyMap = same_names, where: str = ""
) -> None:
    """Load every parameter and buffer of ``network`` from ``state``, no more and no less.

    A network on the meta device takes the tensors themselves, any other copies the values.

    Args:
        network: the network to fill.
        state: the authors' names -> tensors.
        key_map: the authors' name -> the network's name.
        where: the file and the network in words, for the message.

    Raises:
        UserError: naming missing, unexpected and misshapen keys.
    """
    own, theirs = network.state_dict(), {key_map(key): key for key in state}
    if len(theirs) != len(state):
        raise UserError(f"{where} holds two keys for one parameter: use a file with one set of weights")
    missing = [name for name in own if name not in theirs]
    unexpected = [key for name, key in theirs.items() if name not in own]
    misfits = {key: _misfit(state[key], own.get(name)) for name, key in theirs.items()}
    misshapen = [f"{key} {why}" for key, why in misfits.items() if why]
    faults = {"missing": missing, "unexpected": unexpected, "misshapen": misshapen}
    if any(faults.values()):
        found = "; ".join(f"{len(keys)} {kind} ({_some(keys)})" for kind, keys in faults.items() if keys)
        raise UserError(f"{where or 'the state dict'} does not fit the network: {found}; check tracker and config")
    _load(network, {name: state[key].to(own[name].dtype) for name, key in theirs.items()}, strict=True)


def apply_either(network: nn.Module, state: Mapping[str, Tensor], key_map: KeyMap | None, where: str) -> None:
    """As ``apply_strict``, of a file with the authors' names or, as training writes them, the network's own."""
    own = network.state_dict().keys()
    names = max((key_map or same_names, same_names), key=lambda names: sum(names(key) in own for key in state))
    apply_strict(network, state, names, where)


def apply_partial(
    network: nn.Module, state: Mapping[str, Tensor], *, fresh: str = "$^", unused: str = "$^", where: str = ""
) -> list[str]:
    """Initialise ``network`` from a file made for a relative, with every difference named beforehand.

    Args:
        network: the network, already initialised.
        state: names -> tensors; names are the network's.
        fresh: regular expression (full match) of the network's keys that may keep their initialisation, because the
            file lacks them or has them in another shape.
        unused: regular expression of the file's keys that the network has no place for.
        where: the file in words, for the message.

    Returns:
        The network's keys that kept their initialisation.

    Raises:
        UserError: naming keys that neither fit nor are named by ``fresh`` or ``unused``.
    """
    own = network.state_dict()
    fits = {key: value for key, value in state.items() if key in own and not _misfit(value, own[key])}
    kept = [key for key in own if key not in fits]
    missing = [key for key in kept if not re.fullmatch(fresh, key)]
    unexpected = [key for key in state if key not in own and not re.fullmatch(unused, key)]
    if missing or unexpected:
        raise UserError(
            f"{where or 'the state dict'} cannot initialise the network: {len(missing)} keys missing or misshapen "
            f"({_some(missing)}), {len(unexpected)} unexpected ({_some(unexpected)}); give the full-size model's file"
        )
    _load(network, {key: value.to(own[key].dtype) for key, value in fits.items()}, strict=False)
    return kept


def init_resnet50(backbone: nn.Module, path: str | Path) -> list[str]:
    """ImageNet initialisation of a ``networks.resnet`` backbone from torchvision's ``resnet50-*.pth``.

    The classifier is unused; stage 4 is where the backbone ends before it. The 3x3 shortcuts of SiamCAR's and
    CNNInMo's backbone stay as they are, since torchvision's are 1x1.
    Returns the keys that kept their initialisation. Raises UserError when anything else does not fit.
    """
    whole = hasattr(backbone, "layer4")
    return apply_partial(
        backbone,
        load_state_dict(path),
        fresh=r"layer[234]\.0\.downsample\.0\.weight" if whole else "$^",
        unused=r"fc\..*" if whole else r"fc\..*|layer4\..*",
        where=str(path),
    )


def init_swin_tiny(backbone: nn.Module, path: str | Path) -> list[str]:
    """ImageNet initialisation of a Swin-T backbone from the public ``swin_tiny_patch4_window7_224.pth``.

    The file's classifier, last norm and shift masks are unused; output norms and fusion maps keep their
    initialisation. Returns the keys that did. Raises UserError when anything else does not fit.
    """
    return apply_partial(
        backbone,
        load_state_dict(path),
        fresh=r"norm\d\..*|down_and_cat\..*",
        unused=r"norm\..*|head\..*|.*\.attn_mask",
        where=str(path),
    )


def init_efficientnet(body: nn.Module, path: str | Path) -> None:
    """ImageNet initialisation of ``networks.efficientnet`` from the published ``efficientnet-lite0-*.pth``.

    The file's later blocks and its classifier are unused. Raises UserError when anything else does not fit.
    """
    named = {key_of_lite0(key): value for key, value in load_state_dict(path).items() if key_of_lite0(key)}
    apply_partial(body, named, where=str(path))


def _is_safetensors(path: Path) -> bool:
    """By content: eight bytes of length, then the header's opening brace."""
    try:
        with path.open("rb") as stream:
            head = stream.read(9)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    return len(head) == 9 and head[8:] == b"{" and head[5:8] == b"\0\0\0"


_AGAIN = "copy, convert or train it again"


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        whole = check_seal(path, path.read_bytes(), _AGAIN)
        with safe_open(path, framework="pt") as file:
            if not whole and KEY in (file.metadata() or {}):
                raise UserError(f"{path} is damaged (its checksum is no longer there): {_AGAIN}")
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        if what := short_safetensors(path):
            raise UserError(f"{path} {what}") from error
        raise UserError(f"{path} is a damaged safetensors file ({error}): download or convert it again") from error


def _load_torch(path: Path) -> dict[str, Tensor]:
    """The state dict among whatever the file holds."""
    file = read_torch_file(path)
    content = file.content
    for _ in range(3):
        if not isinstance(content, dict):
            break
        if content and all(isinstance(k, str) and isinstance(v, TensorRecord) for k, v in content.items()):
            return {key: file.materialise(record) for key, record in content.items()}
        content = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), dict)), None)
    raise UserError(
        f"{path} holds no state dict, neither bare nor below {', '.join(_WRAPPERS)}: give the file that the "
        "authors released, or save the network's state_dict()"
    )


def _misfit(theirs: Tensor, own: Tensor | None) -> str:
    """Why a tensor cannot become another's value; empty when it can, or when there is no other."""
    if own is None or (theirs.shape == own.shape and theirs.is_floating_point() == own.is_floating_point()):
        return ""
    kinds = (f"{str(t.dtype).removeprefix('torch.')}{list(t.shape)}" for t in (theirs, own))
    return "{} instead of {}".format(*kinds)


def _some(keys: Iterable[str]) -> str:
    return listed([*keys], _NAMED)


def _load(network: nn.Module, state: Mapping[str, Tensor], *, strict: bool) -> None:
    on_meta = any(value.is_meta for value in network.state_dict().values())
    with torch.no_grad():
        network.load_state_dict(state, strict=strict, assign=on_meta)
