"""Checkpoint files as authors write them, strict loading, conversion, initialisation."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.trackers.networks.resnet import SiamCARResNet, TransTResNet
from inmo.trackers.pipeline.checkpoint import (
    apply_partial,
    apply_strict,
    init_resnet50,
    init_swin_tiny,
    load_state_dict,
)
from inmo.trackers.pipeline.family import convert, families, family

BARE = OrderedDict({"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.tensor([1.0, 2.0])})
PREFIXED = {f"module.{key}": value for key, value in BARE.items()}
WRAPPERS: dict[str, Any] = {
    "bare": BARE,
    "sots": {"epoch": 1, "arch": "x", "state_dict": BARE, "optimizer": {"state": {0: {"m": torch.ones(9)}}}},
    "data parallel": {"epoch": 1, "state_dict": PREFIXED},
    "bare data parallel": PREFIXED,
    "transt": {"net": BARE, "epoch": 1, "actor_type": "A", "net_info": None},
    "swin": {"model": BARE},
    "nested": {"model": {"state_dict": BARE}},
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", WRAPPERS)
def test_every_wrapper(tmp_path: Path, kind: str, zipped: bool) -> None:
    file = tmp_path / "file.pth"
    torch.save(WRAPPERS[kind], file, _use_new_zipfile_serialization=zipped)
    found = load_state_dict(file)
    assert list(found) == list(BARE)
    assert all(torch.equal(found[key], BARE[key]) for key in BARE)


@pytest.mark.parametrize("zipped", [True, False])
def test_every_kind_of_tensor(tmp_path: Path, zipped: bool) -> None:
    base = torch.arange(24).view(4, 6)
    tensors = {
        "view": base[1:3, 2:5].float(),
        "transposed": base.float().t(),
        "slice": base[:, ::2],
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(torch.rand(3)),
        "half": torch.rand(5).half(),
        "bfloat16": torch.rand(5).bfloat16(),
        "double": torch.rand(5).double(),
        "bool": torch.tensor([True, False]),
        "int8": torch.tensor([-1, 2], dtype=torch.int8),
        "uint8": torch.tensor([255], dtype=torch.uint8),
        "expanded": torch.ones(1, 3).expand(2, 3),
    }
    file = tmp_path / "file.pth"
    torch.save(tensors, file, _use_new_zipfile_serialization=zipped)
    for key, value in load_state_dict(file).items():
        assert value.dtype == tensors[key].dtype and torch.equal(value, tensors[key]) and value.is_contiguous(), key


def test_safetensors_whatever_it_is_called(tmp_path: Path) -> None:
    save_file(dict(BARE), tmp_path / "odd.pth")
    assert torch.equal(load_state_dict(tmp_path / "odd.pth")["a.weight"], BARE["a.weight"])


@pytest.mark.parametrize("suffix", ["safetensors", "zip", "legacy"])
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.995])
def test_a_cut_file_is_one_sentence(tmp_path: Path, suffix: str, keep: float) -> None:
    file = tmp_path / f"file.{suffix}"
    state = {"weight": torch.rand(300)}
    if suffix == "safetensors":
        save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=suffix == "zip")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(UserError) as caught:
        load_state_dict(file)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"epoch": 3}, "holds no state dict"),
        ([1, 2], "holds no state dict"),
        ({}, "holds no state dict"),
        ({"state_dict": {"a": 1}}, "holds no state dict"),
        ({"a": torch.ones(1), "module.a": torch.ones(1)}, "with and without 'module.'"),
    ],
)
def test_files_without_a_state_dict(tmp_path: Path, content: Any, says: str) -> None:
    torch.save(content, tmp_path / "file.pth")
    with pytest.raises(UserError, match=says):
        load_state_dict(tmp_path / "file.pth")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.pth"):
        load_state_dict(tmp_path / "nothing.pth")


def linear() -> nn.Module:
    return nn.ModuleDict({"a": nn.Linear(3, 2), "n": nn.BatchNorm1d(1)})


def full() -> dict[str, Tensor]:
    return {f"their.{key}": value.clone() + 1 for key, value in linear().state_dict().items()}


def strip(key: str) -> str:
    return key.removeprefix("their.")


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_strict_loading_fills_everything(device: str) -> None:
    state = full()
    with torch.device(device):
        network = linear()
    apply_strict(network, {key: v.double() if v.is_floating_point() else v for key, v in state.items()}, strip)
    for key, value in network.state_dict().items():
        assert torch.equal(value, state[f"their.{key}"]) and value.dtype == state[f"their.{key}"].dtype
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in network.parameters())


def test_strict_loading_names_all_faults() -> None:
    state = full()
    del state["their.n.num_batches_tracked"], state["their.a.bias"]
    state |= {"their.extra": torch.ones(1), "their.a.weight": torch.ones(3, 2), "their.n.weight": torch.ones(1).long()}
    with pytest.raises(UserError) as caught:
        apply_strict(linear(), state, strip, "x.pth as SiamCAR")
    message = str(caught.value)
    for words in (
        "x.pth as SiamCAR does not fit",
        "2 missing (a.bias, n.num_batches_tracked)",
        "1 unexpected (their.extra)",
        "2 misshapen (",
        "their.a.weight float32[3, 2] instead of float32[2, 3]",
        "their.n.weight int64[1] instead of float32[1]",
    ):
        assert words in message


def test_two_keys_for_one_parameter() -> None:
    with pytest.raises(UserError, match="two keys"):
        apply_strict(linear(), full() | {"a.bias": torch.ones(2)}, strip)


def test_partial_loading_names_what_was_not_foreseen() -> None:
    network = linear()
    state = {key: value + 1 for key, value in linear().state_dict().items()} | {"fc.bias": torch.ones(1)}
    wrong = {**state, "a.weight": torch.ones(1)}
    before = network["a"].weight.clone()  # type: ignore[index,union-attr,operator]
    assert apply_partial(network, wrong, fresh=r"a\.weight", unused=r"fc\..*") == ["a.weight"]
    assert torch.equal(network["a"].weight, before)  # type: ignore[index,arg-type,union-attr]
    assert torch.equal(network["a"].bias, state["a.bias"])  # type: ignore[index,arg-type,union-attr]
    with pytest.raises(UserError, match=r"1 keys missing or misshapen \(a\.weight\), 1 unexpected \(fc\.bias\)"):
        apply_partial(network, wrong)


def imagenet_resnet50() -> dict[str, Tensor]:
    """A state dict with the keys and shapes of torchvision's ResNet-50."""
    network = SiamCARResNet()
    state = {key: torch.full_like(value, 0.5) for key, value in network.state_dict().items()}
    for stage in (2, 3, 4):
        key = f"layer{stage}.0.downsample.0.weight"
        state[key] = torch.full((*state[key].shape[:2], 1, 1), 0.5)
    return state | {"fc.weight": torch.ones(1000, 2048), "fc.bias": torch.ones(1000)}


