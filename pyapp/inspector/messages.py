"""What can happen: what the user did (from the page) and what effects found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..drivers.base import SessionHead
from ..transcript.fold import Transcript
from ..types import SessionRecord
from .dates import UTC_ZONE, Zone
from .files.messages import FileMessage
from .live.messages import LiveMessage
from .model import Alert, EventDetail, EventRow, Job, Mark, OpenSession, Start, Storage, Summary
from .notes.messages import NoteMessage

# from the page


@dataclass(frozen=True, slots=True)
class Went:
    """The address changed. `now`, `zone` and what was remembered come once, at the start."""

    hash: str
    now: int | None = None
    zone: Zone = UTC_ZONE
    marks: Mapping[str, Mark] = field(default_factory=dict)
    server: str = ""
    """The server that was last connected to."""
    source: str = ""
    """The file that the page's own address names (`?src=`), before the hash."""


@dataclass(frozen=True, slots=True)
class Started:
    """The page tells how it was started."""

    start: Start


@dataclass(frozen=True, slots=True)
class Shown:
    """The page was brought to the front; another tab may have written meanwhile."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """The page is frozen, or goes to the back-forward cache: it must be in nobody's way."""


@dataclass(frozen=True, slots=True)
class Scrolled:
    """A list shows these pixels of itself now."""

    list: str
    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Sought:
    """The playhead is to go to this position; `chosen` when an event was picked from the list."""

    position: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Stepped:
    """The playhead is to move by some events, or (`marks`) to the next mark in that direction."""

    by: int
    marks: bool = False


@dataclass(frozen=True, slots=True)
class PlayToggled:
    """Play, or pause."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time went by while replay runs."""


@dataclass(frozen=True, slots=True)
class SpeedSet:
    """How many seconds of the session pass in one."""

    speed: float


@dataclass(frozen=True, slots=True)
class ShortenSet:
    """Whether long pauses are shortened in replay."""

    shorten: bool


@dataclass(frozen=True, slots=True)
class WindowMoved:
    """The transcript was scrolled past the items that are in the page; None goes back to the playhead."""

    end: int | None


@dataclass(frozen=True, slots=True)
class Expanded:
    """A part of the transcript that was shortened is to be shown in full, or shortened again."""

    key: str


@dataclass(frozen=True, slots=True)
class NeighbourOpened:
    """The next session in the list is to be opened, or the one before."""

    by: int


@dataclass(frozen=True, slots=True)
class DemoWanted:
    """The demo sessions are to be loaded."""


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The long work is to be stopped."""


@dataclass(frozen=True, slots=True)
class EventCopied:
    """The chosen event's JSON is to go to the clipboard."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The browser has put it there."""


@dataclass(frozen=True, slots=True)
class DayBegan:
    """It is another day for the user; `now` in ms since the epoch."""

    now: int


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The alert was read."""


@dataclass(frozen=True, slots=True)
class SheetShown:
    """In a narrow window: the list to lay over the transcript, "" for none."""

    sheet: str


@dataclass(frozen=True, slots=True)
class DatabaseChosen:
    """Another database is to be shown."""

    name: str


@dataclass(frozen=True, slots=True)
class KeepAsked:
    """The browser is to be asked to keep what is stored."""


@dataclass(frozen=True, slots=True)
class DeletionAsked:
    """The open session is to be deleted; `confirmed` once the user was asked."""

    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class DialogClosed:
    """The open dialog is not wanted."""


@dataclass(frozen=True, slots=True)
class HelpToggled:
    """The list of keys, shown or hidden."""


# from effects


@dataclass(frozen=True, slots=True)
class HeadsRead:
    """What is stored, in the order of list_sessions."""

    heads: tuple[SessionHead, ...]


@dataclass(frozen=True, slots=True)
class TotalsRead:
    """How much a database holds in all; `database` as in addresses."""

    database: str
    sessions: int
    events: int


@dataclass(frozen=True, slots=True)
class DatabasesRead:
    """The names of this site's databases that may hold sessions."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StorageRead:
    """What the browser says of the site's storage."""

    storage: Storage


@dataclass(frozen=True, slots=True)
class Waited:
    """The store waits for another tab, or need not any more."""

    waits: bool


@dataclass(frozen=True, slots=True)
class SourceReached:
    """The program that serves this page answers again, or does not any more. It calls its store by this name."""

    is_there: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class SummariesRead:
    """Titles and sizes of some sessions."""

    summaries: Mapping[str, Summary]


@dataclass(frozen=True, slots=True)
class SessionRead:
    """A session's record and the page at its playhead."""

    session: OpenSession


@dataclass(frozen=True, slots=True)
class NotShown:
    """What the address names cannot be shown."""

    reason: Alert


@dataclass(frozen=True, slots=True)
class TailRead:
    """The page around a position that the background reading has not come to yet."""

    session_id: str
    tail: Transcript


@dataclass(frozen=True, slots=True)
class Folded:
    """The background reading came this far; `complete` when it reached the end."""

    session_id: str
    count: int
    complete: bool
    last_created_at: int


@dataclass(frozen=True, slots=True)
class RecordsChanged:
    """Sessions that were changed, by this tab or another, as they are now; None for one that is gone."""

    records: Mapping[str, SessionRecord | None]


@dataclass(frozen=True, slots=True)
class EverythingChanged:
    """What is stored may be another thing altogether."""


@dataclass(frozen=True, slots=True)
class Grew:
    """Events were added to the open session, and folded."""

    session_id: str
    count: int
    last_created_at: int


@dataclass(frozen=True, slots=True)
class RowsRead:
    """Rows for the list of events."""

    session_id: str
    rows: Mapping[int, EventRow]


@dataclass(frozen=True, slots=True)
class DetailRead:
    """The event at the playhead, whole."""

    session_id: str
    detail: EventDetail


@dataclass(frozen=True, slots=True)
class JobMoved:
    """Long work began, or came further."""

    job: Job


@dataclass(frozen=True, slots=True)
class JobEnded:
    """Long work is over: with a word of what was done, or what went wrong, or stopped by the user."""

    status: str = ""
    alert: Alert | None = None
    open: str | None = None
    closed: str | None = None
    """The id of a session that was deleted."""
    stored: bool = False
    """Whether the user has stored something by it."""


@dataclass(frozen=True, slots=True)
class StatusRead:
    """A word of success stood there long enough to be read, or the user has put it away."""

    status: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An effect could not do its work."""

    alert: Alert


Message = (
    Went | Started | Shown | Scrolled | Sought | Stepped | PlayToggled | Ticked | SpeedSet | ShortenSet | WindowMoved
    | Expanded | NeighbourOpened | DemoWanted | JobCancelled | EventCopied | Copied | Dismissed | SheetShown
    | HelpToggled | HeadsRead | SummariesRead | SessionRead | NotShown | TailRead | Folded | RowsRead | DetailRead
    | RecordsChanged | EverythingChanged | Grew | PutAside | DatabaseChosen | DatabasesRead | KeepAsked | StorageRead
    | DeletionAsked | DialogClosed | TotalsRead | Waited | SourceReached | DayBegan
    | JobMoved | JobEnded | StatusRead | Failed | NoteMessage | LiveMessage | FileMessage
)  # fmt: skip

Send = Callable[[Message], None]
"""Who is told of what happened."""
