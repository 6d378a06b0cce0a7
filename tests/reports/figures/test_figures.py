"""Figures: legends, ranks, determinism, and that nothing global is touched."""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from numpy.typing import NDArray

from inmo.reports.blocks.sweeps import SweepLine, SweepPoint
from inmo.reports.figures import for_papers as figures
from inmo.reports.figures import svg
from inmo.reports.figures.canvas import save_figure
from inmo.reports.figures.frames import TRUTH, Track, dashed, draw_boxes, tracker_boxes, true_boxes
from inmo.reports.figures.radar import radar, radar_plot
from inmo.reports.figures.ranks import rank_figure, rank_plot
from inmo.reports.figures.style import DARK, DASHES, LIGHT, lines, styles, with_marks
from inmo.reports.scoring.ranks import Ranking
from inmo.reports.scoring.score import KINDS, NORM_PRECISION, PRECISION, SUCCESS, Measures, Score


def score(tracker: str, height: float) -> Score:
    success, precision = np.linspace(height, 0, 21), np.linspace(0, height, 51)
    mean = Measures(success, precision, precision, height / 2, height, height, height / 3, height / 4)
    parts = {f"s{i}": Measures(success_auc=height * i / 10) for i in range(8)}
    return Score("otb100", tracker, "pysot", 8, mean, parts)


SCORES = [score("B", 0.6), score("<A>", 0.9), score("$C_1$", 0.3)]
VALUES = {s.tracker: [m.success_auc or 0.0 for m in s.per_sequence.values()] for s in SCORES}
LOOK = styles(s.tracker for s in SCORES)
W = {"A": "One", "B": "Two", "C": "Three"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.key)
def test_legend_is_ranked_with_scores_in_brackets(kind: object) -> None:
    assert kind in KINDS
    figure = figures.curve_figure(SCORES, kind, LOOK, title="OTB100 (pysot)")  # type: ignore[arg-type]
    assert figure is not None
    legend = figure.axes[0].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert [n.split(" [")[0] for n in names] == ["<A>", "B", "$C_1$"]
    expected = {"success": "45.0", "precision": "90.0", "norm_precision": "30.0"}
    assert names[0] == f"<A> [{expected[kind.key]}]"  # type: ignore[attr-defined]
    assert figure.axes[0].lines[0].get_ydata()[0] == getattr(SCORES[1].mean, kind.key)[0]  # type: ignore[attr-defined,index]


def test_the_protocols_own_scalar_is_in_the_legend() -> None:
    assert lines(SCORES, NORM_PRECISION, ranked="norm_precision_auc")[0].value == pytest.approx(0.225)
    assert lines(SCORES, NORM_PRECISION)[0].words == "at 0.20"
    served = Score("t", "S", "trackingnet-devkit", 1, Measures(precision=np.ones(21), precision_auc=0.5))
    line = lines([served], PRECISION)[0]
    assert (line.value, line.words, line.x[-1]) == (0.5, "AUC", 50.0)


def test_a_refused_score_has_no_line() -> None:
    assert lines([Score("t", "S", "pysot", 1, Measures(), reason="refused")], SUCCESS) == []
    assert figures.curve_figure([], SUCCESS, {}, title="") is None
    assert figures.distribution_figure({}, {}, title="") is None
    assert figures.speed_figure([], {}, title="") is None


def test_the_legend_covers_no_curve() -> None:
    flat = lines([score("A", 0.1)], SUCCESS)
    assert figures.free_corner(flat, SUCCESS) == "upper right"
    assert figures.free_corner(lines([score("A", 1.0)], SUCCESS), SUCCESS) == "lower left"
    crowd = lines([score(f"T{i}", i / 20) for i in range(1, 21)], SUCCESS)
    assert figures.free_corner(crowd, SUCCESS) is None


