"""Server-sent events, decoded from any pieces of bytes.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LARGEST = 64 << 20
"""Bytes of one event, or of one line, that are taken."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. `id` is the last one that the stream named, up to and with this event; "" where there was none."""

    data: str
    type: str = "message"
    id: str = ""


class SseDecoder:
    """Bytes in, as they come; events out. `retry` is the pause that the server asked for, in milliseconds, or None."""

    def __init__(self) -> None:
        self.retry: int | None = None
        self._rest = bytearray()
        self._scanned = 0
        self._after_return = False
        self._first = True
        self._data: list[str] = []
        self._size = 0
        self._type = ""
        self._id = ""

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """The events that are complete with this piece. Raises ValueError for one that is larger than `LARGEST`."""
        self._rest += piece
        return [event for line in self._lines() if (event := self._take(line)) is not None]

    def _lines(self) -> Iterator[str]:
        """Whole lines: they end in LF, CR, or both, which may come in two pieces."""
        start = 0
        rest = self._rest
        if self._after_return and rest:
            self._after_return = False
            if rest[:1] == b"\n":
                start = 1
        position = max(start, self._scanned)
        while (end := _line_end(rest, position)) >= 0:
            line = bytes(rest[start:end])
            start = end + 1
            if rest[end] == 0x0D:
                if start < len(rest):
                    start += rest[start] == 0x0A
                else:
                    self._after_return = True
            position = start
            if self._first:
                self._first = False
                line = line.removeprefix(b"\xef\xbb\xbf")
            yield line.decode(errors="replace")
        del rest[:start]
        self._scanned = len(rest)
        if len(rest) > LARGEST:
            raise ValueError(f"a line of over {LARGEST:,} bytes")

    def _take(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._size += len(value) + 1  # with its line end: empty lines grow, too
            if self._size > LARGEST:
                raise ValueError(f"an event of over {LARGEST:,} characters")
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = min(int(value[:9]), 600_000)
        return None  # a comment, or a field that nobody knows

    def _dispatch(self) -> ServerSentEvent | None:
        data, type_ = self._data, self._type
        self._data, self._type, self._size = [], "", 0
        return ServerSentEvent("\n".join(data), type_ or "message", self._id) if data else None


def _line_end(text: bytearray, start: int) -> int:
    feed = text.find(b"\n", start)
    back = text.find(b"\r", start, feed if feed >= 0 else len(text))
    return back if back >= 0 else feed
