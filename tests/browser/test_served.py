"""`python -m pyapp inspect`: the inspector shows a SQLite file's sessions, follows it, and lets nobody else in."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..cli.kit import start
from ..unit.recordings import DEMO
from .conftest import Faults, wait_ready
from .test_files import drop
from .test_inspector import all_read, at, seek, sessions, transcript


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A SQLite file with a recorded session."""
    path = tmp_path / "sessions.db"
    with start("copy", DEMO / "mock-1-rich.jsonl", path) as process:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    return path


@pytest.fixture
def address(site: str, database: Path) -> Iterator[str]:
    """Where the inspector with its sessions is, token included. (`site` is asked for since it says if dist/ lacks.)"""
    with start("inspect", database, "--no-browser") as process:
        assert process.stdout
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found[0]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, "")


def write_session(path: Path, session_id: str, words: str) -> None:
    """A session with one prompt, written past this package, as upstream's driver does."""
    payload = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "session/prompt",
        "params": {"prompt": [{"type": "text", "text": words}]},
    }
    with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
        connection.execute(
            "INSERT INTO sessions (id, agent, agent_session_id, last_connection_id, created_at) "
            "VALUES (?, 'mock', 'a', 'c', ?)",
            (session_id, 1_800_000_000_000),
        )
        connection.execute(
            "INSERT INTO events (id, event_index, session_id, created_at, connection_id, sender, payload_json) "
            "VALUES (?, 1, ?, ?, 'c', 'client', ?)",
            (f"{session_id}-1", session_id, 1_800_000_000_001, json.dumps(payload)),
        )


def test_the_sessions_of_a_file(page: Page, address: str, database: Path) -> None:
    page.goto(address)
    wait_ready(page)
    expect(sessions(page)).to_have_count(1)
    assert "token" not in page.url
    assert address.partition("token=")[2] not in page.content()
    sessions(page).first.click()
    all_read(page)
    at(page, 228)
    seek(page, 40)
    expect(transcript(page)).to_contain_text("text and markdown")
    write_session(database, "late", "written meanwhile")
    expect(sessions(page)).to_have_count(2)
    expect(sessions(page).filter(has_text="written meanwhile")).to_be_visible()
    expect(page.get_by_text("Read only", exact=True)).to_be_visible()
    expect(page).to_have_title(re.compile(r"^.+ · ….*/sessions\.db$"))
    expect(page.get_by_title(str(database))).to_contain_text("Sessions of …")
    for name in ("Delete", "Rename", "Connect", "New session", "Resume"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    expect(page.get_by_label("Import a recording")).to_have_count(0)
    drop(page, {"more.jsonl": (DEMO / "opencode-4-errors.jsonl").read_bytes()})
    expect(page.get_by_role("alert")).to_contain_text("only shown here")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (229,)


def test_the_program_ends_while_its_page_is_open(page: Page, faults: Faults, site: str, database: Path) -> None:
    with start("inspect", database, "--no-browser") as process:
        assert process.stdout
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        page.goto(found[0])
        wait_ready(page)
        sessions(page).first.click()
        at(page, 228)
        all_read(page)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.locator("html")).to_have_attribute("data-view", "session")
    expect(page.get_by_text("No answer")).to_be_visible()
    expect(transcript(page)).not_to_be_empty()
    page.get_by_role("button", name="Export").first.click()
    again = page.get_by_role("button", name="Try again")
    again.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#export-scope")).to_be_focused()
    expect(again).to_be_visible()
    page.keyboard.press("Escape")
    page.goto("about:blank")
    faults.texts = [text for text in faults.texts if "ERR_" not in text]  # the console tells of each try


@pytest.mark.parametrize("fragment", ["", "#token=wrong"])
def test_without_the_token(page: Page, address: str, fragment: str) -> None:
    page.goto(address.partition("#")[0] + fragment)
    words = "Open that address again" if not fragment else "not this program's"
    expect(page.locator("body")).to_contain_text(words, timeout=60_000)
    expect(sessions(page)).to_have_count(0)


def test_a_reload_with_a_session_open_says_that_the_key_is_gone(page: Page, address: str) -> None:
    said: list[str] = []
    page.goto(address)
    wait_ready(page)
    sessions(page).first.click()
    all_read(page)
    page.on("console", lambda message: said.append(message.text))
    page.reload()
    expect(page.locator("body")).to_contain_text("Open that address again", timeout=60_000)
    assert said == []


def test_a_foreign_name_that_leads_here(playwright_driver: object, chromium_path: str, address: str) -> None:
    """DNS rebinding: evil.example is this machine."""
    chromium = playwright_driver.chromium  # type: ignore[attr-defined]
    browser: Browser = chromium.launch(
        executable_path=chromium_path,
        args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
    )
    try:
        answer = browser.new_page().goto(address.replace("127.0.0.1", "evil.example"))
        assert answer is not None
        assert answer.status == 403
    finally:
        browser.close()
