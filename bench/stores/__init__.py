"""The stores of CPython, each against the bare database below it, by turns in one run; no browser is needed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .copying import copying_samples
from .postgres import postgres_samples
from .rivet import rivet_samples
from .sqlite import sqlite_samples


def store_samples(repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each round, by the names that `bench.report` prints."""
    # In this folder, since /tmp may be memory, where nothing ever waits for a disk.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        return (
            sqlite_samples(Path(folder), repeats)
            | postgres_samples(repeats)
            | rivet_samples(Path(folder), repeats)
            | copying_samples(Path(folder), min(repeats, 5))
        )
