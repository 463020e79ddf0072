"""What the model holds of the server and of the session that is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_SERVER = "http://127.0.0.1:2468"
"""Where `make run` starts a server, and upstream's own default."""

SettingKind = Literal["mode", "model", "thought_level"]
SETTING_NAMES: Mapping[SettingKind, str] = {"mode": "Mode", "model": "Model", "thought_level": "Thought level"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A choice that an agent offers: `choices` are (value, name)."""

    kind: SettingKind
    choices: tuple[tuple[str, str], ...]
    current: str = ""


@dataclass(frozen=True, slots=True)
class AgentChoice:
    """An agent of the server."""

    id: str
    installed: bool
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectDialog:
    """The dialog "Connect to a server": what is in its field, and what is wrong with it."""

    url: str
    busy: bool = False
    fault: str = ""
    advice: tuple[str, ...] = ()
    wrong: Literal["", "url", "token"] = ""
    """The field that is at fault."""
    resume: str = ""
    """The id of a session that is to be resumed once there is a connection."""


@dataclass(frozen=True, slots=True)
class NewDialog:
    """The dialog "New session". What was typed or chosen stays when something goes wrong."""

    agent: str
    cwd: str = ""
    chosen: Mapping[SettingKind, str] = field(default_factory=dict)
    busy: str = ""
    """What is being waited for, "" for nothing."""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has answered."""

    url: str
    agents: tuple[AgentChoice, ...] = ()
    answers: bool = True
    """Whether the last request to it had an answer."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that is attached to its agent."""

    id: str
    state: str
    running: bool = False
    settings: tuple[Setting, ...] = ()
    asked: frozenset[str] = frozenset()
    """The permission requests that wait for an answer."""
    fault: str = ""
    """Why it is not attached any more."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One request to the server; times in milliseconds, `started_at` since the epoch."""

    id: int
    method: str
    path: str
    started_at: int
    message: str = ""
    """The method of the message that it carries."""
    status: int | None = None
    took: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """All of it."""

    url: str = DEFAULT_SERVER
    """The address that is offered: the last one that was connected to."""
    server: Server | None = None
    connecting: ConnectDialog | None = None
    creating: NewDialog | None = None
    sessions: Mapping[str, LiveSession] = field(default_factory=dict)
    resuming: str | None = None
    """The id of the session that is being attached."""
    drafts: Mapping[str, str] = field(default_factory=dict)
    """What was typed and not sent, by session."""
    refills: int = 0
    """How often a text was put back into the field."""
    traffic: tuple[Traffic, ...] = ()
    """The newest first."""
    shows_traffic: bool = False

    @property
    def connection(self) -> Literal["connected", "reconnecting", "lost"]:
        """How the server is reached: "reconnecting" while a session tries again, "lost" when only the user can."""
        if self.server is None or self.server.answers:
            return "connected"
        return "reconnecting" if any(one.state == "reconnecting" for one in self.sessions.values()) else "lost"

    def agent(self, id_: str) -> AgentChoice | None:
        """An agent of the server."""
        agents = self.server.agents if self.server else ()
        return next((agent for agent in agents if agent.id == id_), None)


def settings_of(options: Any, modes: Any = None) -> tuple[Setting, ...]:
    """What config options, and modes, offer: one setting of each kind at most, with two choices at least."""
    found: dict[SettingKind, Setting] = {}
    if isinstance(modes, Mapping):
        choices = _choices(modes.get("availableModes"), "id")
        found["mode"] = Setting("mode", choices, str(modes.get("currentModeId") or ""))
    for option in options if isinstance(options, Sequence) else ():
        for kind in SETTING_NAMES:
            if isinstance(option, Mapping) and option.get("category") == kind and kind not in found:
                choices = _choices(option.get("options"), "value")
                found[kind] = Setting(kind, choices, str(option.get("currentValue") or ""))
    return tuple(found[kind] for kind in SETTING_NAMES if kind in found and len(found[kind].choices) > 1)


def _choices(offered: Any, key: str) -> tuple[tuple[str, str], ...]:
    choices: list[tuple[str, str]] = []
    for choice in offered if isinstance(offered, list) else ():
        if not isinstance(choice, Mapping):
            continue
        if isinstance(choice.get("options"), list):
            choices += _choices(choice["options"], key)
        elif isinstance(choice.get(key), str):
            choices.append((choice[key][:200], str(choice.get("name") or choice[key])[:200]))
    return tuple(choices[:200])
