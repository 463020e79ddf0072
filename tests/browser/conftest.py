"""A real Chromium and the built page, for every test of this folder.

dist/ is served from a sub-folder by a plain static server, since that is where a page shows whether its
addresses are relative; tests/browser/bare/ is served beside it, under bare/, with the npm package of Pyodide, and
examples/browser/ under example/.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from ..servers import real_server

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
BESIDE = {
    "bare/pyodide/": ROOT / "node_modules" / "pyodide",
    "bare/": Path(__file__).parent / "bare",
    "example/": ROOT / "examples" / "browser",
}
"""Folders that are served beside the page, by the beginning of the address."""
PREFIX = "/some/path/"

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A busy machine needs longer than Playwright's 5 s for a start of Python; what does not come still fails.
expect.set_options(timeout=30_000)

START = 60_000
"""How long Python may take to start, in milliseconds, on a machine that is busy with other things."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: once Playwright runs, its event loop leaves no room for asyncio.run() in other tests."""
    items.sort(key=lambda item: Path(__file__).parent in item.path.parents)


class Handler(SimpleHTTPRequestHandler):
    """dist/ at /some/path/, the bare pages at /some/path/bare/, nothing else."""

    protocol_version = "HTTP/1.1"
    beside = BESIDE
    extensions_map = {  # noqa: RUF012 - so declared in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
    }

    def translate_path(self, path: str) -> str:
        path = path.partition("?")[0].partition("#")[0]
        if not path.startswith(PREFIX):
            return str(DIST / "nothing-is-here")
        name = path.removeprefix(PREFIX)
        start = next(filter(name.startswith, self.beside), "")
        folder = self.beside.get(start, DIST)
        self.directory = str(folder)
        return super().translate_path("/" + name.removeprefix(start))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet: a failed request shows in the page that made it."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet too: a page that is closed breaks its connections off."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the built page; it ends in a slash."""
    if not (DIST / "boot.json").exists():
        pytest.fail("dist/ is not built: run `make build` first (`make test` does).", pytrace=False)
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()


@pytest.fixture(scope="session")
def agent_server(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server, without a slash at its end. Pages of `site` may speak to it; no other may."""
    place = urlsplit(site)
    with real_server(tmp_path_factory.mktemp("server"), origins=(f"{place.scheme}://{place.netloc}",)) as server:
        yield server.address


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to test with: $CHROMIUM, or the one that `make chromium` finds."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen
    if found := shutil.which("/usr/bin/chromium") or shutil.which("chromium"):
        return found
    pytest.fail("There is no Chromium: run `make test`, which installs one, or set CHROMIUM.", pytrace=False)


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright_driver: Playwright, chromium_path: str) -> Iterator[Browser]:
    """One headless Chromium for all tests; each test gets a context of its own."""
    browser = playwright_driver.chromium.launch(executable_path=chromium_path, args=list(ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def chromium(browser: Browser) -> Browser:
    """The same browser, under the name that says which."""
    return browser


@dataclass
class Faults:
    """Errors that a page reported. A test that expects some takes them away with `expect`."""

    texts: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.texts.append(f"uncaught: {error}"))
        page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.texts.append(f"console: {message.text} ({message.location.get('url', '')})")

    def expect(self, part: str) -> None:
        """Forget the errors that contain this text; there must be at least one."""
        expected = [text for text in self.texts if part in text]
        assert expected, f"no error said {part!r}; seen: {self.texts}"
        self.texts = [text for text in self.texts if part not in text]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile: nothing stored, nothing cached, and no service worker, which would fetch on the side."""
    context = browser.new_context(service_workers="block")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, faults: Faults) -> Iterator[Page]:
    """A page in a fresh profile. The test fails if it reports an error that the test did not expect."""
    page = context.new_page()
    faults.watch(page)
    yield page
    assert not faults.texts, "the page reported errors:\n" + "\n".join(faults.texts)


Open = Callable[..., Page]


@pytest.fixture
def open_inspector(page: Page, site: str) -> Open:
    """`open_inspector("#/sessions/…")` goes to the page and waits until it shows what is stored."""

    def open_(fragment: str = "") -> Page:
        go_to_inspector(page, site, fragment)
        return page

    return open_


def go_to_inspector(page: Page, site: str, fragment: str = "") -> None:
    """Load the page, also one that is open already, and wait until it is ready or says why it is not."""
    if page.url.partition("#")[0] == site:
        page.goto("about:blank")
    page.goto(site + fragment)
    wait_ready(page)


def wait_ready(page: Page) -> None:
    """Wait until the inspector shows what is stored. Fails at once, with its words, when it cannot start."""
    # No wait_for_function: it needs eval, which a strict content security policy forbids.
    page.locator("html[data-ready=true], #alert button").first.wait_for(state="attached", timeout=START)
    if page.locator("html[data-ready=true]").count() == 0:
        pytest.fail(f"the page did not start: {page.get_by_role('alert').inner_text()}")


@dataclass(frozen=True)
class Profile:
    """A running Chromium with a profile on disk. `pid` is its main process."""

    context: BrowserContext
    page: Page
    pid: int

    def kill(self) -> None:
        """End the browser as a power cut would: SIGKILL, no farewell."""
        os.kill(self.pid, signal.SIGKILL)


LaunchProfile = Callable[[], Any]


@pytest.fixture
def launch_profile(tmp_path: Path, playwright_driver: Playwright, chromium_path: str) -> LaunchProfile:
    """`with launch_profile() as profile:` starts Chromium with this test's profile on disk, as often as wanted."""
    folder = tmp_path / "profile"

    @contextmanager
    def launch() -> Iterator[Profile]:
        context = playwright_driver.chromium.launch_persistent_context(
            str(folder), executable_path=chromium_path, args=list(ARGUMENTS), service_workers="block"
        )
        try:
            page = context.pages[0] if context.pages else context.new_page()
            yield Profile(context, page, main_process(folder))
        finally:
            with suppress(PlaywrightError):  # when the browser was killed
                context.close()
            for lock in folder.glob("Singleton*"):  # a killed browser leaves them, and the next would not start
                lock.unlink()

    return launch


@pytest.fixture
def profile(launch_profile: LaunchProfile) -> Iterator[Profile]:
    with launch_profile() as profile:
        yield profile


def main_process(folder: Path) -> int:
    """The main process of the Chromium that uses this profile, read from the lock in it (a link to host-pid)."""
    lock = folder / "SingletonLock"
    if lock.is_symlink():
        return int(os.readlink(lock).rpartition("-")[2])
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in listing.splitlines() if f"--user-data-dir={folder}" in line and "--type=" not in line]
    return int(lines[0].split()[0])


def wheels() -> list[dict[str, Any]]:
    """What dist/wheels/wheels.json lists."""
    listed: list[dict[str, Any]] = json.loads((DIST / "wheels" / "wheels.json").read_text())
    return listed
