"""Names beside dots: worked by hand for one and two, and for crowds what a reader asks of them."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

from inmo.reports.figures import svg
from inmo.reports.figures.label_placement import APART, GAP, SHORT, Label, place_labels, text_width
from inmo.reports.figures.style import styles

BOUNDS = (0.0, 0.0, 400.0, 250.0)
RADIUS = 5.0


def box_of(label: Label, size: tuple[float, float]) -> tuple[float, float, float, float]:
    left = label.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * size[0]
    return left, label.y - size[1] / 2, left + size[0], label.y + size[1] / 2


def distance(box: tuple[float, float, float, float], dot: tuple[float, float]) -> float:
    return math.hypot(max(box[0] - dot[0], dot[0] - box[2], 0), max(box[1] - dot[1], dot[1] - box[3], 0))


def along(line: tuple[tuple[float, float], tuple[float, float]]) -> list[tuple[float, float]]:
    (x0, y0), (x1, y1) = line
    return [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in np.linspace(0, 1, 101)]


def check(dots: list[tuple[float, float]], sizes: list[tuple[float, float]], labels: list[Label]) -> None:
    boxes = [box_of(label, size) for label, size in zip(labels, sizes, strict=True)]
    for one, two in itertools.combinations(boxes, 2):
        assert one[0] >= two[2] or one[2] <= two[0] or one[1] >= two[3] or one[3] <= two[1], "a name on a name"
    for i, (label, box) in enumerate(zip(labels, boxes, strict=True)):
        assert box[0] >= BOUNDS[0] and box[1] >= BOUNDS[1] and box[2] <= BOUNDS[2] and box[3] <= BOUNDS[3]
        others = [distance(box, dot) for j, dot in enumerate(dots) if j != i]
        assert not others or min(others) >= RADIUS + APART - 1e-6, "a name on a dot"
        if label.leader is None:
            assert distance(box, dots[i]) == pytest.approx(RADIUS + GAP, abs=2.6)
            assert not others or min(others) > distance(box, dots[i]), "a name at another's dot"
        else:
            assert distance(box, label.leader[1]) == pytest.approx(SHORT, abs=0.01)
            assert distance((*dots[i], *dots[i]), label.leader[0]) == pytest.approx(RADIUS)
            for j, other in enumerate(boxes):
                assert j == i or all(distance(other, place) > 0 for place in along(label.leader)), "a line on a name"


def test_a_name_stands_right_of_its_dot_and_left_where_the_plot_ends() -> None:
    (one,) = place_labels([(50, 100)], [(80, 14)], BOUNDS, RADIUS)
    assert one == Label(50 + RADIUS + GAP, 100, "start", None)
    (one,) = place_labels([(390, 100)], [(80, 14)], BOUNDS, RADIUS)
    assert one == Label(390 - RADIUS - GAP, 100, "end", None)
    assert place_labels([], [], BOUNDS, RADIUS) == []


def test_two_dots_beside_each_other_have_their_names_on_both_sides() -> None:
    one, two = place_labels([(200, 100), (212, 100)], [(60, 14)] * 2, BOUNDS, RADIUS)
    assert (one.anchor, two.anchor, one.leader, two.leader) == ("end", "start", None, None)


@pytest.mark.parametrize("count", [11, 20])
@pytest.mark.parametrize("seed", range(6))
def test_crowds_can_be_read(count: int, seed: int) -> None:
    """Half of the dots within a sixth of the plot, as trackers of one family are."""
    rng = np.random.default_rng(seed)
    near, far = rng.normal((110, 170), (22, 22), (count // 2, 2)), rng.uniform((10, 10), (390, 240), (count, 2))
    dots = [(float(x), float(y)) for x, y in np.concatenate([near, far])[:count]]
    sizes = [(float(w), 14.0) for w in rng.uniform(25, 100, count)]
    labels = place_labels(dots, sizes, BOUNDS, RADIUS)
    check(dots, sizes, labels)
    assert count == 11 or any(label.leader for label in labels)
    assert labels == place_labels(dots, sizes, BOUNDS, RADIUS)


def test_twenty_trackers_of_which_two_are_far_faster_can_be_read() -> None:
    """Eighteen dots within a fifth of the plot: the mini-suite's LaSOT, where two take most of the axis of speeds."""
    rng = np.random.default_rng(3)
    dots = [(float(x), float(y)) for x, y in rng.normal((110, 170), (18, 25), (18, 2))] + [(310, 120), (395, 30)]
    sizes = [(75.0, 14.0)] * 20
    check(dots, sizes, place_labels(dots, sizes, BOUNDS, RADIUS))


def test_a_plot_too_small_for_its_names_still_has_them_all() -> None:
    assert len(place_labels([(5, 5)] * 4, [(90, 14)] * 4, (0, 0, 40, 40), RADIUS)) == 4


def test_the_pages_plot_has_every_name_and_lines_to_those_that_moved() -> None:
    names = [f"Tracker {i}" for i in range(20)]
    points = [(name, 40.0 + i % 5, 0.5 + 0.002 * i) for i, name in enumerate(names)]
    drawn = str(svg.speed_plot(points, styles(names)))
    assert re.findall(r'<text class="name[^>]*>([^<]*)', drawn) == names[::-1]  # the best first
    assert drawn.count('class="leader"') > 10
    assert drawn.count("<circle") == 20


def test_widths_are_those_of_the_letters() -> None:
    assert text_width("WWWW", 12) == pytest.approx(4 * text_width("W", 12), rel=0.02)
    assert text_width("iiii", 12) < text_width("WWWW", 12) / 2
    assert text_width("Ab", 24) == pytest.approx(2 * text_width("Ab", 12))
