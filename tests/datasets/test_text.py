"""Rows of numbers: every dialect, both paths, and messages that name the line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.datasets import text
from inmo.datasets.text import parse_rows
from inmo.errors import UserError

PLAIN = [[1.0, 2.5, 30.0, 40.0], [-1.0, 0.0, 1e-3, 4e5]]


@pytest.mark.parametrize(
    "data",
    [
        b"1,2.5,30,40\n-1,0,1e-3,4e5\n",
        b"1,2.5,30,40\n-1,0,1e-3,4e5",
        b"1\t2.5\t30\t40\n-1\t0\t0.001\t400000.0\n",
        b"1 2.5 30 40\n-1   0 .001 4E+5\n",
        b"\xef\xbb\xbf1,2.5,30,40\r\n-1,0,1e-3,4e5\r\n\r\n",
        b"  1, 2.5, 30, 40\n -1;0;0.001;400000\n",
        b"\n\n1,2.5\t30 40,\n-1., 0, +1e-3, 4e5,\n\n",
        b"1,2.5,30,40\n-1 0 1e-3 4e5\n",
        b"0001,02.5,30,40\n-1,0,1e-3,4e5\n",
    ],
)
def test_every_dialect_gives_the_same_rows(data: bytes) -> None:
    rows = parse_rows(data, where="f.txt")
    np.testing.assert_array_equal(rows, PLAIN)
    assert rows.dtype == np.float64
    rows[0, 0] = 7.0  # the caller owns them


def test_nan_and_inf_in_any_spelling() -> None:
    rows = parse_rows(b"NaN,nan,NAN,1\n-inf,Inf,2,3\n", where="f.txt")
    assert np.isnan(rows[0, :3]).all()
    assert rows[1].tolist() == [-math.inf, math.inf, 2.0, 3.0]


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(data: bytes) -> None:
    assert parse_rows(data, where="f.txt").shape == (0, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1,2,3,4\n1,2,3\n", "line 2 of f.txt has 3 numbers instead of 4"),
        (b"1,2,3\n4,5,6,7,8\n", "line 1 of f.txt has 3 numbers instead of 4"),  # twelve numbers in all
        (b"1,2,3,4\n\n1,2,3,4\n", "line 2 of f.txt has 0 numbers"),
        (b"\n1,2,3,4\n1,two,3,4\n", "line 3 of f.txt holds 'two'"),
        (b"1,2,3,4\n1,2,3,1_0\n", "line 2 of f.txt holds '1_0'"),
        (b"1,2,3,4\n1--2,2,3,4\n", "line 2 of f.txt holds '1--2'"),
        (b"1,2,3,4\n[1],2,3,4\n", "line 2 of f.txt holds '.1.'"),
        (b"\xff\xfe1\x00,2,3,4\n", "line 1 of f.txt holds"),
        (b"true,null,3,4\n", "holds 'true'"),
        (b"1,2,3,\xff\n", "line 1 of f.txt holds"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_rows(data, where="f.txt")


NAN = float("nan")


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"1,2,3,4\n,,,\n,,,\n", [[1, 2, 3, 4], [NAN] * 4, [NAN] * 4]),
        (b"1,2,3,4\r\n,,,\r\n", [[1, 2, 3, 4], [NAN] * 4]),
        (b",,,\n1,2,3,4\n", [[NAN] * 4, [1, 2, 3, 4]]),
        (b"1;;3;4\n;;;", [[1, NAN, 3, 4], [NAN] * 4]),
        (b"1, , 3, 4\n , , , \n", [[1, NAN, 3, 4], [NAN] * 4]),
        (b"1\t2\t3\t4\n\t\t\t\n", [[1, 2, 3, 4], [NAN] * 4]),
        (b"1\t\t3\t4\n", [[1, NAN, 3, 4]]),
        (b"\t2\t3\t4\n", [[NAN, 2, 3, 4]]),
        (b"1 2 3 4\n   \n", [[1, 2, 3, 4], [NAN] * 4]),
        (b"1,2,3,\n", [[1, 2, 3, NAN]]),
        (b"1,2,3,4,\n,,,,\n", [[1, 2, 3, 4], [NAN] * 4]),  # a separator behind the last
        (b"1,2,3,4\n   \n\t\n", [[1, 2, 3, 4]]),  # blank lines, no rows
    ],
)
def test_an_empty_field_is_a_nan(data: bytes, rows: list[list[float]]) -> None:
    np.testing.assert_array_equal(parse_rows(data, where="f.txt"), rows)


@pytest.mark.parametrize("row", [b"1,,25,40,0.9", b",1,2,3,4", b"1\t\t25\t40\t0.9", b"1;2;;3;4", b"1 2,,3 4 5"])
def test_a_gap_does_not_let_what_follows_move_up(row: bytes) -> None:
    with pytest.raises(UserError, match=r"line 2 of f\.txt has \d fields, \d of them empty"):
        parse_rows(b"1,2,3,4\n" + row + b"\n", where="f.txt")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 4), min_size=1, max_size=30))
def test_every_float_comes_back_bit_for_bit(rows: list[tuple[float, ...]]) -> None:
    data = "\n".join(",".join(map(repr, row)) for row in rows).encode()
    found = parse_rows(data, where="f.txt")
    assert found.tobytes() == np.array(rows, dtype=np.float64).tobytes()


ANY = st.text(alphabet="0123456789.,-+eE \tnainf\n", max_size=60)
WORD = st.text(alphabet="0123456789.-+eE", min_size=1, max_size=3)
LINE = st.builds(lambda words, by: by.join(words), st.lists(WORD, min_size=4, max_size=4), st.sampled_from(",\t "))


@settings(deadline=None, max_examples=100)
@given(st.one_of(ANY, st.lists(LINE, max_size=3).map("\n".join)).map(str.encode))
def test_the_fast_path_never_disagrees_with_the_careful_one(data: bytes) -> None:
    cleaned = data.strip(b" \t\r\n,;")
    fast = text._parse_regular(cleaned, text.BOX)
    if fast is not None and cleaned:
        slow = [[float(w) for w in line.replace(b"\t", b",").split(b",")] for line in cleaned.split(b"\n")]
        np.testing.assert_array_equal(fast, slow)
