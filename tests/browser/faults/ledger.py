"""Who knows what was acknowledged, whatever dies: a server of the test, which a page tells by synchronous requests.

A page that is killed takes with it what waits in its renderer (console messages, bindings) or in the browser (beacons,
fetches). A synchronous request returns once the server has the message, so nothing that the page holds for acknowledged
is unknown here; and since the page stands still meanwhile, in the very event in which the driver told it, a driver that
tells too early has not committed yet when a kill comes now.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Row = dict[str, Any]


class Ledger:
    """The rows of sessions and events that were acknowledged, by id; and the kill that is due."""

    def __init__(self) -> None:
        self.url = ""
        self.events: dict[str, Row] = {}
        self.sessions: dict[str, Row] = {}
        self.tellings = 0
        """How often a page told something since `arm`."""
        self._lock = threading.Lock()
        self._due: tuple[int, float, Callable[[], object]] | None = None

    def arm(self, telling: int, delay: float, kill: Callable[[], object]) -> None:
        """Call `kill` when this telling comes, while the page waits for its answer; or `delay` seconds later."""
        self.tellings = 0
        self._due = telling, delay, kill

    def take(self, rows: list[Row]) -> None:
        """What a page was just told to be stored; an empty list is a sign of life."""
        with self._lock:
            for row in rows:
                (self.events if "eventIndex" in row else self.sessions)[row["id"]] = row
            self.tellings += 1
            if self._due is None or self.tellings < self._due[0]:
                return
            (_, delay, kill), self._due = self._due, None
        if delay:
            threading.Timer(delay, kill).start()
        else:
            kill()


@contextmanager
def open_ledger() -> Iterator[Ledger]:
    """A ledger that listens at its `url`."""
    ledger = Ledger()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            ledger.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Quiet: who was killed breaks connections off."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ledger.url = f"http://127.0.0.1:{server.server_port}/"
        yield ledger
        server.shutdown()


TELL = """
import js

def tell(*rows):
    request = js.XMLHttpRequest.new()
    request.open("POST", LEDGER, False)
    request.send(json.dumps([row.to_row() for row in rows]))

"""
"""Python for the page: `tell(record_or_event, …)`, once LEDGER is the address."""
