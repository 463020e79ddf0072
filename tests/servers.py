"""Real sandbox-agent servers for tests, each with the scripted agent as its agent `mock`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from examples.agent.server import NoServerForPlatformError, Server, find_program


def real_server(folder: Path, *, origins: tuple[str, ...] = (), token: str | None = None) -> Server:
    """A server that has not been started, on a port of its own. Skips the test on a platform that has none."""
    try:
        find_program()
    except NoServerForPlatformError as lack:
        if os.environ.get("CI"):
            pytest.fail(f"{lack}: CI has to run where there is one", pytrace=False)
        pytest.skip(str(lack))
    return Server(folder, origins=origins, token=token)
