"""What is wanted done about servers and live sessions, as values. `database` is as in the route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .values import SettingKind


@dataclass(frozen=True, slots=True)
class Connect:
    """Ask the server at this address whether it is well, and which agents it has."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StopConnecting:
    """Give up an attempt."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Let go of the server and of its sessions; the agents go on."""


@dataclass(frozen=True, slots=True)
class Install:
    """Have the server install an agent."""

    agent: str


@dataclass(frozen=True, slots=True)
class Create:
    """Begin a session."""

    database: str
    agent: str
    cwd: str
    chosen: Mapping[SettingKind, str]


@dataclass(frozen=True, slots=True)
class StopCreating:
    """Give up beginning one, or installing an agent."""


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach a stored session to its agent."""

    database: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Detach:
    """Let go of a session that is stored no more."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Give the agent of a session a text."""

    session_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """End the turn of a session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a permission request."""

    session_id: str
    request_id: str
    option_id: str


@dataclass(frozen=True, slots=True)
class Choose:
    """Change a setting of a session."""

    session_id: str
    kind: SettingKind
    value: str


@dataclass(frozen=True, slots=True)
class RememberServer:
    """Keep the address for the next visit."""

    url: str


LiveEffect = (
    Connect | StopConnecting | Disconnect | Install | Create | StopCreating | Attach | Detach | Prompt | CancelTurn
    | Answer | Choose | RememberServer
)  # fmt: skip
