"""JSON as it may be stored: what is refused, and how deep it may go.

Every text that comes from a file, a server or another page goes through `parse`. Python's own
reader takes NaN and Infinity, which no other JSON reader does; nesting of some thousand levels
kills the interpreter under Pyodide, uncatchably, so the depth is scanned before parsing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

MAX_DEPTH = 200
"""The deepest nesting that is taken, in levels of arrays and objects."""

SAFE_BRACKETS = 4_000
"""Levels at which Python's reader, under Pyodide too, reads or raises; 10,000 kill the interpreter there."""

_EXACT_TO = 2**53
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_LONG_NUMBER = re.compile(r"[:,\[]-?(?:[0-9]{16}|[0-9.]+[eE])")
_STRINGS_OR_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def parse(text: str) -> Any:
    """The value of one JSON text.

    Raises ValueError with a reason that a person can act on: not JSON, nested deeper than
    `MAX_DEPTH`, a number that JSON has not (NaN, Infinity) or that is too long to read.
    """
    depth = nesting(text)
    if depth > MAX_DEPTH:
        raise ValueError(f"nested {depth} levels deep; {MAX_DEPTH} is the most that is read")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        raise _in_words(error) from None


def parse_stored(text: str) -> Any:
    """The value of a JSON text that this browser made of stored rows, so that it is JSON for sure.

    Others may have stored them, nested to any depth. A text with few brackets cannot be deep, and a page of rows has
    few: the scan, which takes longer than the parsing, is for texts with more. Raises ValueError for what is nested too
    deep.
    """
    return _parse_with(json.loads, text)


def parse_column(text: str) -> Any:
    """The value of a JSON text out of a database's column, which anybody may have written there.

    As deep as Python reads safely is fine: what was stored by others is shown rather than refused. Raises ValueError
    for what is not JSON, nested deeper, or holds a number that is none (NaN, Infinity, 1e999).
    """
    return _strict(text)


def parse_column_of_decimals(text: str) -> Any:
    """What `parse_column` does, for a database that writes all digits of 1e300: long integers are read as doubles."""
    return _of_decimals(text)


def dump(value: Any) -> str:
    """The shortest JSON text of a value, non-ASCII characters as they are.

    A lone surrogate is kept as its escape, since no UTF-8 can hold it. Raises ValueError for NaN and
    Infinity, TypeError for what JSON has no word for.
    """
    text = _encode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def check(value: Any, above: int = 0) -> None:
    """Raises ValueError, with a reason, for a value that a store could not give back equal to itself.

    Refused are what JSON has no word for (tuples and keys that are not text among them, since they would
    come back as something else), NaN and Infinity, more than `MAX_DEPTH` levels, and numbers that
    JavaScript rounds. `above` are the levels around the value.
    """
    _check_each((value,), MAX_DEPTH - above)


def _check_each(items: Iterable[Any], levels: int) -> None:
    """What `check` does, for values around which `levels` more may lie; it calls itself no more often than that."""
    for item in items:
        kind = type(item)  # compared first: nearly all are of these very types, and that is faster
        if kind is str or item is None or kind is bool or isinstance(item, str):
            continue
        if kind is int or kind is float or isinstance(item, (int, float)):
            if not -_EXACT_TO <= item <= _EXACT_TO:
                _check_number(item)
            continue
        if not isinstance(item, (dict, list)):
            raise ValueError(f"a {kind.__name__} is not a JSON value")
        if not levels:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(item, dict):
            try:
                "".join(item)
            except TypeError:
                key = next(key for key in item if not isinstance(key, str))
                raise ValueError(f"the key {key!r} is not text") from None
            _check_each(item.values(), levels - 1)
        else:
            _check_each(item, levels - 1)


def whole_text(text: str) -> str:
    """The text without half characters (lone surrogates), which no UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def with_numbers_as_text(value: Any) -> Any:
    """A JSON value with those numbers as text that JavaScript would round, so that no digit of them is lost."""
    if isinstance(value, dict):
        return {key: with_numbers_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_numbers_as_text(item) for item in value]
    if isinstance(value, (int, float)) and not -_EXACT_TO <= value <= _EXACT_TO:
        try:
            _check_number(value)
        except ValueError:
            return str(value)
    return value


def check_parsed(value: Any, text: str) -> None:
    """What `check` does, for a value that came out of JSON and whose shortest text is at hand.

    Only its numbers can be at fault, and the text tells faster whether there are such numbers.
    """
    if _LONG_NUMBER.search(text):
        check(value)


def nesting(text: str) -> int:
    """How many levels of arrays and objects a JSON text opens at its deepest point."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0 if not text else min(MAX_DEPTH, text.count("[") + text.count("{"))
    depth = deepest = 0
    for match in _STRINGS_OR_BRACKETS.finditer(text):
        mark = match.group()
        if mark in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in ("]", "}"):
            depth -= 1
    return deepest


def _parse_with(decode: Callable[[str], Any], text: str) -> Any:
    if text.count("[") + text.count("{") > SAFE_BRACKETS and nesting(text) > SAFE_BRACKETS:
        raise ValueError(f"nested more than {SAFE_BRACKETS:,} levels deep")
    try:
        return decode(text)
    except ValueError as error:
        raise _in_words(error) from None
    except RecursionError:
        raise ValueError("nested more levels deep than Python reads") from None


def _in_words(error: ValueError) -> ValueError:
    """What Python's reader says, for who does not write Python."""
    if isinstance(error, json.JSONDecodeError):
        return ValueError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}")
    return ValueError("a number is too long") if "set_int_max_str_digits" in str(error) else error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large for JavaScript")
    return number


def _integer_or_double(text: str) -> float:
    """Integers of more than 21 digits are doubles, which JavaScript writes with an exponent from 1e21 on."""
    return int(text) if len(text) <= 21 or len(text.lstrip("-")) <= 21 else _finite(text)


def _parsing(decoder: json.JSONDecoder) -> Callable[[str], Any]:
    """`_parse_with` the decoder, in half the time for a text with few brackets and no white space around it."""
    decode, raw_decode = decoder.decode, decoder.raw_decode

    def parse(text: str) -> Any:
        if text.count("[") + text.count("{") <= SAFE_BRACKETS:
            try:
                value, end = raw_decode(text)
            except (ValueError, RecursionError):  # said in words below
                end = -1
            if end == len(text):
                return value
        return _parse_with(decode, text)

    return parse


# Made once: to give `json.loads` these functions makes a decoder at each call.
_strict = _parsing(json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite))
_of_decimals = _parsing(
    json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, parse_int=_integer_or_double)
)


def _check_number(number: float) -> None:
    """Raises ValueError unless JavaScript reads the number and writes it again as an equal one.

    Beyond 2**53 it writes the shortest digits that mean the same double, with zeros behind: 2**60 becomes
    1152921504606847000. From 1e21 on it writes an exponent, which Python reads as a double.
    """
    try:
        double = float(number)
    except OverflowError:
        raise ValueError("a number is too large for JavaScript") from None
    if not math.isfinite(double):
        raise ValueError(f"{number!r} is not a JSON number")
    rewritten: float = double
    if abs(double) < 1e21:
        digits, _, exponent = repr(double).partition("e")
        whole, _, fraction = digits.partition(".")
        fraction = fraction.rstrip("0")
        rewritten = int(whole + fraction) * 10 ** (int(exponent or 0) - len(fraction))
    if rewritten != number:
        raise ValueError(f"JavaScript would round the number {number!r}; write it as text")
