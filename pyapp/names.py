"""The names of agent processes, connections and events: they follow from what a thing is.

An agent's message is stored under `PROCESS:NUMBER`, the number it has on the stream of its process, so that two
clients which hear it, or one that reads the stream again, store it once. A client's answer to an agent's request is
stored under `PROCESS:answer:ID`, so that of two answers one is refused by the store, before it is sent.
"""

from __future__ import annotations

import re
from uuid import uuid4

from .acp.jsonrpc import Id, id_text

_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def new_process(agent: str) -> str:
    """A server id for a new process of an agent (upstream: `sdk-AGENT-RANDOM`)."""
    return f"sdk-{_NAME.sub('-', agent)[:40]}-{uuid4().hex}"


def new_connection(process: str) -> str:
    """A connection id: which client of which process."""
    return f"{process}/{uuid4().hex[:12]}"


def process_of(connection_id: str) -> str | None:
    """The process of a connection id, None for one that another client made up."""
    process, mark, client = connection_id.rpartition("/")
    return process if mark and process and client else None


def message_event(process: str, number: int) -> str:
    """The id of the event for an agent's message."""
    return f"{process}:{number}"


def message_number(process: str, event_id: str) -> int | None:
    """The number of the agent's message that is stored under this id, None for any other event."""
    prefix, mark, number = event_id.rpartition(":")
    return int(number) if mark and prefix == process and number.isascii() and number.isdigit() else None


def hole_event(process: str, first: int) -> str:
    """The id of the event that stands for messages which the server has no more."""
    return f"{process}:missing:{first}"


def answer_event(process: str, request_id: Id) -> str:
    """The id of the event for the answer to an agent's request."""
    return f"{process}:answer:{id_text(request_id)}"


def successor_event(connection_id: str) -> str:
    """The id of the event by which a process takes the place of the one that this connection led to.

    Of two clients that restore a session at the same time, one stores it; the other finds it stored and joins.
    """
    return f"{connection_id}:successor"
