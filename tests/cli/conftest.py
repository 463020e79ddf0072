"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from ..stores.conftest import postgres, schema
from .kit import Cli

__all__ = ["cli", "postgres", "schema"]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line, in this process, as where nothing says how wide the terminal is."""
    monkeypatch.delenv("COLUMNS", raising=False)
    return Cli(capsys)
