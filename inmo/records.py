"""From YAML files to frozen dataclasses, with a sentence for whatever does not fit."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar

import yaml

from inmo.errors import UserError, unknown_name
from inmo.yaml_values import NotPlainError, plain_yaml, plain_yaml_file

T = TypeVar("T")


def read_yaml(path: str | Path, what: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The lines ``name: value`` of a file, with ``a.b=value`` words (values in YAML's notation) over them.

    Args:
        what: the kind of file in words, for messages.

    Raises:
        UserError: a file or word that cannot be read.
    """
    file = Path(path).expanduser()
    try:
        values = plain_yaml_file(file)
    except (OSError, NotPlainError) as error:
        raise UserError(f"cannot read the {what} {file}: {error}; mend the file") from error
    if not isinstance(values, dict):
        raise UserError(f"the {what} {file} must hold lines 'name: value'")
    for word in overrides:
        override(values, word)
    return values


def structure(kind: type[T], values: Any, where: str) -> T:
    """A (nested) dataclass from plain YAML values.

    Raises UserError: an unknown name (with a did-you-mean), a value that is missing or of the wrong kind.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where} must hold lines 'name: value', not {values!r:.80}")
    hints = typing.get_type_hints(kind)
    known = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            raise unknown_name(f"setting in {where}", str(key), known)
    given = {key: converted(hints[key], value, f"{where}: {key}") for key, value in values.items()}
    wanted = [f for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]  # type: ignore[arg-type]
    if lacking := [f"'{item.name}:'" for item in wanted if item.name not in given]:
        lines = f"line {lacking[0]}" if len(lacking) == 1 else f"lines {', '.join(lacking)}"
        raise UserError(f"{where} is not complete: add the {lines} with a value")
    return kind(**given)


def as_words(values: Mapping[str, Any]) -> dict[str, str]:
    """Plain YAML values as the text that ``--set`` takes for them."""
    return {key: value if isinstance(value, str) else _word(value) for key, value in values.items()}


def _word(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True)).removesuffix("\n").removesuffix("\n...")


def override(values: dict[str, Any], word: str) -> None:
    """Set one ``a.b=value`` word, its value in YAML's notation, in nested values. Raises UserError for no such word."""
    path, separator, text = word.partition("=")
    if not separator or not path:
        raise UserError(f"--set wants name=value, not '{word}'")
    try:
        value = plain_yaml(text)
    except NotPlainError:
        value = text
    put(values, path, value, f"--set {word}")


def put(values: dict[str, Any], path: str, value: Any, where: str) -> None:
    """Set the value at ``a.b`` in nested values, making the names on the way. Raises UserError where one of these has
    a value of its own."""
    *folders, last = path.split(".")
    place = values
    for name in folders:
        inner = place.get(name)
        if inner is not None and not isinstance(inner, dict):
            raise UserError(f"{where}: {name} holds no further names")
        place[name] = place = inner if inner is not None else {}
    place[last] = value


def converted(hint: Any, value: Any, where: str) -> Any:
    """A plain YAML value as what a type hint asks for: dataclasses from mappings, tuples from lists, floats from
    numbers and from texts like 1e-4, which YAML takes for a word.

    Raises UserError: a value of another kind.
    """
    for option in typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, UnionType) else (hint,):
        if option is NoneType and value is None:
            return None
        if is_dataclass(option) and isinstance(option, type):
            return structure(option, value, where)
        origin, inner = typing.get_origin(option), typing.get_args(option)
        if origin is tuple and isinstance(value, list | tuple):
            kinds = inner[:1] * len(value) if ... in inner else inner
            if len(kinds) == len(value):
                places = (f"{where}[{number}]" for number in range(len(value)))
                return tuple(map(converted, kinds, value, places))
        if origin is typing.Literal and value in inner:
            return value
        if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, dict):
            return value
        if option is float and isinstance(value, int | str) and not isinstance(value, bool):
            with suppress(ValueError):
                return float(value)
        if option is int and isinstance(value, bool):
            continue
        if origin is None and isinstance(option, type) and isinstance(value, option):
            return value
    kind = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
    raise UserError(f"{where} is {value!r:.80}, which is not a value of kind {kind}")
