"""The SQLite driver keeps the contract, in memory and in a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pyapp import ObservableStore, SQLiteSessionPersistDriver
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT, StorePromise

PROMISES = [*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT]


@pytest.mark.parametrize("where", ["memory", "file"])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise: StorePromise, where: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with SQLiteSessionPersistDriver(":memory:" if where == "memory" else tmp_path / "s.db") as driver:
            await promise(driver)

    asyncio.run(run())


def test_it_is_a_whole_store() -> None:
    assert isinstance(SQLiteSessionPersistDriver(), ObservableStore)
