"""Chromium, and the Firefox of the machine through WebDriver BiDi, both driven by Playwright."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, WebError
from playwright.sync_api import Error as PlaywrightError

from ..conftest import ARGUMENTS, START, main_process

DOWNLOADS = "downloads"
"""The folder in a profile for what pages save."""

FIREFOX_PREFERENCES: dict[str, str | float | bool] = {
    # Playwright loses a page that comes back from the back-forward cache.
    "fission.bfcacheInParent": False,
    "browser.sessionhistory.max_total_viewers": 0,
}


@dataclass(frozen=True)
class PlaywrightTab:
    page: Page

    def go(self, url: str) -> None:
        self.page.goto("about:blank")
        self.page.goto(url, timeout=START)

    def reload(self) -> None:
        self.page.reload(timeout=START)

    def run(self, function: str, *arguments: object) -> Any:
        return self.page.evaluate(f"(given) => ({function})(...given)", list(arguments))

    def click(self, selector: str, across: float = 0.5) -> None:
        target = self.page.locator(selector)
        box = target.bounding_box()
        assert box, f"{selector} is not to be seen"
        target.click(position={"x": box["width"] * across, "y": box["height"] / 2})

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    def choose_files(self, selector: str, *paths: Path) -> None:
        self.page.locator(selector).set_input_files(list(paths))

    def choose_option(self, selector: str, value: str) -> None:
        self.page.locator(selector).select_option(value)

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def close(self) -> None:
        self.page.close()


@dataclass
class PlaywrightBrowser:
    context: BrowserContext
    pid: int
    downloads: Path
    reported: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.unused = list(self.context.pages)
        self.context.on("console", self._console)
        self.context.on("weberror", self._uncaught)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.reported.append(message.text)

    def _uncaught(self, event: WebError) -> None:
        self.reported.append(f"uncaught: {event.error}")

    def open_tab(self) -> PlaywrightTab:
        return PlaywrightTab(self.unused.pop() if self.unused else self.context.new_page())

    def saved(self) -> list[Path]:
        return [path for path in self.downloads.rglob("*") if path.is_file()]

    def errors(self) -> list[str]:
        return self.reported

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class PlaywrightEngine:
    """An engine by how it is launched, and by how its main process is found."""

    name: str
    launch: Callable[[Path], BrowserContext]
    process: Callable[[Path], int]

    @contextmanager
    def start(self, profile: Path) -> Iterator[PlaywrightBrowser]:
        context = self.launch(profile)
        try:
            yield PlaywrightBrowser(context, self.process(profile), profile / DOWNLOADS)
        finally:
            with suppress(PlaywrightError):  # when the browser was killed
                context.close()
            for lock in profile.glob("Singleton*"):  # a killed Chromium leaves them, and the next would not start
                lock.unlink()


def chromium(playwright: Playwright, path: str) -> PlaywrightEngine:
    def launch(profile: Path) -> BrowserContext:
        return playwright.chromium.launch_persistent_context(
            str(profile), executable_path=path, args=list(ARGUMENTS), downloads_path=profile / DOWNLOADS
        )

    return PlaywrightEngine("chromium", launch, main_process)


def firefox(playwright: Playwright, path: str) -> PlaywrightEngine:
    def launch(profile: Path) -> BrowserContext:
        return playwright.firefox.launch_persistent_context(
            str(profile),
            channel="moz-firefox",
            executable_path=path,
            firefox_user_prefs=FIREFOX_PREFERENCES,
            downloads_path=profile / DOWNLOADS,
            env={**os.environ, "HOME": str(profile)},  # where Firefox makes a folder for downloads, used or not
        )

    def process(profile: Path) -> int:
        """Read from the lock in the profile, a link to address:+pid."""
        return int(os.readlink(profile / "lock").rpartition("+")[2])

    return PlaywrightEngine("firefox", launch, process)
