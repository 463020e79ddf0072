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
    """What happened, and what to look at; commands stand between backticks.

    A page is not told whether nobody answers, the server does not let it in, or the browser does not let it out: so all
    three are said.
    """
    if isinstance(error, ServerRefusedError):
        return "The server refused the token, or wants one.", ("Type the token that the server was started with.",)
    if isinstance(error, ServerUnreachableError):
        line = "A page that came by https may ask http servers on this machine alone, in some browsers none at all."
        from_https = (line,) if origin.startswith("https:") and url.startswith("http:") else ()
        return f"No answer from {url[:200]}.", (
            f"Does the server run there, and does it let this page in? This starts it so:`{_command(origin)}`",
            "Has the browser asked whether this page may reach the local network? Allow it, in the site's settings.",
            *from_https,
        )
    return f"What answers at {url[:200]} is not a sandbox-agent server, or it is in trouble.", (str(error),)


def _command(origin: str) -> str:
    """What starts a server that lets pages of this origin in, for a shell."""
    options = (
        "--no-token",
        f"--cors-allow-origin {origin}",
        "--cors-allow-method '*'",
        "--cors-allow-header authorization",
        "--cors-allow-header content-type",
        "--cors-allow-header last-event-id",
    )
    return " \\\n  ".join(("sandbox-agent server", *options))
