"""The programs in examples/ run as their heads say, against the real server."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pyapp.drivers.conformance import DRIVER_CONTRACT
from pyapp.drivers.conformance.kit import DriverPromise

from ..stores.postgres_server import PostgresServer
from ..stores.rivet_server import RivetServer

EXAMPLES = Path(__file__).parents[2] / "examples"
LIMIT = 60


def run(name: str, *arguments: str) -> str:
    """What a program says. It must end well."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_without_an_address_the_usage_is_printed(path: Path) -> None:
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"\n    python examples/{path.name} http://127.0.0.1:2468 [" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_too_many_arguments_are_refused_in_a_line(path: Path) -> None:
    usage = re.search(rf"^ +python examples/{path.name} http://127.0.0.1:2468 (.*)$", path.read_text(), re.MULTILINE)
    assert usage
    given = ["http://127.0.0.1:1", *usage[1].split(), "more"]
    command = [sys.executable, str(path), *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert f"{path.name}: too many arguments" in done.stderr


def test_in_memory(server: str) -> None:
    said = run("in_memory.py", server, "mock", "permission, please")
    assert "You said: permission, please" in said
    assert "[Read notes.txt]\n" in said
    assert "[allowed: Read notes.txt]" in said
    assert re.search(r"^end_turn; \d+ events$", said, re.MULTILINE)


def test_a_driver_of_ones_own(server: str, tmp_path: Path) -> None:
    counts = [int(run("custom_driver.py", server, str(tmp_path / "kept")).split()[0]) for _ in range(2)]
    assert counts[0] == 11
    assert counts[1] == counts[0] + 7, "the second time goes on with the running agent"


@pytest.mark.parametrize("promise", DRIVER_CONTRACT, ids=lambda promise: promise.__name__)
def test_a_driver_of_ones_own_keeps_the_contract(promise: DriverPromise, tmp_path: Path) -> None:
    async def work() -> None:
        await promise(load("custom_driver").JsonFolder(tmp_path))

    asyncio.run(work())


def test_sqlite(server: str, tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    for number in (1, 2):
        said = run("sqlite.py", server, str(path), "mock", "hello")
        created = re.findall(r"^Created session (\S+)$", said, re.MULTILINE)
        listed = re.findall(r"^  (\S+)  agent=mock$", said, re.MULTILINE)
        assert (len(listed), created[0] in listed) == (number, True)
        assert f"Sessions ({number}):" in said
        assert re.search(r'^  \[\d+\] client: .*"session/prompt"', said, re.MULTILINE)
        assert re.search(r"^  \[\d+\] agent: ", said, re.MULTILINE)
    assert [one.name for one in tmp_path.iterdir()] == ["sessions.db"]


def test_postgres(server: str, postgres: PostgresServer) -> None:
    for number in (1, 2):
        said = run("postgres.py", server, postgres.address(), "example", "mock", "hello")
        created = re.findall(r"^Created session (\S+)$", said, re.MULTILINE)
        listed = re.findall(r"^  (\S+)  agent=mock$", said, re.MULTILINE)
        assert (len(listed), created[0] in listed) == (number, True)
        assert re.search(r'^  \[\d+\] client: .*"session/prompt"', said, re.MULTILINE)
        assert re.search(r"^  \[\d+\] agent: ", said, re.MULTILINE)


def test_rivet(server: str, rivet: RivetServer) -> None:
    said = run("rivet.py", server, rivet.endpoint, "mock", "hello")
    assert re.search(r'^\[\d+\] client: .*"session/prompt"', said, re.MULTILINE)
    assert re.search(r"^end_turn; \d+ events in Rivet$", said, re.MULTILINE)


def test_rivet_multiplayer(server: str, rivet: RivetServer) -> None:
    said = run("rivet_multiplayer.py", server, rivet.endpoint)
    for name in ("Ann", "Ben"):
        assert re.findall(rf"^{name} sees the prompt: (.*)$", said, re.MULTILINE) == [
            "Hello from Ann",
            "Hello from Ben",
        ]
        assert said.count(f"{name} sees a turn end") == 2
    assert re.search(r"^both saw the same \d+ events: True$", said, re.MULTILINE)


def test_reload(server: str) -> None:
    said = run("reload.py", server)
    assert "the turn goes on: True" in said
    before, after = (int(number) for number in re.findall(r"(\d+) events", said))
    assert before < after
    assert "the turn has ended: end_turn" in said


def test_each_example_says_how_to_run_it_and_is_run() -> None:
    tests = Path(__file__).read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f"python examples/{path.name} http" in path.read_text(), path
        assert f'run("{path.name}", server' in tests, path
