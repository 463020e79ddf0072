"""The inspector in a tab, in the words of its user. Each function waits until what it did is to be seen."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.unit.recordings import DEMO

from ..conftest import START
from .engine import Browser, Tab, wait

PERMISSIONS = DEMO / "opencode-2-permissions.jsonl"
ERRORS = DEMO / "opencode-4-errors.jsonl"

SLIDER = '[aria-label="Playback position"]'
PLAY = '[aria-label="Play"]'
PAUSE = '[aria-label="Pause"]'
EXPORT = '[data-click="export"]'
SAVE = "#export-save:not(:disabled)"
SPEED = '[aria-label="Speed"]'

READY = """() => document.documentElement.dataset.ready === 'true' || document.querySelector('[role=alert] button')"""

SHOWN = "(selector) => document.querySelector(selector) !== null"

SAYS = """(role, text) =>
  [...document.querySelectorAll(`[role=${role}]`)].some((one) => one.innerText.includes(text))"""

AT = """(position, selector) =>
  document.querySelector(selector)?.getAttribute('aria-valuenow') === String(position)
  && [...document.querySelectorAll('h1, h2, h3')].some((one) => one.textContent.trim() === `Event ${position}`)"""

LISTED = """(texts) => {
  const links = [...document.querySelectorAll('nav[aria-label="Sessions"] a')];
  return links.length === texts.length && texts.every((text, place) => links[place].innerText.includes(text));
}"""

STORED = """async () => {
  const driver = await (await globalThis.pyapp).openDriver();
  const lines = [];
  for (const session of (await driver.listSessions({ limit: 1000 })).items) {
    lines.push({ type: 'session', ...session });
    const { items } = await driver.listEvents({ sessionId: session.id, limit: 100000 });
    lines.push(...items.map((event) => ({ type: 'event', ...event })));
  }
  await driver.close();
  return lines.map((line) => JSON.stringify(line)).sort();
}"""


def open_inspector(browser: Browser, address: str) -> Tab:
    """A new tab in which the inspector shows what is stored."""
    tab = browser.open_tab()
    tab.go(address)
    await_ready(tab)
    return tab


def await_ready(tab: Tab) -> None:
    wait(tab, READY, within=START / 1000)
    started = tab.run("() => document.documentElement.dataset.ready")
    assert started == "true", tab.run("() => document.querySelector('[role=alert]').innerText")


def import_recordings(tab: Tab, *files: Path, said: str) -> None:
    tab.choose_files("input[type=file]", *files)
    wait(tab, SAYS, "status", said)


def go_to(tab: Tab, fragment: str) -> None:
    tab.run("(fragment) => { location.hash = fragment; }", fragment)


def await_position(tab: Tab, position: int) -> None:
    wait(tab, AT, position, SLIDER)


def await_start(tab: Tab) -> None:
    wait(tab, "(slider) => document.querySelector(slider)?.getAttribute('aria-valuenow') === '0'", SLIDER)


def await_all_read(tab: Tab) -> None:
    """Until the session was read in the background, its transcript begins where the reading has come to."""
    wait(tab, f"(progress) => !({SHOWN})(progress)", '[aria-label="Reading events"]')


def transcript(tab: Tab) -> str:
    """As it stands, without what the page itself writes into it."""
    html: str = tab.run("() => document.querySelector('[role=log]').innerHTML.replace(/ style=\"[^\"]*\"/g, '')")
    return html


def await_listed(tab: Tab, *texts: str) -> None:
    """The list has so many sessions, and each says its text."""
    wait(tab, LISTED, texts)


def stored(tab: Tab) -> list[str]:
    """Every record of the database, as a line of a recording."""
    return list(tab.run(STORED))


def await_saved(browser: Browser, file: Path, within: float = 30) -> None:
    """The browser tells nobody when it has written a file, so its folder is looked at."""
    end = time.monotonic() + within
    while all(saved.read_bytes() != file.read_bytes() for saved in browser.saved()):
        assert time.monotonic() < end, f"{file.name} was not saved; there are {browser.saved()}"
        time.sleep(0.05)


def lines_of(*files: Path) -> list[str]:
    return sorted(line for file in files for line in file.read_text().splitlines())


def add_session(tab: Tab, session_id: str) -> str:
    """Store an old session through globalThis.pyapp; its line in a recording."""
    record = {"id": session_id, "agent": "mock", "agentSessionId": "a", "lastConnectionId": "c", "createdAt": 1}
    _with_driver(tab, "driver.updateSession(given)", record)
    return json.dumps({"type": "session", **record}, separators=(",", ":"))


def add_event(tab: Tab, session_id: str, index: int) -> None:
    payload = {"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": "a"}}
    event = {"id": f"event-{index}", "eventIndex": index, "sessionId": session_id, "createdAt": 1_900_000_000_000}
    event |= {"connectionId": "c", "sender": "client", "payload": payload}
    _with_driver(tab, "driver.insertEvent(given.sessionId, given)", event)


def _with_driver(tab: Tab, call: str, given: dict[str, Any]) -> None:
    """As a script of the page does it, through globalThis.pyapp."""
    tab.run(
        f"""async (given) => {{
          const driver = await (await globalThis.pyapp).openDriver();
          await {call};
          await driver.close();
        }}""",
        given,
    )
