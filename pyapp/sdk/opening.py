"""How a session gets its agent process: a new one, the one that runs, or one in the place of one that is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ..acp.messages import (
    AUTHENTICATE,
    CLIENT,
    KEY_METHODS,
    NEW_SESSION,
    PROTOCOL_VERSION,
    SET_CONFIG_OPTION,
    SET_MODE,
)
from ..drivers.base import Key
from ..errors import AgentError, EventConflictError, ServerError, UnknownSessionError
from ..names import new_connection, new_process, process_of, successor_event
from ..types import SessionEvent, SessionRecord
from .feed import EventFeed
from .link import Link
from .settings import mode_to_set, objects, values_to_set
from .state import SessionState
from .surroundings import HISTORY_PENDING, SERVER_ID, Surroundings, with_fields
from .tail import find_event, read_tail

OTHERS_TIME = 20.0
"""Seconds that another client has for restoring a session that it has begun to restore."""

INITIALIZE_PARAMS: dict[str, Any] = {
    "protocolVersion": PROTOCOL_VERSION,
    "clientInfo": CLIENT,
    # an agent that asks all the same is told that there is no such method
    "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
}


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a session wants to hear of its link: each stored event, and changes of the connection."""

    event: Callable[[SessionEvent], None]
    connection: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session with its process."""

    record: SessionRecord
    state: SessionState
    feed: EventFeed
    link: Link


async def create(around: Surroundings, hooks: Hooks, agent: str, session_id: str, init: dict[str, Any]) -> Opened:
    """A new session with a process of its own. When that fails nothing of it stays.

    Raises AgentError, ServerError, StoreError.
    """
    record = SessionRecord(session_id, agent, "", "", int(time.time() * 1000), session_init=init)
    try:
        return await _begin(around, hooks, record, None)
    except BaseException:
        await around.store.delete_session(session_id)
        raise


async def resume(around: Surroundings, hooks: Hooks, session_id: str) -> Opened:
    """The session at the process that runs, where it does; else with a new one, which is given the history.

    Raises UnknownSessionError, AgentError, ServerError, StoreError.
    """
    record = await _record(around, session_id)
    while True:
        opened = await _attach(around, hooks, record)
        if opened is not None:
            return opened
        claim = successor_event(record.last_connection_id)
        try:
            return await _begin(around, hooks, record, claim)
        except EventConflictError:
            record = await _await_other(around, record, claim, time.monotonic() + OTHERS_TIME)


async def _attach(around: Surroundings, hooks: Hooks, record: SessionRecord) -> Opened | None:
    """The session at its running process, with what it said meanwhile still to come; None when that is gone."""
    tail = await read_tail(around.store, record.id)
    stored = record.extra.get(SERVER_ID)
    process = stored if isinstance(stored, str) else process_of(record.last_connection_id) or tail.process
    if process is None or process not in await processes(around):
        return None
    state = SessionState(process, record.modes, record.config_options)
    for event in tail.events:
        state.add(event)
    if state.exited:
        return None
    if record.destroyed_at is not None:
        record = replace(record, destroyed_at=None)
        await around.store.update_session(record)
    feed = _feed(around, hooks, record, tail.last, state)
    link = Link(around.server, around.store, feed, record.id, process, new_connection(process), hooks.connection)
    link.listen(tail.number(process))
    return Opened(record, state, feed, link)


async def _begin(around: Surroundings, hooks: Hooks, record: SessionRecord, claim: str | None) -> Opened:
    """Start a process for a session: a new one without a claim; with one that takes the place of another.

    The claim is the id of the event for the first request: the store takes one such event, so one client restores.
    """
    process = new_process(record.agent)
    last = await read_tail(around.store, record.id) if claim is not None else None
    state = SessionState(process)
    feed = _feed(around, hooks, record, last.last if last else (0, ""), state)
    link = Link(around.server, around.store, feed, record.id, process, new_connection(process), hooks.connection)
    try:
        told = await link.start(record.agent, INITIALIZE_PARAMS, claim)
        await _authenticate(link, told)
        agent_session_id = await _new_session(link, record, state)
        if claim is not None:
            await _settle_in(link, agent_session_id, record, state)
        record = replace(
            record,
            agent_session_id=agent_session_id,
            last_connection_id=link.connection_id,
            destroyed_at=None,
            modes=state.modes,
            config_options=state.config_options,
            extra=with_fields(record, **{SERVER_ID: process, HISTORY_PENDING: True if claim else None}),
        )
        await around.store.update_session(record)
    except BaseException as error:
        await link.aclose()
        if claim and isinstance(error, EventConflictError):
            raise
        await end_process(around, process)
        if claim:  # what was claimed is given back, so that the next attempt need not wait for this one
            await around.store.update_session(_without_process(record, link.connection_id))
        raise
    return Opened(record, state, feed, link)


def _feed(around: Surroundings, hooks: Hooks, record: SessionRecord, last: Key, state: SessionState) -> EventFeed:
    """The feed of a session's events behind the last that was read: they go to its state, then to whoever listens."""

    def hear(event: SessionEvent) -> None:
        state.add(event)
        hooks.event(event)

    return EventFeed(around.store, record.id, last, hear)


