"""The ways to a server that are at hand: the browser's own in a page, those of libraries on CPython."""

from __future__ import annotations

import sys

from . import Sockets, Transport


def usual_transport(who: str = "the SDK", extra: str = "http") -> Transport:
    """`fetch` in the browser, httpx on CPython. Raises ImportError, with what to install, where httpx is missing."""
    if sys.platform == "emscripten":
        from .fetch import FetchTransport

        return FetchTransport()
    try:
        from .http import HttpTransport
    except ImportError as error:
        raise ImportError(_lack(who, "httpx", extra)) from error
    return HttpTransport()


def usual_sockets(who: str, extra: str) -> Sockets:
    """The browser's WebSockets, or those of the library websockets. Raises ImportError where that is missing."""
    if sys.platform == "emscripten":
        from .browser_sockets import BrowserSockets

        return BrowserSockets()
    try:
        from .sockets import LibrarySockets
    except ImportError as error:
        raise ImportError(_lack(who, "websockets", extra)) from error
    return LibrarySockets()


def _lack(who: str, library: str, extra: str) -> str:
    how = f"pip install 'sandbox-agent-pyodide[{extra}]'"
    return f"{who} needs {library} here: {how}" if extra == "http" else f"{who} needs: {how}"
