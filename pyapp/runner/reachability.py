"""Why a server is not reached from a page, in words, and what to do: a browser tells a page very little of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..errors import ServerRefusedError, ServerUnreachableError

LOOPBACK = ("localhost", "127.0.0.1")
"""The hosts that the page's policy lets it reach by http (index.html)."""


def refusal(url: str, origin: str) -> str:
    """Why the browser would not even ask this server, "" when it would."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in LOOPBACK or url.startswith(f"{origin}/") or url == origin:
        return ""
    return (
        "A page may reach servers by http only on this machine (localhost or 127.0.0.1); everything else needs https. "
        "For a server elsewhere use its https address, or forward a port of this machine to it."
    )


def advice(error: Exception, url: str, origin: str) -> tuple[str, tuple[str, ...]]:
    """What happened, and what to look at. A page is not told whether nobody answers, the server does not let it in, or
    the browser does not let it out, so all three are said."""
    if isinstance(error, ServerRefusedError):
        return "The server refused the token, or wants one.", ("Type the token that the server was started with.",)
    if isinstance(error, ServerUnreachableError):
        line = "A page that came by https may ask http servers on this machine alone, in some browsers none at all."
        from_https = (line,) if origin.startswith("https:") and url.startswith("http:") else ()
        return f"No answer from {url[:200]}.", (
            "Does the server run there? Start it with: sandbox-agent server --no-token",
            f"Does it let this page in? It has to be started with --cors-allow-origin {origin} "
            "--cors-allow-method '*' --cors-allow-header authorization --cors-allow-header content-type "
            "--cors-allow-header last-event-id",
            "Has the browser asked whether this page may reach the local network? Allow it, in the site's settings.",
            *from_https,
        )
    return f"What answers at {url[:200]} is not a sandbox-agent server, or it is in trouble.", (str(error),)