def test_files_are_whole_deterministic_and_leave_no_trace(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    points = [("B", 40.0, 0.6), ("<A>", 1000.0, 0.9)]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name, figure in {
            "success": figures.curve_figure(SCORES, SUCCESS, LOOK, title="OTB"),
            "distribution": figures.distribution_figure(VALUES, LOOK, title="OTB"),
            "speed": figures.speed_figure(points, LOOK, title="OTB"),
        }.items():
            assert figure is not None
            save_figure(figure, tmp_path / folder / name)
    assert dict(mpl.rcParams) == before
    found = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert found == ["distribution.pdf", "distribution.svg", "speed.pdf", "speed.svg", "success.pdf", "success.svg"]
    for name in found:
        data = (tmp_path / "a" / name).read_bytes()
        assert data == (tmp_path / "b" / name).read_bytes()
        assert b"<dc:date>" not in data
        assert data.startswith(b"%PDF" if name.endswith("pdf") else b"<?xml")
        assert len(data) < 120_000


def test_names_in_the_speed_figure_cover_neither_each_other_nor_points() -> None:
    rng = np.random.default_rng(1)
    crowd = [(f"Tracker {i}", float(10 ** rng.uniform(1, 1.6)), float(rng.uniform(0.4, 0.5))) for i in range(20)]
    for points in (
        crowd[:11],
        crowd,
        [("A long name", 40.0, 0.5), ("Another long name", 41.0, 0.501), ("C", 4000.0, 0.1)],
    ):
        figure = figures.speed_figure(points, styles(p[0] for p in points), title="T")
        assert figure is not None
        (axes,) = figure.axes
        before = axes.get_position().bounds
        figure.canvas.draw()
        assert axes.get_position().bounds == pytest.approx(before)  # names and lines move nothing
        led = [line for line in axes.lines if len(line.get_xdata()) == 2]  # type: ignore[arg-type]
        assert len(points) < 20 or led
        names = [text.get_window_extent() for text in axes.texts]
        assert len(names) == len(points)
        for i, one in enumerate(names):
            assert not any(one.overlaps(other) for other in names[i + 1 :])
            dots = [axes.transData.transform(p[1:]) for j, p in enumerate(points) if j != i]
            assert not any(one.contains(*dot) for dot in dots)


def test_dashes_go_around_a_rectangle_in_one_go() -> None:
    """Lines of 4 and gaps of 2 around a square of 10: the third line bends around the second corner."""
    pieces = [
        [tuple(place.tolist()) for place in piece]
        for piece in dashed(np.array([0.0, 0, 10, 10]), (4, 2), width=99, height=99, thick=0)
    ]
    assert pieces == [
        [(0, 0), (4, 0)], [(6, 0), (10, 0)],
        [(10, 2), (10, 6)], [(10, 8), (10, 10)],
        [(10, 10), (8, 10)], [(6, 10), (2, 10)],
        [(0, 10), (0, 6)], [(0, 4), (0, 0)],
    ]  # fmt: skip


def test_only_pieces_in_the_image_are_drawn() -> None:
    found = list(dashed(np.array([-9000.0, 5, 9000, 9000]), (4, 2), width=60, height=40, thick=2))
    assert 10 < len(found) < 20
    assert {float(place[1]) for piece in found for place in piece} == {5.0}


def _runs(line: NDArray[np.uint8], colour: tuple[int, int, int]) -> list[int]:
    """Lengths of the runs of pixels of about this colour."""
    near = (np.abs(line.astype(int) - colour).max(axis=-1) < 90).astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], near, [0]])))
    return [int(v) for v in edges[1::2] - edges[::2]]


def test_trackers_of_one_hue_are_told_apart_by_their_dashes() -> None:
    """The first and the ninth of a report share a hue; so do the curves that the boxes belong to."""
    look = list(styles(f"T{i}" for i in range(9)).values())
    assert look[0].hue == look[8].hue and (look[0].dashes, look[8].dashes) == ((), DASHES[1])
    box = np.array([[20.0, 20, 100, 60]])
    frame = np.full((100, 140, 3), 128, np.uint8)
    blue = (int(DARK[0][5:], 16), int(DARK[0][3:5], 16), int(DARK[0][1:3], 16))
    one, nine = (draw_boxes(frame, [tracker_boxes(box, style)], width=140) for style in (look[0], look[8]))
    (whole,) = _runs(one[19], blue)
    assert whole == pytest.approx(102, abs=2)
    runs = _runs(nine[19], blue)
    assert runs[:-1] == pytest.approx([18] * (len(runs) - 1), abs=2.5)  # 6 x 1.5 x 2
    assert len(runs) == 4  # every 25.5 pixels of 100


def test_the_ground_truth_has_a_look_that_no_tracker_has() -> None:
    assert TRUTH not in DARK
    for colour in DARK:
        assert 1.05 / (_luminance(colour) + 0.05) > 1.6, f"{colour} is too near to the white of the ground truth"
    box = np.array([[20.0, 20, 100, 60]])
    frame = np.full((100, 140, 3), 128, np.uint8)
    column = draw_boxes(frame, [true_boxes(box)], width=140)[5:35, 70]
    assert _runs(column, (255, 255, 255))[0] == pytest.approx(5, abs=1)  # twice 2, and OpenCV's soft edges
    (thin,) = styles(["T"]).values()
    covered = draw_boxes(frame, [true_boxes(box), tracker_boxes(box, thin)], width=140)[5:35, 70]
    assert len(_runs(covered, (255, 255, 255))) == 2  # on both sides of a box that is the same


def test_styles_differ_for_32_trackers() -> None:
    look = styles(f"T{i}" for i in range(32))
    assert len(set(look.values())) == 32
    assert len({(s.hue, s.dash) for s in list(look.values())[:8]}) == 8
    assert len(LIGHT) == len(DARK) == 8
    assert len(DASHES) == 4


