"""What a page that is handed on says of places on its maker's disk: names of files and folders, not where they lie."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from markupsafe import Markup

from inmo.reports.tables.table import Table

_START = r"(?<![\w./<\\~-])"  # not within a relative path, a URL or a closing tag
_IMAGE = r"(?P<image>data:[\w/+.-]+;base64,[\w+/=]*)"  # whose letters hold slashes
_FOLDERS = re.compile(
    _IMAGE + "|" + _START + r"(?:~|[A-Za-z]:(?=[/\\])|\\)?[/\\](?:[^\s/\\<>\"'`|:;,=]+[/\\])+(?=[^\s/\\])"
)


def names_only(value: Any, roots: tuple[str, ...] = ()) -> Any:
    """Text with the last name of every absolute path in it; anything else, and markup, as it is.

    Args:
        roots: paths of known folders, whose names may hold blanks, at which a path in a text seems to end.

    >>> names_only("otb100=/home/me/OTB100, and ~/clips/a/1.jpg of a/b at https://x.org/y/z")
    'otb100=OTB100, and 1.jpg of a/b at https://x.org/y/z'
    >>> names_only("/home/me/a.jpg: data:image/jpeg;base64,/9j/4AA+/QSk/ZJ==")
    'a.jpg: data:image/jpeg;base64,/9j/4AA+/QSk/ZJ=='
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _FOLDERS.sub(_image, _above(roots).sub(_image, value))


def _image(found: re.Match[str]) -> str:
    return found["image"] or ""


@lru_cache(maxsize=8)
def _above(roots: tuple[str, ...]) -> re.Pattern[str]:
    """Matches the folders above the roots, the longest first."""
    folders = {f"{folder}/" for root in roots for folder in PurePath(root).parents if folder.name}
    words = "|".join(map(re.escape, sorted(folders, key=len, reverse=True)))
    return re.compile(f"{_IMAGE}|{_START}(?:{words})" if words else _IMAGE)


def table_of_names(table: Table, roots: tuple[str, ...] = ()) -> Table:
    """A table whose words and reasons hold names alone."""

    def named(value: Any) -> Any:
        return names_only(value, roots)

    rows = tuple(
        tuple(replace(cell, value=named(cell.value), reason=named(cell.reason), note=named(cell.note)) for cell in row)
        for row in table.rows
    )
    return replace(table, rows=rows, caption=named(table.caption))
