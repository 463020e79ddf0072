"""What an agent process says, as messages in true order, each once, through broken connections.

The server numbers its messages 1, 2, 3, … and keeps them: whoever comes back names the last one that he has, and
reads on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from ..acp.jsonrpc import Message, notification, parse
from ..acp.sse import ServerSentEvent, SseDecoder
from ..errors import ServerError, ServerUnreachableError
from .server import AgentServer

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds before a broken stream is opened again; each time twice as long, up to the longest."""

SILENT = 45.0
"""Seconds without a byte after which a connection counts as broken: the server says something every 15, if only that it
is there. A machine that slept, or a network that dropped the connection, tells nobody."""

Connection = Literal["open", "reconnecting"]

UNREADABLE = "_pyapp/unreadable"
"""The method of a notification of our own: it holds a text that is no JSON-RPC message, or that no store can keep."""

MISSING = "_pyapp/missing"
"""The method of a notification of our own: the server has some messages no more (`first` and `last` are numbers)."""


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One message, with its number on the stream of its agent process."""

    number: int
    message: Message


@dataclass(frozen=True, slots=True)
class Hole:
    """Messages that the server does not give any more."""

    first: int
    last: int

    @property
    def message(self) -> Message:
        """What is stored in their place, so that nobody takes the session for whole."""
        return notification(MISSING, {"first": self.first, "last": self.last})


Heard = StreamMessage | Hole


class AgentStream:
    """The messages behind the one with the number `after`.

    `on_connection` hears when the connection is open and when it broke. Reading ends by an error only: AgentGoneError
    when the process is there no more, ServerRefusedError, ServerError. While nothing answers it tries again, with
    growing pauses.
    """

    def __init__(
        self, server: AgentServer, server_id: str, after: int, on_connection: Callable[[Connection], None]
    ) -> None:
        self._server = server
        self._server_id = server_id
        self.last = after
        self._on_connection = on_connection
        self._hole = 0
        self._pauses = pauses()
        self._asked_pause = 0.0

    async def messages(self) -> AsyncGenerator[Sequence[Heard], None]:
        """What came together, for as long as anybody reads."""
        while True:
            try:
                async with aclosing(self._once()) as batches:
                    async for messages in batches:
                        self._pauses = pauses()
                        yield messages
            except ServerUnreachableError:
                pass
            self._on_connection("reconnecting")
            await asyncio.sleep(max(next(self._pauses), self._asked_pause))

    async def _once(self) -> AsyncGenerator[Sequence[Heard], None]:
        """One connection, up to its end."""
        decoder = SseDecoder()
        async with self._server.stream(self._server_id, self.last) as stream:
            if not stream.content_type.startswith("text/event-stream"):
                raise ServerError(f"the server gave {stream.content_type[:80]!r} where a stream of events belongs", 200)
            self._on_connection("open")
            while (piece := await _next_piece(stream.pieces)) is not None:
                try:
                    events = decoder.feed(piece)
                except ValueError as error:
                    raise ServerError(f"the stream of the agent cannot be read: {error}", 200) from None
                finally:
                    self._asked_pause = (decoder.retry or 0) / 1000
                messages, is_whole = self._next(events)
                if messages:
                    yield messages
                if not is_whole:
                    return

    def _next(self, events: Sequence[ServerSentEvent]) -> tuple[Sequence[Heard], bool]:
        """The messages that were not read yet, and False where some are missing, so that they must be asked for.

        The server keeps about the last thousand messages, and may leave behind somebody who reads slowly. Coming back
        gives what is missing; where it does not, the server has it no more, and reading goes on behind the hole.
        """
        messages: list[Heard] = []
        for event in events:
            number = _number(event.id)
            if event.type != "message" or number is None or number <= self.last:
                continue
            if number > self.last + 1:
                if self._hole != self.last + 1:
                    self._hole = self.last + 1
                    return messages, False
                messages.append(Hole(self.last + 1, number - 1))
            messages.append(StreamMessage(number, _message(event.data)))
            self.last = number
        return messages, True


def pauses() -> Iterator[float]:
    """Seconds to wait before one try after the other: each time twice as long, with jitter, so that clients that lost
    one server do not all come back at once."""
    pause = FIRST_PAUSE
    while True:
        yield random.uniform(0.5, 1.0) * pause
        pause = min(LONGEST_PAUSE, 2 * pause)


async def _next_piece(pieces: AsyncIterator[bytes]) -> bytes | None:
    """The next piece, None at the end. Raises ServerUnreachableError when nothing comes for `SILENT` seconds."""
    try:
        async with asyncio.timeout(SILENT):
            return await anext(pieces)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        raise ServerUnreachableError(f"nothing came for {SILENT:.0f} seconds") from None


def unreadable(text: str, reason: str) -> Message:
    """A message that holds a text in the place of the message that could not be made of it."""
    return {"jsonrpc": "2.0", "method": UNREADABLE, "params": {"reason": reason, "text": _storable(text)}}


def _message(text: str) -> Message:
    try:
        return parse(text)
    except ValueError as error:
        return unreadable(text, str(error))


def _storable(text: str) -> str:
    """The text without half characters, which do not come back from every store as they were."""
    return text.encode(errors="replace").decode()


def _number(id_: str) -> int | None:
    return int(id_) if id_.isascii() and id_.isdigit() and len(id_) < 16 else None
