"""The real sandbox-agent server, from npm, with our scripted agent in the place of its agent `mock`."""

from __future__ import annotations

import json
import os
import platform
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTED_AGENT = ROOT / "tests" / "agent" / "scripted_agent.py"
START, STOP = 30, 10
"""How long the server may take to start and to stop, in seconds, on a machine that is busy with other things."""


@pytest.fixture(scope="session")
def agent_server(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server, without a slash at its end. Pages of `site` may speak to it; no other may."""
    program = server_program()
    place = urlsplit(site)
    with running_server(program, tmp_path_factory.mktemp("server"), f"{place.scheme}://{place.netloc}") as address:
        yield address


def server_program() -> Path:
    """The server's binary. Skips the test on a platform for which upstream builds none."""
    systems = {"Linux": "linux", "Darwin": "darwin"}
    machines = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
    here = f"{systems.get(platform.system())}-{machines.get(platform.machine().lower())}"
    package = ROOT / "node_modules" / "@sandbox-agent"
    offered = json.loads((package / "cli" / "package.json").read_text())["optionalDependencies"]
    if f"@sandbox-agent/cli-{here}" not in offered:
        lack = f"there is no sandbox-agent server for {platform.system()} on {platform.machine()}"
        if os.environ.get("CI"):
            pytest.fail(f"{lack}: CI has to run where there is one", pytrace=False)
        pytest.skip(lack)
    program = package / f"cli-{here}" / "bin" / "sandbox-agent"
    assert program.exists(), f"{program} is missing: npm left out optional dependencies; run `npm ci`"
    if not os.access(program, os.X_OK):  # its install script sees to that, where npm runs install scripts
        program.chmod(0o755)
    return program


@contextmanager
def running_server(program: Path, folder: Path, origin: str) -> Iterator[str]:
    """Run the server on a port of its own with `folder` as its data; gives its address once it answers."""
    place_agent(folder / "sandbox-agent" / "bin" / "agent_processes" / "mock-acp")
    port = free_port()
    command = [str(program), "server", "--no-token", "--no-telemetry", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--cors-allow-origin", origin, "--cors-allow-method", "*", "--cors-allow-header", "*"]
    environment = os.environ | {"XDG_DATA_HOME": str(folder), "HOME": str(folder), "SANDBOX_AGENT_LOG_STDOUT": "1"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        said = Said(process)
        try:
            said.wait_for("server listening")
            with urlopen(f"http://127.0.0.1:{port}/v1/health", timeout=START) as answer:
                assert json.load(answer) == {"status": "ok"}
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            said.wait_for_end()


def place_agent(path: Path) -> None:
    """Put the scripted agent where the server looks for its agent."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, str(SCRIPTED_AGENT)])}\n")
    path.chmod(0o755)


def free_port() -> int:
    """A port on which nobody listens. The server can choose one itself, but then does not say which."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Said:
    """What a process says, read all the time, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, words: str) -> None:
        """Wait until it says these words. Fails, with what it said instead, when it ends or is too late."""
        with self._more:
            self._more.wait_for(lambda: self._ended or any(words in line for line in self._lines), START)
            found = any(words in line for line in self._lines)
        assert found, f"the server did not say {words!r}, but:\n{''.join(self._lines)}"

    def wait_for_end(self) -> None:
        """Wait until the process and the agents that it started have ended; end it by force if it is too late."""
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._reader.join(STOP)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._more:
                self._lines.append(line)
                self._more.notify_all()
        with self._more:
            self._ended = True
            self._more.notify_all()
