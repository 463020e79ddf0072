"""The session of the page: in IndexedDB, with an agent that goes on while the page is reloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pyapp import IndexedDBSessionPersistDriver, PyappError, SandboxAgent, SessionEvent

tasks: set[asyncio.Task[None]] = set()


async def begin(server: str, show: Callable[[int, str], object]) -> Callable[[str], Awaitable[str]]:
    """Open the session, and show all its events, those that are stored and those that come; what gives it prompts."""
    client = await SandboxAgent.connect(base_url=server, persist=IndexedDBSessionPersistDriver())
    session = await client.resume_or_create_session("mock", "example")

    async def follow() -> None:
        async for event in session.events(after=0):
            show(event.event_index, in_words(event))

    async def prompt(text: str) -> str:
        try:
            return str((await session.prompt(text))["stopReason"])
        except PyappError as error:
            return str(error)

    task = asyncio.ensure_future(follow())
    tasks.add(task)
    return prompt


def in_words(event: SessionEvent) -> str:
    """One event in one line."""
    update = event.payload.get("params", {}).get("update", {})
    said = update.get("content", {}).get("text") if update.get("sessionUpdate") == "agent_message_chunk" else None
    what = update.get("sessionUpdate") or event.payload.get("method") or "response"
    return f"{event.sender}: {said or what}"
