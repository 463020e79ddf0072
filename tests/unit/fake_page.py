"""The whole page on CPython: the real loop and views, the in-memory store, and what a browser would show."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from pyapp.drivers.base import SessionStore
from pyapp.drivers.memory import InMemorySessionPersistDriver
from pyapp.drivers.notes import InMemoryNoteStore, NoteStore
from pyapp.drivers.sqlite import SQLiteSessionPersistDriver
from pyapp.runner.loop import Runner
from pyapp.runner.world import SourceFile
from pyapp.sdk.memory import InMemoryAgentServer
from pyapp.transport import Transport
from tests.unit.recordings import DEMO


class FakeFile:
    """A chosen file."""

    def __init__(self, name: str, content: bytes, slice_size: int = 1000) -> None:
        self.name = name
        self.content = content
        self.slice_size = slice_size

    @property
    def size(self) -> int:
        return len(self.content)

    async def slices(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), self.slice_size):
            yield self.content[start : start + self.slice_size]


class FakePage:
    """A page that takes every patch at once. `clock` stands still unless a test moves it."""

    def __init__(self, store: SessionStore | None = None) -> None:
        self.store = store or InMemorySessionPersistDriver(max_events_per_session=1_000_000)
        self.notes: NoteStore = InMemoryNoteStore()
        self.server: InMemoryAgentServer | None = None
        self.now = 0.0
        self.regions: dict[str, str | dict[str, str]] = {}
        self.root: dict[str, str | None] = {}
        self.attrs: dict[str, dict[str, str | None]] = {}
        self.sent: list[Mapping[str, Any]] = []
        self.hash = "#/"
        self.title = ""
        self.paints = True
        self.names: tuple[str, ...] = ("usual",)
        self.released = 0
        self.remembered: dict[str, str] = {}
        self.web: dict[str, bytes] = {}
        """What can be fetched, by its address."""
        self.fetched: list[tuple[str, bool]] = []
        self.runner = Runner(self)

    # the World

    usual_database = "usual"

    async def database_names(self) -> Sequence[str]:
        return self.names

    def on_wait(self, listener: Callable[[bool], None]) -> None:
        self.tell_waiting = listener

    is_served = False

    def on_reach(self, listener: Callable[[bool, str], None]) -> None:
        self.tell_reached = listener

    async def release(self) -> None:
        self.released += 1

    async def open_store(self, database: str) -> SessionStore:
        return self.store

    def open_notes(self, database: str) -> NoteStore:
        return self.notes

    origin = "http://page.test"

    site = "http://page.test/some/path/"

    async def install_rest(self) -> None:
        """All is there."""

    async def open_file(self, path: str) -> SessionStore:
        return SQLiteSessionPersistDriver(path)

    async def fetch_source(self, url: str, *, is_foreign: bool) -> SourceFile:
        self.fetched.append((url, is_foreign))
        if url not in self.web:
            raise OSError(f"nothing is at {url}")
        return FakeFile(url.rpartition("/")[2], self.web[url])

    def transport(self) -> Transport:
        assert self.server is not None, "the test gives the page no server"
        return self.server.transport()

    def clock(self) -> float:
        return self.now

    async def fetch(self, path: str) -> AsyncIterator[bytes]:
        content = (DEMO.parent / path).read_bytes()
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    def post(self, message: Mapping[str, Any], data: bytes | None = None) -> None:
        self.sent.append(message if data is None else {**message, "data": data})
        if message["type"] == "remember":
            self.remembered[message["name"]] = message["text"]
        if message["type"] == "hash":
            self.hash = message["value"]
            if not message["replace"]:
                self.say("route", hash=self.hash)
        if message["type"] != "patch":
            return
        self.title = message["title"]
        self.root |= message["root"]
        for name, values in message["attrs"].items():
            self.attrs[name] = {**self.attrs.get(name, {}), **values}
        for name, content in message["regions"].items():
            self.regions[name] = content if isinstance(content, str) else self._children(name, content)
        if self.paints:
            asyncio.get_running_loop().call_soon(self.say_painted)

    def _children(self, name: str, content: list[list[str]]) -> dict[str, str]:
        before = self.regions.get(name, {})
        assert isinstance(before, dict)
        return {child[0]: child[1] if len(child) == 2 else before[child[0]] for child in content}

    # what a test does

    def say(self, name: str, **fields: Any) -> None:
        """A message of the page."""
        self.runner.receive({"name": name, **fields})

    def say_painted(self) -> None:
        self.say("painted")

    async def start(self, hash_: str = "#/") -> None:
        """Open the page."""
        self.hash = hash_
        self.say("route", hash=hash_, now=1_795_400_000_000, zone=[[0, 0]], remembered=dict(self.remembered))
        await self.settle()

    async def go(self, hash_: str) -> None:
        self.hash = hash_
        self.say("route", hash=hash_)
        await self.settle()

    async def settle(self) -> None:
        """Wait until all reading is done and shown."""
        for _ in range(3):  # what was done may be shown, and what is shown may want more
            await self.runner.settled()
            for _ in range(10):
                await asyncio.sleep(0)
        await self.runner.settled()

    def text(self, region: str) -> str:
        """The words of a region."""
        content = self.regions.get(region, "")
        html = content if isinstance(content, str) else "\n".join(content.values())
        return " ".join(re.sub(r"<[^>]+>", " ", html).split())

    def html(self, region: str) -> str:
        content = self.regions.get(region, "")
        return content if isinstance(content, str) else "\n".join(content.values())

    def keys(self, region: str) -> list[str]:
        """The ids of a region's children."""
        content = self.regions[region]
        assert isinstance(content, dict)
        return list(content)


def forget_timers() -> None:
    """Cancel the timers of the running loop at the end of a test: one that is due while the loop ends starts work that
    nobody does any more."""
    for timer in getattr(asyncio.get_running_loop(), "_scheduled"):  # noqa: B009 - asyncio tells them in no other way
        timer.cancel()
