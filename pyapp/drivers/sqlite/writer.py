"""Group commit: writes that wait together go in one transaction, and each caller is told when that is on the disk.

All of it happens on the writing lane: the queue is emptied in transactions until nothing waits. A transaction is tried
swiftly first, as if nothing were in the way; if something is, it is rolled back and done write by write, so that what
is refused is refused alone. If there is no room for all of it, it is halved, until the write that is too large stands
alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from ...errors import InvalidRecordError, StoreFullError
from .batch import Batch, InTheWay
from .database import Database, transaction
from .errors import translated
from .writes import DONE, Outcome, Turn, Work, Write, size

MOST_EVENTS = 2_000
MOST_CHARACTERS = 8 << 20
"""How much goes in one transaction at most, unless a single write is larger."""

T = TypeVar("T")


class Writer:
    """The one queue in which a driver's writes stand; `on_written` hears of sessions that changed."""

    def __init__(self, database: Database, on_written: Callable[[Iterable[str | None]], None]) -> None:
        self._database = database
        self._on_written = on_written
        self._waiting: deque[Write] = deque()
        self._is_busy = False
        self._lock = threading.Lock()

    def write(self, write: Write) -> asyncio.Future[Any]:
        """Hand over a write. The future is done once the transaction with it is on the disk, or has failed.

        When whoever waits is cancelled, a write that has not begun is not made; one that has goes on.
        """
        with self._lock:
            self._waiting.append(write)
            start = not self._is_busy
            self._is_busy = True
        if start:
            # What else is handed over in this turn of the event loop goes along; and the thread and the loop's own
            # work do not take the interpreter from each other.
            write.done.get_loop().call_soon(self._database.writing.post, self._empty)
        return write.done

    def go_on(self) -> None:
        """End a turn."""
        self._database.writing.post(self._empty)

    # on the lane

    def _empty(self) -> None:
        """Do what waits, until nothing does or somebody takes his turn."""
        while batch := self._take():
            if isinstance(batch[0], Turn):
                self._tell(batch, [DONE])
                return
            self._tell(batch, self._outcomes(batch))

    def _take(self) -> list[Write]:
        """The writes that go together next."""
        batch: list[Write] = []
        events = characters = 0
        with self._lock:
            while self._waiting:
                write = self._waiting[0]
                if write.done.cancelled():
                    self._waiting.popleft()
                    continue
                if batch and write.done.get_loop() is not batch[0].done.get_loop():
                    break
                if isinstance(write, (Work, Turn)):
                    if not batch:
                        batch.append(self._waiting.popleft())
                    break
                events += len(write.checked)
                characters += sum(map(size, write.checked))
                if batch and (events > MOST_EVENTS or characters > MOST_CHARACTERS):
                    break
                batch.append(self._waiting.popleft())
            self._is_busy = bool(batch)
        return batch

    def _outcomes(self, batch: Sequence[Write]) -> list[Outcome]:
        try:
            if isinstance(batch[0], Work):
                return [(self._alone(batch[0]), None)]
            return self._together(batch)
        except (StoreFullError, InvalidRecordError) as error:  # one is too much for the disk, or refused by the file
            if len(batch) == 1:
                return [(None, error)]
            middle = len(batch) // 2
            return self._outcomes(batch[:middle]) + self._outcomes(batch[middle:])
        except Exception as error:  # whatever it is, whoever waits must hear of it
            return [(None, error)] * len(batch)

    def _alone(self, work: Work) -> object:
        if work.session_id is None:
            connection = self._database.writer()
            with translated(self._database.name):
                return work.run(connection)
        return self._in_transaction(work.run)

    def _together(self, batch: Sequence[Write]) -> list[Outcome]:
        try:
            return self._in_transaction(lambda connection: Batch(connection, self._database).swiftly(batch))
        except InTheWay:
            return self._in_transaction(lambda connection: Batch(connection, self._database).one_by_one(batch))

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do this in a transaction, which is rolled back when it raises."""
        connection = self._database.writer()
        with translated(self._database.name):
            self._database.check_writable()
            with transaction(connection):
                result = work(connection)
        return result

    def _tell(self, batch: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        self._database.writing.tell(batch[0].done.get_loop(), self._settle, batch, outcomes)

    def _settle(self, batch: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        """On the event loop."""
        changed = set()
        for write, (result, error) in zip(batch, outcomes, strict=True):
            done = write.done
            if error is None:
                changed.add(write.session_id)
            if done.done():  # cancelled
                if isinstance(write, Turn):
                    self.go_on()
            elif error is None:
                done.set_result(result)
            else:
                done.set_exception(error)
        self._on_written(changed)
