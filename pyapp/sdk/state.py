"""What a session's events tell of its present: whether a turn runs, what waits for an answer, modes and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..acp.jsonrpc import Id, Message, id_text, kind
from ..acp.messages import (
    AGENT_EXITED,
    NEW_SESSION,
    PROMPT,
    REQUEST_PERMISSION,
    SET_CONFIG_OPTION,
    SET_MODE,
    UPDATE,
    PermissionRequest,
    permission_options,
)
from ..names import process_of
from ..types import SessionEvent
from .settings import objects, with_mode, with_value


@dataclass(slots=True)
class AgentRequest:
    """A request of the agent that has no answer yet."""

    id: Id
    method: str
    permission: PermissionRequest | None


@dataclass(slots=True)
class SessionState:
    """Fed with the events of one agent process, in their order. Events of processes before it are passed over."""

    process: str
    modes: dict[str, Any] | None = None
    config_options: list[Any] | None = None
    requests: dict[str, AgentRequest] = field(default_factory=dict)
    """Requests of the agent that wait, by `id_text`."""
    unsure: list[Message] = field(default_factory=list)
    """Answers to the agent behind which it has said nothing: it may not have got them."""
    exited: bool = False
    """Whether the agent's process has ended."""
    _asked: dict[str, Message] = field(default_factory=dict)
    """Requests of clients that wait, by `id_text`."""

    @property
    def running(self) -> bool:
        """Whether a turn is under way."""
        return any(message["method"] == PROMPT for message in self._asked.values())

    @property
    def permission_requests(self) -> tuple[PermissionRequest, ...]:
        """What the agent asks, and nobody has answered."""
        return tuple(request.permission for request in self.requests.values() if request.permission)

    def add(self, event: SessionEvent) -> None:
        """The next event."""
        if process_of(event.connection_id) != self.process:
            return
        message = event.payload
        if event.sender == "client":
            self._sent(message)
        else:
            self.unsure.clear()
            self._heard(event, message)

    def _sent(self, message: Message) -> None:
        match kind(message):
            case "request":
                self._asked[id_text(message["id"])] = message
            case "response":
                if self.requests.pop(id_text(message["id"]), None):
                    self.unsure.append(message)

    def _heard(self, event: SessionEvent, message: Message) -> None:
        params = message.get("params")
        match kind(message):
            case "request":
                key = id_text(message["id"])
                permission = None
                if message["method"] == REQUEST_PERMISSION:
                    permission = _permission(key, event, params)
                self.requests[key] = AgentRequest(message["id"], message["method"], permission)
            case "response":
                asked = self._asked.pop(id_text(message["id"]), None)
                if asked and "result" in message:
                    self._done(asked, message["result"])
                if asked and asked["method"] == PROMPT:
                    self._turn_ended()
            case "notification" if message["method"] == AGENT_EXITED:
                self.exited = True
                self._asked.clear()
                self.requests.clear()
            case "notification" if message["method"] == UPDATE and isinstance(params, dict):
                self._updated(params.get("update"))

    def _turn_ended(self) -> None:
        """Nobody waits for the answers of this turn any more, nor for a prompt that was stored and never arrived."""
        self.requests.clear()
        self._asked = {key: message for key, message in self._asked.items() if message["method"] != PROMPT}

    def _done(self, asked: Message, result: Any) -> None:
        """The agent has done what a client asked."""
        params = asked.get("params")
        params = params if isinstance(params, dict) else {}
        result = result if isinstance(result, dict) else {}
        match asked["method"]:
            case method if method == NEW_SESSION:
                modes = result.get("modes")
                self.modes = modes if isinstance(modes, dict) else None
                self.config_options = objects(result.get("configOptions"))
            case method if method == SET_MODE:
                self._set_mode(params.get("modeId"))
            case method if method == SET_CONFIG_OPTION:
                told = objects(result.get("configOptions"))
                id_, value = params.get("configId"), params.get("value")
                if told is not None:
                    self.config_options = told
                elif self.config_options and isinstance(id_, str) and isinstance(value, str):
                    self.config_options = with_value(self.config_options, id_, value)

    def _updated(self, update: Any) -> None:
        match update:
            case {"sessionUpdate": "current_mode_update", "currentModeId": str(mode)}:
                self._set_mode(mode)
            case {"sessionUpdate": "config_option_update", "configOptions": list(options)}:
                self.config_options = objects(options)

    def _set_mode(self, mode: Any) -> None:
        if isinstance(mode, str):
            self.modes = with_mode(self.modes or {"availableModes": []}, mode)


def _permission(key: str, event: SessionEvent, params: Any) -> PermissionRequest:
    call: Any = params.get("toolCall") if isinstance(params, Mapping) else None
    tool_call = call if isinstance(call, dict) else {}
    return PermissionRequest(key, event.session_id, event.created_at, tool_call, permission_options(params))
