"""One session as a program holds it: prompts, settings, permissions, and what it hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..acp.jsonrpc import METHOD_NOT_FOUND, Message, error_response, response
from ..acp.messages import (
    CANCEL,
    CANCELLED,
    PROMPT,
    SET_CONFIG_OPTION,
    SET_MODE,
    PermissionRequest,
    Reply,
    content_blocks,
    selected,
)
from ..drivers.base import ObservableStore, StoreChange, cursor_after
from ..errors import (
    AgentError,
    AgentGoneError,
    AlreadyAnsweredError,
    PromptInterruptedError,
    ServerError,
    ServerUnreachableError,
    UnknownSessionError,
    UnsupportedValueError,
)
from ..listeners import Listeners
from ..types import Row, SessionEvent, SessionRecord
from . import stream
from .link import MOST_OFFLINE, Connection, NeverArrivedError
from .opening import Hooks, Opened, create, end_process, resume
from .restore import read_history
from .settings import check_mode, check_option, mode_ids, option_of
from .state import AgentRequest
from .surroundings import HISTORY_PENDING, SERVER_ID, Surroundings, with_fields

CATCH_UP = 0.05
"""Seconds from the word that others wrote to the reading of it: what comes together is read together."""

MOST_RESUMES = 3
"""How often a process is looked for, or begun, before a call gives up: one may go away while it is attached to."""


class Session:
    """A session with its agent. `SandboxAgent` makes it.

    What is heard is stored before, and comes in the order of the store, from whichever client. When the agent's process
    is gone, the next call that needs it gives the session a new one, and the next prompt brings it the history.
    """

    def __init__(self, around: Surroundings, session_id: str) -> None:
        self._around = around
        self._id = session_id
        self._opened: Opened | None = None
        self._record: SessionRecord | None = None
        self._opening = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._hooks = Hooks(self._heard, self._state_changed)
        self._events: Listeners[SessionEvent] = Listeners()
        self._states: Listeners[Session] = Listeners()
        self._permissions: Listeners[PermissionRequest] = Listeners()
        self._own_prompts = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._catching_up = False
        self._closed = False
        self._stop_observing: Callable[[], None] = lambda: None

    # what it is

    @property
    def id(self) -> str:
        """The id under which the session is stored."""
        return self._id

    @property
    def record(self) -> SessionRecord:
        """The record as this client knows it; `refresh` reads it anew."""
        assert self._record is not None, "a session is opened before anybody gets it"
        return self._record

    def to_record(self) -> Row:
        """The record as upstream's camelCase row."""
        return self.record.to_row()

    @property
    def state(self) -> Connection:
        """connecting, open, reconnecting, or closed: then the next call that needs the agent opens it again."""
        return self._opened.link.connection if self._opened else "closed"

    @property
    def error(self) -> Exception | None:
        """Why the state is "closed", None otherwise."""
        return self._opened.link.error if self._opened else None

    @property
    def is_let_go(self) -> bool:
        """Whether `aclose` was called. Then this object is of no more use, and resuming the session gives another."""
        return self._closed

    @property
    def running(self) -> bool:
        """Whether a turn is under way, whichever client began it."""
        return self._opened is not None and self.state != "closed" and self._opened.state.running

    @property
    def modes(self) -> Mapping[str, Any] | None:
        """`currentModeId` and `availableModes` as the agent told them, None for an agent without modes."""
        return self._opened.state.modes if self._opened else self.record.modes

    @property
    def config_options(self) -> Sequence[Mapping[str, Any]]:
        """The agent's config options with their current values."""
        return (self._opened.state.config_options if self._opened else self.record.config_options) or []

    @property
    def permission_requests(self) -> tuple[PermissionRequest, ...]:
        """What the agent asks and nobody has answered."""
        return self._opened.state.permission_requests if self._opened and self.state != "closed" else ()

    async def refresh(self) -> SessionRecord:
        """The record as it is stored now. Raises UnknownSessionError, StoreError."""
        record = await self._around.store.get_session(self._id)
        if record is None:
            raise UnknownSessionError(self._id)
        self._record = record
        return record

    # what it does

    async def prompt(self, content: str | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """One turn: give the agent a text, or content blocks, and wait for its end. The agent's result: `stopReason`.

        A session that has lost its process is restored before. Raises PromptInterruptedError when the process or the
        server goes away meanwhile, AgentError when the agent refuses, ServerError, StoreError.
        """
        blocks = content_blocks(content)
        self._own_prompts += 1
        try:
            never_arrived: list[str] = []
            while True:
                try:
                    return await self._prompt(blocks, never_arrived)
                except NeverArrivedError as lost:  # gone before it got the prompt: a new process may have it
                    never_arrived.append(lost.event_id)
                    if len(never_arrived) == MOST_RESUMES:
                        raise
        finally:
            self._own_prompts -= 1

    async def _prompt(self, blocks: Sequence[Mapping[str, Any]], never_arrived: Sequence[str]) -> dict[str, Any]:
        """The prompt, behind the history where that is due; `never_arrived` are the events of earlier attempts."""
        opened = await self._live()
        params: Message = {"sessionId": self.record.agent_session_id, "prompt": blocks}
        if self.record.extra.get(HISTORY_PENDING):
            around = self._around
            history = await read_history(
                around.store,
                self._id,
                around.replay_max_events,
                around.replay_max_chars,
                without=opened.link.process,
                never_arrived=never_arrived,
            )
            if history.text:
                params["prompt"] = [{"type": "text", "text": history.text}, *blocks]
            await self._save(extra={HISTORY_PENDING: None})
        try:
            result = await opened.link.call(PROMPT, params)
        except NeverArrivedError:
            raise
        except (AgentGoneError, ServerUnreachableError) as error:
            raise PromptInterruptedError(
                "the turn was cut off and is not repeated, since the agent may have run it, or a part of it. "
                f"The session goes on with the next prompt. ({error})"
            ) from error
        return result if isinstance(result, dict) else {}

    async def cancel(self) -> None:
        """Ask the agent to end the turn that is under way; what it waits for is answered with "cancelled".

        Raises ServerError, StoreError; nothing is done where no turn runs.
        """
        opened = self._opened
        if opened is None or not self.running:
            return
        await opened.link.notify(CANCEL, {"sessionId": self.record.agent_session_id})
        for request in list(opened.state.requests.values()):
            if request.permission:
                await self._answer(opened, request, CANCELLED)

    async def set_mode(self, mode_id: str) -> None:
        """Change the mode. Raises UnsupportedValueError, AgentError, ServerError, StoreError."""
        opened = await self._live()
        option = option_of(self.config_options, "mode")
        if not mode_ids(opened.state.modes) and option is not None:
            await self.set_config_option(str(option.get("id")), mode_id)
            return
        check_mode(opened.state.modes, mode_id)
        params = {"sessionId": self.record.agent_session_id, "modeId": mode_id}
        try:
            await opened.link.call(SET_MODE, params)
        except AgentError as error:
            if error.code != METHOD_NOT_FOUND or option is None:
                raise
            await self.set_config_option(str(option.get("id")), mode_id)
        await self._save_settings()

    async def set_model(self, model: str) -> None:
        """Change the model. Raises as `set_config_option` does."""
        await self._set_category("model", model)

    async def set_thought_level(self, level: str) -> None:
        """Change how much the agent thinks. Raises as `set_config_option` does."""
        await self._set_category("thought_level", level)

    async def set_config_option(self, config_id: str, value: str) -> None:
        """Change an option. Raises UnsupportedValueError, AgentError, ServerError, StoreError."""
        opened = await self._live()
        check_option(self.config_options, config_id, value)
        params = {"sessionId": self.record.agent_session_id, "configId": config_id, "value": value}
        await opened.link.call(SET_CONFIG_OPTION, params)
        await self._save_settings()

    async def respond_permission(
        self, request_id: str, reply: Reply | None = None, *, option_id: str | None = None
    ) -> None:
        """Answer a permission request, by what is meant (once, always, reject) or by one of its options.

        Raises AlreadyAnsweredError, UnsupportedValueError, ServerError, StoreError; ValueError for no answer or two.
        """
        if (reply is None) == (option_id is None):
            raise ValueError("answer with a reply or with an option_id")
        opened = self._opened
        request = opened.state.requests.get(request_id) if opened else None
        if opened is None or request is None or request.permission is None:
            raise AlreadyAnsweredError(
                "no permission request waits under this id: it was answered, or its turn is over"
            )
        permission = request.permission
        if reply is not None:
            option_id = permission.option(reply).id
        elif option_id not in (offered := [option.id for option in permission.options]):
            raise UnsupportedValueError("option", str(option_id), offered)
        await self._answer(opened, request, selected(str(option_id)))

    async def aclose(self) -> None:
        """Let go of the session: nothing more is heard or stored here. The agent's process goes on."""
        self._closed = True
        self._stop_observing()
        if self._opened is not None:
            await self._opened.link.aclose()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._state_changed()

    async def end(self) -> None:
        """Cancel what runs, and end the agent's process."""
        opened = self._opened
        if opened is not None and self.state != "closed":
            with suppress(ServerError):  # it ends all the same
                await self.cancel()
        process = opened.link.process if opened else self.record.extra.get(SERVER_ID)
        await self.aclose()
        if isinstance(process, str):
            await end_process(self._around, process)

    # what it hears

    def on_event(self, listener: Callable[[SessionEvent], object]) -> Callable[[], None]:
        """Tell of every event from now on, in order, once it is stored; the returned function ends it."""
        return self._events.add(listener)

    def on_state(self, listener: Callable[[Session], object]) -> Callable[[], None]:
        """Tell when `state`, `running`, the settings or the permission requests may have changed."""
        return self._states.add(listener)

    def on_permission_request(self, listener: Callable[[PermissionRequest], object]) -> Callable[[], None]:
        """Tell of each permission request, those that wait at once; the returned function ends it.

        Where this client prompts and nobody listens, requests are answered with "cancelled", as upstream does it.
        """
        for request in self.permission_requests:
            listener(request)
        return self._permissions.add(listener)

    async def events(self, after: int | None = None) -> AsyncIterator[SessionEvent]:
        """The events behind the index `after`, 0 for all, and those that come, until the session is closed here.

        None begins with the next event. They are read from the store, page by page, however slowly they are taken.
        Raises StoreError.
        """
        last = self._opened.feed.last if after is None and self._opened else (after or 0, "\uffff")
        more = asyncio.Event()
        stops = [self.on_event(lambda _event: more.set()), self.on_state(lambda _session: more.set())]
        try:
            while True:
                more.clear()
                page = await self._around.store.list_events(self._id, cursor=cursor_after("events", last))
                for event in page.items:
                    last = event.key
                    yield event
                if page.next_cursor is None and not more.is_set():
                    if self._closed:
                        return
                    await more.wait()
        finally:
            for stop in stops:
                stop()

    # how it is opened, for SandboxAgent

    async def create(self, agent: str, init: dict[str, Any]) -> None:
        """Begin it. Raises AgentError, ServerError, StoreError."""
        self._take(await create(self._around, self._hooks, agent, self._id, init))

    async def resume(self) -> None:
        """Open it where it is stored. Raises UnknownSessionError, AgentError, ServerError, StoreError."""
        await self._live()

    async def _live(self) -> Opened:
        """The session with an agent process, which is the one that it has, or had, or a new one."""
        if self._closed:
            raise ServerError("this session was closed here; resume it")
        async with self._opening:
            error: Exception | None = None
            for _ in range(MOST_RESUMES):
                try:
                    opened = self._opened
                    if opened is None or opened.link.connection == "closed":
                        opened = await self._resumed()
                        self._take(opened)
                    if await opened.link.settled():
                        return opened
                    error = opened.link.error
                    if error is not None:
                        raise error
                except AgentGoneError as gone:
                    error = gone
            raise error or ServerUnreachableError("the server does not answer; it is tried again all the time")

    async def _resumed(self) -> Opened:
        """The session opened where it is stored. One that was open before is patient with a server that is away."""
        pauses = stream.pauses() if self._opened else iter(())
        deadline = time.monotonic() + MOST_OFFLINE
        while True:
            try:
                return await resume(self._around, self._hooks, self._id)
            except ServerUnreachableError:
                pause = next(pauses, None)
                if pause is None or time.monotonic() + pause > deadline:
                    raise
                await asyncio.sleep(pause)

    def _take(self, opened: Opened) -> None:
        self._opened = opened
        self._record = opened.record
        store = self._around.store
        self._stop_observing()
        if isinstance(store, ObservableStore):
            self._stop_observing = store.on_change(self._store_changed)
        for message in opened.state.unsure:
            self._start(opened.link.send_again(message))
        for request in list(opened.state.requests.values()):
            self._asked(opened, request)
        self._state_changed()

    # what comes in

    def _heard(self, event: SessionEvent) -> None:
        self._events.tell(event)
        opened = self._opened
        if opened is None:
            return
        if event.sender == "agent" and "method" in event.payload and "id" in event.payload:
            for request in list(opened.state.requests.values()):
                if request.id == event.payload["id"]:
                    self._asked(opened, request)
        if event.payload.get("method") != "session/update" or _is_setting(event):
            self._state_changed()
            if _is_setting(event):
                self._start(self._save_settings())

    def _asked(self, opened: Opened, request: AgentRequest) -> None:
        """The agent asks for something: a permission goes to whoever listens, all else this client has not."""
        if request.permission is None:
            refusal = error_response(request.id, METHOD_NOT_FOUND, f"this client has no {request.method[:100]}")
            self._start(opened.link.answer(request.id, refusal))
        elif self._permissions:
            self._permissions.tell(request.permission)
        elif self._own_prompts:
            self._start(self._answer(opened, request, CANCELLED))

    async def _answer(self, opened: Opened, request: AgentRequest, result: Message) -> None:
        await opened.link.answer(request.id, response(request.id, result))

    def _store_changed(self, change: StoreChange) -> None:
        """Another client may have written: what it stored is told here, too."""
        if (change.everything or self._id in change.session_ids) and not self._catching_up and not self._closed:
            self._catching_up = True
            self._start(self._catch_up())

    async def _catch_up(self) -> None:
        try:
            await asyncio.sleep(CATCH_UP)
        finally:
            self._catching_up = False
        if self._opened is not None:
            await self._opened.feed.catch_up()

    def _state_changed(self) -> None:
        self._states.tell(self)

    # settings

    async def _set_category(self, category: str, value: str) -> None:
        await self._live()
        option = option_of(self.config_options, category)
        if option is None:
            raise UnsupportedValueError(category, value, ())
        await self.set_config_option(str(option.get("id")), value)

    async def _save_settings(self) -> None:
        """Keep modes and options in the record."""
        if self._opened is not None:
            state = self._opened.state
            await self._save(modes=state.modes, config_options=state.config_options)
            self._state_changed()

    async def _save(self, extra: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Change the record as it is stored now, and nothing else of it. Raises UnknownSessionError, StoreError."""
        async with self._saving:
            stored = await self.refresh()
            changed = replace(stored, **fields, extra=with_fields(stored, **(extra or {})))
            if changed != stored:
                await self._around.store.update_session(changed)
                self._record = changed

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """What is done aside and fails ends nothing: it is told, and the next call meets its cause."""
        try:
            await work
        except (AlreadyAnsweredError, ServerError):
            pass  # another client answered; or the link's own end tells it
        except Exception as error:
            context = {"message": f"session {self._id!r}: {error}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


def _is_setting(event: SessionEvent) -> bool:
    params = event.payload.get("params")
    update = params.get("update") if event.sender == "agent" and isinstance(params, dict) else None
    return isinstance(update, dict) and update.get("sessionUpdate") in ("current_mode_update", "config_option_update")
