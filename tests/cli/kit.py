"""How the tests run the command line: in this process, or as a process of its own where signals matter."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import pytest

from bench.recordings import lines
from pyapp import SessionEvent, SessionRecord, SQLiteSessionPersistDriver
from pyapp.archive import line_of
from pyapp.cli import main
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record

ROOT = Path(__file__).parents[2]

Line = tuple[Literal["session", "event"], dict[str, Any]]
"""A row and its type."""

Content = dict[str, tuple[SessionRecord, list[SessionEvent]]]


class Cli:
    """`python -m pyapp` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str | Path) -> int:
        """The exit code; what was printed is in `out` and `err`."""
        code = main([str(argument) for argument in arguments])
        self.out, self.err = self._capsys.readouterr()
        return code

    def fails(self, code: int, *arguments: str | Path) -> str:
        """The one line that a command says that ends with this code."""
        assert self(*arguments) == code, self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("pyapp: ")
        return self.err


def start(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.Popen[str]:
    """`python -m pyapp` as a process, not waited for."""
    return subprocess.Popen(
        [sys.executable, "-m", "pyapp", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def write_recording(path: Path, sessions: dict[str, int]) -> Path:
    """A recording with these sessions, of so many events."""
    with path.open("w") as file:
        for session_id, events in sessions.items():
            file.writelines(lines(session_id, events))
    return path


def write_rows(path: Path, rows: Iterable[Line]) -> Path:
    """A recording of rows, each with its type."""
    path.write_text("".join(line_of(kind, row) for kind, row in rows))
    return path


def small_recording(path: Path, *session_ids: str, events: int = 3) -> Path:
    """A recording of sessions with few events."""
    rows: list[Line] = []
    for session_id in session_ids:
        rows.append(("session", record(session_id).to_row()))
        rows += [("event", event(index, session_id).to_row()) for index in range(1, events + 1)]
    return write_rows(path, rows)


def content_of(path: Path) -> Content:
    """All that a SQLite file holds."""

    async def read() -> Content:
        async with SQLiteSessionPersistDriver(path) as store:
            return {
                one.id: (one, await all_events(store, one.id, limit=1_000)) for one in await all_sessions(store, 100)
            }

    return asyncio.run(read())
