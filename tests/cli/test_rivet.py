"""Copies to and from a real Rivet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..stores.rivet_server import RivetServer, started
from .kit import Cli, write_recording


@pytest.fixture
def rivet(tmp_path: Path) -> Iterator[RivetServer]:
    """A server for this test."""
    yield from started(tmp_path / "data")


def test_there_and_back(cli: Cli, tmp_path: Path, rivet: RivetServer) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3, "b": 250, "c": 0})
    there = f"rivet:{rivet.endpoint}?key=copied"
    assert cli("copy", given, there) == 0, cli.err
    assert cli.out == "3 sessions, 253 events copied and compared\n"
    assert cli("copy", given, there) == 0
    assert cli.out == "0 sessions, 0 events copied and compared; 3 sessions there already\n"
    assert cli("copy", there, tmp_path / "back.jsonl") == 0
    assert (tmp_path / "back.jsonl").read_bytes() == given.read_bytes()
    assert cli("ls", there) == 0
    assert cli.out.count("\n") == 4


def test_an_actor_that_is_only_looked_at_is_not_made(cli: Cli, tmp_path: Path, rivet: RivetServer) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3})
    there = f"rivet:{rivet.endpoint}?key=nobody%27s"
    for _ in range(2):
        assert "nothing was made" in cli.fails(3, "ls", there)
        assert cli("copy", given, there, "--dry-run") == 0
        assert cli.out == "1 session, 3 events would be copied\n"
    assert cli("copy", given, there) == 0
    assert cli("ls", there) == 0


def test_an_actor_that_rivet_does_not_know(cli: Cli, tmp_path: Path, rivet: RivetServer) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3})
    there = f"rivet:{rivet.endpoint}?actor=nosuch"
    told = 'this Rivet has no actor named "nosuch", only sessions and plainSessions'
    for command in (["ls", there], ["copy", given, there], ["copy", given, there, "--dry-run"]):
        assert told in cli.fails(3, *command)
    assert rivet.is_well()


@pytest.mark.parametrize("others", [{}, {"a": 3}])
def test_a_session_that_an_actor_cannot_keep(
    cli: Cli, tmp_path: Path, rivet: RivetServer, others: dict[str, int]
) -> None:
    given = write_recording(tmp_path / "in.jsonl", others | {"__proto__": 2})
    there = f"rivet:{rivet.endpoint}"
    assert cli("copy", given, there) == 1
    assert cli.err.startswith("pyapp: '__proto__': ")
    assert cli("ls", there, "--json") == 0
    assert {json.loads(line)["id"] for line in cli.out.splitlines()} == set(others)
