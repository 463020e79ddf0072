"""Real servers for the tests of the SDK, and a network before them that does harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from examples.agent.server import Server

from ..servers import real_server

NewServer = Callable[..., Server]


@pytest.fixture(scope="session")
def agent_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that all tests share, without a slash at its end. It has no token."""
    with real_server(tmp_path_factory.mktemp("server")) as server:
        yield server.address


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[NewServer]:
    """`new_server(token=…)` starts a server for this test alone.

    The test may `kill()` it (SIGKILL) or `stop()` it, and `start()` it again at the same address.
    """
    with ExitStack() as stack:

        def start(token: str | None = None) -> Server:
            return stack.enter_context(real_server(tmp_path, token=token))

        yield start
