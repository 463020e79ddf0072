"""The servers that the tests of stores share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pytest

from .postgres_server import NoPostgresError, PostgresServer

_numbers = count(1)


def a_server(*, durable: bool) -> PostgresServer:
    """A server that has not been started. Skips the test on a machine that has no PostgreSQL, and fails it in CI."""
    try:
        return PostgresServer(durable=durable)
    except NoPostgresError as lack:
        if os.environ.get("CI"):
            pytest.fail(f"{lack}. CI has to have one: run `make test`, which installs it", pytrace=False)
        pytest.skip(str(lack))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; each test takes a schema of its own."""
    with a_server(durable=False) as server:
        yield server


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[PostgresServer]:
    """A server for tests that stop it; a commit waits for the disk."""
    with a_server(durable=True) as server:
        yield server


@pytest.fixture
def schema() -> str:
    """The name of a schema that nobody has used."""
    return f"test_{next(_numbers)}"
