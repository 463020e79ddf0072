"""Carries out what is wanted done about servers and live sessions. The token is here, and goes to the client alone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from ..acp.messages import PROMPT
from ..drivers.base import SessionStore
from ..errors import AgentError, PromptInterruptedError, PyappError, ServerRefusedError
from ..inspector.incoming import SERVER
from ..inspector.live import effects as fx
from ..inspector.live.messages import (
    Attached,
    Connected,
    ConnectFailed,
    Created,
    Installed,
    LiveMessage,
    NotAttached,
    NotCreated,
    NotDone,
    NotSent,
    TrafficTold,
)
from ..inspector.live.values import AgentChoice, LiveSession, Traffic, settings_of
from ..sdk.client import SandboxAgent
from ..sdk.server import AgentServer, Exchange
from ..sdk.session import Session
from ..transport.address import check_base_url
from ..types import SessionEvent
from .reachability import advice, refusal
from .world import World

Work = Coroutine[Any, Any, None]


class LiveKeeper:
    """Owns the clients, one for each database that was used since the connection, and their sessions."""

    def __init__(
        self,
        world: World,
        send: Callable[[LiveMessage], None],
        start: Callable[[Work], asyncio.Task[None]],
        open_store: Callable[[str], Awaitable[SessionStore]],
    ) -> None:
        self._world = world
        self._send = send
        self._start = start
        self._open_store = open_store
        self._url = ""
        self._token: str | None = None
        self._numbers = itertools.count(1)
        self._clients: dict[str, SandboxAgent] = {}
        self._sessions: dict[str, Session] = {}
        self._told: dict[str, LiveSession] = {}
        self._connecting: asyncio.Task[None] | None = None
        self._creating: asyncio.Task[None] | None = None

    def carry_out(self, effect: fx.LiveEffect) -> None:
        """Do it, or begin to."""
        match effect:
            case fx.Connect():
                self._connecting = self._start(self._connect(effect))
            case fx.StopConnecting():
                _cancel(self._connecting)
            case fx.Disconnect():
                self._start(self._disconnect())
            case fx.Install(agent):
                self._creating = self._start(self._install(agent))
            case fx.Create():
                self._creating = self._start(self._create(effect))
            case fx.StopCreating():
                _cancel(self._creating)
            case fx.Attach(database, session_id):
                self._start(self._attach(database, session_id))
            case fx.Detach(session_id):
                self._start(self._let_go(session_id))
            case fx.Prompt(session_id, text) if session := self._sessions.get(session_id):
                self._start(self._prompt(session, text))
            case fx.Prompt(session_id, text):
                self._send(NotSent(session_id, text, "the session is not attached to its agent; resume it"))
            case fx.RememberServer(url):
                self._world.post({"type": "remember", "name": SERVER, "text": url})
            case _ if session := self._sessions.get(effect.session_id):
                self._start(self._ask(session, effect))

    # the connection

    async def _connect(self, effect: fx.Connect) -> None:
        try:
            url = check_base_url(effect.url)
        except ValueError as error:
            self._send(ConnectFailed(f"This cannot be used: {error}.", wrong="url"))
            return
        if reason := refusal(url, self._world.origin):
            self._send(ConnectFailed(reason, wrong="url"))
            return
        try:
            store = await self._open_store("")
            client = await self._reach(url, effect.token or None, store)
        except ValueError as error:
            self._send(ConnectFailed(f"This cannot be used: {error}.", wrong="token"))
            return
        except PyappError as error:
            self._send(self._failed(error, url))
            return
        try:
            agents = await _agents(client)
        except BaseException as error:
            await client.dispose()
            if not isinstance(error, PyappError):
                raise
            self._send(self._failed(error, url))
            return
        await self._disconnect()
        self._url, self._token = url, effect.token or None
        self._clients[""] = client
        self._send(Connected(url, agents))

    def _failed(self, error: PyappError, url: str) -> ConnectFailed:
        fault, to_do = advice(error, url, self._world.origin)
        return ConnectFailed(fault, to_do, "token" if isinstance(error, ServerRefusedError) else "")

    async def _disconnect(self) -> None:
        clients, self._clients, self._sessions, self._told = self._clients, {}, {}, {}
        self._token = None
        for client in clients.values():
            await client.dispose(end_agents=False)

    async def _client(self, database: str) -> SandboxAgent:
        """The client that stores in this database."""
        if database not in self._clients:
            store = await self._open_store(database)
            self._clients[database] = await self._reach(self._url, self._token, store)
        return self._clients[database]

    async def _reach(self, url: str, token: str | None, store: SessionStore) -> SandboxAgent:
        """A client of a server that is well; every request is told of, the first one too. Raises ValueError,
        ServerError."""
        server = AgentServer(self._world.transport(), url, token)
        server.on_exchange(self._watcher())
        client = SandboxAgent(server, store)
        try:
            await client.health()
        except BaseException:
            await client.dispose()
            raise
        return client

    def _watcher(self) -> Callable[[Exchange], None]:
        """Tells of the requests of one client. Each client counts its own from 1, the page counts all of them."""
        numbers: dict[int, int] = {}

        def tell(exchange: Exchange) -> None:
            if exchange.id not in numbers:
                numbers[exchange.id] = next(self._numbers)
            number = numbers[exchange.id] if exchange.took is None else numbers.pop(exchange.id)
            self._send(TrafficTold(_traffic(exchange, number)))

        return tell

    async def _install(self, agent: str) -> None:
        try:
            client = await self._client("")
            await client.install_agent(agent)
            self._send(Installed(await _agents(client)))
        except PyappError as error:
            self._send(Installed(fault=f"It was not installed: {error}."))

    # sessions

    async def _create(self, effect: fx.Create) -> None:
        try:
            client = await self._client(effect.database)
            session = await client.create_session(
                effect.agent,
                cwd=effect.cwd or None,
                mode=effect.chosen.get("mode"),
                model=effect.chosen.get("model"),
                thought_level=effect.chosen.get("thought_level"),
            )
        except (PyappError, ValueError) as error:
            self._send(NotCreated(f"The session was not begun: {error}."))
            return
        self._send(Created(self._hold(session)))

    async def _attach(self, database: str, session_id: str) -> None:
        try:
            client = await self._client(database)
            session = await client.resume_session(session_id)
        except PyappError as error:
            self._send(NotAttached(session_id, str(error)))
            return
        self._send(Attached(self._hold(session)))

    def _hold(self, session: Session) -> LiveSession:
        if self._sessions.get(session.id) is not session:
            self._sessions[session.id] = session
            session.on_permission_request(lambda _request: None)  # the page answers: nothing is refused by itself
            session.on_state(self._state_changed)
        self._told[session.id] = _live(session)
        return self._told[session.id]

    def _state_changed(self, session: Session) -> None:
        now = _live(session)
        if self._sessions.get(session.id) is session and now != self._told.get(session.id):
            self._told[session.id] = now
            self._send(Attached(now))

    async def end(self, session_id: str) -> None:
        """End the agent of a session that is about to be deleted: it would write on."""
        if session := self._sessions.pop(session_id, None):
            with suppress(PyappError):  # a server that is gone runs nothing
                await session.end()

    async def _let_go(self, session_id: str) -> None:
        if session := self._sessions.pop(session_id, None):
            await session.aclose()

    async def _prompt(self, session: Session, text: str) -> None:
        stored: list[SessionEvent] = []
        stop = session.on_event(lambda event: stored.append(event) if _is_prompt(event) else None)
        try:
            await session.prompt(text)
        except AgentError:
            return  # the transcript shows it
        except PyappError as error:
            if self._sessions.get(session.id) is not session and stored:
                return  # the user has let go of it; the turn goes on without this page
            arrived = isinstance(error, PromptInterruptedError)
            self._send(NotSent(session.id, text, str(error), arrived=arrived))
        finally:
            stop()

    async def _ask(self, session: Session, effect: fx.CancelTurn | fx.Answer | fx.Choose) -> None:
        try:
            match effect:
                case fx.CancelTurn():
                    await session.cancel()
                case fx.Answer(_, request_id, option_id):
                    await session.respond_permission(request_id, option_id=option_id)
                case fx.Choose(_, "mode", value):
                    await session.set_mode(value)
                case fx.Choose(_, "model", value):
                    await session.set_model(value)
                case fx.Choose(_, _, value):
                    await session.set_thought_level(value)
        except PyappError as error:
            if self._sessions.get(session.id) is session:
                self._send(NotDone(str(error)))


def _is_prompt(event: SessionEvent) -> bool:
    return event.sender == "client" and event.payload.get("method") == PROMPT


async def _agents(client: SandboxAgent) -> tuple[AgentChoice, ...]:
    return tuple(
        AgentChoice(str(agent["id"])[:200], agent.get("installed") is True, settings_of(agent.get("configOptions")))
        for agent in await client.list_agents(config=True)
        if isinstance(agent.get("id"), str)
    )


def _live(session: Session) -> LiveSession:
    return LiveSession(
        session.id,
        session.state,
        session.running,
        settings_of(session.config_options, session.modes),
        frozenset(request.id for request in session.permission_requests),
        str(session.error or ""),
    )


def _traffic(exchange: Exchange, number: int) -> Traffic:
    return Traffic(
        number,
        exchange.method,
        exchange.path[:500],
        exchange.started_at,
        exchange.message,
        exchange.status,
        exchange.took,
        exchange.error[:500],
    )


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
