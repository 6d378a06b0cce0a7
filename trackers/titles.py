"""Trackers' titles without their modules: a list of names should not cost the import of torch."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

from inmo.trackers import TRACKERS, tracker


def title(name: str) -> str:
    """The title of a registry row, read from the text ``ROW = TrackerSpec("name", "title", ...)`` of its file.

    A ``Family`` is written alike; a row that is written in another way is imported. Raises UserError with a
    did-you-mean for an unknown name.
    """
    module, _, attribute = TRACKERS.get(name, "").partition(":")
    found = find_spec(module) if module else None
    if found is None or not found.origin:
        return tracker(name).title
    for node in ast.parse(Path(found.origin).read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign([ast.Name(target)], ast.Call(ast.Name(), [_, ast.Constant(str(text)), *_])):
                if target == attribute:
                    return text
    return tracker(name).title
