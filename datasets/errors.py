"""Errors that are meant for people, and the lazy registries that raise most of them.

This is the lowest file of the house: every package may import it, it imports nothing of ours.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import Any


class UserError(Exception):
    """Something the user can mend. The message is one sentence: what, where, and what to do.

    The command line prints it without a traceback and leaves with exit status 2.
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a misspelt registry name, with the nearest known names in it."""
    names = sorted(known)
    folded = {n.lower(): n for n in names}
    near = [folded[n] for n in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}."
    return UserError(f"unknown {kind} '{name}': {hint}")


def resolve(registry: Mapping[str, str], name: str, kind: str) -> Any:
    """Import and return the attribute that ``registry[name] == "module:attribute"`` names.

    Raises UserError with a did-you-mean for a name that is not in the registry.
    """
    if name not in registry:
        raise unknown_name(kind, name, registry)
    module, _, attribute = registry[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
