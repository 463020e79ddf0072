"""Copies to and from a real Postgres, also interrupted ones, and what is said of one that lets nobody in."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pyapp.cli.copying import writing
from pyapp.drivers.postgres import writer

from ..stores.postgres_server import PostgresServer
from .kit import Cli, start, write_recording


def test_there_and_back(cli: Cli, tmp_path: Path, postgres: PostgresServer, schema: str) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3, "b": 1_234, "c": 0})
    there = f"{postgres.address()}?schema={schema}"
    assert cli("copy", given, tmp_path / "in.db") == 0
    assert cli("copy", tmp_path / "in.db", there) == 0
    assert cli.out == "3 sessions, 1,237 events copied and compared\n"
    assert cli("copy", tmp_path / "in.db", there) == 0
    assert cli.out == "0 sessions, 0 events copied and compared; 3 sessions there already\n"
    assert cli("copy", there, tmp_path / "back.db") == 0
    assert cli("copy", tmp_path / "back.db", given, "--dry-run") == 0
    assert cli.out == "0 sessions, 0 events would be copied; 3 sessions there already\n"
    assert cli("ls", there, "--json") == 0
    assert cli.out.count("\n") == 3
    assert cli("show", there, "b", "--last", "1") == 0
    assert cli.out.startswith("  1234  ")


def test_a_killed_copy_goes_on(cli: Cli, tmp_path: Path, postgres: PostgresServer, schema: str) -> None:
    given = write_recording(tmp_path / "in.jsonl", {f"s{number}": 1_000 for number in range(12)})
    there = f"{postgres.address()}?schema={schema}"
    with start("copy", given, there) as process:
        while process.poll() is None and _sessions(postgres, schema) == 0:
            time.sleep(0.005)  # polls until the first piece is committed
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert cli("copy", given, there) == 0
    assert _sessions(postgres, schema) == 12
    assert cli("copy", there, given, "--dry-run") == 0
    assert cli.out == "0 sessions, 0 events would be copied; 12 sessions there already\n"


def test_a_server_that_stops_meanwhile(
    cli: Cli, tmp_path: Path, postgres: PostgresServer, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice is that of the command, not that for whoever calls the driver."""
    given = write_recording(tmp_path / "in.jsonl", {f"s{number}": 100 for number in range(3)})
    there = f"{postgres.address()}?schema={schema}"
    monkeypatch.setattr(writing, "BATCH_EVENTS", 100)
    copy_rows = writer._copy

    async def stopping(connection: Any, known: Any, kind: Any, rows: Any) -> None:
        if kind == "event" and _sessions(postgres, schema) == 2:
            postgres.stop("immediate")
        await copy_rows(connection, known, kind, rows)

    monkeypatch.setattr(writer, "_copy", stopping)
    try:
        said = cli.fails(3, "copy", given, there)
    finally:
        postgres.restart()
    assert said.endswith(f"? What was copied stays in {there}; the same command goes on from it\n")
    assert "?." not in said
    assert "import" not in said
    monkeypatch.undo()
    assert cli("copy", given, there) == 0
    assert cli.out == "1 session, 100 events copied and compared; 2 sessions there already\n"


def _sessions(postgres: PostgresServer, schema: str) -> int:
    with psycopg.connect(postgres.address(), autocommit=True) as connection:
        if connection.execute("SELECT to_regclass(%s)", (f"{schema}.sessions",)).fetchone() == (None,):
            return 0
        row = connection.execute(f"SELECT count(*) FROM {schema}.sessions").fetchone()
        return int(row[0]) if row else 0


def test_a_place_that_is_only_looked_at_is_not_made(
    cli: Cli, tmp_path: Path, postgres: PostgresServer, schema: str
) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3})
    there = f"{postgres.address()}?schema={schema}"
    for command in (["ls", there], ["show", there, "a"], ["copy", there, tmp_path / "out.jsonl"]):
        assert "nothing was made" in cli.fails(3, *command)
    assert cli("copy", given, there, "--dry-run") == 0
    assert cli.out == "1 session, 3 events would be copied\n"
    with psycopg.connect(postgres.address(), autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
    assert found is None


def test_a_wrong_password(cli: Cli, postgres: PostgresServer) -> None:
    said = cli.fails(3, "ls", postgres.address(user="guest").replace("guest@", "guest:wr0ng@"))
    assert "password" in said
    assert "wr0ng" not in said


def test_a_foreign_schema(cli: Cli, tmp_path: Path, postgres: PostgresServer, schema: str) -> None:
    given = write_recording(tmp_path / "in.jsonl", {"a": 3})
    with psycopg.connect(postgres.address(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.sessions (id INTEGER PRIMARY KEY, cookie TEXT)")
    assert "left alone" in cli.fails(4, "copy", given, f"{postgres.address()}?schema={schema}")
