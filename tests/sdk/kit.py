"""What the tests of the SDK share: a client of a server in memory, and the truth that its store is held against."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from pyapp import (
    InMemorySessionPersistDriver,
    PermissionRequest,
    SandboxAgent,
    ServerError,
    Session,
    SessionEvent,
    SessionPersistDriver,
)
from pyapp.acp.jsonrpc import Message
from pyapp.sdk.memory import InMemoryAgentServer
from pyapp.transport import Transport

from .agents import Agent, Turn, echo

T = TypeVar("T")
LIMIT = 30


def run(work: Coroutine[Any, Any, T], limit: float = LIMIT) -> T:
    """Run a test, for `limit` seconds at most; what goes wrong in a task of the background fails it, too."""

    async def watched() -> T:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
        async with asyncio.timeout(limit):
            result = await work
        assert not failures, failures
        return result

    return asyncio.run(watched())


class Place:
    """A server in memory with one agent, a store, and clients of both."""

    def __init__(self, turn: Turn = echo, store: SessionPersistDriver | None = None) -> None:
        self.agent = Agent(turn)
        self.server = InMemoryAgentServer({"mock": self.agent})
        self.store = store or InMemorySessionPersistDriver(max_events_per_session=1_000_000)

    async def client(self, transport: Transport | None = None, **options: Any) -> SandboxAgent:
        return await SandboxAgent.connect(
            base_url="http://memory", transport=transport or self.server.transport(), persist=self.store, **options
        )

    async def events(self, session_id: str) -> list[SessionEvent]:
        page = await self.store.list_events(session_id, limit=1_000_000)
        return list(page.items)

    def said(self, process: str) -> list[Message]:
        """All that an agent's process has said, as its stream has it."""
        return self.server.said(process)


def process_of(place: Place) -> str:
    """The only process that the server runs."""
    (process,) = place.server.processes
    return process


def agent_messages(events: list[SessionEvent]) -> list[Message]:
    """The messages of the agent, in the order of the store."""
    return [event.payload for event in events if event.sender == "agent"]


def assert_no_gaps(events: list[SessionEvent]) -> None:
    assert [event.event_index for event in events] == list(range(1, len(events) + 1))
    assert len({event.id for event in events}) == len(events)


async def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(LIMIT):
        while not true():  # noqa: ASYNC110 - whatever it is, of whatever part, with no event of its own
            await asyncio.sleep(0.001)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def text_of(events: list[SessionEvent]) -> str:
    """The words of the agent."""
    updates = [event.payload.get("params", {}).get("update", {}) for event in events]
    return " ".join(
        update["content"]["text"] for update in updates if update.get("sessionUpdate") == "agent_message_chunk"
    )


def size(value: Any) -> int:
    return len(json.dumps(value))


def allow_all(session: Session) -> None:
    """Answer each permission request with "once"; one whose process goes away meanwhile needs no answer."""

    async def answer(request: PermissionRequest) -> None:
        with suppress(ServerError):
            await session.respond_permission(request.id, "once")

    answers: set[asyncio.Task[None]] = set()
    session.on_permission_request(lambda request: answers.add(asyncio.ensure_future(answer(request))))
