"""The page is handed on: it names folders and files, and says where they lay only when asked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from inmo.datasets.base import Hole
from inmo.harness.cli import main
from inmo.harness.store.records import Run
from inmo.reports.page.places import names_only
from tests.reports.example import example_store


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/OTB100", "OTB100"),
        ("'folder=/home/me/My Data'", "'folder=My Data'"),
        ("python:/home/me/tracker.py:Mine", "python:tracker.py:Mine"),
        ("--weights ~/w/star.pth --set a=b", "--weights star.pth --set a=b"),
        (r"C:\Users\me\clips\a.png is cut", "a.png is cut"),
        (r"\\server\share\me\a.png", "a.png"),
        ("(/a/b/c.jpg, /a/b/d.jpg)", "(c.jpg, d.jpg)"),
        ("trackers/weights/x.pth of /data and 1/2 at https://x.org/a/b", None),
    ],
)
def test_absolute_paths_are_names(text: str, shown: str | None) -> None:
    assert names_only(text) == (text if shown is None else shown)


def test_other_values_stay() -> None:
    assert names_only(3) == 3 and names_only(Markup("<a href='/x/y/z'>")) == "<a href='/x/y/z'>"
    assert names_only("/home/A Man/My Data/a/1.jpg is cut", ("/home/A Man/My Data",)) == "My Data/a/1.jpg is cut"


def test_no_file_of_the_report_says_where_its_data_lay(tmp_path: Path) -> None:
    home = tmp_path / "A Man" / "home"
    store = example_store(home, sequences=3)
    run = Run("python", "Python class", "c" * 12, "", {"name": "python", "target": f"{home}/mine.py:Mine"})
    store.put_run("folder", run)
    store.put_hole("folder", run, Hole("clip1", f"{home}/clips/clip1/img/0003.jpg is cut"))
    words = ["report", "--store", str(store.root), "--out"]
    assert main([*words, str(tmp_path / "page")]) == 0
    files = [
        path for path in (tmp_path / "page").rglob("*") if path.suffix in (".html", ".json", ".csv", ".tex", ".svg")
    ]
    assert len(files) > 5
    for path in files:
        text = path.read_text()
        assert "A Man" not in text and str(tmp_path) not in text, path
    page = (tmp_path / "page" / "index.html").read_text()
    assert "<dd><code>clips</code></dd>" in page and "folder=clips&#39; --store" in page and "0003.jpg is cut" in page
    assert main([*words, str(tmp_path / "full"), "--full-paths"]) == 0
    assert f"<dd><code>{home / 'clips'}</code></dd>" in (tmp_path / "full" / "index.html").read_text()
