"""The paper's GIM: its formulas worked by hand on tiny tensors, and its cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from inmo.trackers.networks.gim import (
    CSA,
    GIM,
    MASKED,
    TCA,
    group,
    padding_masks,
    ungroup,
    window_process,
    window_restore,
)


def make_gim(**values: object) -> GIM:
    torch.manual_seed(0)
    return GIM(8, dim=8, heads=2, **values).eval()  # type: ignore[arg-type]


def features(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_window_process_by_hand() -> None:
    numbered = torch.arange(16.0).view(1, 4, 4, 1)
    groups = window_process(numbered, 2)[0, :, :, 0]
    # one row per in-window position (0,0), (0,1), (1,0), (1,1); along it the windows row by row
    assert groups.tolist() == [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]]


def test_window_process_pads_with_zeros_right_and_below() -> None:
    groups = window_process(torch.ones(1, 3, 2, 1), 2)[0, :, :, 0]
    assert groups.tolist() == [[1, 1], [1, 1], [1, 0], [1, 0]]
    bias, alive = padding_masks(3, 2, 2, torch.device("cpu"))
    assert bias is not None
    assert bias[:, 0, 0].tolist() == [[0, 0], [0, 0], [0, MASKED], [0, MASKED]]
    assert alive is None


def test_window_of_one_is_one_group_of_all_tokens() -> None:
    maps = features(2, 3, 5, 4)
    assert torch.equal(window_process(maps, 1), maps.reshape(2, 1, 15, 4))


@given(height=st.integers(1, 11), width=st.integers(1, 11), window=st.integers(1, 8), channels=st.integers(1, 3))
def test_window_process_has_an_inverse(height: int, width: int, window: int, channels: int) -> None:
    maps = torch.arange(2.0 * height * width * channels).view(2, height, width, channels)
    groups = window_process(maps, window)
    assert groups.shape[1] == window * window
    assert torch.equal(window_restore(groups, window, height, width), maps)
    assert torch.equal(ungroup(group(maps, window)), maps)


def test_csa_is_the_formula() -> None:
    """Every group, head by head, with plain loops and numpy."""
    torch.manual_seed(0)
    csa = CSA(4, 6, heads=2, prenorm=False, fused=True, drop_path=0.0)
    maps = features(1, 4, 4, 4)
    groups = group(maps, 2)
    with torch.no_grad():
        ours = csa(groups).tokens[0].numpy()
        w_q, w_k, w_v = (w.numpy().T for w in csa.qkv.weight.chunk(3))
        w_map = csa.map.weight.numpy().T
    for index in range(4):
        f = groups.tokens[0, index].numpy()
        heads = []
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            q, k, v = (f @ w[:, part] for w in (w_q, w_k, w_v))
            scores = np.exp(q @ k.T / math.sqrt(3))
            heads.append(scores / scores.sum(1, keepdims=True) @ v)
        np.testing.assert_allclose(ours[index], f + np.concatenate(heads, 1) @ w_map, atol=1e-5)


def test_tca_is_the_formula_and_uses_only_its_group() -> None:
    torch.manual_seed(0)
    tca = TCA(4, 4, heads=1, prenorm=False, fused=False, drop_path=0.0)
    search, template = group(features(1, 4, 4, 4), 2), group(features(1, 2, 4, 4, seed=2), 2)
    with torch.no_grad():
        ours = tca(search, tca.memory(template)).tokens[0].numpy()
        w = {name: getattr(tca, name).weight.numpy().T for name in ("query", "key", "value", "map")}
    for index in range(4):
        x, z = search.tokens[0, index].numpy(), template.tokens[0, index].numpy()
        scores = np.exp((x @ w["query"]) @ (z @ w["key"]).T / 2)
        answer = scores / scores.sum(1, keepdims=True) @ (z @ w["value"])
        np.testing.assert_allclose(ours[index], x + answer @ w["map"], atol=1e-5)


@pytest.mark.parametrize("prenorm", [False, True])
def test_attention_runs_across_windows_only(prenorm: bool) -> None:
    """Changing one token reaches exactly the tokens at the same position inside the other windows."""
    gim = make_gim(tca=False, prenorm=prenorm)
    maps = features(1, 6, 6, 8)
    changed = maps.clone()
    changed[0, 4, 1] += features(8, seed=9)
    with torch.no_grad():
        before, after = (ungroup(gim.search(group(m, 3), None)) for m in (maps, changed))
    reached = (before != after).any(-1)[0].nonzero().tolist()
    assert reached == [[1, 1], [1, 4], [4, 1], [4, 4]]


def test_without_wp_everything_is_reached() -> None:
    gim = make_gim(tca=False)
    maps = features(1, 4, 4, 8)
    changed = maps.clone()
    changed[0, 2, 1] += features(8, seed=9)
    with torch.no_grad():
        before, after = (gim.search(group(m, 1), None).tokens for m in (maps, changed))
    assert (before != after).any(-1).all()


def test_template_reaches_the_search_branch_by_position() -> None:
    gim = make_gim()
    search, template = group(features(1, 6, 6, 8), 3), features(1, 3, 6, 8, seed=3)
    changed = template.clone()
    changed[0, 1, 5] += features(8, seed=9)  # position (1, 2) of the second window
    with torch.no_grad():
        before, after = (gim.search(search, gim.template(group(t, 3))[1]).tokens for t in (template, changed))
    assert (before != after).any(-1).any(-1)[0].nonzero().flatten().tolist() == [1 * 3 + 2]


def test_tca_with_zeroed_map_is_the_identity() -> None:
    gim = make_gim(csa=False, mlp_ratio=0.0)
    torch.nn.init.zeros_(gim.tca.map.weight)  # type: ignore[union-attr]
    search, template = group(features(2, 5, 5, 8), 3), group(features(2, 4, 4, 8), 3)
    with torch.no_grad():
        _, memory = gim.template(template)
        assert memory is not None
        assert torch.equal(gim.search(search, memory).tokens, search.tokens)


def test_padded_tokens_change_nothing() -> None:
    """A padded map gives the tokens of an unpadded computation over the real ones alone."""
    gim = make_gim(tca=False)
    maps = features(1, 3, 4, 8)  # with windows of 2 the last row of windows is half padding
    with torch.no_grad():
        padded = ungroup(gim.search(group(maps, 2), None))
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            real = maps[:, i::2, j::2]
            alone = ungroup(gim.search(group(real, 1), None))
            torch.testing.assert_close(padded[:, i::2, j::2], alone, atol=1e-5, rtol=0)


def test_group_without_template_tokens_gets_nothing() -> None:
    """A template smaller than a window leaves positions without any key: TCA adds zero there, and stays finite."""
    for fused in (True, False):
        gim = make_gim(csa=False, mlp_ratio=0.0, fused=fused)
        search, template = group(features(1, 6, 6, 8), 3), group(features(1, 2, 2, 8), 3)
        with torch.no_grad():
            out = gim.search(search, gim.template(template)[1]).tokens
        same = (out == search.tokens).all(-1).all(-1)[0].view(3, 3)
        assert same.tolist() == [[False, False, True], [False, False, True], [True, True, True]]
        assert out.isfinite().all()


def test_bare_formulas_have_no_norm_and_no_mlp() -> None:
    gim = make_gim(prenorm=False, mlp_ratio=0.0)
    assert sorted(dict(gim.named_parameters())) == [
        "csa.map.weight",
        "csa.qkv.weight",
        "tca.key.weight",
        "tca.map.weight",
        "tca.query.weight",
        "tca.value.weight",
    ]


def test_switched_off_parts_leave_no_parameters() -> None:
    assert not list(make_gim(csa=False, tca=False, mlp_ratio=0.0).parameters())


def test_order_is_csa_then_tca() -> None:
    """TCA asks with, and of, tokens that went through CSA."""
    gim = make_gim(mlp_ratio=0.0)
    search, template = group(features(1, 4, 4, 8), 2), group(features(1, 2, 2, 8), 2)
    with torch.no_grad():
        out = gim.search(search, gim.template(template)[1])
        expected = gim.tca(gim.csa(search), gim.tca.memory(gim.csa(template)))  # type: ignore[operator]
    assert torch.equal(out.tokens, expected.tokens)


def test_tca_first_takes_both_branches_as_they_come() -> None:
    gim = make_gim(mlp_ratio=0.0, tca_first=True)
    search, template = group(features(1, 4, 4, 8), 2), group(features(1, 2, 2, 8), 2)
    with torch.no_grad():
        after, memory = gim.template(template)
        out = gim.search(search, memory)
        expected = gim.csa(gim.tca(search, gim.tca.memory(template)))  # type: ignore[operator]
        assert torch.equal(after.tokens, gim.csa(template).tokens)
    assert torch.equal(out.tokens, expected.tokens)


def test_written_equals_fused() -> None:
    fused, written = make_gim(fused=True), make_gim(fused=False)
    search, template = group(features(2, 10, 9, 8), 4), group(features(2, 5, 6, 8), 4)
    with torch.no_grad():
        a, b = (g.search(search, g.template(template)[1]).tokens for g in (fused, written))
    torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def products(side: int, window: int) -> int:
    """FLOPs of the two attention products of CSA alone (everything minus the linear maps)."""
    csa = CSA(8, 8, heads=2, prenorm=False, fused=False, drop_path=0.0).to("meta")
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        csa(group(torch.empty(1, side, side, 8, device="meta"), window))
    linear = 2 * side * side * (8 * 24 + 8 * 8)
    return counter.get_total_flops() - linear


def test_cost_is_linear_with_a_fixed_number_of_windows() -> None:
    """The attention products take 2 HW N d multiply-adds. With N = 16 windows they grow as HW, without WP as HW^2."""
    sides = (8, 16, 32)
    with_wp = [products(side, side // 4) for side in sides]
    without = [products(side, 1) for side in sides]
    assert with_wp == [2 * 2 * side**2 * 16 * 8 for side in sides]
    assert without == [2 * 2 * side**4 * 8 for side in sides]
    assert with_wp[2] == 16 * with_wp[0]
    assert without[2] == 256 * without[0]


def test_cost_with_a_fixed_window_is_less_by_its_area() -> None:
    assert products(28, 1) == 49 * products(28, 7)


def test_batch_equals_singles() -> None:
    gim = make_gim()
    search, template = features(3, 7, 5, 8), features(3, 4, 4, 8, seed=4)
    with torch.no_grad():
        whole = ungroup(gim.search(group(search, 3), gim.template(group(template, 3))[1]))
        for lane in range(3):
            one = slice(lane, lane + 1)
            single = ungroup(gim.search(group(search[one], 3), gim.template(group(template[one], 3))[1]))
            torch.testing.assert_close(whole[one], single, atol=1e-5, rtol=0)


def test_gradients_reach_every_parameter_after_inference() -> None:
    """Kept masks must not be inference tensors, or training after tracking would fail."""
    padding_masks.cache_clear()
    gim = make_gim().train()
    search, template = features(1, 5, 5, 8), features(1, 4, 4, 8)
    with torch.inference_mode():
        gim.search(group(search, 3), gim.template(group(template, 3))[1])
    gim.search(group(search, 3), gim.template(group(template, 3))[1]).tokens.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gim.parameters())
