"""What a Rivet actor tells those who are connected: which sessions changed, and which events were stored.

There is one socket for all who listen, as long as somebody does. It may break, and what was told meanwhile is lost: so
after each opening listeners hear that everything may have changed, and who follows a session reads on from the store.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

from ...errors import InvalidRecordError, ServerUnreachableError, StoreError
from ...listeners import Listeners
from ...transport import Socket, Sockets
from ...types import SessionEvent
from ..base import StoreChange
from ..gathering import Gathering
from .actor import RivetActor
from .rows import from_actor, read_answer

CHANGED, STORED = "sessionsChanged", "sessionEvent"
"""The actor's events: a list of session ids, and the row of a stored event."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a broken socket is opened again; each time twice as long, up to the longest."""

INTERVAL = 0.05
"""Seconds for which changes are gathered before a listener hears of them."""

News = StoreChange | SessionEvent


class RivetNews:
    """Tells listeners of changes, from the first to the last of them."""

    def __init__(self, actor: RivetActor, sockets: Sockets) -> None:
        self._actor = actor
        self._sockets = sockets
        self._listeners: Listeners[News] = Listeners()
        self._listening = 0
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        """Those that are closing their sockets."""

    def listen(self, listener: Callable[[News], object]) -> Callable[[], None]:
        """Tell `listener` until the returned function is called. The first word is that everything may have changed."""
        stop = self._listeners.add(listener)
        self._listening += 1
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        ended = False

        def end() -> None:
            nonlocal ended
            if not ended:
                ended = True
                stop()
                self._listening -= 1
                if not self._listening:
                    self._stop()

        return end

    async def aclose(self) -> None:
        """Tell nobody any more."""
        self._stop()
        if self._ending:
            await asyncio.wait(self._ending)

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                address, protocols = await self._actor.socket_address()
                async with self._sockets.open(address, protocols) as socket:
                    for name in (CHANGED, STORED):
                        await socket.send(_subscription(name))
                    self._listeners.tell(StoreChange(everything=True))
                    pause = FIRST_PAUSE
                    await self._hear(socket)
            except (ServerUnreachableError, StoreError):
                await asyncio.sleep(random.uniform(0.5, 1.0) * pause)
                pause = min(LONGEST_PAUSE, 2 * pause)

    async def _hear(self, socket: Socket) -> None:
        while True:
            for news in _news(await socket.receive()):
                self._listeners.tell(news)


def gather(gathering: Gathering, news: News) -> None:
    """Gather news as changes: a stored event changes its session."""
    if isinstance(news, SessionEvent):
        gathering.touch((news.session_id,))
    else:
        gathering.add(news)


def _subscription(name: str) -> str:
    return json.dumps({"body": {"tag": "SubscriptionRequest", "val": {"eventName": name, "subscribe": True}}})


def _news(text: str) -> list[News]:
    """What a message tells; what cannot be read may have been anything."""
    try:
        message = read_answer(text)
    except ValueError:
        return [StoreChange(everything=True)]
    match message:
        case {"body": {"tag": "Event", "val": {"name": str(name), "args": [value, *_]}}}:
            return [_told(name, value)]
    return []


def _told(name: str, value: Any) -> News:
    if name == CHANGED and isinstance(value, list):
        return StoreChange(frozenset(str(id_) for id_ in value))
    try:
        return SessionEvent.from_row(from_actor(value))
    except (InvalidRecordError, ValueError):
        return StoreChange(everything=True)
