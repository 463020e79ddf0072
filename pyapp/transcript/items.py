"""What a transcript is made of: for each kind of item, its state at one position as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .content import Block, Text
from .diff import Change


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the user (`prompt`) or the agent (`message`, `thought`).

    `until` is when the newest part of it came, in milliseconds since the epoch; `omitted` counts the
    characters that a very long text lost. `replayed` tells that history was put before the prompt.
    """

    kind: Literal["prompt", "message", "thought"]
    blocks: tuple[Block, ...]
    until: int
    omitted: int = 0
    replayed: int = 0


ToolStatus = Literal["pending", "in_progress", "completed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that a tool call runs in."""

    id: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as it was at one moment: each update replaces the fields that it names.

    `output_index` is the event index of the update that brought the content or the raw output.
    `until` is when it was last heard of, in milliseconds since the epoch.
    """

    id: str
    title: str
    kind: str
    status: ToolStatus
    content: tuple[Block | Change | Terminal, ...]
    paths: tuple[str, ...]
    subject: str
    input: str
    raw_output: Text | None
    exit_code: int | None
    output_index: int
    until: int


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One line of a plan."""

    text: str
    priority: str
    status: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The agent's plan; an empty one was cleared."""

    entries: tuple[PlanEntry, ...]


@dataclass(frozen=True, slots=True)
class PermissionOption:
    """One of the answers that the agent offers."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Permission:
    """A question to the user, and what became of it.

    `request` is the JSON-RPC id of the question, as JSON. `answer` is the chosen option's id, "cancelled", or None
    while no answer is stored; upstream's client stores none, so `then` tells what the tool call did after the question.
    """

    title: str
    subject: str
    options: tuple[PermissionOption, ...]
    request: str = ""
    answer: str | None = None
    then: ToolStatus | None = None


@dataclass(frozen=True, slots=True)
class ModeChange:
    """The session's mode, model or another option is now another."""

    label: str
    value: str
    before: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error: of a request, or of the agent's process."""

    title: str
    message: str
    code: int | None
    details: str


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """A prompt was answered. `tokens` is the turn's total where the agent told it."""

    stop_reason: str
    started: int
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened around the conversation: a connection, a cancel, a request for a file."""

    label: str
    detail: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """A message of a kind that is not known here, as JSON."""

    label: str
    json: str


State = Said | ToolCall | Plan | Permission | ModeChange | Failure | TurnEnd | Notice | Raw
