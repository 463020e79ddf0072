"""What a database's columns can hold of a text, of a JSON text and of an id; `rows.py` keeps the rest beside."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...json_text import parse_column, parse_column_of_decimals


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of one kind of database can hold.

    `text` and `json` give what is put into a column for a text, and for a JSON text: the same, or something readable
    near to it. `key` gives what is put there for an id, from which `id_of` gives the id again. `parse` reads a JSON
    column that was asked for as text; it raises ValueError.
    """

    text: Callable[[str], str]
    json: Callable[[str], str]
    key: Callable[[str], str]
    id_of: Callable[[str], str]
    parse: Callable[[str], Any]


_HALF = re.compile("[\ud800-\udfff]")
_REFUSED = re.compile("[\0\ud800-\udfff]")
_SEEN_NUL = "\u2400"
_SEEN_HALF = "\ufffd"


def _utf8(text: str) -> str:
    """Half characters (lone surrogates), which no UTF-8 can hold, are shown as U+FFFD."""
    return text if text.isascii() else _HALF.sub(_SEEN_HALF, text)


def _same(text: str) -> str:
    return text


SQLITE = Columns(text=_utf8, json=_same, key=_same, id_of=_same, parse=parse_column)
"""TEXT holds any UTF-8, U+0000 too; JSON is text, in which half characters are escapes."""


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.)", re.DOTALL)
_KEY_MARK = "\uffff"  # a noncharacter: no id of anybody's has it, and if one has, it is doubled


def _without_nul(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return _REFUSED.sub(lambda found: _SEEN_NUL if found[0] == "\0" else _SEEN_HALF, text)


def _jsonb(text: str) -> str:
    """JSON without the two escapes that JSONB refuses: U+0000, and half characters."""
    return _ESCAPE.sub(_jsonb_escape, text) if "\\u" in text else text


def _jsonb_escape(found: re.Match[str]) -> str:
    first, second = found[1], found[2]
    if first is None:
        return found[0]
    if first == "0000":
        shown = "\\u2400"
    elif "d800" <= first.lower() <= "dbff":
        return found[0] if second else "\\ufffd"
    elif "dc00" <= first.lower() <= "dfff":
        shown = "\\ufffd"
    else:
        shown = f"\\u{first}"
    return shown + ("\\ufffd" if second else "")


def _postgres_key(id_: str) -> str:
    if "\0" in id_ or _KEY_MARK in id_:
        return id_.replace(_KEY_MARK, _KEY_MARK * 2).replace("\0", f"{_KEY_MARK}0")
    return id_


def _postgres_id(key: str) -> str:
    if _KEY_MARK not in key:
        return key
    return re.sub(f"{_KEY_MARK}([{_KEY_MARK}0])", lambda found: "\0" if found[1] == "0" else _KEY_MARK, key)


POSTGRES = Columns(
    text=_without_nul, json=_jsonb, key=_postgres_key, id_of=_postgres_id, parse=parse_column_of_decimals
)
"""TEXT and JSONB hold no U+0000 and no half characters. JSONB keeps numbers as decimals without an exponent: 1e300
comes back with 301 digits. Ask for its columns as text (`payload_json::text`)."""
