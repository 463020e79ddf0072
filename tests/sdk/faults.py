"""A network that delays, cuts, repeats and splits: between a client and a server in memory, as a seed says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from pyapp import ServerUnreachableError
from pyapp.transport import Request, Stream, Transport


class FaultyTransport:
    """Passes requests on; what comes back on streams is disturbed, and now and then a connection is refused."""

    def __init__(self, inner: Transport, seed: int) -> None:
        self._inner = inner
        self._random = random.Random(seed)
        self.faults: list[str] = []

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Stream]:
        is_stream = request.headers.get("Accept") == "text/event-stream"
        if is_stream and self._random.random() < 0.2:
            self.faults.append("refused")
            raise ServerUnreachableError("refused, as the seed says")
        if is_stream and self._random.random() < 0.3:
            request = self._from_earlier(request)
        async with self._inner.open(request) as stream:
            yield replace(stream, pieces=self._disturbed(stream.pieces)) if is_stream else stream

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _from_earlier(self, request: Request) -> Request:
        """The same stream from an earlier message on, as a cache or a careless server would repeat it."""
        after = max(0, int(request.headers.get("Last-Event-ID", "0")) - self._random.randrange(1, 6))
        self.faults.append("repeated")
        return replace(request, headers={**request.headers, "Last-Event-ID": str(after)})

    async def _disturbed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        left = self._random.randrange(1, 3_000)
        held = b""
        async for piece in pieces:
            held += piece
            while held:
                count = self._random.randrange(1, len(held) + 1)
                if count >= left:
                    self.faults.append("cut")
                    yield held[:left]
                    if self._random.random() < 0.5:
                        return  # the end of the answer, as if it were whole
                    raise ServerUnreachableError("cut, as the seed says")
                left -= count
                yield held[:count]
                held = held[count:]
                if self._random.random() < 0.1:
                    self.faults.append("delayed")
                    await asyncio.sleep(self._random.random() * 0.002)
