"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from .kit import Cli


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, in this process."""
    return Cli(capsys)
