"""Modes and config options of a session: what the agent offers, and what a value that it does not offer raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import UnsupportedValueError

Option = Mapping[str, Any]


def mode_ids(modes: Mapping[str, Any] | None) -> list[str]:
    """The ids of the modes that a session has."""
    return _texts((modes or {}).get("availableModes"), "id")


def check_mode(modes: Mapping[str, Any] | None, mode_id: str) -> None:
    """Raises UnsupportedValueError for a mode that the session has not."""
    if mode_id not in (allowed := mode_ids(modes)):
        raise UnsupportedValueError("mode", mode_id, allowed)


def with_mode(modes: Mapping[str, Any], mode_id: str) -> dict[str, Any]:
    """The modes with another one as the current one."""
    return {**modes, "currentModeId": mode_id}


def option_of(options: Sequence[Option], category: str) -> Option | None:
    """The first option of a category: model, mode, thought_level."""
    return next((option for option in options if option.get("category") == category), None)


def check_option(options: Sequence[Option], config_id: str, value: str) -> None:
    """Raises UnsupportedValueError for an option, or a value of it, that the agent does not offer."""
    option = next((option for option in options if option.get("id") == config_id), None)
    if option is None:
        raise UnsupportedValueError("config option", config_id, _texts(options, "id"))
    allowed = option_values(option)
    if allowed and value not in allowed:
        raise UnsupportedValueError(str(option.get("category") or config_id), value, allowed)


def option_values(option: Option) -> list[str]:
    """The values of an option; they may be in groups."""
    values: list[str] = []
    for choice in option.get("options") or ():
        if isinstance(choice, Mapping):
            group = choice.get("options")
            values += _texts(group, "value") if isinstance(group, list) else _texts([choice], "value")
    return values


def with_value(options: Sequence[Option], config_id: str, value: str) -> list[Any]:
    """The options with another value of one of them."""
    return [{**option, "currentValue": value} if option.get("id") == config_id else option for option in options]


def mode_to_set(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> list[str]:
    """The mode of before, if the session now has it and is in another; else nothing."""
    mode = (before or {}).get("currentModeId")
    return [mode] if mode in mode_ids(now) and mode != (now or {}).get("currentModeId") else []


def values_to_set(before: Sequence[Option], now: Sequence[Option]) -> dict[str, str]:
    """The values of before that the options of now offer and have not, by the option's id."""
    values = {option.get("id"): option.get("currentValue") for option in before}
    changes: dict[str, str] = {}
    for option in now:
        id_ = option.get("id")
        value = values.get(id_)
        if isinstance(id_, str) and value != option.get("currentValue") and value in option_values(option):
            changes[id_] = str(value)
    return changes


def objects(value: Any) -> list[Any] | None:
    """The objects of a list, None for what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else None


def _texts(items: Any, name: str) -> list[str]:
    return [item[name] for item in objects(items) or () if isinstance(item.get(name), str)]
