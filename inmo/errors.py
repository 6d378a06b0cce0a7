"""Errors that are meant for people. The lowest file of the house: every package may import it."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable


class Exit(enum.IntEnum):
    """How a command ends."""

    DONE = 0
    FINDINGS = 1  # `check` or `validate` found something
    MEND = 2  # something the user can mend, broken data included
    FAILED = 3  # a tracker failed on some sequences, the others are done
    INTERRUPTED = 130  # the same command continues


class UserError(Exception):
    """Something the user can mend. The message is one sentence: what, where, and what to do.

    The command line prints it without a traceback and leaves with ``Exit.MEND``.
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a misspelt registry name, with the nearest known names in it."""
    names = sorted(known)
    folded = {n.lower(): n for n in names}
    near = [folded[n] for n in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}."
    return UserError(f"unknown {kind} '{name}': {hint}")
