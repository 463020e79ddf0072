"""A real Rivet for tests: the server of `examples/rivet`, started, killed and started again on the same data."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
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

    def ask(self, method: str, path: str, body: str = "") -> int:
        """The status of the answer to a request that may be any."""
        return self._answer(method, path, body)[0]

    def is_well(self) -> bool:
        """Whether it does what an actor is asked for."""
        id_ = self.make_actor("is it well?")
        return self.ask("POST", f"/gateway/{id_}/action/totals", '{"args":[]}') == 200

    def make_actor(self, key: str) -> str:
        """The id of an actor that was not started yet, if it is a new one."""
        wanted = {"name": "sessions", "key": key, "runner_name_selector": "default", "crash_policy": "sleep"}
        id_: str = json.loads(self._answer("PUT", "/actors", json.dumps(wanted))[1])["actor"]["actor_id"]
        return id_

    def rename_actor(self, key: str, old: str, new: str) -> str:
        """The id of a new actor that has another name in its file; `new` is as long as `old`."""
        id_ = self.make_actor(key)
        file = self._folder / "state" / id_
        assert old.encode() in file.read_bytes()
        file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))
        return id_

    def damage_actor(self, key: str) -> str:
        """The id of a new actor whose file is cut off."""
        id_ = self.make_actor(key)
        file = self._folder / "state" / id_
        file.write_bytes(file.read_bytes()[:-5])
        return id_

    def open_socket(self, path: str, protocols: str) -> bytes:
        """The beginning of the answer to a handshake that may be any."""
        lines = [f"GET {path} HTTP/1.1", "Host: rivet", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {'A' * 22}=="]
        lines += [f"Sec-WebSocket-Protocol: {protocols}", "", ""]
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as connection:
            connection.sendall("\r\n".join(lines).encode())
            return connection.recv(100)

    def _answer(self, method: str, path: str, body: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", "x-rivet-encoding": "json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

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
