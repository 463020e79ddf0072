"""The strings of a row, where each stands and what it is called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import json_text
from ..secret_patterns import find_secrets
from ..types import Row


@dataclass(slots=True)
class Text:
    """A string of a row, and where it stands: in `owner`, a list or an object, under `key`."""

    owner: Any
    key: Any
    path: tuple[Any, ...]
    row: Row
    """The row as it was given."""
    name: str | None = None
    """The name of the field, which may tell that its value is a secret."""


def copied(row: Row) -> Row:
    """A copy that may be changed."""
    copy: Row = json.loads(json_text.dump(row))
    return copy


def texts_of(row: Row, given: Row) -> Iterator[Text]:
    """The strings of a row, however they are nested; without recursion, since rows may be deep."""
    waiting: list[tuple[Any, tuple[Any, ...], str | None]] = [(row, (), None)]
    while waiting:
        value, path, of = waiting.pop()
        for key, member in members(value):
            at = (*path, key)
            if isinstance(member, str):
                yield Text(value, key, at, given, _name_of(value, key, of))
            elif isinstance(member, dict | list):
                waiting.append((member, at, _name_of(value, key, of)))


def _name_of(owner: Any, key: Any, of: str | None) -> str | None:
    """What a value is called: by its key, the name beside it, the flag before it, or as the list that it is in (`of`).

    Environments and headers are in ACP as `{"name": "API_KEY", "value": "…"}`, arguments as `["--api-key", "…"]`.
    """
    if isinstance(owner, list):
        before = owner[key - 1] if key else None
        flag = _FLAG.fullmatch(before) if isinstance(before, str) else None
        return flag[1] if flag else of and of.removesuffix("s")
    beside = [owner.get("name"), owner.get("key")] if key == "value" else []
    return next((name for name in (*beside, key) if isinstance(name, str)), None)


_FLAG = re.compile(r"--?([\w-]{2,80})")


def members(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items() if isinstance(value, dict) else enumerate(value))


def pointer(path: tuple[Any, ...]) -> str:
    """The JSON pointer (RFC 6901). A key that is long, or may be a secret, is not shown."""
    return "".join(f"/{_escaped(str(key))}" for key in path)


def _escaped(key: str) -> str:
    return "…" if len(key) > 200 or find_secrets(key) else key.replace("~", "~0").replace("/", "~1")
