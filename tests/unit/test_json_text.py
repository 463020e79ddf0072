"""JSON as it may be stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp import json_text

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_what_is_dumped_is_parsed(value: Any) -> None:
    text = json_text.dump(value)
    assert json_text.parse(text) == value
    text.encode()  # even with lone surrogates in it


@given(VALUES)
def test_the_nesting_is_not_underestimated(value: Any) -> None:
    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    assert json_text.nesting(json_text.dump(value)) >= depth(value)


def test_depth_is_counted_outside_text_only() -> None:
    assert json_text.parse(json.dumps("[" * 1_000 + '"{')) == "[" * 1_000 + '"{'
    assert json_text.parse("[" + "[],".join([""] * 400) + "[]]")
    assert json_text.parse("[" * 200 + "]" * 200)
    with pytest.raises(ValueError, match="nested 201 levels deep"):
        json_text.parse("[" * 201 + "]" * 201)
    with pytest.raises(ValueError, match="levels deep"):
        json_text.parse("[" * 1_000_000)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a":-Infinity}', "", "{", "'a'", "[1,]"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        json_text.parse(text)


@pytest.mark.parametrize("parse", [json_text.parse, json_text.parse_stored, json_text.parse_column])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": "b', "not JSON: Unterminated string starting at character 7"),
        ('{"a": "\n"}', "not JSON: Invalid control character at character 8"),
        ("[1,,]", "not JSON: Expecting value at character 4"),
        (f"[{'7' * 5_000}]", "a number is too long"),
        (f"[-{'7' * 5_000}] ", "a number is too long"),
    ],
)
def test_what_is_wrong_is_said_in_words_for_readers(parse: Callable[[str], Any], text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        parse(text)


@pytest.mark.parametrize("number", [0, 2**53, -(2**53), 1e21, 1e300, 10**20, 10**22, 0.1, 1152921504606847000, -5e-324])
def test_numbers_that_are_kept(number: float) -> None:
    json_text.check({"n": [number]})
    json_text.check_parsed([number], json_text.dump([number]))


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60), 2.0**60, 10**400, float("nan"), float("-inf"), 10**21 + 1])
def test_numbers_that_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="number"):
        json_text.check({"n": [number]})


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60), 2.0**60, 10**21 + 1])
def test_parsed_numbers_that_are_refused(number: float) -> None:
    for value in ({"n": number}, [1, number], [number]):
        with pytest.raises(ValueError, match="number"):
            json_text.check_parsed(value, json_text.dump(value))


@given(VALUES, st.floats(allow_nan=False, allow_infinity=False))
def test_small_numbers_are_kept_and_large_ones_kept_or_refused(value: Any, number: float) -> None:
    def checked(value: Any) -> bool:
        try:
            json_text.check(value)
        except ValueError:
            return False
        return True

    if abs(number) <= 2**53 or abs(number) >= 1e21:
        assert checked([number])
    if checked(value):
        json_text.check_parsed(value, json_text.dump(value))


@pytest.mark.parametrize("number", [1e21, 1.0000000000000001e21, -1.0000000000000001e21, 1e300, 999999999999999900000])
def test_a_number_with_all_its_digits_is_the_number_that_it_was(number: float) -> None:
    """So JSONB writes what JavaScript writes with an exponent, from 1e21 on."""
    digits = format(Decimal(repr(number)), "f")
    assert json_text.parse_column_of_decimals(f"[{digits}]") == [number]


def test_stored_rows_may_be_deep_but_not_deadly() -> None:
    assert len(json_text.parse_stored("[" * 300 + "]" * 300)) == 1
    assert json_text.parse_stored('["[[[", {"a": 1}]') == ["[[[", {"a": 1}]
    flat = f"[{','.join(['{}'] * 5_000)}]"
    assert len(json_text.parse_stored(flat)) == 5_000
    for depth in (3_900, 4_001, 100_000):
        with pytest.raises(ValueError, match="levels deep"):
            json_text.parse_stored("[" * depth + "]" * depth)
