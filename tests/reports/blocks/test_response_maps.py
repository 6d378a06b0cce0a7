"""Activation maps as pictures: which maps belong together, colours and ranges, and what is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inmo.errors import UserError
from inmo.harness.store.stored_maps import Maps
from inmo.reports.blocks.block import write_block
from inmo.reports.blocks.response_maps import maps_block, panels
from inmo.reports.figures.panel import Panel
from inmo.trackers.base import ActivationMap, RealKeys

RNG = np.random.default_rng(0)


def part(kind: str, name: str, side: int = 4) -> ActivationMap:
    return ActivationMap(kind, name, RNG.random((side, side)), RNG.random((side, side)))


def maps(*parts: ActivationMap, tracker: str = "Star", frame: int = 5) -> Maps:
    image = RNG.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    return Maps(tracker, "d", "clip", frame, image, image, parts, RNG.random((8, 8)), np.array([0.25, 0.5, 0.5, 0.75]))


STAR = [
    part("CSA", "stages.0.gims.0.csa"), part("TCA", "stages.0.gims.0.tca"), part("CSA", "stages.1.gims.0.csa"),
    part("CSA", "stages.1.gims.1.csa"), part("TCA", "stages.1.gims.1.tca"),
]  # fmt: skip


def test_a_tca_belongs_to_the_csa_of_its_module() -> None:
    assert [(a.name, b.name) for a, b in maps(*STAR).interactions()] == [
        ("stages.0.gims.0.csa", "stages.0.gims.0.tca"), ("stages.1.gims.1.csa", "stages.1.gims.1.tca")
    ]  # fmt: skip
    released = [part("TCA", "layers.0.attn.tca"), part("CSA", "layers.0.attn"), part("CSA", "layers.1.attn")]
    assert [(a.name, b.name) for a, b in maps(*released).interactions()] == [("layers.0.attn", "layers.0.attn.tca")]


def test_panels_of_a_stage() -> None:
    found = panels(maps(*STAR), 0)
    assert [p.title for p in found] == ["Template", "Search region", "CSA", "TCA", "Added by TCA", "Score"]
    assert found[2].image is STAR[0].response and found[3].image is STAR[1].response
    assert found[4].image is STAR[1].change
    assert [p.box for p in found[:2]] == [None, (0.25, 0.5, 0.5, 0.75)]
    assert panels(maps(*STAR))[3].image is STAR[4].response
    with pytest.raises(UserError, match="has 2 interactions of CSA and TCA, and none of number 2"):
        panels(maps(*STAR), 2)
    with pytest.raises(UserError, match="has 0 interactions"):
        panels(maps(STAR[0]))


def test_colours_go_from_the_least_to_the_greatest_value() -> None:
    panel = Panel("CSA", np.array([[1.0, 2.0], [1.5, 3.0]]))
    assert panel.words == "1.00 to 3.00"
    rgb = panel.rgb()
    assert rgb.shape == (192, 192, 3)
    lightness = rgb.astype(int).sum(-1)
    assert lightness[0, 0] == lightness.min() and lightness[-1, -1] == lightness.max()
    assert (rgb[:96, :96] == rgb[0, 0]).all() and (rgb[96:, 96:] == rgb[-1, -1]).all()  # cells stay cells
    flat = Panel("flat", np.array([[23.495712, 23.495716]]))  # rounding, not a response
    assert flat.words == "23.50 everywhere" and len(np.unique(flat.rgb().reshape(-1, 3), axis=0)) == 1
    assert Panel("none", np.zeros((2, 2))).words == "0.00 everywhere"
    assert Panel("small", np.array([[0.0, 0.00042]])).words == "0.000000 to 0.000420"


def test_the_block_has_a_row_per_frame_and_a_drawing_per_tracker(tmp_path: Path) -> None:
    found = [(maps(*STAR, tracker=t, frame=f), 0) for t in ("Star", "<i>") for f in (9, 5)]
    block = maps_block(found, stem="figure3", title="Figure 3")
    assert [d.title for d in block.drawings] == ["Star", "<i>"]
    assert block.drawings[0].words == "d, clip; interaction 1 of 2"
    drawn = str(block.drawings[1].markup)
    assert drawn.count("<image") == 2 * 6 + 1
    assert drawn.index("frame 5") < drawn.index("frame 9")
    assert drawn.count('href="data:image/png;base64,') == drawn.count("<image")
    assert "<i>" not in drawn and "style=" not in drawn
    assert drawn.count('class="found"') == 2 * 5
    assert 'y="90.0" width="68.0" height="68.0"' in drawn  # 22 + 0.5 * 136; the box ends where the panel does
    written = write_block(block, tmp_path)
    assert sorted(p.name for p in written) == ["figure3_1.pdf", "figure3_1.svg", "figure3_2.pdf", "figure3_2.svg"]
    assert not (tmp_path / "tables").exists()


def test_every_panel_is_a_drawing_of_its_own() -> None:
    """So that a narrow page can put fewer beside each other instead of shrinking their words."""
    drawn = str(maps_block([(maps(*STAR), -1)], stem="s", title="S").drawings[0].markup)
    panels = drawn.partition('<div class="panels">')[2].partition("</div>")[0]
    assert panels.count('<svg viewBox="0 0 136 178"') == 6
    assert 'aria-label="Template, frame 5"' in panels


def test_a_box_outside_the_search_region_is_not_drawn() -> None:
    gone = replace(maps(*STAR), box=np.array([1.2, 0.1, 0.5, 0.5]))
    assert 'class="found"' not in maps_block([(gone, -1)], stem="s", title="S").drawings[0].markup


def test_a_tca_that_has_nothing_to_choose_from_is_said() -> None:
    alone = replace(STAR[4], keys=RealKeys({1: 13, 2: 4, 4: 3}))
    block = maps_block([(maps(*STAR[:4], alone), -1)], stem="m", title="M")
    assert len(block.notes) == 1
    assert block.notes[0].startswith("Star, interaction 2 of 2: 13 of 20 cells have at most one template token to ask")
    assert maps_block([(maps(*STAR[:4], alone), 0)], stem="m", title="M").notes == ()
    several = replace(alone, keys=RealKeys({2: 16, 4: 4}))
    assert maps_block([(maps(*STAR[:4], several), -1)], stem="m", title="M").notes == ()
