"""A flood in the inspector: 1,000 streamed updates a second for ten seconds, as a user sees them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import expect

from examples.agent.server import Server
from tests.browser.live_page import STORED, begin, connect, log, say

from ..browser import Bench
from ..measure import Figures

UPDATES, RATE = 10_000, 1_000


def flood(bench: Bench) -> Figures:
    """Seconds of the turn, updates stored, updates missing, and the tasks of the main thread over 50 ms.

    The events are read afterwards by the page's own driver, from a database that nothing else is in.
    """
    place = urlsplit(bench.site)
    with tempfile.TemporaryDirectory() as folder:
        with Server(Path(folder), origins=[f"{place.scheme}://{place.netloc}"]) as server:
            page = bench.page()
            connect(page, server.address)
            begin(page)
            page.evaluate("bench.longTasks()")
            started = time.monotonic()
            say(page, f"stream {UPDATES} at {RATE}")
            expect(log(page)).to_contain_text("Turn ended", timeout=120_000)
            took = time.monotonic() - started
            tasks = page.evaluate("bench.longTasks()")
        events = page.evaluate(STORED)
        page.close()
    methods = [str(event["payload"].get("method")) for event in events]
    return {
        "flood_s": round(took, 1),
        "flood_updates": methods.count("session/update"),
        "flood_gaps": methods.count("_pyapp/missing"),
        "flood_long_tasks": [round(task["duration"]) for task in tasks],
    }
