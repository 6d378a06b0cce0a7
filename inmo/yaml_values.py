"""YAML as plain values and nothing else: no tags that build objects, no references that unfold without end, no name
twice in a mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

MOST_CHARACTERS = 128 * 1024
MOST_VALUES = 100_000
"""After unfolding: ten lines of references to references can stand for billions."""


_COMPARED = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "binary")
)
"""Tags of names that can be compared before the mapping is made; a merge key (``<<``) is none of them."""


class NotPlainError(ValueError):
    """Text that is no YAML, or more than plain values. The message is one short line."""


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice in a mapping, of which PyYAML would keep the last one's value.

    It looks where nodes are composed: later a merge key has put the names of a base beside those that override them.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: dict[Any, yaml.ScalarNode] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag in _COMPARED:
                name = self.construct_object(key)
                if name in seen:
                    raise NotPlainError(_twice(seen[name], key))
                seen[name] = key
        return node


def _twice(first: yaml.ScalarNode, second: yaml.ScalarNode) -> str:
    lines = [node.start_mark.line + 1 for node in (first, second)]
    places = f"line {lines[0]}" if lines[0] == lines[1] else f"lines {lines[0]} and {lines[1]}"
    if first.value == second.value:
        return f"{first.value!r:.60} stands twice, in {places}: keep one, or rename one"
    return f"{first.value!r:.60} and {second.value!r:.60} are one name to YAML, in {places}: put them in quotes"


def plain_yaml(text: str) -> Any:
    """Mappings, lists, numbers, words, dates, true, false and null.

    Raises NotPlainError for anything else, a name that stands twice in a mapping included, whatever the parser itself
    would raise: a date such as 2020-99-99 is a ValueError there, a badly tagged one an AttributeError, deep nesting a
    RecursionError.
    """
    if len(text) > MOST_CHARACTERS:
        raise NotPlainError(f"it has more than {MOST_CHARACTERS >> 10} KiB")
    try:
        values = _Loader(text).get_single_data()  # as yaml.safe_load does: a SafeLoader builds no objects
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
