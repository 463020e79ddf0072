"""The real sandbox-agent server, with the scripted agent, for samples and examples that run on CPython."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..browser.agent_server import running_server, server_program


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server, without a slash at its end."""
    with running_server(server_program(), tmp_path_factory.mktemp("server"), "http://no-page") as address:
        yield address
