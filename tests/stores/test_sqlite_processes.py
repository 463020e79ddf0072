"""Several processes on one file, real ones; and processes that are killed while they write."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pyapp import SessionEvent, SQLiteSessionPersistDriver
from pyapp.drivers.conformance.kit import all_events, all_sessions

from ..faults.amounts import APPENDS, FULL, SEED

PROCESSES = 8 if FULL else 3
APPENDED = APPENDS if FULL else 40
KILLS = 100 if FULL else 3
UPSTREAM = Path(__file__).with_name("upstream") / "upstream-0.2.db"

APPENDING = """
import asyncio, sys
from pyapp import EventDraft, SQLiteSessionPersistDriver

async def main(path, name, count):
    async with SQLiteSessionPersistDriver(path) as driver:
        async def one(number):
            draft = EventDraft("agent", {"from": name, "n": number}, "c", 1_000 + number, f"{name}:{number}")
            return await driver.append_event(f"s{number % 2}", draft)
        for start in range(0, count, 10):  # partly at the same time, partly one behind the other
            await asyncio.gather(*(one(number) for number in range(start, min(start + 10, count))))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def run_together(code: str, arguments: Sequence[Sequence[str]]) -> None:
    """Processes that run at the same time; each must end well."""
    command = [sys.executable, "-W", "error", "-c", code]
    processes = [subprocess.Popen([*command, *one], stderr=subprocess.PIPE, text=True) for one in arguments]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [(process.returncode, text) for process, text in zip(processes, said, strict=True)] == [(0, "")] * len(said)


@pytest.mark.parametrize("start", ["no file", "file of upstream 0.2"])
def test_processes_that_append_leave_no_gap_and_take_no_index_twice(start: str, tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    if start != "no file":
        shutil.copy(UPSTREAM, path)
    run_together(APPENDING, [(str(path), f"p{number}", str(APPENDED)) for number in range(PROCESSES)])

    async def read(session_id: str) -> list[SessionEvent]:
        async with SQLiteSessionPersistDriver(path) as driver:
            return await all_events(driver, session_id, limit=500)

    events = [one for session_id in ("s0", "s1") for one in asyncio.run(read(session_id))]
    for session_id in ("s0", "s1"):
        indexes = [one.event_index for one in events if one.session_id == session_id]
        assert indexes == list(range(1, len(indexes) + 1))
    written = {(f"p{process}", number) for process in range(PROCESSES) for number in range(APPENDED)}
    assert {(one.payload["from"], one.payload["n"]) for one in events} == written
    assert len(events) == len(written)


WRITING = """
import asyncio, json, sys
from pyapp import EventDraft, SessionRecord, SQLiteSessionPersistDriver
from pyapp.drivers.conformance.kit import event, record

def tell(*given):
    sys.stdout.write(json.dumps([one.to_row() for one in given]) + "\\n")
    sys.stdout.flush()

async def main(path, name, seed):
    driver = SQLiteSessionPersistDriver(path)
    session_id = f"s{name}"
    number = 0
    async def append():
        nonlocal number
        number += 1
        tell(await driver.append_event(session_id, EventDraft("agent", {"n": number, "x": "y" * 300}, "c", number)))
    async def many():
        tell(*await driver.append_events(session_id, [EventDraft("agent", {"m": n}, "c", n) for n in range(20)]))
    async def put(n):
        known = record(f"{session_id}-{n}", n, extra={"n": n})
        await driver.update_session(known)
        tell(known)
    for turn in range(100_000):
        await append()
        await asyncio.gather(*(append() for _ in range(turn % 30)), many(), put(turn))

asyncio.run(main(*sys.argv[1:]))
"""


def test_nothing_acknowledged_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
    """Each time two of them write, and one is killed at a random moment, then the other."""
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    path = tmp_path / "killed.db"
    told: dict[str, dict[str, object]] = {}
    for kill in range(KILLS):
        command = [sys.executable, "-c", WRITING, str(path)]
        processes = [
            subprocess.Popen([*command, f"{kill}-{which}", "0"], stdout=subprocess.PIPE, text=True) for which in (0, 1)
        ]
        for process in processes:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(chance.randrange(1, 60))]
            process.kill()
            lines += process.stdout.readlines()
            process.wait()
            process.stdout.close()
            for line in lines:
                if line.endswith("\n"):
                    told |= {row["id"]: row for row in json.loads(line)}

    async def read() -> dict[str, dict[str, object]]:
        async with SQLiteSessionPersistDriver(path) as driver:
            stored = {one.id: one.to_row() for one in await all_sessions(driver, limit=1_000)}
            for kill in range(KILLS):
                for which in (0, 1):
                    events = await all_events(driver, f"s{kill}-{which}", limit=1_000)
                    assert [one.event_index for one in events] == list(range(1, len(events) + 1))
                    bursts = [one.payload["m"] for one in events if "m" in one.payload]
                    assert bursts == [*range(20)] * (len(bursts) // 20), "half of an append_events"
                    stored |= {one.id: one.to_row() for one in events}
            return stored

    stored = asyncio.run(read())
    print(f"{KILLS} times two kills: {len(told)} acknowledged, {len(stored)} stored")
    assert len(told) > KILLS
    assert {id_: stored.get(id_) for id_ in told} == told


FORGETTING = """
import asyncio, sys
from pyapp import SQLiteSessionPersistDriver
from pyapp.drivers.conformance.kit import event

async def main(path):
    driver = SQLiteSessionPersistDriver(path)
    await driver.insert_event("s1", event(1))
    print(len((await driver.list_events("s1")).items))

asyncio.run(main(sys.argv[1]))
"""


def test_a_program_that_closes_nothing_ends_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    run_together(FORGETTING, [(str(path),)])

    async def count() -> int:
        async with SQLiteSessionPersistDriver(path) as driver:
            return await driver.count_events("s1")

    assert asyncio.run(count()) == 1
