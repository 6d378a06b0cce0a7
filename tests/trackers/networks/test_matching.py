"""Correlation, fusion necks, heads and the sine encoding."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from inmo.trackers.networks.heads import BoxHead, cell_logits
from inmo.trackers.networks.layers import attention, sine_encoding
from inmo.trackers.networks.matching import (
    DepthwiseNeck,
    FusionNeck,
    FusionSizes,
    PlainAttention,
    ProjectedAttention,
    depthwise_correlation,
)


def test_correlation_by_hand() -> None:
    search = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, None]
    kernel = torch.tensor([[1.0, 0], [0, 10]])[None, None]
    assert depthwise_correlation(search, kernel, padded=False)[0, 0].tolist() == [[51, 62], [84, 95]]
    # one row above and one column left: h // 2 = 1, nothing below and right
    padded = depthwise_correlation(search, kernel, padded=True)[0, 0]
    assert padded.tolist() == [[10, 20, 30], [40, 51, 62], [70, 84, 95]]


def test_correlation_pads_eight_before_and_seven_behind_for_sixteen() -> None:
    search = torch.zeros(1, 1, 32, 32)
    search[0, 0, 0, 0] = 1.0
    kernel = torch.arange(256.0).view(1, 1, 16, 16)
    response = depthwise_correlation(search, kernel, padded=True)[0, 0]
    assert response.shape == (32, 32)
    assert response[0, 0] == kernel[0, 0, 8, 8]
    assert response[8, 8] == kernel[0, 0, 0, 0]
    assert response[9:].abs().sum() == 0


def test_correlation_keeps_targets_and_channels_apart() -> None:
    torch.manual_seed(0)
    search, kernel = torch.randn(2, 3, 6, 6), torch.randn(2, 3, 2, 2)
    whole = depthwise_correlation(search, kernel, padded=True)
    for b in range(2):
        for c in range(3):
            part = depthwise_correlation(search[b : b + 1, c : c + 1], kernel[b : b + 1, c : c + 1], padded=True)
            torch.testing.assert_close(whole[b, c], part[0, 0])


def test_released_response_is_the_sum_over_256_and_the_papers_starts_there() -> None:
    torch.manual_seed(0)
    search, template = torch.randn(1, 4, 32, 32), torch.randn(1, 4, 16, 16)
    expected = depthwise_correlation(search, template, padded=True) / 256
    for learned in (False, True):
        neck = DepthwiseNeck(4, learned)
        tokens = neck.search(search, neck.template(template))
        torch.testing.assert_close(tokens, expected.flatten(2).transpose(1, 2), atol=1e-6, rtol=0)
        assert len(list(neck.parameters())) == int(learned)


@pytest.mark.parametrize("kind", [ProjectedAttention, PlainAttention])
@pytest.mark.parametrize("layers", [0, 1, 3])
def test_fused_equals_written(kind: type, layers: int) -> None:
    outputs = []
    for fused in (True, False):
        torch.manual_seed(0)
        neck = FusionNeck(6, FusionSizes(16, 4, 32, 0.1), layers, lambda fused=fused: kind(16, 4, fused)).eval()
        maps = [torch.randn(2, 6, side, side, generator=torch.Generator().manual_seed(side)) for side in (4, 8)]
        with torch.no_grad():
            outputs.append(neck.search(maps[1], neck.template(maps[0])))
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=0)


def test_projected_attention_is_torchs() -> None:
    torch.manual_seed(0)
    ours, theirs = ProjectedAttention(16, 4, True), torch.nn.MultiheadAttention(16, 4, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    q, k, v = torch.randn(2, 5, 16), torch.randn(2, 7, 16), torch.randn(2, 7, 16)
    torch.testing.assert_close(ours(q, k, v), theirs(q, k, v)[0], atol=1e-6, rtol=0)


def test_attention_by_hand() -> None:
    query, key = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 0.0], [math.log(3.0), 5.0]]]])
    value = torch.tensor([[[[4.0], [8.0]]]])
    for fused in (True, False):
        assert attention(query, key, value, scale=1.0, fused=fused).item() == pytest.approx(4 * 0.25 + 8 * 0.75)
        masked = torch.tensor([[[[0.0, -1e9]]]])
        assert attention(query, key, value, bias=masked, scale=1.0, fused=fused).item() == pytest.approx(4.0)


def test_sine_encoding_by_hand() -> None:
    encoding = sine_encoding(2, 4, 8, torch.device("cpu"))[0]
    # rows first; position 1 of 2 is pi, of 4 is pi / 2; channel pairs have periods 1 and 100
    expected = [math.sin(math.pi), math.cos(math.pi), math.sin(math.pi / 100), math.cos(math.pi / 100)]
    np.testing.assert_allclose(encoding[:4, 0, 3], expected, atol=1e-5)
    quarter = [math.sin(math.pi / 2), math.cos(math.pi / 2), math.sin(math.pi / 200), math.cos(math.pi / 200)]
    np.testing.assert_allclose(encoding[4:, 1, 0], quarter, atol=1e-5)


def test_cell_reference_starts_at_the_cells_centre() -> None:
    head = BoxHead(8, "cell")
    torch.nn.init.zeros_(head.bbox_embed.layers[-1].weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(head.bbox_embed.layers[-1].bias)  # type: ignore[arg-type]
    boxes = head(torch.randn(1, 16, 8)).boxes[0].view(4, 4, 4)
    torch.testing.assert_close(boxes[1, 2], torch.tensor([2.5 / 4, 1.5 / 4, 0.5, 0.5]))
    assert cell_logits(16, torch.device("cpu"))[:, 2:].abs().sum() == 0


def test_token_of_the_response_does_not_know_its_place_without_a_reference() -> None:
    """Why ``cell`` exists: the same token anywhere gives the same box with ``search``."""
    tokens = torch.randn(1, 1, 8).repeat(1, 16, 1)
    assert BoxHead(8, "search")(tokens).boxes[0].std(dim=0).max() < 1e-6
    assert BoxHead(8, "cell")(tokens).boxes[0].std(dim=0)[:2].min() > 1e-2
