"""The real sandbox-agent server, with the scripted agent, for samples and examples that run on CPython."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..servers import real_server
from ..stores.conftest import a_server
from ..stores.postgres_server import PostgresServer
from ..stores.rivet_server import RivetServer, started


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server, without a slash at its end."""
    with real_server(tmp_path_factory.mktemp("server")) as server:
        yield server.address


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    with a_server(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def rivet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RivetServer]:
    """A running Rivet with the actor of examples/rivet/."""
    yield from started(tmp_path_factory.mktemp("rivet") / "data")
