"""Starts the real sandbox-agent server, the one that npm installs, with the scripted agent as its agent `mock`.

    python examples/agent/server.py [--host HOST] [--port PORT] [--data FOLDER] [--origin ORIGIN ...] [--token TOKEN]

It needs the standard library only. Nothing leaves the machine: the agent asks nobody, the server sends no telemetry.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn
from urllib.request import Request, urlopen

PACKAGES = Path(__file__).resolve().parents[2] / "node_modules" / "@sandbox-agent"
AGENT = Path(__file__).with_name("scripted_agent.py")
USUAL_PORT = 2468
START, STOP = 30, 5
"""How long the server may take to start and to stop, in seconds, on a machine that is busy with other things."""

HEADERS = ("authorization", "content-type", "accept", "last-event-id")
"""What pages of other origins may send. `*` would not do: it does not stand for Authorization."""


class NoServerError(Exception):
    """There is no server to start; the words say why."""


class NoServerForPlatformError(NoServerError):
    """Upstream builds none for this machine, so nothing can be done about it."""


class ServerDidNotStartError(Exception):
    """The server ended at once, or never answered; the words hold what it said."""


def find_program() -> Path:
    """The server's binary. Raises NoServerError."""
    systems = {"Linux": "linux", "Darwin": "darwin"}
    machines = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
    here = f"{systems.get(platform.system())}-{machines.get(platform.machine().lower())}"
    listing = PACKAGES / "cli" / "package.json"
    if not listing.exists():
        raise NoServerError(f"{listing.parent} is missing; run `npm ci`")
    if f"@sandbox-agent/cli-{here}" not in json.loads(listing.read_text())["optionalDependencies"]:
        raise NoServerForPlatformError(
            f"there is no sandbox-agent server for {platform.system()} on {platform.machine()}"
        )
    program = PACKAGES / f"cli-{here}" / "bin" / "sandbox-agent"
    if not program.exists():
        raise NoServerError(f"{program} is missing: npm left out optional dependencies; run `npm ci`")
    if not os.access(program, os.X_OK):  # its install script sees to that, where npm runs install scripts
        program.chmod(0o755)
    return program


def free_port(host: str = "127.0.0.1", first: int = 0) -> int:
    """A port on which nobody listens: `first`, or else the next that is free; any if it is 0.

    The server can choose one itself, but then does not say which.
    """
    for port in range(first, first + 100) if first else [0]:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                found: int = probe.getsockname()[1]
                return found
    raise NoServerError(f"the ports from {first} to {first + 99} are all taken")


class Server:
    """A server at one address, which can be started again there after it was stopped or killed.

    `folder` holds its data. Pages of `origins` may speak to it, no others. Who has not the `token` is refused, if there
    is one. As a context manager it runs inside of the `with`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        origins: Iterable[str] = (),
        token: str | None = None,
    ) -> None:
        self._program = find_program()
        self._folder = folder
        self._host = host
        self._port = port or free_port(host)
        self._origins = tuple(origins)
        self._token = token
        self._process: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        """What it logged, a line each."""

    @property
    def address(self) -> str:
        """Without a slash at its end."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process, "the server does not run"
        return self._process.pid

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Run it, and come back once it answers. Raises ServerDidNotStartError."""
        assert not self._process, "the server runs already"
        self._place_agent()
        environment = os.environ | {
            "XDG_DATA_HOME": str(self._folder),
            "HOME": str(self._folder),
            "SANDBOX_AGENT_LOG_STDOUT": "1",
        }
        self._life, life = os.pipe()
        self._process = subprocess.Popen(
            self._command(),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[life],
            start_new_session=True,  # Ctrl+C in a terminal reaches us alone, and we end the server and its agents
        )
        os.close(life)
        self._listens, self._silent = threading.Event(), threading.Event()
        self._reader = threading.Thread(target=self._read, args=[self._process], daemon=True)
        self._reader.start()
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it and its agents, those by force that do not end by themselves."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would. Its agents end too."""
        self._end(signal.SIGKILL)

    def _command(self) -> list[str]:
        command = [str(self._program), "server", "--no-telemetry", "--host", self._host, "--port", str(self._port)]
        command += ["--token", self._token] if self._token else ["--no-token"]
        if self._origins:
            for origin in self._origins:
                command += ["--cors-allow-origin", origin]
            for header in HEADERS:
                command += ["--cors-allow-header", header]
            command += ["--cors-allow-method", "*"]
        return command

    def _place_agent(self) -> None:
        """Put the scripted agent where the server looks for its agent."""
        path = self._folder / "sandbox-agent" / "bin" / "agent_processes" / "mock-acp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, str(AGENT)])}\n")
        path.chmod(0o755)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START
        while not self._listens.wait(0.05):
            if self._silent.is_set() or time.monotonic() > deadline:
                raise ServerDidNotStartError(f"the server did not start, but said:\n{''.join(self.said)}")
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        with urlopen(Request(f"{self.address}/v1/health", headers=headers), timeout=START) as answer:
            assert json.load(answer) == {"status": "ok"}

    def _read(self, process: subprocess.Popen[str]) -> None:
        """Read what it says all the time, so that it never waits for a reader."""
        assert process.stdout
        for line in process.stdout:
            self.said.append(line)
            if "server listening" in line:
                self._listens.set()
        self._silent.set()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        # The server does not wait for its agents. They end when their input does; each that lives holds the pipe open.
        if not select.select([self._life], [], [], STOP)[0]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        os.close(self._life)
        process.wait()
        self._reader.join(STOP)
        assert process.stdout
        process.stdout.close()


@contextlib.contextmanager
def data_folder(chosen: Path | None) -> Iterator[Path]:
    """The folder of a server's data: the one that was chosen, or one that is gone afterwards."""
    if chosen:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="sandbox-agent-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def end_orderly() -> None:
    """Let a kill and a closed terminal end this process as Ctrl+C does, so that no server outlives it."""

    def end(*_signal: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def main() -> None:
    options = argparse.ArgumentParser(description="Starts a sandbox-agent server whose agent `mock` follows a script.")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=USUAL_PORT, help="this one, or the next that is free")
    options.add_argument("--data", type=Path, metavar="FOLDER", help="where it keeps its data; else they are dropped")
    options.add_argument("--origin", action="append", default=[], help="an origin whose pages may speak to it")
    options.add_argument("--token", help="what a client has to show; without it, anybody on the host may connect")
    chosen = options.parse_args()
    end_orderly()
    try:
        port = free_port(chosen.host, chosen.port)
        with (
            data_folder(chosen.data) as folder,
            Server(folder, host=chosen.host, port=port, origins=chosen.origin, token=chosen.token) as server,
        ):
            print(f"Ready: {server.address}, with the agent `mock`. Ctrl+C ends it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print()
    except (NoServerError, ServerDidNotStartError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
