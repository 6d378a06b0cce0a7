"""Table 1 of the paper against the networks as they are built."""

from __future__ import annotations

import re

import pytest
import torch

from inmo.harness.cli import main
from inmo.harness.experiment.built import PAPER, built_backbones
from inmo.harness.run.setup import configure
from inmo.reports.paper.backbones import BACKBONES, DIFFERS, backbone_table
from inmo.trackers.inspect.stages import BuiltStage, built_stages

# Typed from the paper's Table 1: H over the output's side, P, C, GIMs; and where its text puts TCA.
PRINTED = {
    "cnn": [(4, 4, 256, 1), (8, 2, 512, 1), (8, 1, 1024, 1), (8, 1, 2048, 1)],
    "transformer": [(4, 4, 96, 2), (8, 2, 192, 2), (16, 2, 384, 6), (16, 1, 768, 2)],
}


def built(name: str, **settings: str) -> tuple[BuiltStage, ...]:
    setup = configure(name, {"interaction": "paper", "allow_random_weights": "true", **settings})
    assert setup.spec.network is not None
    with torch.device("meta"):
        return built_stages(setup.spec.network(setup.config))


@pytest.mark.parametrize("name", PAPER)
def test_the_networks_are_built_as_the_paper_says(name: str) -> None:
    *stages, output = built(name)
    printed = PRINTED[BACKBONES[name]]
    assert [(s.reduction, s.patch, s.channels, s.gims) for s in stages] == printed
    assert [s.tca for s in stages] == [(gims,) for *_, gims in printed]  # the last GIM of each stage
    assert {s.window for s in stages} == {7}
    assert (output.reduction, output.channels) == (8, 256)


def test_the_block_marks_nothing_of_the_papers_networks() -> None:
    for backbone, (who, stages) in built_backbones().items():
        table = backbone_table(backbone, stages, who)
        assert not any(cell.mark for row in table.rows for cell in row) and not table.footnotes
        assert len(table.rows) == 5


@pytest.mark.parametrize(
    ("settings", "marked"),
    [
        ({"tca": "false"}, {"tca"}),
        ({"preset": "nano"}, {"channels", "gims"}),  # its patches are the paper's
        ({"preset": "nano", "patches": "[4, 2, 1, 1]"}, {"channels", "gims", "output", "patch"}),
    ],
)
def test_a_network_that_is_built_otherwise_is_marked(settings: dict[str, str], marked: set[str]) -> None:
    table = backbone_table("transformer", built("transinmo", **settings), "TransInMo")
    keys = [column.key for column in table.columns]
    found = {key for row in table.rows for key, cell in zip(keys, row, strict=True) if cell.mark == DIFFERS}
    assert found == marked and DIFFERS in table.footnotes


def test_without_window_process_one_window_is_one_cell() -> None:
    assert {stage.window for stage in built("transinmo-star", wp="false")} == {1}


def test_describe_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--table", "1"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"Stage 3 +Patch embedding +H/16 +2 +384 +6 +H/16 +2 +384 +6 +6 +7", out)
    assert re.search(r"Stage 4 +Convolution block +H/8 +1 +2048 +1 +H/8 +1 +2048 +1 +1 +7", out) and DIFFERS not in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--table", "1", "--tracker", "siamcar"], "Table 1 has no backbone of siamcar"),
        (["--table", "1", "--tracker", "transinmo", "--interaction", "released"], "no stages with interaction"),
        ([], "name a tracker with --tracker"),
    ],
)
def test_what_cannot_be_described_is_a_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", *words]) == 2
    assert message in capsys.readouterr().err
