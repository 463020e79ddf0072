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
from .conftest import wait_ready
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
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("only shown here")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (229,)


@pytest.mark.parametrize("fragment", ["", "#token=wrong"])
def test_without_the_token(page: Page, address: str, fragment: str) -> None:
    page.goto(address.partition("#")[0] + fragment)
    words = "Open that address again" if not fragment else "not this program's"
    expect(page.locator("body")).to_contain_text(words, timeout=60_000)
    expect(sessions(page)).to_have_count(0)


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
