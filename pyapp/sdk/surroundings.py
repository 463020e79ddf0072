"""What all sessions of one client share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..drivers.base import SessionStore
from ..types import SessionRecord
from .server import AgentServer

SERVER_ID = "serverId"
"""The field of a record that names the agent process of the session (upstream's unpublished main has it, too)."""

HISTORY_PENDING = "historyPending"
"""The field of a record that says that the process was not given the history yet."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The server, the store, and the limits of a replayed history."""

    server: AgentServer
    store: SessionStore
    replay_max_events: int
    replay_max_chars: int


def with_fields(record: SessionRecord, **fields: Any) -> dict[str, Any]:
    """The unknown fields of a record with some of them set, or taken away by None."""
    extra = {**record.extra, **fields}
    return {name: value for name, value in extra.items() if name not in fields or value is not None}
