"""Where in the page one is, as the address shows it: `#/sessions/<id>?event=<eventIndex>&db=<name>&src=<URL>`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlencode

MAX_HASH = 100_000
"""Characters of an address that are read."""


@dataclass(frozen=True, slots=True)
class Route:
    """`session_id` is None on the start page, `database` is "" for the usual one; `source` is a file to fetch."""

    session_id: str | None = None
    event: int | None = None
    database: str = ""
    source: str = ""

    @classmethod
    def read(cls, hash_: str) -> Route:
        """The route of a location hash; whatever cannot be read is the start page."""
        path, _, query = hash_[:MAX_HASH].removeprefix("#").partition("?")
        fields = parse_qs(query)
        database, source = fields.get("db", [""])[0], fields.get("src", [""])[0]
        if not path.startswith("/sessions/") or path == "/sessions/":
            return cls(database=database, source=source)
        event = fields.get("event", [""])[0]
        return cls(
            session_id=unquote(path.removeprefix("/sessions/")),
            event=int(event) if event.isascii() and event.isdigit() and len(event) < 16 else None,
            database=database,
            source=source,
        )

    def hash(self) -> str:
        """The location hash of this route."""
        path = (
            "#/" if self.session_id is None else f"#/sessions/{quote(self.session_id, safe='', errors='surrogatepass')}"
        )
        fields = {"event": self.event, "db": self.database or None, "src": self.source or None}
        query = urlencode({name: value for name, value in fields.items() if value is not None})
        return f"{path}?{query}" if query else path

    def to(self, session_id: str, event: int | None = None) -> Route:
        """A session in the same database."""
        return Route(session_id, event, self.database)
