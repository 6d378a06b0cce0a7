"""YAML as plain values and nothing else: no tags that build objects, no references that unfold without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

MOST_CHARACTERS = 128 * 1024
MOST_VALUES = 100_000
"""After unfolding: ten lines of references to references can stand for billions."""


class NotPlainError(ValueError):
    """Text that is no YAML, or more than plain values. The message is one short line."""


def plain_yaml(text: str) -> Any:
    """Mappings, lists, numbers, words, dates, true, false and null.

    Raises NotPlainError for anything else, whatever the parser itself would raise: a date such as 2020-99-99 is a
    ValueError there, a badly tagged one an AttributeError, deep nesting a RecursionError.
    """
    if len(text) > MOST_CHARACTERS:
        raise NotPlainError(f"it has more than {MOST_CHARACTERS >> 10} KiB")
    try:
        values = yaml.safe_load(text)
        count = _count(values, {})
    except RecursionError as error:
        raise NotPlainError("it is nested too deeply, or holds itself") from error
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        words = " ".join(str(error).split())
        raise NotPlainError(words if len(words) <= 200 else f"{words[:200]} ...") from error
    if count > MOST_VALUES:
        raise NotPlainError(f"its references unfold to more than {MOST_VALUES:,} values")
    return values


def plain_yaml_file(path: Path) -> Any:
    """The same of a file in UTF-8, with or without a byte-order mark. Raises OSError too."""
    if path.stat().st_size > 4 * MOST_CHARACTERS:
        raise NotPlainError(f"it has more than {MOST_CHARACTERS >> 10} KiB")
    try:
        return plain_yaml(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NotPlainError(f"it is no text in UTF-8 ({error.reason} at byte {error.start})") from error


def _count(values: Any, known: dict[int, int]) -> int:
    """Values after unfolding. Raises RecursionError where one holds itself."""
    if not isinstance(values, dict | list | set | tuple):
        return 1
    if id(values) not in known:
        known[id(values)] = 0
        inner = [*values, *values.values()] if isinstance(values, dict) else list(values)
        known[id(values)] = 1 + sum(_count(value, known) for value in inner)
    elif not known[id(values)]:
        raise RecursionError
    return known[id(values)]
