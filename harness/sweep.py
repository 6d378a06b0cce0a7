"""A tracker under many test-time constants: all values of a sequence run as one batch, frames and template shared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from datasets.errors import UserError, unknown_name
from harness.config import Setup
from trackers.base import CONSTANTS


def parse_over(words: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """``("window_influence=0,0.1", "lr=0.1:0.5:0.1")`` to values; first:last:step counts the last in.

    Raises UserError for a word that cannot be read or a constant that is none.
    """
    found: dict[str, tuple[float, ...]] = {}
    for word in words:
        name, separator, text = word.partition("=")
        if not separator:
            raise UserError(f"--over wants name=value,value or name=first:last:step, not '{word}'")
        if name not in CONSTANTS:
            raise unknown_name("test-time constant", name, CONSTANTS)
        try:
            if ":" in text:
                first, last, step = (float(part) for part in text.split(":"))
                values = tuple(round(first + k * step, 10) for k in range(int((last - first) / step + 1.5)))
            else:
                values = tuple(float(part) for part in text.split(","))
        except (ValueError, ZeroDivisionError) as error:
            raise UserError(f"--over {word}: give numbers as 0,0.1,0.2 or as 0:0.9:0.1") from error
        if not values:
            raise UserError(f"--over {word} names no value")
        found[name] = tuple(dict.fromkeys(values))
    if not found:
        raise UserError("a sweep wants values, as --over window_influence=0:0.9:0.1")
    return found


def variants(setup: Setup, over: Mapping[str, Sequence[float]]) -> list[Setup]:
    """One setup per combination of values, labelled by them. Raises UserError for a tracker without these constants."""
    missing = [name for name in over if not hasattr(setup.config, name)]
    if missing:
        raise UserError(f"{setup.spec.name} has no {missing[0]} to sweep: name one of the neural trackers")
    title, made = setup.label or setup.spec.title, []
    for values in itertools.product(*over.values()):
        chosen = dict(zip(over, values, strict=True))
        words = ", ".join(f"{name} {value:g}" for name, value in chosen.items())
        try:
            made.append(Setup(setup.spec, replace(setup.config, **chosen), f"{title}: {words}"))
        except ValueError as error:
            raise UserError(f"{setup.spec.name}: {error}") from error
    return made
