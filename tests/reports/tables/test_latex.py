"""The LaTeX of the tables is ready to paste: it compiles, with the two packages that its first line names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from inmo.reports.paper.blocks import printed_table
from inmo.reports.paper.printed import TITLES, paper_table
from inmo.reports.tables.table import Cell, Column, Table, percent
from tests.reports.example import example_store

ENGINES: dict[str, list[str]] = {
    "pdflatex": ["-interaction=nonstopmode", "-halt-on-error", "document.tex"],
    "tectonic": ["--keep-logs", "document.tex"],
}
Compile = Callable[[str], str]


@pytest.fixture
def compile_latex(tmp_path: Path) -> Compile:
    """Tables to the log of a whole document with them; fails with the log's end when it does not compile."""
    engine = next((name for name in ENGINES if shutil.which(name)), None)
    if engine is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a LaTeX: pdflatex (texlive-latex-recommended) or tectonic")
        pytest.skip("no LaTeX here: install pdflatex (Debian: texlive-latex-recommended) or tectonic")

    def build(tables: str) -> str:
        text = "\\documentclass{article}\n\\usepackage{booktabs,xcolor}\n\\begin{document}\n%s\\end{document}\n"
        (tmp_path / "document.tex").write_text(text % tables, encoding="utf-8")
        done = subprocess.run([engine, *ENGINES[engine]], cwd=tmp_path, capture_output=True, text=True, check=False)
        log = (tmp_path / "document.log").read_text(encoding="utf-8", errors="replace")
        assert done.returncode == 0 and (tmp_path / "document.pdf").stat().st_size > 1000, log[-2000:]
        return log

    return build


def test_a_cell_of_every_kind_compiles(compile_latex: Compile) -> None:
    columns = (
        Column("row", "Row & name"),
        percent("auc", "LaSOT P_norm"),
        Column("fps", "FPS", "1/s", 1),
        Column("c", "±"),
    )
    words = r"a_b 100 % #1 {x} \y ~^ <z> $"
    rows = (
        (Cell(words), Cell(0.5, (0.4, 0.6), rank=1, published="49.0", difference=0.01), Cell(3.2), Cell("Δ × ≥ ≤ – −")),
        (Cell("[x]"), Cell(0.4, rank=2, published="40"), Cell(None, reason="no time"), Cell("y")),
        (Cell("r3"), Cell(0.3, (0.2, 0.35), rank=3), Cell(None, published="34"), Cell("z")),
    )
    text = Table("All & everything", "With 100 % of it.", columns, rows).to_latex()
    assert r"\shortstack[r]{\textcolor{red}{\textbf{50.0}}\\{[40.0, 60.0]}\\paper 49.0, +1.0}" in text
    assert r"\textit{34}" in text
    compile_latex(text)


def test_wide_tables_with_published_values_fit_the_page(compile_latex: Compile) -> None:
    columns = (Column("row", "Row"), Column("source", "Source"), *(percent(f"c{n}", "TNL2K P_norm") for n in range(11)))
    cells = tuple(Cell(0.65, (0.6, 0.7), published="65.0", difference=0.0) for _ in range(11))
    text = Table("Wide", "", columns, ((Cell("TransInMo*"), Cell("CVPR 2021"), *cells),)).to_latex()
    assert text.count("table*") == 2 and "\\tiny" in text
    compile_latex(text)


@pytest.mark.parametrize("number", TITLES)
def test_the_paper_as_printed_compiles(number: int, compile_latex: Compile) -> None:
    table = paper_table(number)
    text = printed_table(table).to_latex()
    assert text.count(r"\textit{") == len(table.cells)
    compile_latex(text)


def test_every_table_of_a_report_compiles(tmp_path: Path, compile_latex: Compile) -> None:
    from inmo.reports.page.page import write_report

    page = write_report(example_store(tmp_path / "example", images=False), tmp_path / "report")
    files = sorted((page.parent / "tables").glob("*.tex"))
    assert len(files) >= 3
    compile_latex("\n".join(path.read_text(encoding="utf-8") for path in files))