def test_imagenet_initialisation(tmp_path: Path) -> None:
    torch.save(imagenet_resnet50(), tmp_path / "resnet50-0676ba61.pth")
    left = init_resnet50(siamcar := SiamCARResNet(), tmp_path / "resnet50-0676ba61.pth")
    assert left == [f"layer{stage}.0.downsample.0.weight" for stage in (2, 3, 4)]
    assert (siamcar.get_parameter("layer4.2.conv3.weight") == 0.5).all()
    assert init_resnet50(TransTResNet(), tmp_path / "resnet50-0676ba61.pth") == []
    with pytest.raises(UserError, match="cannot initialise"):
        init_resnet50(SiamCARResNet((8, 16, 24, 32), (1, 1, 2, 1), 16), tmp_path / "resnet50-0676ba61.pth")


def test_swin_initialisation_leaves_norms_and_fusion_alone(tmp_path: Path) -> None:
    backbone = family("transinmo").released()[0].to_empty(device="cpu").backbone
    own = {k: v for k, v in backbone.state_dict().items() if not k.startswith(("norm", "down_and_cat"))}
    public = {k: torch.full_like(v, 0.5) if v.is_floating_point() else v.clone() for k, v in own.items()}
    public |= {"norm.weight": torch.ones(768), "head.weight": torch.ones(1000, 768)}
    public["layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    torch.save({"model": public}, tmp_path / "swin_tiny_patch4_window7_224.pth")
    kept = init_swin_tiny(backbone, tmp_path / "swin_tiny_patch4_window7_224.pth")
    assert len(kept) == 8 + 10  # four output norms, five fusion maps
    assert (backbone.get_parameter("layers.3.blocks.1.attn.qkv.weight") == 0.5).all()
    del public["layers.2.downsample.reduction.weight"]
    torch.save({"model": public}, tmp_path / "short.pth")
    with pytest.raises(UserError, match=r"layers\.2\.downsample\.reduction\.weight"):
        init_swin_tiny(backbone, tmp_path / "short.pth")


@pytest.mark.shared
@pytest.mark.parametrize("tracker", families())
def test_every_released_model_goes_round_through_convert(tmp_path: Path, shared: Path, tracker: str) -> None:
    """Every key of the official state dict, from a file in the authors' wrapper to safetensors and into the network."""
    name = tracker.replace("-", "_")
    shapes: dict[str, list[int]] = json.loads((shared / "reference" / f"{name}.state_dict.json").read_text())
    network, key_map = family(tracker).released()
    own = network.state_dict()
    assert sorted(map(key_map, shapes)) == sorted(own)
    # One number per tensor, expanded: the file stays small, every tensor stays distinguishable.
    state = {
        key: torch.tensor(i, dtype=own[key_map(key)].dtype).expand(shape)
        for i, (key, shape) in enumerate(shapes.items())
    }
    wrapped = {"net": state} if tracker == "transt" else {"state_dict": {f"module.{k}": v for k, v in state.items()}}
    torch.save({"epoch": 1, **wrapped}, tmp_path / "theirs.pth")
    metadata = convert(tmp_path / "theirs.pth", tracker, tmp_path / "ours.safetensors")
    with safe_open(tmp_path / "ours.safetensors", "pt") as file:
        assert {**file.metadata(), "seal": ""} == {**metadata, "seal": ""}
        assert metadata["tracker"] == tracker and len(metadata["source_sha256"]) == 64
        assert sorted(file.keys()) == sorted(shapes)
    apply_strict(network, load_state_dict(tmp_path / "ours.safetensors"), key_map)
    for i, key in enumerate(shapes):
        value = network.state_dict()[key_map(key)]
        assert value.numel() == 0 or (value == i).all(), key
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.shared
def test_convert_refuses_the_wrong_tracker(tmp_path: Path) -> None:
    torch.save({"state_dict": BARE}, tmp_path / "file.pth")
    with pytest.raises(UserError, match=r"as siamcar does not fit the network: 376 missing .* 2 unexpected"):
        convert(tmp_path / "file.pth", "siamcar", tmp_path / "out.safetensors")
    with pytest.raises(UserError, match="did you mean"):
        convert(tmp_path / "file.pth", "siamcra", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
