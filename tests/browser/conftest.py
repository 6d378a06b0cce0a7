"""Headless Chromium, a report, and a tab that takes nothing amiss in silence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inmo.reports.page.page import write_report
from tests.reports.example import example_store

OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="package")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: CI must have one (Debian: apt-get install chromium)")
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(OPTIONS))
        yield started
        started.close()


@pytest.fixture(scope="package")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    return write_report(example_store(folder), folder / "out", protocols=("clean",))


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[Any]:
    yield from open_page(browser, report)


def open_page(browser: Any, report: Path, scheme: str = "light", width: int = 1300) -> Iterator[Any]:
    """The page in a fresh tab. Console messages, dialogs, and requests beyond the report's folder fail the test."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    here = ("data:", f"{report.parent.as_uri()}/")
    page.on("request", lambda request: None if request.url.startswith(here) else trouble.append(request.url))
    page.on("requestfailed", lambda request: _failed(request, trouble))
    page.goto(report.as_uri())
    yield page
    assert trouble == []
    context.close()


def _failed(request: Any, trouble: list[str]) -> None:
    if request.failure != "net::ERR_ABORTED":  # an image that another one replaced before it had come
        trouble.append(f"{request.url}: {request.failure}")
