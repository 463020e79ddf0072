"""From the agent's write to the stored event: ours on CPython, the TypeScript SDK on Node, ours in Chromium.

All three talk to one real server in one run, by turns. The agent writes the time into each update; the store of each
side notes when it has the event. The clocks are the machine's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from examples.agent.server import Server
from tests.browser.bare_page import open_bare_page, run_python

from ..browser import Bench

HERE = Path(__file__).parent
TURN = "stream 400 at 400"

IN_PAGE = """
import sys, types
module = types.ModuleType("ours")
exec(OURS, module.__dict__)
driver = module.noting(IndexedDBSessionPersistDriver)("bench-sdk")
json.dumps(await module.turn(SERVER, TURN, driver))
"""


def sdk_samples(bench: Bench, repeats: int) -> dict[str, list[float]]:
    """Milliseconds at the median of each round, by the names that `bench.report` prints."""
    place = urlsplit(bench.site)
    origin = f"{place.scheme}://{place.netloc}"
    samples: dict[str, list[float]] = {"sdk_ours": [], "sdk_typescript": [], "sdk_page": []}
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), origins=[origin]) as server:
        ours = [sys.executable, "-m", "bench.sdk.ours", server.address, TURN]
        theirs = ["node", str(HERE / "typescript.mjs"), server.address, TURN]
        for number in range(repeats + 1):
            sides = [("sdk_ours", ours), ("sdk_typescript", theirs)]
            for name, command in sides[:: 1 if number % 2 else -1]:
                _note(samples, name, _program(command), number)
            _note(samples, "sdk_page", _page(bench, server.address), number)
    return samples


def _note(samples: dict[str, list[float]], name: str, latencies: list[float], number: int) -> None:
    if number:  # the first round warms up
        samples[name].append(median(latencies))


def _program(command: list[str]) -> list[float]:
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {process.stderr[-2000:]}")
    latencies: list[float] = json.loads(process.stdout)
    return latencies


def _page(bench: Bench, server: str) -> list[float]:
    page = open_bare_page(bench.context, bench.site)
    names = f"SERVER, TURN, OURS = {server!r}, {TURN!r}, {(HERE / 'ours.py').read_text()!r}\n"
    latencies: Any = run_python(page, f"{names}import json\nfrom pyapp import *\n{IN_PAGE}")
    page.close()
    return list(latencies)
