"""Reading JSON that an agent wrote: wrong types become nothing, long texts are cut and say so."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_TITLE = 300
"""Characters kept of a name, a title or a path."""

MAX_BODY = 16_000
"""Characters kept of one tool output, resource or raw value; the event itself holds the whole."""


_UNSEEN = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
"""Spaces, control characters, and what Unicode calls Default_Ignorable_Code_Point; and the empty pattern of Braille."""


HIDDEN_MARKS = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f"
)
"""For a set in a pattern: control characters but for tabs and line ends, marks of direction, and what takes no room."""


def is_seen(text: str) -> bool:
    """Whether there is anything in it that can be seen: what goes by a name of spaces and hidden marks has none."""
    return _UNSEEN.fullmatch(text) is None


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any, limit: int = MAX_TITLE) -> str:
    """The value if it is text, cut to `limit` characters, else nothing."""
    if not isinstance(value, str):
        return ""
    return value if len(value) <= limit else value[: limit - 1] + "…"


def as_number(value: Any) -> float | None:
    """The value if it is a number (not a boolean), else None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_json(value: Any, limit: int = MAX_BODY) -> str:
    """Any JSON value as indented text of at most `limit` characters."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= limit else text[: limit - 1] + "…"
