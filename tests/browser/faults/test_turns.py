"""A page that goes away in the middle of a turn: the next one finds the same agent, and the store equals its stream."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page

from tests.faults.amounts import RELOADS, SEED, TURN_KILLS

from ..bare_page import DRIVER, begin_python, open_bare_page, run_python
from ..conftest import LaunchProfile
from .dying import wait_for_death

TURN = "stream 300 at 500"

CLIENT = """
import asyncio
driver = IndexedDBSessionPersistDriver("turns")
client = await SandboxAgent.connect(base_url=SERVER, persist=driver)

async def turn_ended(session):
    while session.running or session.state != "open":
        await asyncio.sleep(0.01)
"""

BEGIN = """
import js
session = await client.resume_or_create_session("mock", "s1")
await turn_ended(session)
session.on_event(lambda event: setattr(js, "heard", event.event_index))
await session.prompt(TURN)
"""

END = """
session = await client.resume_session("s1")
await turn_ended(session)
events = await all_events(driver, "s1", limit=1_000)
json.dumps([session.record.extra["serverId"], [one.to_row() for one in events]])
"""


@pytest.fixture
def python(agent_server: str) -> str:
    """What each page runs first."""
    return f"SERVER, TURN = {agent_server!r}, {TURN!r}\n{DRIVER}{CLIENT}"


class Recorder:
    """Reads the server's own stream of one process from its first message on, as long as the test runs."""

    def __init__(self, server: str) -> None:
        with urlopen(f"{server}/v1/acp") as answer:
            newest = max(json.load(answer)["servers"], key=lambda one: one["createdAtMs"])
            self.process: str = newest["serverId"]
        request = Request(f"{server}/v1/acp/{self.process}", headers={"Accept": "text/event-stream"})
        self._answer = urlopen(request, timeout=60)
        self.messages: list[Any] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def first(self, count: int) -> list[Any]:
        """The first messages, once there are so many."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.messages) >= count, 30), "the stream has fewer messages"
            return list(self.messages)

    def _read(self) -> None:
        with suppress(OSError, ValueError):  # the server ends before this thread does
            for line in self._answer:
                if line.startswith(b"data:"):
                    with self._more:
                        self.messages.append(json.loads(line[5:]))
                        self._more.notify_all()


def check(recorder: Recorder, told: Any) -> int:
    """The store against the stream; the number of the agent's messages."""
    process, events = told
    assert process == recorder.process, "another process has taken the place of the first"
    assert [row["eventIndex"] for row in events] == list(range(1, len(events) + 1))
    stored = [row["payload"] for row in events if row["sender"] == "agent"]
    assert stored == recorder.first(len(stored))
    prompts = [row["payload"]["id"] for row in events if row["payload"].get("method") == "session/prompt"]
    answered = [message["id"] for message in stored if "result" in message]
    assert set(prompts) <= set(answered), "a turn has no end"
    return len(stored)


def go_on_for_a_while(page: Page, seed: str) -> None:
    """Wait until a turn has begun, and then for a random part of it."""
    page.wait_for_function("globalThis.heard")
    page.wait_for_timeout(random.Random(seed).random() * 600)


def test_reloads_in_the_middle_of_a_turn(
    launch_profile: LaunchProfile,
    site: str,
    agent_server: str,
    python: str,
) -> None:
    began = time.monotonic()
    with launch_profile() as profile:
        page = open_bare_page(profile.context, site)
        run_python(page, f"{python}\nsession = await client.create_session('mock', 's1')\nNone")
        recorder = Recorder(agent_server)
        for number in range(RELOADS):
            begin_python(page, python + BEGIN)
            go_on_for_a_while(page, f"{SEED}-reload-{number}")
            page.reload()
            page.wait_for_function("globalThis.beginPython !== undefined")
        count = check(recorder, run_python(page, python + END))
    print(f"\n{RELOADS} reloads (seed {SEED}) in {time.monotonic() - began:.0f} s: {count} messages, each stored once")


def test_kills_of_the_browser_in_the_middle_of_a_turn(
    launch_profile: LaunchProfile,
    site: str,
    agent_server: str,
    python: str,
) -> None:
    began = time.monotonic()
    for number in range(TURN_KILLS):
        with launch_profile() as profile:
            page = open_bare_page(profile.context, site)
            if not number:
                run_python(page, f"{python}\nsession = await client.create_session('mock', 's1')\nNone")
                recorder = Recorder(agent_server)
            begin_python(page, python + BEGIN)
            go_on_for_a_while(page, f"{SEED}-kill-{number}")
            profile.kill()
            wait_for_death(page)
    with launch_profile() as profile:
        count = check(recorder, run_python(open_bare_page(profile.context, site), python + END))
    print(f"\n{TURN_KILLS} kills (seed {SEED}) in {time.monotonic() - began:.0f} s: {count} messages, each stored once")
