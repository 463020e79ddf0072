"""Rows on their way to a Rivet actor and back: whatever JSON can say comes back as it was.

An actor's state is CBOR, whose texts have no half characters (lone surrogates) and whose objects have no field
`__proto__`; and Rivet's JSON gives an array of two whose first is a text with a dollar a meaning of its own
(`["$BigInt", "1"]`). A field in which one of these occurs is stored twice: readably, as something near to it, and as
exact JSON text in `pyapp:exact`, a list of pairs of name and value. Others may write a row again and leave that as it
was, so an exact value counts only where the readable one is still the one that was made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...errors import InvalidRecordError
from ...json_text import dump, parse_column, whole_text
from ...types import Row

EXACT = "pyapp:exact"

_TROUBLE = re.compile(r'\\ud[89a-f]|"__proto__"|\["\$')


def check_keys(*ids: str | None) -> None:
    """Raises InvalidRecordError for the id of a session or an event that an actor cannot keep."""
    if "__proto__" in ids:
        raise InvalidRecordError("a Rivet actor cannot keep a session or an event whose id is '__proto__'")


def checked(event_rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The same rows of events, as JSON texts. Raises InvalidRecordError as `check_keys` does."""
    for rows in event_rows:
        for text in rows:
            if "__proto__" in text or "\\u" in text:  # which may be written with escapes
                row = parse_column(text)
                check_keys(row.get("id"), row.get("sessionId"))
        yield rows


def to_actor(row: Row) -> Row:
    """The row as it can be sent, and kept, without loss."""
    if not _TROUBLE.search(dump(row)):
        return row
    sent: Row = {}
    exact: list[list[str]] = []
    for name, value in row.items():
        texts = [dump(name), dump(value)]
        if any(map(_TROUBLE.search, texts)) or _TROUBLE.search(f'"{name}"'):
            exact.append(texts)
        sent[_near(name)] = _near(value)
    return sent | {EXACT: exact}


def from_actor(row: Any) -> Any:
    """The row as it was given to `to_actor`, or by others to the actor. Raises ValueError."""
    if not isinstance(row, dict) or EXACT not in row:
        return row
    read = {name: value for name, value in row.items() if name != EXACT}
    exact = row[EXACT]
    for pair in exact if isinstance(exact, list) else ():
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise ValueError(f"what is kept in {EXACT} is not pairs of JSON texts")
        name, value = map(parse_column, pair)
        near = _near(name)
        if near in read and read[near] == _near(value):
            del read[near]
            read[name] = value
    return read


def read_answer(text: str) -> Any:
    """The value of what Rivet answers. Raises ValueError for what is not JSON, or nested too deep."""
    value = parse_column(text)
    return _without_marks(value) if '["$' in text else value


def _without_marks(value: Any) -> Any:
    """Arrays as they were before Rivet's JSON marked them. Large whole numbers may come as `["$BigInt", "…"]`."""
    if isinstance(value, dict):
        return {name: _without_marks(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    match value:
        case ["$BigInt", str(digits)] if re.fullmatch(r"-?[0-9]{1,400}", digits):
            return int(digits)
        case [str(mark), item] if mark.startswith("$$"):
            return [mark[1:], _without_marks(item)]
    return [_without_marks(item) for item in value]


def _near(value: Any) -> Any:
    """Something like the value that passes unharmed."""
    if isinstance(value, str):
        if value == "__proto__":
            return "[__proto__]"
        return whole_text(value)
    if isinstance(value, dict):
        return {_near(name): _near(item) for name, item in value.items()}
    if isinstance(value, list):
        near = [_near(item) for item in value]
        return [f" {near[0]}", near[1]] if len(near) == 2 and str(value[0]).startswith("$") else near
    return value


def args(*values: Any) -> str:
    """The JSON text of an action's arguments."""
    return f'{{"args":{json.dumps(values, allow_nan=False, separators=(",", ":"))}}}'
