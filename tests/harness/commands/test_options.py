"""Options of several values take both ways of saying them, in every command."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from inmo.errors import UserError
from inmo.harness.cli import parse
from inmo.harness.commands import COMMANDS, kind
from inmo.harness.commands.options import of_several, together
from inmo.harness.commands.score import ScoreResults

PAIRS = [(command, option) for command in COMMANDS for option in sorted(of_several(kind(command)))]


def example(command: str, without: str) -> list[str]:
    """The words of a command's own example, less one option and its values."""
    lines = (inspect.getdoc(kind(command)) or "").partition("Example: python run_all.py ")[2]
    kept, drop = [], False
    for word in shlex.split(lines):
        drop = word == without if word.startswith("--") else drop
        kept += [] if drop else [word]
    return kept


def samples(owner: type, name: str) -> tuple[list[str], tuple[Any, ...]] | None:
    """Three words of an option's kind, and what they are read to."""
    for field, hint in get_type_hints(owner).items():
        if field != name:
            found = samples(hint, name) if hasattr(hint, "__dataclass_fields__") else None
            if found:
                return found
        elif get_args(hint)[0] is int:
            return ["3", "-1", "4"], (3, -1, 4)
        else:
            words = list(get_args(get_args(hint)[0])[:3]) or ["a=1", "b", "c.d"]
            return words, tuple(map(Path, words)) if get_args(hint)[0] is Path else tuple(words)
    return None


def value(command: Any, name: str) -> Any:
    parts = (command, getattr(command, "network", None), getattr(command, "cluster", None))
    return next(getattr(part, name) for part in parts if hasattr(part, name))


@pytest.mark.parametrize(("command", "option"), PAIRS)
def test_both_ways_are_one(command: str, option: str) -> None:
    name = option[2:].replace("-", "_")
    found = samples(kind(command), name)
    assert found is not None
    (first, second, third), expected = found
    base = example(command, option)
    ways = (
        [option, first, second, third],
        [option, first, option, second, option, third],
        [option, first, second, option, third],
        [f"{option}={first}", option, second, f"{option}={third}"],
    )
    for words in ways:
        assert value(parse([*base, *words]), name) == expected, words
    start = next((at for at, word in enumerate(base) if word.startswith("-")), len(base))
    assert value(parse([*base[:start], option, first, *base[start:], option, second, third]), name) == expected


def test_the_walk_sees_plain_options_and_those_of_groups() -> None:
    assert {
        ("score", "--protocol"), ("score", "--trackers"), ("report", "--protocol"), ("track", "--tracker"),
        ("track", "--set"), ("track", "--weights"), ("track", "--sequences"), ("ablate", "--seeds"),
        ("main", "--table"),
        ("bench", "--scope"), ("bench", "--lanes"), ("maps", "--frames"), ("tune", "--space"), ("draw", "--trackers"),
    } <= set(PAIRS)  # fmt: skip
    assert not {("bench", "--compare"), ("play", "--box"), ("track", "--store")} & set(PAIRS)


def test_other_words_stay_where_they_are() -> None:
    words = ["--dataset", "x", "--protocol", "a", "--partial", "--protocol=b", "--results", "r", "--trackers", "t"]
    assert together(ScoreResults, words) == [
        "--dataset", "x", "--protocol", "a", "b", "--partial", "--results", "r", "--trackers", "t",
    ]  # fmt: skip


def test_an_option_of_several_values_without_any_is_refused() -> None:
    with pytest.raises(UserError, match=r"--protocol was given no value"):
        together(ScoreResults, ["--protocol", "--dataset", "x"])
