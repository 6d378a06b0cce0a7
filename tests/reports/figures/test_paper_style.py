"""What a paper asks of its figures: settings, fonts, colours, widths, and words for what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.reports.figures.canvas import Paper, broken, on_paper, one_axes, points, settings
from inmo.reports.figures.for_papers import curve_figure
from inmo.reports.figures.paper_style import own_look, read_paper
from inmo.reports.scoring.score import SUCCESS
from tests.reports.figures.test_figures import LOOK, SCORES, score


def test_a_style_file_a_font_and_a_size_are_those_of_the_figure(tmp_path: Path) -> None:
    style = tmp_path / "own.mplstyle"
    style.write_text("grid.color: 123456  # dark\nlines.linewidth: 3\nfont.size: 20\n")
    paper = read_paper([str(style)], font="DejaVu Serif", font_size=18)
    assert dict(paper.rc)["lines.linewidth"] == 3.0 and paper.rc["font.size"] == 18  # the size wins over the file's
    with on_paper(paper):
        figure = curve_figure(SCORES, SUCCESS, LOOK, title="T")
        with settings():
            assert points(8) == 16
    assert figure is not None
    (axes,) = figure.axes
    assert {line.get_linewidth() for line in axes.lines} == {3.0}
    assert axes.xaxis.get_gridlines()[0].get_color() in ("123456", "#123456")
    assert axes.title.get_fontsize() == 20 and axes.title.get_fontname() == "DejaVu Serif"
    again = curve_figure(SCORES, SUCCESS, LOOK, title="T")
    assert again is not None and {line.get_linewidth() for line in again.axes[0].lines} == {1.7}  # and of no other


def test_a_later_style_wins_and_may_be_one_of_matplotlibs(tmp_path: Path) -> None:
    style = tmp_path / "own.mplstyle"
    style.write_text("axes.prop_cycle: cycler('color', ['ff0000', '00ff00'])\n")
    look = own_look(["A", "B", "C"], ["C=0.5"], read_paper(["grayscale", str(style)]))
    assert [look[name].light for name in "ABC"] == ["#ff0000", "#00ff00", "#808080"]
    assert own_look(["A"], paper=Paper())["A"].light == own_look(["A"])["A"].light


def test_a_figure_has_the_width_of_the_column_legend_and_all() -> None:
    crowd = [score(f"Tracker number {i}", i / 20) for i in range(1, 21)]
    look = own_look([one.tracker for one in crowd])
    with on_paper(Paper(width=3.3)):
        few, many = (curve_figure(s, SUCCESS, {**LOOK, **look}, title="A · title · of parts") for s in (SCORES, crowd))
    assert few is not None and many is not None
    assert few.get_figwidth() == many.get_figwidth() == 3.3
    many.draw_without_rendering()
    box = many.legends[0].get_window_extent().transformed(many.dpi_scale_trans.inverted())
    assert box.x0 >= 0 and box.x1 <= 3.3 and box.y0 >= 0  # below the axes, which it would leave no width beside
    axes = many.axes[0].get_window_extent().transformed(many.dpi_scale_trans.inverted())
    assert axes.width > 2


def test_rows_of_text_keep_their_height() -> None:
    with on_paper(Paper(width=3.2)):
        assert one_axes(6.4, 4.0)[0].get_figheight() == 2.0
        assert one_axes(6.4, 4.0, rows=True)[0].get_figheight() == 4.0


def test_a_long_title_is_broken_between_its_parts() -> None:
    with settings():
        assert broken("Success · LaSOT", 4.2) == "Success · LaSOT"
        assert broken("Success · Out-of-View, OV (104 sequences) · LaSOT (lasot-matlab)", 4.2).split("\n") == [
            "Success", "Out-of-View, OV (104 sequences)", "LaSOT (lasot-matlab)",
        ]  # fmt: skip


def test_the_legend_may_be_in_the_order_given() -> None:
    names = ["$C_1$", "B", "<A>"]
    figure = curve_figure(SCORES, SUCCESS, own_look(names), title="T", listed=True)
    assert figure is not None
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text().split(" [")[0] for text in legend.get_texts()] == names


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"style": ["gone.mplstyle"]}, r"no style file gone\.mplstyle"),
        ({"style": ["grayscal"]}, "unknown style 'grayscal': did you mean grayscale"),
        ({"font": "Tims"}, "unknown font 'Tims'"),
        ({"font_size": 0}, "font size of 0 points"),
        ({"width": 0.1}, "no figure is 0.1 inches wide"),
    ],
)
def test_what_cannot_be_is_one_sentence(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_paper(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["grid.colour: red", "lines.linewidth", "lines.linewidth: thick"])
def test_a_bad_line_of_a_style_file_is_named(tmp_path: Path, line: str) -> None:
    style = tmp_path / "own.mplstyle"
    style.write_text(f"# mine\n{line}\n")
    with pytest.raises(UserError, match=line.split(":")[0].split(".")[0]):
        read_paper([str(style)])


@pytest.mark.parametrize(
    ("word", "said"), [("A", "write --colour"), ("Z=red", "unknown tracker 'Z'"), ("A=rot", "'rot'")]
)
def test_a_bad_colour_is_one_sentence(word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        own_look(["A"], [word])
