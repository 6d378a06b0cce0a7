"""Properties of every parser: random or damaged bytes give a value or a UserError; what is written is read back."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inmo.datasets.text import parse_rows
from inmo.yaml_values import NotPlainError, plain_yaml
from tests.fuzz.targets import PARSERS

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize("name", PARSERS)
@QUICK
@given(data=st.binary(max_size=400))
def test_random_bytes(name: str, data: bytes) -> None:
    PARSERS[name](data)


@pytest.mark.parametrize("name", PARSERS)
@QUICK
@given(choice=st.data())
def test_damaged_files(name: str, choice: st.DataObject) -> None:
    """A good file with up to four bytes changed, a piece cut out, and its end cut off."""
    data = bytearray(choice.draw(st.sampled_from(PARSERS[name].seeds)))
    for _ in range(choice.draw(st.integers(0, 4))):
        data[choice.draw(st.integers(0, len(data) - 1))] = choice.draw(st.integers(0, 255))
    start = choice.draw(st.integers(0, len(data)))
    del data[start : start + choice.draw(st.integers(0, 8))]
    PARSERS[name](bytes(data[: choice.draw(st.integers(0, len(data)))]))


@pytest.mark.parametrize("name", PARSERS)
def test_seeds_are_good_files(name: str) -> None:
    """Or the parsers would be tested on refusals alone."""
    if name == "config":
        pytest.skip("two of its seeds are hostile")
    for seed in PARSERS[name].seeds:
        PARSERS[name].target(seed)


@given(
    rows=st.lists(st.tuples(*[NUMBERS] * 4), min_size=1, max_size=12),
    separator=st.sampled_from([",", "\t", " ", ";", ", ", " ,\t"]),
    end=st.sampled_from(["\n", "\r\n", ",\n", " \n"]),
    lead=st.sampled_from(["", "\ufeff", "\n", " \r\n"]),
)
def test_rows_are_read_back_to_the_last_bit(rows: list[tuple[float, ...]], separator: str, end: str, lead: str) -> None:
    text = lead + "".join(separator.join(map(repr, row)) + end for row in rows)
    np.testing.assert_array_equal(parse_rows(text.encode(), where="x"), np.array(rows))


NAMES = st.text(st.characters(exclude_characters="\x85"), max_size=4)
"""Without the character that PyYAML's own dump loses: two names could become one, which is refused."""
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(value=PLAIN)
@example({"\x85": None})
def test_plain_values_are_read_back(value: object) -> None:
    """Written in ASCII exactly; in Unicode as PyYAML reads it, whose own dump loses a next-line character."""
    import yaml

    assert plain_yaml(yaml.safe_dump(value)) == value
    text = yaml.safe_dump(value, allow_unicode=True)
    assert plain_yaml(text) == yaml.safe_load(text)


@given(text=st.text(max_size=60))
def test_any_text_is_plain_or_refused_in_a_line(text: str) -> None:
    try:
        plain_yaml(text)
    except NotPlainError as error:
        assert "\n" not in str(error)


def test_nothing_ran() -> None:
    assert not os.path.exists("owned")  # noqa: PTH110
