"""A Chromium whose profile is on the disk, with the built page in it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, BESIDE, DIST, PREFIX, START, Handler, Server

PROBE = Path(__file__).with_name("probe.js")


class CachingHandler(Handler):
    """Files may be kept for ten minutes, as GitHub Pages says of its own."""

    beside = {**BESIDE, "start/": Path(__file__).parent / "start"}  # noqa: RUF012 - so declared in the base class

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()


@dataclass(frozen=True)
class Bench:
    """The browser of a run."""

    context: BrowserContext
    site: str
    version: str

    def page(self, fragment: str = "#/") -> Page:
        """A new page of the site, ready."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: print(f"error in the page: {error}", file=sys.stderr))
        page.goto(self.site + fragment)
        page.locator("html[data-ready=true]").wait_for(state="attached", timeout=START)
        return page


@contextmanager
def launched(profile: Path) -> Iterator[Bench]:
    """Serve dist/ and start Chromium."""
    if not (DIST / "boot.json").exists():
        sys.exit("dist/ is not built: run `make build` first (`make bench` does).")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        sys.exit("There is no Chromium: run `make bench`, which installs one, or set CHROMIUM.")
    with Server(("127.0.0.1", 0), CachingHandler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=path, args=list(ARGUMENTS), viewport={"width": 1400, "height": 900}
        )
        context.set_default_timeout(600_000)
        context.add_init_script(path=PROBE)
        try:
            yield Bench(context, f"http://127.0.0.1:{server.server_port}{PREFIX}", _version(context))
        finally:
            context.close()
            server.shutdown()


def _version(context: BrowserContext) -> str:
    page = context.pages[0]
    told: dict[str, Any] = context.new_cdp_session(page).send("Browser.getVersion")
    return str(told["product"])
