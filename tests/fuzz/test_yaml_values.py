"""Names in YAML's mappings: twice is refused where the file says it, merge keys are not."""

from __future__ import annotations

import pytest

from inmo.yaml_values import NotPlainError, plain_yaml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\na: 2\n", "'a' stands twice, in lines 1 and 4: keep one, or rename one"),
        ("rows:\n  a: {x: 1}\n  b: {}\n  a: {x: 1}\n", "'a' stands twice, in lines 2 and 4: keep one, or rename one"),
        ("- {a: 1, 'a': 2}\n", "'a' stands twice, in line 1: keep one, or rename one"),
        ("1: a\n1: b\n", "'1' stands twice, in lines 1 and 2: keep one, or rename one"),
        ("on: a\nyes: b\n", "'on' and 'yes' are one name to YAML, in lines 1 and 2: put them in quotes"),
        ("1: a\ntrue: b\n", "'1' and 'true' are one name to YAML, in lines 1 and 2: put them in quotes"),
        ("a: &a {x: 1}\nb: {<<: *a, y: 1, y: 2}\n", "'y' stands twice, in line 2: keep one, or rename one"),
        ("? &a x\n: 1\n? *a\n: 2\n", "'x' stands twice, in line 1: keep one, or rename one"),
    ],
)
def test_a_name_that_stands_twice(text: str, message: str) -> None:
    with pytest.raises(NotPlainError) as caught:
        plain_yaml(text)
    assert str(caught.value) == message


def test_a_long_name_is_cut_and_its_lines_are_said() -> None:
    with pytest.raises(NotPlainError, match=r"^'x{59} stands twice, in lines 1 and 2"):
        plain_yaml(f"{'x' * 100}: 1\n{'x' * 100}: 2\n")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b}\n", {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 2}}),
        (
            "a: &a {x: 1, y: 1}\nb: &b {x: 2}\nc: {<<: [*b, *a], z: 3}\n",
            {"a": {"x": 1, "y": 1}, "b": {"x": 2}, "c": {"x": 2, "y": 1, "z": 3}},
        ),
        ("a: &a {x: 1}\nb: *a\nc: {x: *a}\n", {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": {"x": 1}}}),
        ("1: a\n'1': b\n", {1: "a", "1": "b"}),
        ("a: {x: 1}\nb: {x: 2}\n", {"a": {"x": 1}, "b": {"x": 2}}),
    ],
)
def test_merge_keys_and_like_names_elsewhere(text: str, values: object) -> None:
    assert plain_yaml(text) == values
