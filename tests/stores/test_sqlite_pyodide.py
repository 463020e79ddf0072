"""The driver in Pyodide, which has no threads and no shared memory: the contract, and files that a user dropped."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

from pyapp import SQLiteSessionPersistDriver
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT
from pyapp.drivers.conformance.kit import event, record

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

IN_PYODIDE = """
import asyncio, json, os
from pyapp import *
from pyapp.drivers.conformance import DRIVER_CONTRACT, STORE_CONTRACT, WHOLE_CONTRACT
from pyapp.drivers.conformance.kit import all_events, event

kept = []
for promise in (*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT):
    async with SQLiteSessionPersistDriver(f"/tmp/{promise.__name__}.db") as driver:
        await promise(driver)
    kept.append(promise.__name__)

dropped = {}
for name in sorted(os.listdir("/dropped")):
    try:
        async with SQLiteSessionPersistDriver(f"/dropped/{name}") as driver:
            found = await driver.totals()
            await driver.append_event("s1", EventDraft("agent", {}, "c", 1))
            dropped[name] = [found.sessions, found.events, await driver.count_events("s1")]
        async with SQLiteSessionPersistDriver(f"/dropped/{name}") as driver:
            assert await driver.totals() == Totals(found.sessions, found.events + 1)
    except PyappError as error:
        dropped[name] = f"{type(error).__name__}: {error}"

changes = []
async with SQLiteSessionPersistDriver() as driver:
    driver.on_change(changes.append)
    await asyncio.gather(*(driver.insert_event("s1", event(index)) for index in range(1, 300)))
json.dumps({"kept": kept, "dropped": dropped, "told": [sorted(one.session_ids) for one in changes]})
"""


def test_in_pyodide(tmp_path: Path) -> None:
    shutil.copy(HERE / "upstream" / "upstream-0.4.db", tmp_path)
    shutil.copy(HERE / "upstream" / "upstream-0.2.db", tmp_path)
    (tmp_path / "no.db").write_bytes(b"no database" * 1_000)

    async def fill() -> None:
        async with SQLiteSessionPersistDriver(tmp_path / "ours.db") as driver:
            await driver.update_session(record(extra={"a": 1}))
            await driver.insert_events("s1", [event(1), event(2)])

    asyncio.run(fill())
    connection = sqlite3.connect(tmp_path / "ours.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert not (tmp_path / "ours.db-wal").exists()

    command = ["node", str(HERE / "sqlite_in_pyodide.mjs"), str(ROOT), str(tmp_path)]
    done = subprocess.run(command, input=IN_PYODIDE, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout.splitlines()[-1])
    assert len(said["kept"]) == len([*DRIVER_CONTRACT, *STORE_CONTRACT, *WHOLE_CONTRACT])
    assert said["dropped"] == {
        "no.db": "UnknownLayoutError: /dropped/no.db is not a SQLite database; it was left alone",
        "ours.db": [1, 2, 3],
        "upstream-0.2.db": [3, 4, 1],
        "upstream-0.4.db": [3, 4, 1],
    }
    assert said["told"][-1:] == [["s1"]]
