"""A network that does harm, between an HTTP client and a server: for the streams of server-sent events, by a plan.

    with FaultProxy(server.address, seed=7) as proxy:
        ... speak to proxy.address ...

Every request goes on to the server as it came, `Last-Event-ID` too, and its answer comes back. The bodies of event
streams are split at any byte, delayed, told in part twice, and broken off: a `Plan` says where, and the seed makes one
for each stream, in the order in which streams are opened. Positions count the bytes and events of the stream, so that
they do not depend on how fast it comes. The proxy runs in a thread of its own, on loopback.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

HowCut = Literal["reset", "close", "end"]
"""The connection is reset; closed in the middle of the body; or the body ends as if the server had ended it."""

REPEATED_AT_MOST = 8
READ = 64 * 1024


@dataclass(frozen=True)
class Plan:
    """What happens to one stream."""

    seed: str = ""
    cut_after: int | None = None
    """So many bytes of the body are sent."""
    how_cut: HowCut = "reset"
    longest_piece: int = 0
    """Pieces of 1 to so many bytes are sent one by one; 0 splits nothing."""
    longest_delay: float = 0
    """Before each piece, at most so many seconds."""
    repeats: dict[int, int] = field(default_factory=dict)
    """After so many events the last ones, so many, are sent once more."""


CALM = Plan()


def seeded_plan(seed: object, number: int) -> Plan:
    """The plan for stream `number`, from 1 on. The first is always cut, and soon, so that no seed makes a network that
    does no harm; of the others about one in four is not, so that a patient client gets on."""
    first = number == 1
    chance = random.Random(f"{seed}-{number}")
    longest_piece = chance.choice((1, 7, 100, 2_000, 0))
    return Plan(
        seed=f"{seed}-{number}",
        cut_after=None if chance.random() < 0.25 and not first else int(2 ** chance.uniform(0, 8 if first else 14)),
        how_cut=chance.choice(("reset", "close", "end")),
        longest_piece=longest_piece,
        longest_delay=chance.choice((0, 0, 0.002)) if longest_piece not in (1, 7) else 0,  # each byte: half a minute
        repeats={chance.randint(1, 200): chance.randint(1, REPEATED_AT_MOST) for _ in range(chance.choice((0, 1, 4)))},
    )


@dataclass
class StreamSeen:
    """One stream that a client opened, for the test to look at."""

    plan: Plan
    last_event_id: str | None
    sent: int = 0
    repeated: int = 0
    cut: bool = False


class CutError(Exception):
    """The plan wants the stream broken off here."""


class FaultProxy:
    """Runs inside of a `with`. What happens to each stream is as the seed says, or `planned`, given its number."""

    def __init__(self, target: str, seed: object = None, *, planned: Callable[[int], Plan] | None = None) -> None:
        place = urlsplit(target)
        assert place.hostname
        assert place.port
        self._target = (place.hostname, place.port)
        self._planned = planned or (lambda number: seeded_plan(seed, number) if seed is not None else CALM)
        self._refusals: list[str | None] = []
        self._calm = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.streams: list[StreamSeen] = []
        self.address = ""

    def __enter__(self) -> FaultProxy:
        started: threading.Event = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), daemon=True)
        self._thread.start()
        assert started.wait(10), "the proxy did not start"
        return self

    def __exit__(self, *_exception: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the proxy did not end"

    def refuse(self, times: int, method: str | None = None) -> None:
        """Answer the next requests, or the next of a method, with 502 instead of passing them on."""
        self._loop.call_soon_threadsafe(self._refusals.extend, [method] * times)

    def calm(self) -> None:
        """No more harm to streams that are opened from now on."""
        self._calm = True

    def cut(self) -> None:
        """Reset every connection that is open now."""

        def reset() -> None:
            for writer in self._open:
                abort(writer)

        self._loop.call_soon_threadsafe(reset)

    async def _run(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await self._over.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, since every answer closes it."""
        self._open.add(writer)
        try:
            request = await read_message(reader)
            if request is None:
                return
            method = request.start.split()[0]
            refusal = next((one for one in self._refusals if one in (None, method)), "nothing")
            if refusal != "nothing":
                self._refusals.remove(refusal)
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            # A client that goes away ends the request at the server too, as without a proxy.
            await first_of(self._forward(request, writer), reader.read())
        except (OSError, asyncio.IncompleteReadError, CutError):
            abort(writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _forward(self, request: HttpMessage, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection(*self._target)
        try:
            to_server.write(request.head(Connection="close") + request.body)
            answer = await read_message(upstream, with_body=False)
            if answer is None:
                raise CutError  # the server went away: so does its answer
            writer.write(answer.head(Connection="close"))
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                number = len(self.streams) + 1
                seen = StreamSeen(CALM if self._calm else self._planned(number), request.headers.get("last-event-id"))
                self.streams.append(seen)
                await Disturbed(seen, writer).send_all(chunks(upstream))
            else:
                while data := await upstream.read(READ):
                    writer.write(data)
                    await writer.drain()
        finally:
            to_server.close()


class Disturbed:
    """One body of an event stream on its way to the client."""

    def __init__(self, seen: StreamSeen, writer: asyncio.StreamWriter) -> None:
        self._seen = seen
        self._plan = seen.plan
        self._writer = writer
        self._chance = random.Random(f"{seen.plan.seed}-pieces")
        self._left_of_piece = self._next_piece()
        self._last: deque[bytes] = deque(maxlen=REPEATED_AT_MOST)
        self._events = 0

    async def send_all(self, body: AsyncIterator[bytes]) -> None:
        block = b""
        async for data in body:
            while data:
                # A block ends with an empty line, which may come in two parts.
                block, before = block + data, len(block)
                end = block.find(b"\n\n", max(0, before - 1))
                taken = len(block) if end < 0 else end + 2
                await self._send(block[before:taken])
                block, data = block[:taken], data[taken - before :]
                if end >= 0:
                    await self._ended(block)
                    block = b""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def _ended(self, block: bytes) -> None:
        if not block.startswith(b"id:") and b"\nid:" not in block:
            return  # a heartbeat
        self._events += 1
        self._last.append(block)
        if count := self._plan.repeats.get(self._events):
            again = [*self._last][-count:]
            self._seen.repeated += len(again)
            await self._send(b"".join(again))

    async def _send(self, data: bytes) -> None:
        """Send these bytes in the pieces of the plan, up to where it cuts the stream."""
        while data:
            size = min(len(data), self._left_of_piece or len(data))
            if self._plan.cut_after is not None:
                size = min(size, self._plan.cut_after - self._seen.sent)
                if size == 0:
                    await self._cut()
            if self._plan.longest_delay:
                await asyncio.sleep(self._chance.uniform(0, self._plan.longest_delay))
            self._writer.write(b"%x\r\n%b\r\n" % (size, data[:size]))
            await self._writer.drain()
            self._seen.sent += size
            data = data[size:]
            if self._plan.longest_piece:
                self._left_of_piece = (self._left_of_piece - size) or self._next_piece()

    async def _cut(self) -> None:
        self._seen.cut = True
        if self._plan.how_cut == "end":
            self._writer.write(b"0\r\n\r\n")
        if self._plan.how_cut != "reset":
            await self._writer.drain()
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        raise CutError

    def _next_piece(self) -> int:
        return self._chance.randint(1, self._plan.longest_piece) if self._plan.longest_piece else 0


@dataclass(frozen=True)
class HttpMessage:
    """The head of a request or an answer; a request's body too."""

    start: str
    lines: tuple[str, ...]
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        pairs = [line.partition(":") for line in self.lines]
        return {name.lower(): value.strip() for name, _, value in pairs}

    def head(self, **instead: str) -> bytes:
        """As it came, but for these headers."""
        replaced = {name.lower() for name in instead}
        kept = [line for line in self.lines if line.partition(":")[0].lower() not in replaced]
        lines = [self.start, *kept, *[f"{name}: {value}" for name, value in instead.items()]]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def read_message(reader: asyncio.StreamReader, *, with_body: bool = True) -> HttpMessage | None:
    """The next message; None if the other side ends before there is one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    message = HttpMessage(start, tuple(lines))
    if not with_body:
        return message
    if message.headers.get("transfer-encoding", "").lower() == "chunked":
        parts = [b"%x\r\n%b\r\n" % (len(data), data) async for data in chunks(reader)]
        return HttpMessage(start, tuple(lines), b"".join(parts) + b"0\r\n\r\n")
    return HttpMessage(start, tuple(lines), await reader.readexactly(int(message.headers.get("content-length", 0))))


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The data of a body that is sent in chunks. Raises IncompleteReadError if it breaks off."""
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")


def abort(writer: asyncio.StreamWriter) -> None:
    """Reset a connection, unless it is closed already: what lies in its buffers is lost."""
    if not writer.is_closing():
        place = writer.get_extra_info("socket")
        place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def first_of(*work: Coroutine[Any, Any, object]) -> None:
    """Do several things until one of them is done; raises what it raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
