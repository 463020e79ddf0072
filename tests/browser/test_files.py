"""Files out of the page and into it, in real Chromium: downloads, drops, a second host, the driver in Pyodide."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from pyapp import SQLiteSessionPersistDriver
from tests.browser.conftest import Open, wait_ready
from tests.browser.test_inspector import sessions, transcript
from tests.unit.recordings import DEMO, Script
from tests.unit.test_inspector import record

NAME = "opencode-2-permissions.jsonl"
TOKEN = "ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


def leaky() -> str:
    """A recording with a secret in a prompt, and in the pieces of the answer."""
    script = Script("leaky")
    script.prompt(f"Deploy with GITHUB_TOKEN={TOKEN}")
    for at in range(0, len(TOKEN), 7):
        script.says(TOKEN[at : at + 7])
    lines = [{"type": "session", **record("leaky").to_row()}]
    lines += [{"type": "event", **event.to_row()} for event in script.events]
    return "".join(json.dumps(line) + "\n" for line in lines)


def choose(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Import a recording").set_input_files(file)  # type: ignore[arg-type]


def drop(page: Page, files: dict[str, bytes]) -> None:
    """As a hand does it: the page's own scripts see a drop with files."""
    page.evaluate(
        """(files) => {
          const dataTransfer = new DataTransfer();
          for (const [name, text] of Object.entries(files))
            dataTransfer.items.add(new File([Uint8Array.from(atob(text), (mark) => mark.charCodeAt(0))], name));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        {name: base64.b64encode(content).decode() for name, content in files.items()},
    )


def status(page: Page, words: str) -> None:
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def save(page: Page) -> Download:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    return download.value


def test_secrets_are_shown_and_masked_before_a_session_is_saved(open_inspector: Open, tmp_path: Path) -> None:
    page = open_inspector()
    choose(page, "leaky.jsonl", leaky().encode())
    status(page, "Imported 1 session")
    page.get_by_role("button", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog).to_contain_text("1 github token in 2 places")
    places = dialog.get_by_role("list", name="Places of secrets").get_by_role("listitem")
    expect(places.first).to_have_text("event 1Deploy with GITHUB_TOKEN=[secret: github token 1]")
    expect(dialog.get_by_role("radio", name="Mask them")).to_be_checked()
    with page.context.expect_page() as opened:
        places.first.get_by_role("link").click()
    expect(opened.value.get_by_role("heading", name="Event 1", exact=True)).to_be_visible(timeout=60_000)
    opened.value.close()

    masked = save(page)
    masked.save_as(tmp_path / "masked.jsonl")
    assert masked.suggested_filename == "leaky.jsonl"
    text = (tmp_path / "masked.jsonl").read_text()
    assert (TOKEN[4:10] in text, text.count("[secret: github token 1]")) == (False, 2)
    status(page, "Exported 7 events. 1 secret masked.")

    page.get_by_role("button", name="Export", exact=True).click()
    dialog.get_by_role("radio", name="Keep them").check()
    save(page).save_as(tmp_path / "kept.jsonl")
    assert (tmp_path / "kept.jsonl").read_text() == leaky().replace(": ", ":").replace(", ", ",")


def test_sessions_as_a_database_and_back_by_a_drop(
    open_inspector: Open, page: Page, browser: Browser, tmp_path: Path, site: str
) -> None:
    open_inspector()
    wheels: list[str] = []
    page.on("request", lambda request: wheels.append(request.url) if "/wheels/" in request.url else None)
    names = ("mock-1-rich.jsonl", NAME)
    drop(page, {name: (DEMO / name).read_bytes() for name in names})
    status(page, "Imported 2 sessions, 440 events.")
    assert wheels == []
    page.get_by_role("button", name="Export sessions").click()
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog).to_contain_text("None found in 440 events.")
    dialog.get_by_role("radio", name="SQLite").check()
    path = tmp_path / "out.db"
    save(page).save_as(path)
    status(page, "Exported 2 sessions, 440 events.")
    assert len(wheels) == 1  # the driver is loaded when it is first needed

    content = path.read_bytes()
    assert content[18:20] == b"\x01\x01"  # no WAL: the one file is whole
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM events").fetchone() == (440,)
    database.close()

    with browser.new_context(service_workers="block") as other:
        fresh = other.new_page()
        fresh.goto(site)
        wait_ready(fresh)
        refuses_hostile_files(fresh, tmp_path)
        drop(fresh, {"out.db": content})
        status(fresh, "Imported 2 sessions, 440 events.")
        drop(fresh, {"out.db": content})
        expect(fresh.get_by_role("alert")).to_contain_text("All that out.db holds is already stored here: 2 sessions.")
        sessions(fresh).filter(has_text="text and markdown").click()
        fresh.get_by_role("button", name="Export", exact=True).click()
        expect(fresh.get_by_role("dialog")).to_contain_text("None found in")
        save(fresh).save_as(tmp_path / "again.jsonl")
        drop(fresh, in_use(tmp_path / "live.db"))
        expect(transcript(fresh)).to_contain_text("From the log")
    assert (tmp_path / "again.jsonl").read_bytes() == (DEMO / "mock-1-rich.jsonl").read_bytes()


def in_use(path: Path) -> dict[str, bytes]:
    """A database and its log, copied while they are written."""
    files: dict[str, bytes] = {}

    async def write() -> None:
        async with SQLiteSessionPersistDriver(path) as driver:
            await driver.update_session(record("live"))
            await driver.insert_events("live", [Script("live").prompt("From the log")])
            files.update({one.name: one.read_bytes() for one in (path, Path(f"{path}-wal"))})

    thread = threading.Thread(target=lambda: asyncio.run(write()))  # in this one runs Playwright's loop
    thread.start()
    thread.join()
    return files


def refuses_hostile_files(page: Page, tmp_path: Path) -> None:
    """Each leaves one alert, and changes nothing."""
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY)")
    database.close()
    content = foreign.read_bytes()
    hostile = {
        "text.db": (b"just words", "neither a SQLite database nor a recording"),
        "foreign.db": (content, "not a session store"),
        "broken.db": (content[:100] + b"\xff" * 8_000, "damaged"),
    }
    alert = page.get_by_role("alert")
    for name, (bytes_, reason) in hostile.items():
        drop(page, {name: bytes_})
        expect(alert).to_contain_text(f"{name} was not imported, and nothing was changed")
        expect(alert).to_contain_text(reason)
        assert "/tmp" not in alert.inner_text()
    expect(sessions(page)).to_have_count(0)


class Elsewhere(BaseHTTPRequestHandler):
    """Another host: folders that pages may read, one that they may not, one that leads on, one that is endless."""

    asked: list[str] = []  # noqa: RUF012 - of the one server of this file

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/on/"):
            self.send_response(302)
            self.send_header("Location", f"/open/{NAME}")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            return
        content = (DEMO / NAME).read_bytes()
        self.send_response(404 if self.path.startswith("/gone/") else 200)
        if not self.path.startswith("/closed/"):
            self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(1 << 40 if self.path.startswith("/large/") else len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    Elsewhere.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_of_this_site_is_opened_by_its_address(page: Page, site: str) -> None:
    page.goto(f"{site}?src=demo/{NAME}")
    status(page, "Imported 1 session")
    expect(page.locator("html")).to_have_attribute("data-view", "session")
    assert "src=" not in page.url
    page.reload()
    wait_ready(page)
    expect(sessions(page)).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_empty()


def test_another_host_is_asked_after_a_click_only(open_inspector: Open, elsewhere: str) -> None:
    url = f"{elsewhere}/open/{NAME}"
    page = open_inspector(f"#/?src={url}")
    dialog = page.get_by_role("dialog", name="Fetch a recording from")
    expect(dialog).to_contain_text(url)
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert Elsewhere.asked == []
    words = {
        "closed": "Access-Control-Allow-Origin",
        "on": "leads on to another address",
        "gone": "answered 404",
        "large": "larger than 512 MiB",
    }
    for folder, reason in words.items():
        page.evaluate("hash => { location.hash = hash; }", f"#/?src={elsewhere}/{folder}/{NAME}")
        dialog.get_by_role("button", name="Fetch").click()
        expect(page.get_by_role("alert")).to_contain_text(reason)
    expect(sessions(page)).to_have_count(0)
    page.evaluate("hash => { location.hash = hash; }", f"#/?src={url}")
    dialog.get_by_role("button", name="Fetch").click()
    status(page, "Imported 1 session")
    assert Elsewhere.asked == [f"/{folder}/{NAME}" for folder in (*words, "open")]
