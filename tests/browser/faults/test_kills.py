"""Whatever is killed while it writes: no acknowledged event is lost or changed, no index is missing or there twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Page

from tests.faults.amounts import BROWSER_KILLS, RENDERER_CRASHES, SEED

from ..bare_page import DRIVER, begin_python, open_bare_page
from ..conftest import LaunchProfile
from .dying import kill_renderers, wait_for_death
from .ledger import TELL, Ledger, open_ledger
from .reading import Row, by_id, rows_by_both

WRITE = """
import asyncio, random
from dataclasses import replace

random.seed(SEED)
driver = IndexedDBSessionPersistDriver("kills", durability=random.choice(["relaxed", "strict"]))

def draft():
    text = "é🦀" * random.choice([1, 1, 1, 10, 300])
    return EventDraft("agent", {"jsonrpc": "2.0", "text": text}, "connection", 1_000)

def events(session_id, count, size):
    drafts = [draft().named() for _ in range(size)]
    return [one.at(session_id, count + place) for place, one in enumerate(drafts, 1)]

async def append(session_id):
    tell(await driver.append_event(session_id, draft()))

async def insert(session_id, one):
    await driver.insert_event(session_id, one)
    tell(one)

async def begin(session_id):
    known = await driver.get_session(session_id) or record(session_id, extra={"change": 0})
    known = replace(known, extra={"change": known.extra["change"] + 1})
    await driver.update_session(known)
    tell(known)
    return await driver.count_events(session_id)

async def one_after_another():
    while True:
        await begin("one after another")
        for _ in range(random.randint(1, 20)):
            await append("one after another")

async def together():
    count = await begin("together")
    while True:
        size = random.randint(2, 40)
        if random.random() < 0.5:
            writes = [insert("together", one) for one in events("together", count, size)]
        else:
            writes = [append("together") for _ in range(size)]
        await asyncio.gather(*writes)
        count += size

async def in_groups():
    count = await begin("in groups")
    while True:
        group = events("in groups", count, random.choice([1, 2, 10, 100]))
        await driver.insert_events("in groups", group)
        tell(*group)
        count += len(group)

await asyncio.gather(one_after_another(), together(), in_groups())
"""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with open_ledger() as ledger:
        yield ledger


def write_until_killed(page: Page, ledger: Ledger, seed: str) -> None:
    begin_python(page, f"LEDGER, SEED = {ledger.url!r}, {seed!r}\n{DRIVER}{TELL}{WRITE}")
    wait_for_death(page)


def moment(seed: str) -> tuple[int, float]:
    """After how many tellings the kill comes, and how many seconds later: none, while the page tells, or a few."""
    chance = random.Random(seed)
    return chance.randint(1, 150), chance.choice([0, chance.uniform(0, 0.03)])


def faults_in(stored: list[Row], acknowledged: dict[str, Row]) -> dict[str, list[object]]:
    """What must not be: nothing under any name."""
    rows = by_id(stored)
    found: dict[str, list[object]] = {
        "lost": [id_ for id_ in acknowledged if id_ not in rows],
        "changed": [id_ for id_, row in acknowledged.items() if id_ in rows and rows[id_] != row],
        "gaps": [],
        "duplicates": [],
    }
    for session_id in {row["sessionId"] for row in stored}:
        times = Counter(row["eventIndex"] for row in stored if row["sessionId"] == session_id)
        found["gaps"] += [(session_id, index) for index in range(1, max(times) + 1) if index not in times]
        found["duplicates"] += [(session_id, index) for index, number in times.items() if number > 1]
    return {name: faults for name, faults in found.items() if faults}


def check(page: Page, ledger: Ledger, seed: str) -> int:
    """Read all, and compare it with what was acknowledged; the number of events."""
    sessions, events = rows_by_both(page, "kills")
    faults = faults_in(events, ledger.events)
    assert not faults, f"after the kill {seed}: {faults}"
    changes = {row["id"]: row["change"] for row in sessions}
    for id_, row in ledger.sessions.items():
        assert changes[id_] >= row["change"], f"after the kill {seed}: the record {id_!r} is an older one"
    return len(events)


def report(what: str, kills: int, ledger: Ledger, stored: int, began: float) -> None:
    print(
        f"\n{kills} {what} (seed {SEED}) in {time.monotonic() - began:.0f} s: {len(ledger.events)} events acknowledged,"
        f" {stored} stored, 0 lost, 0 changed, 0 gaps, 0 duplicates"
    )


def test_kills_of_the_browser(launch_profile: LaunchProfile, site: str, ledger: Ledger) -> None:
    began = time.monotonic()
    for kill in range(BROWSER_KILLS):
        seed = f"{SEED}-browser-{kill}"
        with launch_profile() as profile:
            page = open_bare_page(profile.context, site)
            if kill:
                check(page, ledger, f"before {seed}")
            ledger.arm(*moment(seed), profile.kill)
            write_until_killed(page, ledger, seed)
    with launch_profile() as profile:
        stored = check(open_bare_page(profile.context, site), ledger, f"{SEED}-browser, the last")
    report("kills of the browser", BROWSER_KILLS, ledger, stored, began)


def test_crashes_of_the_renderer(launch_profile: LaunchProfile, site: str, ledger: Ledger) -> None:
    began = time.monotonic()
    with launch_profile() as profile:
        for kill in range(RENDERER_CRASHES):
            seed = f"{SEED}-renderer-{kill}"
            page = open_bare_page(profile.context, site)
            if kill:
                check(page, ledger, f"before {seed}")
            ledger.arm(*moment(seed), partial(kill_renderers, profile.pid))
            write_until_killed(page, ledger, seed)
            page.close()
        stored = check(open_bare_page(profile.context, site), ledger, f"{SEED}-renderer, the last")
    report("crashes of a renderer", RENDERER_CRASHES, ledger, stored, began)
