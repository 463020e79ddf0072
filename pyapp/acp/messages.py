"""The messages of ACP that the client sends and understands (https://agentclientprotocol.com/protocol/overview)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import UnsupportedValueError
from .jsonrpc import Message

PROTOCOL_VERSION = 1
CLIENT = {"name": "sandbox-agent-pyodide", "version": "0.1.0"}

INITIALIZE = "initialize"
AUTHENTICATE = "authenticate"
NEW_SESSION = "session/new"
PROMPT = "session/prompt"
CANCEL = "session/cancel"
SET_MODE = "session/set_mode"
SET_CONFIG_OPTION = "session/set_config_option"
UPDATE = "session/update"
REQUEST_PERMISSION = "session/request_permission"
AGENT_EXITED = "_adapter/agent_exited"

KEY_METHODS = ("anthropic-api-key", "openai-api-key", "codex-api-key")
"""Ways to authenticate that need nothing but a key in the agent's environment: the client tries them by itself."""

Reply = Literal["once", "always", "reject"]

_KINDS: Mapping[Reply, tuple[str, ...]] = {
    "once": ("allow_once",),
    "always": ("allow_always", "allow_once"),
    "reject": ("reject_once", "reject_always"),
}
"""The kinds of option that a reply means, the first that is offered (upstream's order)."""


@dataclass(frozen=True, slots=True)
class PermissionOption:
    """One way to answer. `kind` is allow_once, allow_always, reject_once or reject_always, or one that came later."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class PermissionRequest:
    """An agent asks before it goes on. `created_at` is in milliseconds since the epoch."""

    id: str
    session_id: str
    created_at: int
    tool_call: Mapping[str, Any]
    options: tuple[PermissionOption, ...]

    def option(self, reply: Reply) -> PermissionOption:
        """The option that a reply means. Raises UnsupportedValueError, saying what is offered."""
        for kind in _KINDS[reply]:
            for option in self.options:
                if option.kind == kind:
                    return option
        offered = [one for one, kinds in _KINDS.items() if any(option.kind in kinds for option in self.options)]
        raise UnsupportedValueError("reply", reply, offered)


CANCELLED: Message = {"outcome": {"outcome": "cancelled"}}
"""The answer to a permission request of a turn that was cancelled."""


def selected(option_id: str) -> Message:
    """The answer to a permission request with one of its options."""
    return {"outcome": {"outcome": "selected", "optionId": option_id}}


def permission_options(params: Any) -> tuple[PermissionOption, ...]:
    """The options of a permission request; what is none is left out."""
    options = params.get("options") if isinstance(params, dict) else None
    return tuple(
        PermissionOption(option["optionId"], str(option.get("name") or option["optionId"]), str(option.get("kind")))
        for option in (options if isinstance(options, list) else ())
        if isinstance(option, dict) and isinstance(option.get("optionId"), str)
    )


def content_blocks(content: str | Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A prompt as content blocks. Raises ValueError for what is no prompt."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else [dict(block) for block in content]
    if not blocks:
        raise ValueError("a prompt has at least one content block")
    for block in blocks:
        if not isinstance(block.get("type"), str):
            raise ValueError("a content block has a type: text, image, audio, resource_link or resource")
    return blocks
