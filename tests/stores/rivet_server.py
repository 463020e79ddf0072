"""A real Rivet for tests: the server of `examples/rivet`, started, killed and started again on the same data."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

FOLDER = Path(__file__).parents[2] / "examples" / "rivet"
PATIENCE = 30.0
"""Seconds that it may take to start on a busy machine."""


class RivetServer:
    """A server on a port of its own, which stays the same when it is started again. Its data is in `folder`."""

    def __init__(self, folder: Path, token: str = "") -> None:
        self._folder = folder
        self._token = token
        self._process: subprocess.Popen[str] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and come back when it answers."""
        program = FOLDER / "dist" / "server.js"
        assert program.exists(), "the Rivet server is not built: run `make rivet`"
        command = ["node", str(program), "--port", str(self._port), "--data", str(self._folder)]
        with (self._folder.parent / f"{self._folder.name}.log").open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=FOLDER,
                env={**os.environ, "SESSIONS_TOKEN": self._token},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()  # comes when it listens
        assert line.startswith("Ready: "), f"Rivet did not start: {line!r}"
        deadline = time.monotonic() + PATIENCE
        while not self._token:
            with urlopen(f"{self.endpoint}/health", timeout=PATIENCE) as answer:
                if json.load(answer).get("status") == "ok":
                    return
            assert time.monotonic() < deadline, "Rivet does not say that it is well"

    @contextmanager
    def unable_to_save(self) -> Iterator[None]:
        """Meanwhile there is no place for the actors' states, as on a full disk. What runs goes on running."""
        states, aside = self._folder / "state", self._folder / "aside"
        states.rename(aside)
        states.touch()
        try:
            yield
        finally:
            states.unlink()
            aside.rename(states)

    def kill(self) -> None:
        """SIGKILL: it does nothing more, from one moment to the next."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def started(folder: Path, token: str = "") -> Iterator[RivetServer]:
    """A running server with data in a new folder; for fixtures."""
    folder.mkdir()
    server = RivetServer(folder, token)
    server.start()
    try:
        yield server
    finally:
        server.kill()
