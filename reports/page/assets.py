"""What a page carries beside its words: style, scripts, and the policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from inmo.reports.figures.frames import TRUTH, KeyFrame
from inmo.reports.figures.style import DARK, DASHES, LIGHT


def text(name: str) -> str:
    """A file of the page's templates."""
    return resources.files("inmo.reports.page").joinpath("templates", name).read_text(encoding="utf-8")


def template(name: str, finalize: Callable[[Any], Any] | None) -> jinja2.Template:
    """A page's template. Every value is escaped, and goes through ``finalize``; a name that is missing is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("inmo.reports.page", "templates"),
        autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined, finalize=finalize,
    )  # fmt: skip
    return environment.get_template(name)


def write_index(page: str, out: Path) -> Path:
    """Write OUT/index.html whole or not at all; its path. Raises OSError."""
    whole = out / ".index.html.tmp"
    whole.write_text(page, encoding="utf-8")
    return whole.replace(out / "index.html")


def data_url(jpeg: bytes) -> str:
    """An image within a page."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def inline(frames: Iterable[KeyFrame]) -> list[dict[str, Any]]:
    """Frames as templates take them, the images as data URLs."""
    return [{"index": f.index, "width": f.width, "height": f.height, "source": data_url(f.jpeg)} for f in frames]


def tracker_css() -> str:
    """Colours and dashes of the trackers, from the one palette that the figures use too."""
    light = "".join(f".h{i}{{--c:{c}}}" for i, c in enumerate(LIGHT))
    dark = "".join(f".h{i}{{--c:{c}}}" for i, c in enumerate(DARK))
    image = "".join(f".i{i}{{--c:{c}}}" for i, c in enumerate(DARK)) + f".truth{{--c:{TRUTH}}}"
    dashes = "".join(
        f".d{i}{{stroke-dasharray:{' '.join(f'{d * 1.6:g}' for d in dash)}}}" for i, dash in enumerate(DASHES) if dash
    )
    return f"{light}{image}{dashes}@media screen and (prefers-color-scheme:dark){{{dark}}}\n"


def policy(style: str, script: str) -> str:
    """Content security policy: images beside the page are all that loads, no script or style but ours runs."""
    hashes = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src data: 'self'; base-uri 'none'; form-action 'none'"
    )
