"""How a script of this folder ends: what the user can mend is one sentence and status 2, as the commands do it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from inmo.errors import Exit, UserError


def leave_after(work: Callable[[], int | None]) -> NoReturn:
    """Do the work and leave with its status; None is 0."""
    try:
        status = work()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        status = Exit.MEND
    sys.exit(status or 0)
