"""What the files at the root say of each other: the site's navigation, the citation, the changelog."""

from __future__ import annotations

import re
import tomllib

import yaml

from tests.conftest import ROOT


def test_navigation_entries_without_a_page_are_those_written_elsewhere() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r": ([\w/]+)\.md$", text, re.M)
    missing = {name for name in named if not any((ROOT / f"{name}{kind}").exists() for kind in (".md", ".ipynb"))}
    assert missing <= {"docs/cluster", "docs/performance", "docs/reliability"}


def test_citation_and_changelog_name_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "type"} <= set(citation)
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert citation["preferred-citation"]["title"] in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    heads = re.findall(r"^## \[(.+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert heads[0] == (project["version"], citation["date-released"])


def test_every_picture_is_shown_and_there_and_none_is_heavy() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")]
    shown = {
        (page.parent / link).resolve()
        for page in pages
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    pictures = {path for path in (ROOT / "docs" / "images").rglob("*") if path.is_file()}
    assert pictures <= shown
    assert not [path for path in shown if not path.is_file()]
    assert not [path for path in pictures if path.stat().st_size > 600_000]
