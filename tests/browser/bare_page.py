"""A page with Pyodide and the wheel: open one, run Python in it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import BrowserContext, Page

DRIVER = """
import json
from pyapp import *
from pyapp.drivers.conformance.kit import all_events, all_sessions, event, record

async def caught(attempt):
    try:
        await attempt
    except Exception as error:
        return f"{type(error).__name__}: {error}"

"""
"""What most of the Python that runs in the page begins with."""


def open_bare_page(context: BrowserContext, site: str, faults: list[str] | None = None) -> Page:
    """A new page of the context whose uncaught errors are added to `faults`."""
    page = context.new_page()
    if faults is not None:
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{site}bare/index.html")
    page.wait_for_function("globalThis.beginPython !== undefined")
    return page


def begin_python(page: Page, code: str) -> None:
    """Start Python in the page and do not wait for it."""
    page.evaluate("code => beginPython(code)", code)


def python_outcome(page: Page) -> Any:
    """The value, read from JSON, of the last line of what was started; its error as an AssertionError."""
    outcome = page.wait_for_function("globalThis.outcome", timeout=30_000).json_value()
    if "error" in outcome:
        raise AssertionError(outcome["error"])
    return None if outcome["value"] is None else json.loads(outcome["value"])


def run_python(page: Page, code: str) -> Any:
    """Run Python in the page; the value of its last line, which must be JSON text or nothing."""
    begin_python(page, code)
    return python_outcome(page)
