"""Reading stores that others write to, and that may be damaged here and there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from inmo.errors import UserError

T = TypeVar("T")
P = ParamSpec("P")


@dataclass
class Reading:
    """Reads what can be read; ``damaged`` has a sentence for every file that cannot."""

    damaged: list[str] = field(default_factory=list)

    def tried(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What is read; None where the file is damaged, or has gone since it was listed."""
        try:
            return read(*args, **kwargs)
        except UserError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                self.damaged.append(str(error))
            return None