@pytest.mark.parametrize(("colours", "ground"), [(LIGHT, 1.0), (DARK, 0.009)])
def test_colours_stand_out_from_the_ground(colours: tuple[str, ...], ground: float) -> None:
    """Contrast of at least 3 to 1 for graphics (WCAG 2.2, 1.4.11)."""
    for colour in colours:
        light = sorted([_luminance(colour), ground])
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 3.0, colour


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_page_plots_escape_names_and_carry_numbers() -> None:
    found = lines(SCORES, SUCCESS)
    text = str(svg.strip_plot({"<A>": [0.1, 0.5]}, LOOK)) + str(svg.speed_plot([("<A>", 9, 0.5)], LOOK))
    assert "<A>" not in text
    assert text.count("&lt;A&gt;") == 3
    drawn = str(svg.curve_plot(found, SUCCESS, LOOK))
    assert [drawn.index(f'data-t="{n}"') for n in (2, 0, 1)] == sorted(drawn.index(f'data-t="{n}"') for n in range(3))
    assert "style=" not in drawn
    assert "</script" not in str(svg.curve_data(found, SUCCESS, LOOK))
    assert (svg.strip_plot({}, {}), svg.speed_plot([], {})) == ("", "")


def test_every_drawing_has_the_signs_of_the_tables_behind_the_names() -> None:
    look = with_marks(LOOK, {"B": "†§"})
    found, ranking = radar(W, dict.fromkeys(W, 3), {"B": dict.fromkeys(W, 0.4)}), Ranking(("B", "<A>", "$C_1$"),
        (1.0, 2.0, 3.0), 9, 0.01, 0.5)  # fmt: skip
    swept = SweepLine("B", (0.1,), (SweepPoint((0.1,), 0.5), SweepPoint((0.4,), 0.6)), "†§")
    drawn = (
        svg.speed_plot([("B", 20.0, 0.5), ("<A>", 30.0, 0.6)], look), svg.strip_plot(VALUES, look),
        radar_plot(found, look), rank_plot(ranking, look), svg.sweep_plot([swept], "w", look)
    )  # fmt: skip
    assert all("B†§" in text and "&gt;†" not in text for text in drawn)
    shown = (
        figures.speed_figure([("B", 20.0, 0.5)], look, title="T"), figures.distribution_figure(VALUES, look, title="T"),
        figures.radar_figure(found, look, title="T"), rank_figure(ranking, look, title="T"),
        figures.sweep_figure([("D", [swept])], "w", look)
    )  # fmt: skip
    for figure in shown:
        assert figure is not None
        figure.draw_without_rendering()
        assert any("B†§" in text.get_text() for text in figure.findobj(Text))


def test_boxes_are_drawn_where_they_are() -> None:
    frame = np.zeros((60, 80, 3), np.uint8)
    box = np.array([[20.0, 15.0, 40.0, 30.0], [np.nan, 0, 1, 1], [5, 5, 0, 9]])
    drawn = draw_boxes(frame, [Track(box, "#ff0000")], width=80)
    red = drawn[..., 2] > 128
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert (columns[0], columns[-1], rows[0], rows[-1]) == pytest.approx((19.5, 59.5, 14.5, 44.5), abs=1.6)
    assert not red[20:40, 25:55].any()
    assert not frame.any()
    assert draw_boxes(frame, [], width=160).shape == (120, 160, 3)


@pytest.mark.parametrize("count", [3, 24, 50, 100])
def test_axes_keep_their_size_beside_a_long_legend(count: int) -> None:
    """Where a legend leaves no room, matplotlib gives up the layout: a warning, which is an error here."""
    names = [f"A tracker of number {i}" for i in range(count)]
    look, marks = styles(names), dict.fromkeys("ABCDE", 3)
    points = (SweepPoint((0.1,), 0.5), SweepPoint((0.4,), 0.6))
    for figure in (
        figures.curve_figure([score(n, 1) for n in names], SUCCESS, look, title="T"),
        figures.radar_figure(radar(marks, marks, {n: dict.fromkeys(marks, 0.4) for n in names}), look, title="T"),
        figures.sweep_figure([("D", [SweepLine(n, (0.1,), points) for n in names])], "w", look),
    ):
        assert figure is not None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure.draw_without_rendering()
        box, (width, height) = figure.axes[0].get_position(), figure.get_size_inches()
        assert box.width * width > 2.5
        assert box.height * height > 1.8
        legend = figure.axes[0].get_legend() or figure.legends[0]
        whole = legend.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
        assert whole.x0 >= 0 and whole.y0 >= 0 and whole.x1 <= width and whole.y1 <= height
