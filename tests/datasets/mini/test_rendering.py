"""The renderer of the mini-suite: exact arithmetic, sprites, puppets and backgrounds."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inmo.datasets.mini import exact
from inmo.datasets.mini.drawing import draw
from inmo.datasets.mini.motion import Pose, curve
from inmo.datasets.mini.puppets import PUPPETS, Puppet, part
from inmo.datasets.mini.scenery import SCENES, backdrop
from inmo.datasets.mini.sprites import Canvas, Pattern, palette

# --- exact arithmetic


def test_the_sine_table_is_the_sine_to_half_a_step() -> None:
    table = exact.sine_table()
    angles = [2 * pi * k / exact.TURN for k in range(exact.TURN)]
    assert max(abs(int(s) / exact.ONE - sin(a)) for s, a in zip(table, angles, strict=True)) <= 0.5 / exact.ONE + 1e-12
    assert (exact.sine(0.25), exact.sine(0.5), exact.sine(-0.25)) == (1.0, 0.0, -1.0)
    assert abs(exact.cosine(1 / 3) - cos(2 * pi / 3)) < 1e-3


def test_dice_are_the_raw_words_of_pcg64() -> None:
    """Pinned words: numpy promises that a bit generator's stream never changes."""
    dice = exact.Dice(7, 1)
    assert [dice.below(1000) for _ in range(4)] == [757, 548, 490, 179]
    raw = np.random.PCG64(np.random.SeedSequence((7, 1))).random_raw(2)
    assert exact.Dice(7, 1).bytes(16).tobytes() == raw.astype("<u8").tobytes()
    assert exact.Dice(7, 1).real(2.0, 4.0) == 2.0 + 2.0 * (int(raw[0]) >> 11) / 2**53


@given(st.floats(-1e6, 1e6))
def test_floor_is_the_floor(value: float) -> None:
    assert exact.floor(value) == int(np.floor(value))


def test_sampling_between_two_pixels_is_their_weighted_mean() -> None:
    texture = exact.pack(np.array([[[16, 32, 48], [32, 0, 48]]] * 2, dtype=np.uint8), np.full((2, 2), 255, np.uint8))
    quarter = exact.sample(texture, (1.0, 0.0, 0.25, 0.0, 1.0, 0.0), 0, 0, 1, 1)
    assert exact.unpack(quarter)[0, 0].tolist() == [20, 24, 48, 255]


def test_composition_keeps_what_is_opaque_and_mixes_what_is_half_covered() -> None:
    def pixel(b: int, g: int, r: int, a: int) -> exact.Packed:
        return exact.pack(np.array([[[b, g, r]]], dtype=np.uint8), np.array([[a]], dtype=np.uint8))

    below = pixel(200, 100, 0, 255)
    exact.lay_over(below, pixel(10, 20, 30, 255))
    assert exact.unpack(below)[0, 0, :3].tolist() == [10, 20, 30]
    exact.lay_over(below, pixel(0, 0, 0, 0))
    assert exact.unpack(below)[0, 0, :3].tolist() == [10, 20, 30]
    exact.lay_over(below, pixel(100, 0, 0, 127))  # kept: 10, 20, 30 times 129 / 256
    assert exact.unpack(below)[0, 0, :3].tolist() == [105, 10, 15]


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_lanes_never_run_over(alpha: int, below: int, share: int) -> None:
    colour = alpha * share // 255  # premultiplied: never more than alpha
    base = exact.pack(np.full((1, 1, 3), below, np.uint8), np.full((1, 1), 255, np.uint8))
    exact.lay_over(base, exact.pack(np.full((1, 1, 3), colour, np.uint8), np.full((1, 1), alpha, np.uint8)))
    assert exact.unpack(base).max() <= 255


# --- drawing


def plate(width: int, height: int) -> Puppet:
    canvas = Canvas(width, height, exact.Dice(1))
    canvas.fill(canvas.box(0, 0, width, height), Pattern(((9, 9, 9), (9, 9, 9))))
    return Puppet((part(canvas, (width / 2, height / 2)),), float(height))


@pytest.mark.parametrize(
    ("pose", "box"),
    [
        (Pose(50.0, 40.0, 1.0), (40, 34, 20, 12)),
        (Pose(5.0, 40.0, 1.0), (-5, 34, 20, 12)),  # amodal: not cut at the edge
        (Pose(50.0, 40.0, 2.0), (30, 28, 40, 24)),
        (Pose(50.0, 40.0, 1.0, angle=0.25), (44, 30, 12, 20)),
        (Pose(50.0, 40.0, 1.0, face=0.5), (45, 34, 10, 12)),
    ],
)
def test_the_box_of_a_plate_is_where_geometry_puts_it(pose: Pose, box: tuple[int, ...]) -> None:
    """Within the pixel that half covered edges leave open."""
    drawn = draw(plate(20, 12), pose).box
    assert np.abs(np.array(drawn) - np.array(box)).max() <= 1


@pytest.mark.parametrize("kind", sorted(PUPPETS))
def test_the_box_is_tight_around_the_silhouette(kind: str) -> None:
    puppet = PUPPETS[kind](exact.Dice(3), palette(exact.Dice(4)))
    figure = draw(puppet, Pose(60.3, 41.7, 60 / puppet.height, angle=0.1, gait=0.3))
    solid = exact.alpha_of(figure.pixels) >= 128
    x, y, w, h = figure.box
    window = solid[y - figure.y : y - figure.y + h, x - figure.x : x - figure.x + w]
    assert window.sum() == solid.sum() == figure.area
    assert window[0].any() and window[-1].any() and window[:, 0].any() and window[:, -1].any()
    assert 30 < h < 110


def test_things_that_bend_change_their_silhouette() -> None:
    for kind, build in PUPPETS.items():
        puppet = build(exact.Dice(3), palette(exact.Dice(4)))
        shapes = {draw(puppet, Pose(80.0, 80.0, 60 / puppet.height, gait=g)).area for g in (0.0, 0.2, 0.45, 0.7)}
        assert len(shapes) > 1 or not puppet.bends, kind


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_backgrounds_are_opaque_and_textured(scene: str) -> None:
    picture = exact.unpack(backdrop(exact.Dice(1), scene, 120, 160))
    assert (picture[..., 3] == 255).all()
    assert picture[..., :3].max() <= 255
    assert picture[..., 1].std() > 12


def test_curves_go_through_their_control_values() -> None:
    assert [curve((1.0, 3.0, 2.0), s) for s in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [1.0, 1.0, 3.0, 2.0, 2.0]
    assert curve((1.0, 3.0), 0.5) == 2.0
    assert curve((4.0,), 0.7) == 4.0
