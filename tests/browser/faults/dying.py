"""Ends that no page expects: the browser's, and a renderer's."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ..bare_page import python_outcome


def kill_renderers(browser: int) -> None:
    """SIGKILL the renderers of the browser with this main process, but not the one that draws its own windows."""
    for process in descendants(browser):
        with suppress(FileNotFoundError, ProcessLookupError):  # one that has ended just now
            command = Path(f"/proc/{process}/cmdline").read_text()
            if "--type=renderer" in command and "top-chrome" not in command:
                os.kill(process, signal.SIGKILL)


def descendants(parent: int) -> list[int]:
    """All processes that this one has begun, and those that these have."""
    found: list[int] = []
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *descendants(child)]
    return found


def wait_for_death(page: Page) -> None:
    """Wait until the page is no more. Fails if its Python ends before, with what it said."""
    try:
        outcome = python_outcome(page)
    except PlaywrightTimeout:
        raise
    except PlaywrightError:
        return
    raise AssertionError(f"Python ended before the kill: {outcome}")
