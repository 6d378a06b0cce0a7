"""What a Swin file tells the paper's backbone: the same maps where the two are the same, and counts of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inmo.errors import UserError
from inmo.harness.training.command import run_training
from inmo.harness.training.model import build_model
from inmo.trackers.networks.inbn import PATCHES, InBN, StageSize
from inmo.trackers.networks.swin import InteractionSwin
from inmo.trackers.pipeline.swin_as_inbn import init_inbn_from_swin
from tests.harness.training.tiny import tiny_config, write_photos

WIDTHS, DEPTHS = (8, 16, 32, 64), (1, 1, 2, 1)


def swin() -> InteractionSwin:
    torch.manual_seed(1)
    made = InteractionSwin(widths=WIDTHS, depths=DEPTHS, heads=(1, 1, 2, 2), window=4, width=8, tca=(True,) * 4)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    return made.eval()


def inbn(widths: tuple[int, ...] = WIDTHS, mlp_ratio: float = 4.0) -> InBN:
    torch.manual_seed(2)
    sizes = tuple(StageSize(*row) for row in zip(PATCHES, widths, DEPTHS, (2,) * 4, (1,) * 4, strict=True))
    return InBN(
        sizes, width=8, window=4, dim=16, csa=True, mlp_ratio=mlp_ratio, prenorm=True, fused=False
    ).eval()  # fmt: skip


def public(source: InteractionSwin) -> dict[str, Tensor]:
    """As the public file has it: with a classifier, without fusion."""
    state = {k: v for k, v in source.state_dict().items() if not k.startswith(("norm", "down_and_cat"))}
    return {**state, "norm.weight": torch.ones(64), "head.weight": torch.ones(10, 64)}


@torch.no_grad()
def test_patches_and_mlps_are_those_of_swin() -> None:
    source, backbone = swin(), inbn()
    init_inbn_from_swin(backbone, public(source), "file")
    image = torch.randn(1, 3, 16, 16)
    first = backbone.stages[0]
    torch.testing.assert_close(first._patches(image.permute(0, 2, 3, 1)), source.patch_embed(image))  # type: ignore[operator]
    tokens = torch.randn(1, 6, 32)
    block = source.layers[2].blocks[1]  # type: ignore[index, union-attr]
    feed = backbone.stages[2].gims[1].feed  # type: ignore[index, union-attr]
    torch.testing.assert_close(feed.mlp(feed.norm(tokens)), block.mlp(block.norm2(tokens)))


@torch.no_grad()
@pytest.mark.parametrize("number", [1, 2])
def test_a_patch_embedding_gives_what_the_merging_gives_but_for_the_length_that_its_norm_takes_off(number: int) -> None:
    source, backbone = swin(), inbn()
    merging = source.layers[number - 1].downsample
    merging.norm.bias.zero_()  # type: ignore[union-attr, operator]
    init_inbn_from_swin(backbone, public(source), "file")
    features = 3 + torch.randn(1, 6, 6, WIDTHS[number - 1])
    theirs = nn.functional.layer_norm(merging(features), (WIDTHS[number],))  # type: ignore[operator]
    torch.testing.assert_close(backbone.stages[number]._patches(features), theirs, atol=1e-3, rtol=1e-3)  # type: ignore[operator]


@torch.no_grad()
def test_the_last_stage_takes_four_cells_that_are_alike_for_one() -> None:
    source, backbone = swin(), inbn()
    merging = source.layers[2].downsample
    merging.norm.bias.zero_()  # type: ignore[union-attr, operator]
    init_inbn_from_swin(backbone, public(source), "file")
    features = torch.randn(1, 3, 3, 32)
    alike = features.repeat_interleave(2, 1).repeat_interleave(2, 2)
    theirs = nn.functional.layer_norm(merging(alike), (64,))  # type: ignore[operator]
    torch.testing.assert_close(backbone.stages[3]._patches(features), theirs, atol=1e-3, rtol=1e-3)  # type: ignore[operator]


def test_what_was_taken_left_and_unused_is_counted() -> None:
    backbone, state = inbn(), public(swin())
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    found = init_inbn_from_swin(backbone, state, "file")
    # patch embedding and its norm, 4; three mergings of weight and bias, 6; five blocks of norm and two maps, 30
    assert len(found.taken) == 40
    assert {*found.taken, *found.left} == set(before) and not {*found.taken} & {*found.left}
    after = backbone.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in found.left)
    assert all(".csa." in key or ".tca." in key or key.startswith(("fusion", "stages")) for key in found.left)
    assert {key for key in found.left if ".gims." in key} == {k for k in before if ".csa." in k or ".tca." in k}
    assert {"norm.weight", "head.weight", "layers.0.blocks.0.attn.qkv.weight"} <= {*found.unused}
    assert found.numbers == (sum(before[k].numel() for k in found.taken), sum(v.numel() for v in before.values()))
    words = found.words("file")
    assert words.startswith("file: 40 tensors") and f"{len(found.left)} keep their initial values" in words
    assert f"{len(found.unused)} tensors of the file are unused" in words


def test_mlps_that_are_not_there_take_nothing_and_other_widths_are_refused() -> None:
    assert len(init_inbn_from_swin(inbn(mlp_ratio=0), public(swin()), "file").taken) == 10
    with pytest.raises(UserError, match="file is a Swin file that knows nothing of this backbone"):
        init_inbn_from_swin(inbn((4, 4, 4, 4)), public(swin()), "file")


def test_a_training_says_what_it_started_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"model": public(swin())}, tmp_path / "swin.pth")
    config = tiny_config(write_photos(tmp_path / "photos"), "transinmo", steps=1, initial=str(tmp_path / "swin.pth"))
    settings = {**config.settings, "widths": list(WIDTHS), "depths": list(DEPTHS), "mlp_ratio": 4.0}
    config = replace(config, settings=settings)
    run_training(config, tmp_path / "out", device="cpu")
    assert f"{tmp_path / 'swin.pth'}: 40 tensors of the backbone" in capsys.readouterr().err
    backbone = build_model("transinmo", settings, "small", initial=config.initial).network.backbone
    assert torch.equal(
        backbone.get_parameter("stages.1.gims.0.feed.mlp.fc1.bias"),  # type: ignore[operator, union-attr]
        public(swin())["layers.1.blocks.0.mlp.fc1.bias"],
    )
