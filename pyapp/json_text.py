"""JSON as it may be stored: what is refused, and how deep it may go.

Every text that comes from a file, a server or another page goes through `parse`. Python's own
reader takes NaN and Infinity, which no other JSON reader does; nesting of some thousand levels
kills the interpreter under Pyodide, uncatchably, so the depth is scanned before parsing.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 200
"""The deepest nesting that is taken, in levels of arrays and objects."""

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
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None


def dump(value: Any) -> str:
    """The shortest JSON text of a value, non-ASCII characters as they are.

    A lone surrogate is kept as its escape, since no UTF-8 can hold it. Raises ValueError for NaN and
    Infinity, TypeError for what JSON has no word for.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


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


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
