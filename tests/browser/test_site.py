"""The documentation's site: built strictly, complete, and readable and searchable from disk without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from inmo.harness.commands import COMMANDS
from tests.browser.conftest import open_page
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
LOADED = re.compile(r'<(?:script|img|link|iframe|source)\b[^>]*\b(?:src|href)="(https?:)?//')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with --strict: a link, an anchor or a page of the navigation that is not there is an error."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_page_of_the_repository_is_there(site: Path) -> None:
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/*.ipynb"),
        *ROOT.glob("trackers/weights/*.md"),
    ]
    found += [
        path for path in ROOT.glob("*/README.md") if path.parent.name in ("datasets", "trackers", "harness", "reports")
    ]
    assert len(found) > 30
    for path in found:
        page = site / path.relative_to(ROOT).with_suffix(".html")
        assert (page.with_name("index.html") if path.stem == "README" else page).is_file(), path


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not LOADED.search(page.read_text(encoding="utf-8")), page


def test_the_page_of_the_commands_has_each_with_its_example(site: Path) -> None:
    text = (site / "docs" / "commands.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f'id="{name}"' in text
        assert f"Example: python run_all.py {name}" in text


def test_the_api_is_there_with_its_docstrings(site: Path) -> None:
    text = (site / "docs" / "api.html").read_text(encoding="utf-8")
    for name in re.findall(r"^::: (\S+)$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.M):
        assert f'id="{name}"' in text
    assert "initialised on the first box, never restarted" in text


def words_of(markup: str) -> str:
    """What of it a reader sees: titles of links hold tags and line breaks too."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.feed(markup)
    return "".join(words)


def test_signatures_have_lines_that_fit(site: Path) -> None:
    """As far as ruff is there to break them, which the documentation's own requirements must say."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert any(name.startswith("ruff") for name in extras["docs"])
    text = (site / "docs" / "api.html").read_text(encoding="utf-8")
    found = re.findall(r'class="[^"]*doc-signature[^"]*">.*?<pre>(.*?)</pre>', text, re.DOTALL)
    assert len(found) > 20
    lines = [line for block in found for line in words_of(block).splitlines()]
    assert max(map(len, lines)) <= 92
    assert sum(line.startswith("    ") for line in lines) > 20  # a parameter each


def test_outputs_of_a_cell_have_no_gap_between_them(site: Path) -> None:
    text = (site / "docs" / "library.html").read_text(encoding="utf-8")
    blocks = [words_of(block) for block in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)]
    assert [block.strip() for block in blocks if "1 hole; temporary store" in block] == [
        "<results of Careless on clips, 1 hole; temporary store>"
    ]
    assert not [block for block in blocks if "\n\n\n\n" in block]


@pytest.fixture(params=[("light", 1300), ("dark", 390)], ids=["desktop", "phone"])
def tab(request: pytest.FixtureRequest, browser: Any, site: Path) -> Iterator[Any]:
    scheme, width = request.param
    yield from open_page(browser, site / "index.html", scheme, width)


def test_pages_fit_and_the_search_finds(tab: Any, site: Path) -> None:
    for name in ("index.html", "docs/protocols.html", "docs/library.html", "docs/api.html", "datasets/index.html"):
        tab.goto((site / name).as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert tab.locator("h1").first.is_visible()
        wide = tab.locator("pre > code, .md-typeset__scrollwrap").evaluate_all(
            "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => getComputedStyle(e))"
            ".map(s => [s.overflowX, s.backgroundImage.split('linear-gradient').length - 1])"
        )
        assert all(found == ["auto", 4] for found in wide), name  # it scrolls, and a shadow says so
    assert tab.locator("h1").first.evaluate("e => getComputedStyle(e).fontFamily").lower().count("roboto") == 0
    tab.keyboard.press("/")
    tab.wait_for_function("document.activeElement.matches('input.md-search__input')")
    tab.keyboard.type("Tiger1", delay=20)
    results = tab.locator("a.md-search-result__link")
    results.first.wait_for(timeout=60_000)
    assert any("protocols.html" in link.get_attribute("href") for link in results.all())
