"""Winograd's convolution against the direct one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from inmo.trackers.networks.winograd import WinogradConv2d, speed_up


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 3),
    size=st.tuples(st.integers(9, 20), st.integers(9, 20)),
    dilation=st.integers(1, 4),
    padded=st.booleans(),
    bias=st.booleans(),
)
def test_equals_the_direct_convolution(
    batch: int, size: tuple[int, int], dilation: int, padded: bool, bias: bool
) -> None:
    torch.manual_seed(batch)
    conv = nn.Conv2d(5, 7, 3, padding=dilation if padded else 0, dilation=dilation, bias=bias)
    maps = torch.randn(batch, 5, *size)
    with torch.no_grad():
        expected, found = conv(maps), WinogradConv2d(conv)(maps)
    assert found.shape == expected.shape and found.is_contiguous()
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


def test_one_output_by_hand() -> None:
    """An averaging filter on a ramp gives the ramp."""
    conv = nn.Conv2d(1, 1, 3, bias=False)
    nn.init.constant_(conv.weight, 1 / 9)
    found = WinogradConv2d(conv)(torch.arange(25.0).view(1, 1, 5, 5))
    torch.testing.assert_close(found[0, 0], torch.arange(25.0).view(5, 5)[1:-1, 1:-1])


@pytest.mark.parametrize(
    ("values", "replaced"),
    [
        ({"kernel_size": 3, "padding": 2, "dilation": 2}, True),
        ({"kernel_size": 3}, True),
        ({"kernel_size": 3, "stride": 2}, False),
        ({"kernel_size": 3, "padding": 2}, False),
        ({"kernel_size": 1}, False),
        ({"kernel_size": 3, "groups": 2}, False),
    ],
)
def test_only_fitting_convolutions_are_replaced(values: dict[str, int], replaced: bool) -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Conv2d(512, 512, **values), nn.Conv2d(8, 8, 3))
    if replaced:
        network = network.to_empty(device="cpu")
    kinds = [type(m) for m in speed_up(network)]
    assert kinds == [WinogradConv2d if replaced else nn.Conv2d, nn.Conv2d]
