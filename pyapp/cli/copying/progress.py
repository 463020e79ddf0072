"""How far a copy is: a bar where stderr is a terminal and `rich` is installed, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

EVERY = 5.0
"""Seconds between two lines."""


class Progress(Protocol):
    """What is told how far a copy is. Counts are events, each since the last call."""

    def begin(self, what: str, events: int | None) -> None:
        """A part of the work begins, of so many events if that is known."""
        ...

    def moved(self, events: int) -> None:
        """So many more events are done."""
        ...


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """The way to show progress that there is here, until the work is done."""
    if sys.stderr.isatty() and (bar := _rich_bar()) is not None:
        with bar:
            yield Bar(bar)
    else:
        yield Lines(lambda line: print(line, file=sys.stderr, flush=True))


class Bar:
    """A bar with the events done, their rate and what remains, by rich."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None

    def begin(self, what: str, events: int | None) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=events)

    def moved(self, events: int) -> None:
        self._bar.advance(self._task, events)


class Lines:
    """A line each five seconds, for logs; nothing for what takes less."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._what, self._done = "", 0
        self._total: int | None = None
        self._began = self._told = clock()

    def begin(self, what: str, events: int | None) -> None:
        self._what, self._done = what, 0
        self._total = events
        self._began = self._told = self._clock()

    def moved(self, events: int) -> None:
        self._done += events
        now = self._clock()
        if now - self._told >= EVERY:
            self._told = now
            rate = self._done / (now - self._began)
            of = "" if self._total is None else f" of {self._total:,}"
            self._write(f"{self._what}: {self._done:,}{of} events, {rate:,.0f} a second")


def _rich_bar() -> Any:
    """The bar of rich on stderr; None when rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress
        from rich.text import Text
    except ModuleNotFoundError:
        return None

    class Rate(ProgressColumn):
        """Events a second."""

        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:,.0f} events/s" if task.speed else "", style="dim")

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
