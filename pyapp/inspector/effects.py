"""What the page wants done, as values; `pyapp.runner` does it and answers with messages."""

from __future__ import annotations

from dataclasses import dataclass

from .files.effects import FileEffect
from .live.effects import LiveEffect
from .model import Mark
from .notes.effects import NoteEffect
from .route import Route


@dataclass(frozen=True, slots=True)
class ReadHeads:
    """Open the route's database and list what it holds."""

    database: str


@dataclass(frozen=True, slots=True)
class ReadSummaries:
    """Find titles and sizes of these sessions."""

    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadSession:
    """Read a session's record and one page at the playhead, then the rest in the background."""

    session_id: str
    event: int | None


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Stop reading the open session."""


@dataclass(frozen=True, slots=True)
class ReadMore:
    """Read what was added to the open session since it was read."""


@dataclass(frozen=True, slots=True)
class ReadTail:
    """Read the page that ends at this position."""

    position: int


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Read these rows of the list of events."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class ReadDetail:
    """Read the event at this place whole."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Send Ticked after some milliseconds."""

    after: float


@dataclass(frozen=True, slots=True)
class ForgetStatus:
    """Send StatusRead for this word of success after some milliseconds."""

    status: str
    after: float = 8000.0


@dataclass(frozen=True, slots=True)
class LoadDemo:
    """Fetch the demo recordings and store them."""


@dataclass(frozen=True, slots=True)
class DeleteSession:
    """Delete a session from the store; `events` for the word of success."""

    session_id: str
    events: int


@dataclass(frozen=True, slots=True)
class AskToKeep:
    """Ask the browser to keep what is stored, then what it says of the site's storage."""


@dataclass(frozen=True, slots=True)
class ReadStorage:
    """Ask what the browser says of the site's storage."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep, outside of the database, how much it holds."""

    database: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Release:
    """Let go of the databases until the next call."""


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop the long work."""


@dataclass(frozen=True, slots=True)
class ShowAddress:
    """Show this route in the address bar; `replace` makes no new entry in the history."""

    route: Route
    replace: bool = True


@dataclass(frozen=True, slots=True)
class Copy:
    """Put a text on the clipboard."""

    text: str


JobEffect = LoadDemo | DeleteSession | CancelJob | FileEffect
"""Long work, and the end of it."""

Effect = (
    ReadHeads | ReadSummaries | ReadSession | CloseSession | ReadMore | ReadTail | ReadRows | ReadDetail | Tick
    | ForgetStatus | ShowAddress | Copy | AskToKeep | ReadStorage | Remember | Release
    | JobEffect | NoteEffect | LiveEffect
)  # fmt: skip
