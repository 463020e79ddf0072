"""What the page knows of an export that is being chosen, and of a file that an address offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urljoin, urlsplit

from ..dates import plural

if TYPE_CHECKING:  # loaded when it is needed, not with the page
    from ...redaction import Finding, Findings

Scope = Literal["this", "chosen", "all"]
Format = Literal["jsonl", "sqlite"]

ENDINGS: dict[Format, str] = {"jsonl": ".jsonl", "sqlite": ".db"}

MOST_OFFERED = 200
"""Sessions that can be chosen one by one: the open one, and the first ones that the list shows."""

MOST_SHOWN = 100
"""Places of secrets that are listed."""

MAX_URL = 2_000

ASCII_MARKS = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search for secrets has found: the first places, and counts by kind."""

    places: tuple[Finding, ...]
    count: int
    secrets: tuple[tuple[str, int], ...]
    """How many different ones of each kind."""

    @classmethod
    def of(cls, findings: Findings) -> Found:
        """What of the findings is shown."""
        return cls(tuple(findings.places[:MOST_SHOWN]), findings.count, tuple(findings.secrets_by_kind.most_common()))

    @property
    def words(self) -> str:
        """As `2 github tokens, 1 password`."""
        return ", ".join(plural(number, kind) for kind, number in self.secrets)


@dataclass(frozen=True, slots=True)
class ExportDialog:
    """Which sessions are to be saved, how, and what of secrets is in them; `found` is None while they are looked for.

    `offered` are the sessions that can be `picked`; those that were when the choice was offered come first. `search`
    numbers the searches: no word of an old one counts.
    """

    offered: tuple[str, ...]
    scope: Scope = "all"
    picked: frozenset[str] = frozenset()
    format: Format = "jsonl"
    keeps: bool = False
    search: int = 0
    done: int = 0
    total: int = 0
    found: Found | None = None
    fault: str = ""
    masks: bool = False
    """What knows secrets is loaded: it comes with the first search, not with the page."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that the address names. `host` is whom it would be asked of; `is_foreign` unless that is this site."""

    url: str
    host: str
    is_foreign: bool


def read_source(text: str, site: str) -> Source:
    """The file that `?src=` names; `site` is the address of the page's folder. Raises ValueError with words.

    What the page's content security policy allows: this site, https, and http on this machine.
    """
    if len(text) > MAX_URL:
        raise ValueError(f"The address is longer than {MAX_URL:,} characters.")
    if any(mark <= " " or mark == "\\" for mark in text):
        raise ValueError("The address holds spaces or control characters; write them as %20 and the like.")
    try:
        url = quote(urljoin(site, text), safe=ASCII_MARKS)  # as it is asked for: no letter looks like another one
        parts, own = urlsplit(url), urlsplit(site)
        ports = parts.port, own.port
    except ValueError:
        raise ValueError("This is no address of a file.") from None
    usual = {"http": 80, "https": 443}
    if parts.scheme not in usual or not parts.hostname:
        raise ValueError("Only https: addresses and files of this site can be fetched.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("An address with a user's name or a password in it is not fetched; leave them out.")
    if "%" in parts.netloc:
        raise ValueError("The host has to be written in ASCII letters, as in xn--bcher-kva.example.")
    same_host = (parts.scheme, parts.hostname) == (own.scheme, own.hostname)
    if same_host and (ports[0] or usual[parts.scheme]) == (ports[1] or usual[parts.scheme]):
        return Source(url, parts.netloc, is_foreign=False)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1"):
        raise ValueError("Files of other hosts are fetched by https: alone.")
    return Source(url, parts.netloc, is_foreign=True)
