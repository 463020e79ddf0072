"""What can happen to the connection and to live sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ... import json_text
from .values import SETTING_NAMES, AgentChoice, LiveSession, SettingKind, Traffic

MAX_FIELD = 10_000
"""Characters of a field of a dialog that are looked at."""

MAX_PROMPT = 1_000_000
"""Characters of a message to an agent."""

# from the page


@dataclass(frozen=True, slots=True)
class ConnectAsked:
    """A server is to be chosen."""


@dataclass(frozen=True, slots=True)
class ConnectWanted:
    """This server is to be connected to."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConnectGivenUp:
    """None is, or the attempt takes too long."""


@dataclass(frozen=True, slots=True)
class DisconnectWanted:
    """The server is to be let go."""


@dataclass(frozen=True, slots=True)
class NewAsked:
    """A session is to be begun."""


@dataclass(frozen=True, slots=True)
class NewChanged:
    """The fields of the dialog, as they are now."""

    agent: str
    cwd: str
    chosen: Mapping[SettingKind, str]
    wanted: bool = False
    """Whether the session is to be begun with them."""


@dataclass(frozen=True, slots=True)
class NewGivenUp:
    """It is not to be begun."""


@dataclass(frozen=True, slots=True)
class InstallWanted:
    """The server is to install the chosen agent."""


@dataclass(frozen=True, slots=True)
class ResumeWanted:
    """The open session is to be attached to its agent."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the message field of a session now."""

    session_id: str
    text: str


@dataclass(frozen=True, slots=True)
class PromptSent:
    """It is to go to the agent of this session, which the page names: it may still show another one than the model."""

    session_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TurnCancelled:
    """The agent of a session is to end its turn."""

    session_id: str


@dataclass(frozen=True, slots=True)
class PermissionAnswered:
    """This is the answer to a permission request, whose id is unique in its session only."""

    session_id: str
    request_id: str
    option_id: str


@dataclass(frozen=True, slots=True)
class SettingChosen:
    """A setting of the open session is to be changed."""

    kind: SettingKind
    value: str


@dataclass(frozen=True, slots=True)
class TrafficToggled:
    """The list of requests, shown or hidden."""


# from effects


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has answered."""

    url: str
    agents: tuple[AgentChoice, ...]


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """It has not: why, what to do, and the field that is at fault, if one is."""

    fault: str
    advice: tuple[str, ...] = ()
    wrong: Literal["", "url", "token"] = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """An agent was installed, or not: then `fault` says why."""

    agents: tuple[AgentChoice, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """A session was begun."""

    session: LiveSession


@dataclass(frozen=True, slots=True)
class NotCreated:
    """It was not."""

    fault: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A session is attached, or something of it has changed."""

    session: LiveSession


@dataclass(frozen=True, slots=True)
class NotAttached:
    """A session could not be attached."""

    session_id: str
    fault: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """A message has not gone to the agent, or its turn was cut off (`arrived`); why."""

    session_id: str
    text: str
    fault: str
    arrived: bool = False


@dataclass(frozen=True, slots=True)
class NotDone:
    """Something else that was asked of an agent has failed."""

    fault: str


@dataclass(frozen=True, slots=True)
class TrafficTold:
    """A request began, or ended."""

    traffic: Traffic


LiveMessage = (
    ConnectAsked | ConnectWanted | ConnectGivenUp | DisconnectWanted | NewAsked | NewChanged | NewGivenUp
    | InstallWanted | ResumeWanted | Typed | PromptSent | TurnCancelled | PermissionAnswered | SettingChosen
    | TrafficToggled | Connected | ConnectFailed | Installed | Created | NotCreated | Attached | NotAttached | NotSent
    | NotDone | TrafficTold
)  # fmt: skip


def live_from_page(sent: Mapping[str, Any]) -> LiveMessage | None:
    """The message that the page's JSON stands for, None if it is none."""
    match sent:
        case {"name": "connect"}:
            return ConnectAsked()
        case {"name": "connect-to", "values": {"url": str(url), "token": str(token)}}:
            return ConnectWanted(url[:MAX_FIELD], token[:MAX_FIELD])
        case {"name": "connect-cancel"}:
            return ConnectGivenUp()
        case {"name": "disconnect"}:
            return DisconnectWanted()
        case {"name": "new"}:
            return NewAsked()
        case {"name": "new-changed" | "create" as name, "values": dict(values)}:
            chosen = {kind: _field(values, kind) for kind in SETTING_NAMES}
            return NewChanged(_field(values, "agent"), _field(values, "cwd"), chosen, wanted=name == "create")
        case {"name": "new-cancel"}:
            return NewGivenUp()
        case {"name": "install"}:
            return InstallWanted()
        case {"name": "resume"}:
            return ResumeWanted()
        case {"name": "draft", "arg": str(session_id), "value": str(text)}:
            return Typed(session_id, text[:MAX_PROMPT])
        case {"name": "prompt", "arg": str(session_id), "values": {"text": str(text)}}:
            return PromptSent(session_id, text[:MAX_PROMPT])
        case {"name": "cancel-turn", "arg": str(session_id)}:
            return TurnCancelled(session_id)
        case {"name": "permission", "arg": str(arg)}:
            return _answer(arg)
        case {"name": "setting", "arg": "mode" | "model" | "thought_level" as kind, "value": str(value)}:
            return SettingChosen(kind, value[:MAX_FIELD])
        case {"name": "traffic"}:
            return TrafficToggled()
    return None


def _field(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name, ""))[:MAX_FIELD]


def _answer(arg: str) -> PermissionAnswered | None:
    try:
        match json_text.parse(arg):
            case [str(session_id), str(request_id), str(option_id)]:
                return PermissionAnswered(session_id, request_id, option_id)
    except ValueError:
        pass
    return None