async def _authenticate(link: Link, told: Any) -> None:
    """Try the first way that needs only a key; go on if the agent refuses it (upstream's behaviour)."""
    methods = objects(told.get("authMethods")) if isinstance(told, dict) else None
    method = next((method["id"] for method in methods or () if method.get("id") in KEY_METHODS), None)
    if method is not None:
        try:
            await link.call(AUTHENTICATE, {"methodId": method})
        except AgentError:
            return


async def _new_session(link: Link, record: SessionRecord, state: SessionState) -> str:
    """The agent's id for a new session of it. Raises AgentError, ServerError."""
    session = await link.call(NEW_SESSION, record.session_init or {"cwd": "/", "mcpServers": []})
    agent_session_id = session.get("sessionId") if isinstance(session, dict) else None
    if not isinstance(agent_session_id, str):
        raise ServerError("the agent gave no session id")
    state.modes = session["modes"] if isinstance(session.get("modes"), dict) else None
    state.config_options = objects(session.get("configOptions"))
    return agent_session_id


async def _settle_in(link: Link, agent_session_id: str, record: SessionRecord, state: SessionState) -> None:
    """Set the mode and the options of before, as far as the new process has them; what it refuses stays as it is."""
    session = {"sessionId": agent_session_id}
    changes = [(SET_MODE, {"modeId": mode}) for mode in mode_to_set(record.modes, state.modes)]
    options = values_to_set(record.config_options or (), state.config_options or ())
    changes += [(SET_CONFIG_OPTION, {"configId": id_, "value": value}) for id_, value in options.items()]
    for method, change in changes:
        with suppress(AgentError):
            await link.call(method, session | change)


async def _await_other(around: Surroundings, record: SessionRecord, claim: str, deadline: float) -> SessionRecord:
    """The record as the client leaves it that was faster. When that takes too long, as if that one had failed."""
    while time.monotonic() < deadline:
        now = await _record(around, record.id)
        if now.last_connection_id != record.last_connection_id:
            return now
        await asyncio.sleep(0.1)
    event = await find_event(around.store, record.id, claim)
    if event is None:
        raise ServerError("another client has begun to restore this session and did not come to an end")
    return _without_process(record, event.connection_id)


def _without_process(record: SessionRecord, connection_id: str) -> SessionRecord:
    """The record after an attempt to give it a process failed: the next attempt takes the place of that one."""
    return replace(record, last_connection_id=connection_id, extra=with_fields(record, **{SERVER_ID: None}))


async def processes(around: Surroundings) -> set[str]:
    """The agent processes that the server runs. Raises ServerError."""
    told = await around.server.get("/v1/acp")
    servers = objects(told.get("servers")) if isinstance(told, dict) else None
    if servers is None:
        raise ServerError("the server does not say which agents it runs")
    return {server["serverId"] for server in servers if isinstance(server.get("serverId"), str)}


async def end_process(around: Surroundings, process: str) -> None:
    """End a process that nobody needs; one that is gone already is no error, nor is a server that is.

    Server 0.4.2 takes it off its list at once, and then neither answers nor ends it until the request is given up. So
    the list is asked, and the request given up.
    """
    ending = asyncio.ensure_future(around.server.end(process))
    ending.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        async with asyncio.timeout(5):
            while not ending.done():
                await asyncio.wait({ending}, timeout=0.1)
                if not ending.done() and process not in await processes(around):
                    return
    except (ServerError, TimeoutError):
        return
    finally:
        ending.cancel()


async def _record(around: Surroundings, session_id: str) -> SessionRecord:
    record = await around.store.get_session(session_id)
    if record is None:
        raise UnknownSessionError(session_id)
    return record
