"""SandboxAgent: a server of coding agents, with every message of every session stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from ..drivers.base import SessionPersistDriver
from ..drivers.defaults import with_defaults
from ..drivers.memory import InMemorySessionPersistDriver
from ..errors import EventConflictError, ServerError, UnknownSessionError
from ..transport import Transport
from ..transport.usual import usual_transport
from ..types import ListPage, SessionEvent, SessionRecord
from .opening import end_process, processes
from .restore import RestorePreview, read_history
from .server import AgentServer, Exchange
from .session import Session
from .settings import objects
from .surroundings import HISTORY_PENDING, SERVER_ID, Surroundings

if TYPE_CHECKING:
    from typing import Self

REPLAY_MAX_EVENTS = 50
REPLAY_MAX_CHARS = 12_000

MEMORY_EVENTS = 100_000
"""Events of each session in the store that is taken when none is given."""


class SandboxAgent:
    """A client of a sandbox-agent server. `SandboxAgent.connect` makes it; use it with `async with`."""

    def __init__(
        self,
        server: AgentServer,
        persist: SessionPersistDriver | None = None,
        replay_max_events: int = REPLAY_MAX_EVENTS,
        replay_max_chars: int = REPLAY_MAX_CHARS,
    ) -> None:
        if replay_max_events < 1 or replay_max_chars < 1:
            raise ValueError("replay_max_events and replay_max_chars must be at least 1")
        self._forgets = persist is None
        driver = persist or InMemorySessionPersistDriver(max_events_per_session=MEMORY_EVENTS)
        self._around = Surroundings(server, with_defaults(driver), replay_max_events, replay_max_chars)
        self._sessions: dict[str, Session] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @classmethod
    async def connect(
        cls,
        *,
        base_url: str,
        token: str | None = None,
        persist: SessionPersistDriver | None = None,
        replay_max_events: int = REPLAY_MAX_EVENTS,
        replay_max_chars: int = REPLAY_MAX_CHARS,
        transport: Transport | None = None,
    ) -> SandboxAgent:
        """A client of the server at this address, once that has said that it is well.

        `persist` is where sessions are kept: in memory when none is given, and then they and their agents end with this
        client. The token is sent in a header and kept nowhere else. A history that is replayed has at most
        `replay_max_events` events and `replay_max_chars` characters. Raises ValueError for an address or a token that
        cannot be one, ServerUnreachableError, ServerRefusedError, ServerError.
        """
        server = AgentServer(transport or usual_transport(), base_url, token)
        client = cls(server, persist, replay_max_events, replay_max_chars)
        try:
            await client.health()
        except BaseException:
            await server.aclose()
            raise
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.dispose()

    async def dispose(self, *, end_agents: bool | None = None) -> None:
        """Let go of all sessions and of the server. The store is left open: whoever made it closes it.

        The agents' processes go on, so that whoever comes next finds them, unless nobody could: with the store in
        memory that is taken when none is given, they end. `end_agents` says otherwise.
        """
        ends = self._forgets if end_agents is None else end_agents
        sessions, self._sessions = list(self._sessions.values()), {}
        await asyncio.gather(*(session.end() if ends else session.aclose() for session in sessions))
        await self._around.server.aclose()

    # the server

    @property
    def base_url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._around.server.base_url

    def on_exchange(self, listener: Callable[[Exchange], object]) -> Callable[[], None]:
        """Tell of each request to the server, when it begins and when it has ended; the returned function ends it."""
        return self._around.server.on_exchange(listener)

    async def health(self) -> dict[str, Any]:
        """`{"status": "ok"}`. Raises ServerError, also when something else than a sandbox-agent server answers."""
        told = await self._around.server.get("/v1/health")
        if not isinstance(told, dict) or "status" not in told:
            raise ServerError("this is not a sandbox-agent server: its health says something else", 200)
        return told

    async def list_agents(self, *, config: bool = False) -> list[dict[str, Any]]:
        """The agents that the server knows, as it gives them; with `config` also their options. Raises ServerError."""
        told = await self._around.server.get("/v1/agents", {"config": "true"} if config else None)
        return _objects(told, "agents")

    async def get_agent(self, agent: str, *, config: bool = False) -> dict[str, Any]:
        """One agent. Raises ServerError for one that the server does not know."""
        told = await self._around.server.get(f"/v1/agents/{_part(agent)}", {"config": "true"} if config else None)
        return told if isinstance(told, dict) else {}

    async def install_agent(self, agent: str, *, reinstall: bool = False) -> dict[str, Any]:
        """Have the server install an agent; this may take minutes. Raises ServerError."""
        told = await self._around.server.post(f"/v1/agents/{_part(agent)}/install", {"reinstall": reinstall})
        return told if isinstance(told, dict) else {}

    async def list_acp_servers(self) -> list[dict[str, Any]]:
        """The agent processes that run: `serverId`, `agent`, `createdAtMs`. Raises ServerError."""
        return _objects(await self._around.server.get("/v1/acp"), "servers")

    # sessions

    async def create_session(
        self,
        agent: str,
        id: str | None = None,  # noqa: A002 - upstream's name
        cwd: str | None = None,
        session_init: Mapping[str, Any] | None = None,
        model: str | None = None,
        mode: str | None = None,
        thought_level: str | None = None,
    ) -> Session:
        """A new session of an agent, in a process of its own; without an `id` it gets a random one.

        `cwd` is a folder of the server, "/" when neither it nor `session_init` names one; `session_init` are the
        parameters of ACP's session/new (`cwd`, `mcpServers`, …). Raises UnsupportedValueError for a mode, model or
        thought level that the agent does not offer: then nothing of the session stays. Raises EventConflictError when
        the id is in use, AgentError, ServerError, StoreError.
        """
        if not agent.strip():
            raise ValueError("agent is empty; list_agents() tells which there are")
        session_id = id or str(uuid4())
        init = {"cwd": cwd or "/", "mcpServers": [], **(session_init or {})}
        if cwd is not None:
            init["cwd"] = cwd
        async with self._lock(session_id):
            store = self._around.store
            if await store.get_session(session_id) is not None or await store.last_events(session_id, 1):
                raise EventConflictError.session_taken(session_id)
            session = Session(self._around, session_id)
            await session.create(agent.strip(), init)
            self._sessions[session_id] = session
        try:
            await _set_up(session, mode, model, thought_level)
        except BaseException:
            del self._sessions[session_id]
            await session.end()
            await store.delete_session(session_id)
            raise
        return session

    async def resume_session(self, id: str) -> Session:  # noqa: A002 - upstream's name
        """A stored session: at its running process, reading on from the last stored message, where the server has it
        still; else with a new process, which gets the history before the next prompt.

        Raises UnknownSessionError, AgentError, ServerError, StoreError.
        """
        async with self._lock(id):
            session = self._sessions.get(id)
            if session is None or session.is_let_go:
                session = Session(self._around, id)
            await session.resume()
            self._sessions[id] = session
            return session

    async def resume_or_create_session(
        self,
        agent: str,
        id: str,  # noqa: A002 - upstream's name
        cwd: str | None = None,
        session_init: Mapping[str, Any] | None = None,
        model: str | None = None,
        mode: str | None = None,
        thought_level: str | None = None,
    ) -> Session:
        """The stored session under this id, with these settings, or a new one. Raises as both of these do."""
        if await self._around.store.get_session(id) is None:
            return await self.create_session(agent, id, cwd, session_init, model, mode, thought_level)
        session = await self.resume_session(id)
        await _set_up(session, mode, model, thought_level)
        return session

    async def get_session(self, id: str) -> SessionRecord | None:  # noqa: A002 - upstream's name
        """The record under this id, or None. Raises StoreError."""
        return await self._around.store.get_session(id)

    async def list_sessions(self, *, cursor: str | None = None, limit: int | None = None) -> ListPage[SessionRecord]:
        """One page of the stored sessions, ordered by (created_at, id). Raises InvalidCursorError, StoreError."""
        return await self._around.store.list_sessions(cursor=cursor, limit=limit)

    async def get_events(
        self, session_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> ListPage[SessionEvent]:
        """One page of a session's events, in their order. Raises InvalidCursorError, StoreError."""
        return await self._around.store.list_events(session_id, cursor=cursor, limit=limit)

    async def destroy_session(self, id: str) -> SessionRecord:  # noqa: A002 - upstream's name
        """End a session: its turn, and its agent's process. What is stored stays, marked with the time.

        Resuming it begins it again. Raises UnknownSessionError, StoreError.
        """
        async with self._lock(id):
            store = self._around.store
            session = self._sessions.pop(id, None)
            if session is not None:
                await session.end()
            record = await store.get_session(id)
            if record is None:
                raise UnknownSessionError(id)
            process = record.extra.get(SERVER_ID)
            if session is None and isinstance(process, str):
                await self._end_if_running(process)
            record = replace(record, destroyed_at=int(time.time() * 1000))
            await store.update_session(record)
            return record

    async def restore_preview(self, session_id: str) -> RestorePreview:
        """What would be put before the next prompt if the agent had to begin anew. Raises UnknownSessionError,
        StoreError."""
        around = self._around
        record = await around.store.get_session(session_id)
        if record is None:
            raise UnknownSessionError(session_id)
        process = record.extra.get(SERVER_ID) if record.extra.get(HISTORY_PENDING) else None
        without = process if isinstance(process, str) else None
        return await read_history(
            around.store, session_id, around.replay_max_events, around.replay_max_chars, without=without
        )

    async def _end_if_running(self, process: str) -> None:
        try:
            is_running = process in await processes(self._around)
        except ServerError:
            return  # a server that is gone runs nothing
        if is_running:
            await end_process(self._around, process)

    def _lock(self, session_id: str) -> asyncio.Lock:
        return self._locks.setdefault(session_id, asyncio.Lock())


async def _set_up(session: Session, mode: str | None, model: str | None, thought_level: str | None) -> None:
    if mode:
        await session.set_mode(mode)
    if model:
        await session.set_model(model)
    if thought_level:
        await session.set_thought_level(thought_level)


def _objects(told: Any, name: str) -> list[dict[str, Any]]:
    found = objects(told.get(name)) if isinstance(told, dict) else None
    if found is None:
        raise ServerError(f"the server's answer has no list of {name}", 200)
    return found


def _part(text: str) -> str:
    return quote(text, safe="")
