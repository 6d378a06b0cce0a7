"""Multiply-adds of CSA and TCA against the number of tokens, counted and by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inmo.harness.bench.complexity import costs, parse_over
from inmo.harness.cli import main
from inmo.harness.run.setup import configure
from inmo.reports.blocks.complexity import Cost, complexity_block, exponent


def counted(sides: list[int], **settings: str) -> list[Cost]:
    values = {"interaction": "paper", "preset": "nano", "allow_random_weights": "true", **settings}
    setup = configure("transinmo", values)
    assert setup.spec.network is not None
    return costs(setup.spec.network(setup.config).eval(), "", sides, rounds=0)


def test_the_exponent_of_a_power_is_its_own() -> None:
    assert exponent([1, 10, 100], [3, 300, 30000]) == pytest.approx(2)
    assert exponent([1, 2, 4], [5, 10, 20]) == pytest.approx(1)
    assert exponent([4, 4], [1, 2]) is None and exponent([1, 2], [0, 3]) is None


def test_multiply_adds_without_window_process_are_those_by_hand() -> None:
    """CSA asks all N tokens of a stage: qkv 3 N C d, two products N^2 d each, map N d C; nano has d = C / ratio."""
    setup = configure("transinmo", {"interaction": "paper", "preset": "nano", "allow_random_weights": "true"})
    network = setup.spec.network(setup.config)  # type: ignore[misc]
    linear = products = tokens = 0
    for stage, count in zip(network.backbone.stages, (32**2, 16**2, 8**2, 8**2), strict=True):  # of 128 pixels
        for gim in stage.gims:
            channels, dim = gim.csa.map.out_features, gim.csa.map.in_features
            linear += 4 * count * channels * dim
            products += 2 * count**2 * dim
            tokens += count
    csa = next(cost for cost in counted([128, 160], wp="false") if (cost.part, cost.side) == ("CSA", 128))
    assert (csa.tokens, csa.products, csa.macs) == (tokens, products, linear + products)


def test_the_products_of_csa_are_fewer_by_the_number_of_groups_with_window_process() -> None:
    """With patches 4, 2, 2, 1 and windows of 3 the stages of 384 pixels have 96, 48, 24 and 24 cells: no padding."""
    by = {wp: {c.part: c for c in counted([384], wp=wp)} for wp in ("true", "false")}
    assert by["false"]["CSA"].products == 9 * by["true"]["CSA"].products
    assert by["false"]["CSA"].tokens == by["true"]["CSA"].tokens


def test_products_grow_with_the_square_of_the_tokens_in_csa_and_with_them_in_tca() -> None:
    found = counted([192, 384, 768], wp="true")
    for part, power in (("CSA", 2), ("TCA", 1)):
        own = [cost for cost in found if cost.part == part]
        assert exponent([c.tokens for c in own], [c.products for c in own]) == pytest.approx(power, abs=0.02)


def test_bench_prints_the_table_and_writes_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--tracker", "transinmo", "--interaction", "paper", "--preset", "nano", "--threads", "1",
             "--over", "search_size=96:160:32", "--compare", "wp=true", "wp=false", "--rounds", "1"]  # fmt: skip
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "Fitted exponents" in out and "CSA, wp=true" in out and "TCA, wp=false" in out
    rows = json.loads((tmp_path / "out" / "tables" / "complexity.json").read_text())["rows"]
    assert len(rows) == 3 * 2 * 2 and all(row["milliseconds"] > 0 for row in rows)
    assert (tmp_path / "out" / "figures" / "complexity_macs.svg").is_file()
    assert (tmp_path / "out" / "figures" / "complexity_time.pdf").is_file()


@pytest.mark.parametrize(
    "text", ["search_size=128", "search_size=128:128:64", "window=1:3:1", "search_size=a:b:c", "x"]
)
def test_sizes_that_cannot_be_read_are_a_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--tracker", "transinmo", "--over", text]) == 2
    assert "--over wants search_size=FIRST:LAST:STEP" in capsys.readouterr().err


def test_sizes_are_read_with_both_ends() -> None:
    assert parse_over("search_size=128:384:64") == [128, 192, 256, 320, 384]


def test_a_backbone_without_gims_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--tracker", "siamcar", "--over", "search_size=128:256:64"]) == 2
    assert "no GIMs" in capsys.readouterr().err


def test_a_block_without_times_has_one_drawing() -> None:
    block = complexity_block(counted([96, 160]), "TransInMo nano", "nowhere")
    assert [drawing.title for drawing in block.drawings] == ["Multiply-adds"]
    assert all(row[-1].value is None for row in block.tables["complexity"].rows)
