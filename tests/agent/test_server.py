"""The program that starts the real server: what it takes, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from examples.agent import server as program
from examples.agent.server import NoServerError, NoServerForPlatformError, Server, ServerDidNotStartError, free_port

from ..servers import real_server


def ask(server: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """A request, and its answer's JSON or, without one, its headers."""
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = None if body is None else json.dumps({"jsonrpc": "2.0", **body}).encode()
    with urlopen(Request(server + path, data, sent, method=method), timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else answer.headers


def begin_turn_without_end(address: str) -> None:
    """Start an agent, and let it wait for ever."""
    ask(address, "POST", "/v1/acp/s?agent=mock", {"id": 1, "method": "session/new", "params": {}})
    params = {"sessionId": "scripted-1", "prompt": [{"type": "text", "text": "wait"}]}
    prompt = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "session/prompt", "params": params}).encode()
    request = Request(f"{address}/v1/acp/s", prompt, {"Content-Type": "application/json"})
    with pytest.raises(TimeoutError):
        urlopen(request, timeout=0.5)


def alive() -> dict[str, str]:
    """The running processes, each with its parent; not those that have ended and wait for theirs."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return {pid: parent for pid, parent, state in rows if "Z" not in state}


def family(pid: int) -> set[str]:
    """A process and those that it started."""
    parents = alive()
    found = {str(pid)}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def wait_until_gone(processes: set[str]) -> None:
    """What has closed its files may not have ended yet."""
    deadline = time.monotonic() + 3
    while left := processes & alive().keys():
        assert time.monotonic() < deadline, f"these live on: {left}"


@pytest.mark.parametrize("end", [Server.stop, Server.kill])
def test_it_ends_with_its_agents_and_starts_again_at_the_same_address(
    tmp_path: Path, end: Callable[[Server], None]
) -> None:
    server = real_server(tmp_path)
    for _ in range(2):
        server.start()
        begin_turn_without_end(server.address)
        processes = family(server.pid)
        assert len(processes) == 2
        assert [one["agent"] for one in ask(server.address, "GET", "/v1/acp")["servers"]] == ["mock"]
        end(server)
        wait_until_gone(processes)
    end(server)  # which does nothing the second time


def test_who_has_not_the_token_is_refused(tmp_path: Path) -> None:
    with real_server(tmp_path, token="secret") as server:
        assert ask(server.address, "GET", "/v1/acp", Authorization="Bearer secret") == {"servers": []}
        with pytest.raises(HTTPError, match="401") as refused:
            ask(server.address, "GET", "/v1/acp")
        refused.value.close()


def test_pages_of_its_origins_may_send_a_token_and_others_nothing(tmp_path: Path) -> None:
    origins = ("http://127.0.0.1:4173", "http://localhost:4173")
    with real_server(tmp_path, origins=origins) as server:
        for origin in (*origins, "http://elsewhere.example"):
            answer = ask(
                server.address,
                "OPTIONS",
                "/v1/acp/s",
                Origin=origin,
                Access_Control_Request_Method="DELETE",
                Access_Control_Request_Headers="authorization,last-event-id",
            )
            allowed = origin if origin in origins else None
            assert answer["Access-Control-Allow-Origin"] == allowed
            assert {*answer["Access-Control-Allow-Headers"].split(",")} == {*program.HEADERS}
            assert answer["Access-Control-Allow-Methods"] == "*"


def test_a_taken_port_is_left_and_a_start_there_says_why(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(first=port) < port + 100
        real_server(tmp_path)
        server = Server(tmp_path, port=port)
        with pytest.raises(ServerDidNotStartError, match="in use"):
            server.start()


def test_it_says_why_there_is_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listing = tmp_path / "cli" / "package.json"
    monkeypatch.setattr(program, "PACKAGES", tmp_path)
    with pytest.raises(NoServerError, match="run `npm ci`"):
        program.find_program()
    listing.parent.mkdir()
    listing.write_text(json.dumps({"optionalDependencies": {"@sandbox-agent/cli-linux-x64": "1"}}))
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    with pytest.raises(NoServerError, match="optional dependencies"):
        program.find_program()
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(NoServerForPlatformError, match="riscv64"):
        program.find_program()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_program_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    real_server(tmp_path)
    command = [sys.executable, program.__file__, "--port", str(free_port()), "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.match(r"Ready: (\S+),", process.stdout.readline())
        assert found
        begin_turn_without_end(found[1])
        processes = family(process.pid)
        assert len(processes) == 3
        os.kill(process.pid, how)
        assert process.wait(30) == 0
    wait_until_gone(processes)
