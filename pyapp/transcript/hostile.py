"""Reading JSON that an agent wrote: wrong types become nothing, long texts are cut and say so."""

from __future__ import annotations

import json
from typing import Any

MAX_TITLE = 300
"""Characters kept of a name, a title or a path."""

MAX_BODY = 16_000
"""Characters kept of one tool output, resource or raw value; the event itself holds the whole."""


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
