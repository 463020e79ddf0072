"""The session's mode, model and options, as agents tell them in two ways: modes and config options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .hostile import as_list, as_object, as_text
from .items import ModeChange

MAX_OPTIONS = 100
"""Options, and values of one, that are read."""


@dataclass
class Settings:
    """What is set now, by option id, and the names that people know the values by."""

    values: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def start(self, result: dict[str, Any]) -> None:
        """Take over what the answer to `session/new` or `session/load` says; no change is told."""
        modes = as_object(result.get("modes"))
        for mode in as_list(modes.get("availableModes"))[:MAX_OPTIONS]:
            self._name("mode", as_object(mode).get("id"), as_object(mode).get("name"))
        if current := as_text(modes.get("currentModeId")):
            self.labels["mode"] = "Mode"
            self.values["mode"] = current
        self.configure(result.get("configOptions"))

    def set_mode(self, mode_id: Any) -> ModeChange | None:
        """The agent is in this mode now; None if it was in it before."""
        self.labels.setdefault("mode", "Mode")
        return self._set("mode", as_text(mode_id))

    def configure(self, options: Any) -> list[ModeChange]:
        """Take over a list of config options and tell which of them changed."""
        changes = []
        for value in as_list(options)[:MAX_OPTIONS]:
            option = as_object(value)
            option_id = as_text(option.get("category"), 80) or as_text(option.get("id"), 80)
            if not option_id:
                continue
            self.labels[option_id] = as_text(option.get("name"), 80) or option_id
            self._name_all(option_id, option.get("options"))
            current = option.get("currentValue")
            shown = current if isinstance(current, str) else str(current).lower()
            if change := self._set(option_id, as_text(shown)):
                changes.append(change)
        return changes

    def shown(self, option_id: str) -> str:
        """The name of an option's value, empty if it is not known."""
        value = self.values.get(option_id, "")
        return self.names.get((option_id, value), value)

    def _set(self, option_id: str, value: str) -> ModeChange | None:
        before = self.values.get(option_id)
        if not value or value == before:
            return None
        before_shown = self.shown(option_id)
        self.values[option_id] = value
        if before is None:
            return None
        return ModeChange(self.labels[option_id], self.shown(option_id), before_shown)

    def _name_all(self, option_id: str, values: Any) -> None:
        for value in as_list(values)[:MAX_OPTIONS]:
            entry = as_object(value)
            if "group" in entry:
                self._name_all(option_id, entry.get("options"))
            else:
                self._name(option_id, entry.get("value"), entry.get("name"))

    def _name(self, option_id: str, value: Any, name: Any) -> None:
        if isinstance(value, str) and isinstance(name, str):
            self.names[option_id, value] = as_text(name, 80)
