"""Serves dist/ as any plain static host would, at http://127.0.0.1:4173/ or the port in PORT."""

from __future__ import annotations

import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DIST = Path(__file__).resolve().parents[2] / "dist"


class Handler(SimpleHTTPRequestHandler):
    # Not left to the machine's own table: a browser refuses modules and streamed wasm of another type.
    extensions_map = {  # noqa: RUF012 - so declared in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
        ".jsonl": "application/x-ndjson",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page is seen at the next reload
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so named in the base class
        """Quiet: the browser's own console tells what failed."""


def page_server() -> ThreadingHTTPServer:
    """The server, bound to its port. Ends the program with a word if there is nothing to serve, or no such port."""
    if not (DIST / "boot.json").exists():
        sys.exit("dist/ is not built yet: run `make build` first, or `make run`.")
    port = int(os.environ.get("PORT", "4173"))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(DIST)))
    except OSError as error:
        sys.exit(f"Port {port}: {error.strerror}. Choose another one: PORT=4174 make run")


def main() -> None:
    server = page_server()
    print(f"Ready: http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
