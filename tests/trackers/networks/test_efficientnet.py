"""EfficientNet-Lite0: TensorFlow's padding worked by hand, the published names, batch norms that stay as they are."""

from __future__ import annotations

import re

import pytest
import torch

from inmo.harness.training.model import PACKAGED, packaged_file
from inmo.trackers.networks.efficientnet import BLOCKS, CHANNELS, STAGES, Conv, EfficientNetLite0, key_map, normalise
from inmo.trackers.pipeline.checkpoint import init_efficientnet, load_state_dict

LITE0 = "efficientnet-lite0"
missing = packaged_file(LITE0) is None
needs_file = pytest.mark.skipif(missing, reason=f"the published weights come with the package {PACKAGED[LITE0][0]}")


def along_rows(kernel: int, stride: int) -> Conv:
    """A convolution that sums the row through its middle."""
    convolution = Conv(1, 1, kernel, stride)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[0, 0, kernel // 2] = 1
    return convolution


@pytest.mark.parametrize(
    ("kernel", "stride", "width", "sums"),
    [
        (3, 2, 4, [1 + 2 + 3, 3 + 4 + 0]),  # even: nothing on the left, one zero on the right
        (3, 2, 5, [0 + 1 + 2, 2 + 3 + 4, 4 + 5 + 0]),  # odd: one on either side
        (5, 2, 4, [0 + 1 + 2 + 3 + 4, 2 + 3 + 4 + 0 + 0]),  # one on the left, two on the right
        (5, 2, 5, [0 + 0 + 1 + 2 + 3, 1 + 2 + 3 + 4 + 5, 3 + 4 + 5 + 0 + 0]),
        (3, 1, 4, [0 + 1 + 2, 1 + 2 + 3, 2 + 3 + 4, 3 + 4 + 0]),
        (5, 1, 3, [0 + 0 + 1 + 2 + 3, 0 + 1 + 2 + 3 + 0, 1 + 2 + 3 + 0 + 0]),
    ],
)
def test_padding_by_hand(kernel: int, stride: int, width: int, sums: list[int]) -> None:
    across = torch.arange(1.0, width + 1).expand(1, 1, 7, width)  # every row counts 1 .. width; 7 is odd
    convolution = along_rows(kernel, stride)
    assert convolution(across)[0, 0, 1].tolist() == sums
    with torch.no_grad():
        convolution.weight.copy_(convolution.weight.transpose(2, 3).clone())
    down = across.transpose(2, 3)
    assert convolution(down)[0, 0, :, 1].tolist() == sums  # height and width are padded on their own


def test_maps_are_the_input_over_the_stride_rounded_up() -> None:
    body = EfficientNetLite0().eval()
    for side, sides in ((64, [16, 8, 4, 4]), (127, [32, 16, 8, 8])):
        maps, found = torch.zeros(1, 3, side, side), []
        with torch.no_grad():
            for number in range(len(STAGES)):
                maps = body.stage(number, maps)
                found.append(tuple(maps.shape[1:]))
        assert found == [(channels, s, s) for channels, s in zip(CHANNELS, sides, strict=True)]
    assert CHANNELS == (24, 40, 80, 112)


def test_images_become_rgb_around_zero() -> None:
    blue = torch.tensor([255.0, 0.0, 127.5]).view(1, 3, 1, 1)
    assert normalise(blue).flatten().tolist() == [0.0, -127.5 / 128, 127.5 / 128]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("_conv_stem.weight", "stem.0.weight"),
        ("_bn0.running_var", "stem.1.running_var"),
        ("_blocks.0._depthwise_conv.weight", "blocks.0.depthwise.0.weight"),
        ("_blocks.3._bn0.bias", "blocks.3.expand.1.bias"),
        ("_blocks.10._expand_conv.weight", "blocks.10.expand.0.weight"),
        ("_blocks.10._bn1.weight", "blocks.10.depthwise.1.weight"),
        ("_blocks.4._project_conv.weight", "blocks.4.project.0.weight"),
        ("_blocks.4._bn2.num_batches_tracked", "blocks.4.project.1.num_batches_tracked"),
        ("_blocks.11._bn2.weight", ""),
        ("_conv_head.weight", ""),
        ("_bn1.weight", ""),
        ("_fc.bias", ""),
    ],
)
def test_names(theirs: str, ours: str) -> None:
    assert key_map(theirs) == ours


@needs_file
def test_every_published_name_up_to_block_10_has_its_place() -> None:
    published, own = load_state_dict(str(packaged_file(LITE0))), EfficientNetLite0().state_dict()
    mapped = {key: key_map(key) for key in published}
    assert sorted(name for name in mapped.values() if name) == sorted(own)
    unused = [key for key, name in mapped.items() if not name]
    assert all(re.fullmatch(r"_blocks\.1[1-5]\..*|_conv_head\..*|_bn1\..*|_fc\..*", key) for key in unused)
    assert {int(key.split(".")[1]) for key in unused if key.startswith("_blocks")} == set(range(len(BLOCKS), 16))
    assert all(published[key].shape == own[name].shape for key, name in mapped.items() if name)


@needs_file
def test_the_published_values_arrive_and_their_statistics_fit() -> None:
    """In a network put together rightly, the batch norms' own statistics are those of what reaches them."""
    body, path = EfficientNetLite0(), str(packaged_file(LITE0))
    init_efficientnet(body, path)
    published = load_state_dict(path)
    for theirs, ours in ((key, key_map(key)) for key in published):
        assert not ours or torch.equal(body.state_dict()[ours], published[theirs]), theirs
    ratios = []
    for norm in (m for m in body.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.register_forward_pre_hook(
            lambda module, given: ratios.append(
                (given[0].var(dim=(0, 2, 3)) / module.running_var).nanmedian().log().abs().item()
            )
        )
    coarse = torch.rand(4, 3, 14, 14, generator=torch.Generator().manual_seed(0)) * 255
    maps = normalise(torch.nn.functional.interpolate(coarse, size=224, mode="bicubic").clamp(0, 255))
    with torch.no_grad():
        for number in range(len(STAGES)):
            maps = body.eval().stage(number, maps)
    assert len(ratios) == 1 + 2 + 3 * (len(BLOCKS) - 1)
    assert (
        max(ratios) < 1.5
    )  # a factor of 4.5, for blots instead of photographs; 2 with images over 255, 4 with norms swapped


def test_batch_norms_keep_their_statistics_in_training() -> None:
    torch.manual_seed(0)
    body = EfficientNetLite0().train()
    norms = [m for m in body.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert body.training
    assert body.blocks[0].training
    assert not any(norm.training for norm in norms)
    before = {name: value.clone() for name, value in body.state_dict().items()}
    images, together = torch.randn(3, 3, 32, 32), []
    for batch in (images, images[:1]):
        maps = batch
        for number in range(len(STAGES)):
            maps = body.stage(number, maps)
        together.append(maps[:1])
    torch.testing.assert_close(*together)  # what one image becomes does not depend on the others
    together[0].sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in body.state_dict().items())
    assert all(parameter.grad is not None for parameter in body.parameters())
    assert not any(norm.training for norm in torch.nn.Sequential(body).train().modules() if norm in norms)
