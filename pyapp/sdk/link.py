"""One client at one agent process: what it sends is stored before it is sent, what it hears before anybody is told.

The bodies of answers are not read: every message of the agent, its responses among them, comes on the stream, in order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, Literal

from ..acp.jsonrpc import Id, Message, fresh_ids, kind, notification, request
from ..acp.messages import AGENT_EXITED
from ..drivers.base import SessionStore, check_event
from ..errors import (
    AgentError,
    AgentGoneError,
    AlreadyAnsweredError,
    EventConflictError,
    InvalidRecordError,
    ServerError,
    ServerUnreachableError,
)
from ..json_text import dump, with_numbers_as_text
from ..names import answer_event, hole_event, message_event
from ..types import EventDraft, Sender, SessionEvent
from .feed import EventFeed
from .server import AgentServer
from .stream import AgentStream, Heard, Hole, StreamMessage, unreadable
from .tail import find_event

SURELY_SENT = 5.0
"""Seconds after which a POST that breaks off has surely reached the agent: a proxy in between has lost its patience."""

SILENCE = 10.0
"""Seconds in which nothing of the agent comes, after which a request that may not have reached it is given up."""

MOST_OFFLINE = 60.0
"""Seconds for which a request waits while nothing answers."""


class NeverArrivedError(AgentGoneError):
    """The server has refused a request because the process is gone: the agent has not got it for sure.

    `event_id` is that of the event under which the request is stored all the same, "" when it was not stored either.
    """

    def __init__(self, refusal: AgentGoneError, event_id: str) -> None:
        super().__init__(str(refusal), refusal.status)
        self.event_id = event_id


Connection = Literal["connecting", "open", "reconnecting", "closed"]


class Link:
    """The way to one agent process, for one session.

    It ends when the process is gone, when the server refuses, or when the store fails: then `error` says why, and
    whoever waits gets that error. `on_connection` hears of each change.
    """

    def __init__(
        self,
        server: AgentServer,
        store: SessionStore,
        feed: EventFeed,
        session_id: str,
        process: str,
        connection_id: str,
        on_connection: Callable[[], None],
    ) -> None:
        self.process = process
        self.connection_id = connection_id
        self.connection: Connection = "connecting"
        self.error: Exception | None = None
        self._server = server
        self._store = store
        self._feed = feed
        self._session_id = session_id
        self._on_connection = on_connection
        self._ids = fresh_ids()
        self._waiting: dict[Id, tuple[str, asyncio.Future[Any]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._since = time.monotonic()
        self._heard_at = self._since

    # what this client sends

    async def start(self, agent: str, params: Message, event_id: str | None = None) -> Any:
        """Start the process with its first request, and listen. The agent's result; `event_id` names the stored event.

        Raises EventConflictError when that event is another client's, AgentError, ServerError, StoreError.
        """
        message = request(next(self._ids), "initialize", params)
        answer = self._expect(message)
        try:
            await self.store_own(message, event_id)
            await self._server.post_message(self.process, message, agent)
            self.listen(0)
            return await answer
        finally:
            self._forget(message)

    def listen(self, after: int) -> None:
        """Read the messages of the process behind the one with this number."""
        self._reader = asyncio.ensure_future(self._read(after))

    async def call(self, method: str, params: Message) -> Any:
        """The agent's result. A task that is cancelled aborts its request.

        Raises AgentError for the agent's error, what ends the link, and ServerUnreachableError when it cannot be known
        whether the agent has got the request.
        """
        if isinstance(self.error, AgentGoneError):
            raise NeverArrivedError(self.error, "")
        message = request(next(self._ids), method, params)
        answer = self._expect(message)
        post: asyncio.Task[None] | None = None
        try:
            event = await self.store_own(message)
            post = asyncio.ensure_future(self._server.post_message(self.process, message))
            post.add_done_callback(lambda done: done.cancelled() or done.exception())
            return await self._answered(answer, post, event.id)
        except BaseException:
            if post is not None:
                post.cancel()
            raise
        finally:
            self._forget(message)

    async def notify(self, method: str, params: Message) -> None:
        """Tell the agent something. Raises ServerError, StoreError."""
        message = notification(method, params)
        await self.store_own(message)
        await self._post(message)

    async def answer(self, request_id: Id, message: Message) -> None:
        """Answer a request of the agent. Raises AlreadyAnsweredError when another client was faster, ServerError."""
        draft = self._draft("client", message, answer_event(self.process, request_id))
        try:
            (event,) = await self._store.append_events(self._session_id, (draft,))
        except EventConflictError:
            raise AlreadyAnsweredError("this request of the agent was answered otherwise before") from None
        await self._feed.stored((event,))
        if event.connection_id == self.connection_id:
            await self._post(message)

    async def send_again(self, message: Message) -> None:
        """Send a stored message that may not have arrived. Raises ServerError."""
        await self._post(message)

    async def store_own(self, message: Message, event_id: str | None = None) -> SessionEvent:
        """Store what is going to be sent; the event. Raises StoreError, InvalidRecordError, EventConflictError."""
        self._check()
        draft = self._draft("client", message, event_id)
        events = await self._store.append_events(self._session_id, (draft,))
        await self._feed.stored(events)
        return events[0]

    # how it goes on

    async def settled(self) -> bool:
        """Wait until the connection is open or the link has ended, or `MOST_OFFLINE` seconds; whether it is open."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_OFFLINE):
                while self.connection in ("connecting", "reconnecting"):
                    self._changed.clear()
                    await self._changed.wait()
        return self.connection == "open"

    async def aclose(self) -> None:
        """Stop listening; the process goes on. Whoever waits gets a ServerError."""
        self._end(ServerError("this client has let go of the session"))
        if self._reader is not None:
            self._reader.cancel()
            with suppress(BaseException):
                await self._reader
        self._set("closed")

    async def _answered(self, answer: asyncio.Future[Any], post: asyncio.Future[None], event_id: str) -> Any:
        began = time.monotonic()
        await asyncio.wait({answer, post}, return_when=asyncio.FIRST_COMPLETED)
        is_sure = True
        if not answer.done() and post.exception() is not None:
            is_sure = time.monotonic() - began > SURELY_SENT
            self._take_refusal(post.exception(), event_id, is_sure)
        while not answer.done():
            await asyncio.wait({answer}, timeout=1.0)
            now = time.monotonic()
            if self.connection == "reconnecting" and now - self._since > MOST_OFFLINE:
                raise ServerUnreachableError(f"the server has not answered for {MOST_OFFLINE:.0f} seconds")
            if not is_sure and self.connection == "open" and now - max(self._since, self._heard_at, began) > SILENCE:
                raise ServerUnreachableError("the request broke off, and the agent may not have got it")
        return answer.result()

    def _take_refusal(self, error: BaseException | None, event_id: str, is_sure: bool) -> None:
        """What the server said to a request: an end, or something that the stream will settle.

        A server or a proxy may give up the answer to a long turn with a status of 500 or more; the agent goes on.
        """
        if isinstance(error, AgentGoneError):
            self._end(error)
            raise NeverArrivedError(error, event_id) from None
        if isinstance(error, ServerError) and is_sure and error.status >= 500:
            return
        if error is not None and not isinstance(error, ServerUnreachableError):
            raise error

    async def _post(self, message: Message) -> None:
        """Hand over what wants no response: once more where nothing answered, since it may come twice."""
        for pause in (0.2, 1.0, 3.0):
            self._check()
            try:
                await self._server.post_message(self.process, message)
            except ServerUnreachableError:
                await asyncio.sleep(pause)
            else:
                return
        await self._server.post_message(self.process, message)

    def _expect(self, message: Message) -> asyncio.Future[Any]:
        self._check()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may end unawaited
        self._waiting[message["id"]] = message["method"], answer
        return answer

    def _forget(self, message: Message) -> None:
        self._waiting.pop(message["id"], None)

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    # what it hears

    async def _read(self, after: int) -> None:
        stream = AgentStream(self._server, self.process, after, self._set)
        try:
            async with aclosing(stream.messages()) as batches:
                async for batch in batches:
                    self._heard_at = time.monotonic()
                    await self._feed.stored(await self._stored(batch))
                    for heard in batch:
                        self._settle(heard.message)
        except Exception as error:
            self._end(error)

    async def _stored(self, batch: Sequence[Heard]) -> Sequence[SessionEvent]:
        drafts = [self._heard_draft(one) for one in batch if not await self._is_known(one)]
        try:
            return await self._store.append_events(self._session_id, drafts)
        except InvalidRecordError:
            storable = [self._storable(draft) for draft in drafts]
            return await self._store.append_events(self._session_id, storable)

    async def _is_known(self, heard: Heard) -> bool:
        """Whether a hole is none, since another client has heard what is missing here."""
        if isinstance(heard, StreamMessage):
            return False
        event_id = message_event(self.process, heard.first)
        return await find_event(self._store, self._session_id, event_id) is not None

    def _heard_draft(self, heard: Heard) -> EventDraft:
        if isinstance(heard, Hole):
            return self._draft("client", heard.message, hole_event(self.process, heard.first))
        return self._draft("agent", heard.message, message_event(self.process, heard.number))

    def _storable(self, draft: EventDraft) -> EventDraft:
        """The draft as every store can give it back: where it is too long a number that stands in the way, with that as
        text; else with its whole text in place of the message."""
        exact = replace(draft, payload=with_numbers_as_text(draft.payload))
        for one in (draft, exact):
            try:
                check_event(self._session_id, one.at(self._session_id, 1))
            except InvalidRecordError as error:
                reason = str(error)
            else:
                return one
        return replace(draft, payload=unreadable(dump(draft.payload), reason))

    def _settle(self, message: Message) -> None:
        if message.get("method") == AGENT_EXITED:
            self._end(AgentGoneError("the agent's process has ended"))
        elif kind(message) == "response" and (waiting := self._waiting.get(message["id"])):
            method, answer = waiting
            if answer.done():
                return
            if "error" in message:
                answer.set_exception(_agent_error(method, message["error"]))
            else:
                answer.set_result(message["result"])

    def _draft(self, sender: Sender, message: Message, event_id: str | None = None) -> EventDraft:
        return EventDraft(sender, message, self.connection_id, int(time.time() * 1000), event_id)

    def _end(self, error: Exception) -> None:
        if self.error is None:
            self.error = error
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self.error)
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()
        self._set("closed")

    def _set(self, connection: Connection) -> None:
        if connection == self.connection or self.connection == "closed":
            return
        self.connection = connection
        self._since = time.monotonic()
        self._changed.set()
        self._on_connection()


def _agent_error(method: str, error: Any) -> AgentError:
    if not isinstance(error, dict):
        return AgentError(method, 0, str(error)[:500])
    code = error.get("code")
    return AgentError(
        method, code if isinstance(code, int) else 0, str(error.get("message", ""))[:500], error.get("data")
    )
