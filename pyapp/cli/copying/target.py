"""The store that a copy writes to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ...drivers.base import Findable, SessionStore
from ...drivers.defaults import with_defaults
from ...drivers.memory import InMemorySessionPersistDriver
from ..addresses import Address, open_store
from .recording import RecordingTarget


@dataclass(frozen=True, slots=True)
class Target:
    """A store, and the file that it is when it is a recording, which has to be kept once it is whole."""

    store: SessionStore
    recording: RecordingTarget | None = None

    @property
    def place(self) -> str | None:
        """Where what was written lies until it is whole; None when that is the target itself."""
        return str(self.recording.part) if self.recording is not None and self.recording.is_begun else None

    async def keep(self) -> None:
        """It is whole."""
        if self.recording is not None:
            await self.recording.keep()

    async def begin_again(self, session_ids: Iterable[str]) -> bool:
        """Throw away what an interrupted copy has left to go on from, if any of these sessions is of that; False where
        nothing was thrown away."""
        return self.recording is not None and await self.recording.begin_again(session_ids)

    def discard(self) -> None:
        """It will not become whole. A database keeps the sessions that are in it; each of them is whole."""
        if self.recording is not None:
            self.recording.discard()


@asynccontextmanager
async def open_target(address: Address, identity: str, *, only_looked_at: bool = False) -> AsyncIterator[Target]:
    """The target at an address, made if there is none, unless it is only looked at.

    `identity` is what the same command says again when it goes on after an interruption.
    """
    if address.kind == "jsonl":
        recording = RecordingTarget(address.path, identity, only_looked_at=only_looked_at)
        try:
            await recording.load()
            yield Target(with_defaults(recording), recording)
        finally:
            await recording.aclose()
    else:
        async with open_store(address, only_read=only_looked_at) as store:
            is_made = not only_looked_at or not isinstance(store, Findable) or await store.exists()
            yield Target(store if is_made else InMemorySessionPersistDriver())
