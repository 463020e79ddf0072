"""All that the page shows, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..transcript.describe import Kind
from ..transcript.fold import Transcript
from ..types import SessionRecord
from .dates import UTC_ZONE, Zone
from .files.values import ExportDialog, Source
from .listing import Listing
from .live.values import Live
from .log import SessionLog
from .notes.values import Notes
from .route import Route

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)


@dataclass(frozen=True, slots=True)
class Viewport:
    """What a scrolled list shows of itself, in CSS pixels."""

    top: int = 0
    height: int = 600


@dataclass(frozen=True, slots=True)
class Summary:
    """What a row of the session list tells beside the head. `duration` is in milliseconds."""

    title: str
    events: int
    duration: int
    last_index: int = 0
    """The event index of the last one."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of the list of events; `created_at` in milliseconds since the epoch."""

    ordinal: int
    event_index: int
    created_at: int
    kind: Kind
    method: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class EventDetail:
    """The chosen event: its row and its JSON, indented. `size` is in bytes, as stored."""

    row: EventRow
    sender: str
    connection_id: str
    json: str
    size: int


@dataclass(frozen=True, slots=True)
class Playing:
    """Replay runs: at `clock` (ms, monotonic) it was at `moment` (ms on the axis of replay)."""

    clock: float
    moment: float


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The session that is looked at.

    `total` is taken from the first and the last event index until all was read, then it is exact.
    `folded` says how much of `log` there is to see; `tail` is the fold of one page around the
    playhead that is shown until then.
    """

    record: SessionRecord
    log: SessionLog
    total: int
    first_index: int
    first_created_at: int
    last_created_at: int
    playhead: int
    folded: int = 0
    complete: bool = False
    tail: Transcript | None = None
    playing: Playing | None = None
    speed: float = 1.0
    shorten: bool = True
    rows: Mapping[int, EventRow] = field(default_factory=dict)
    events_view: Viewport = Viewport()
    jumps: int = 0
    """How often the playhead was put somewhere by hand: then the transcript is shown at its end."""
    events_scroll: tuple[int, int] = (0, 0)
    """Where the list of events was last scrolled to by the page itself: (times, pixels)."""
    detail: EventDetail | None = None
    expanded: frozenset[str] = frozenset()
    window_end: int | None = None
    """The transcript shows items up to this one; None: up to the playhead."""

    def covered(self, position: int) -> Transcript | None:
        """The fold that can show this position, None if it is not read yet."""
        if position <= self.folded:
            return self.log.transcript
        if self.tail and self.tail.first_ordinal < position <= self.tail.count:
            return self.tail
        return None


@dataclass(frozen=True, slots=True)
class Job:
    """Long work that the user waits for; `total` is 0 while it is not known."""

    title: str
    unit: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """An error in words: what happened, and what to do."""

    title: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """How Python was started in this page: the way, "snapshot" or "plain", and why it was the plain one."""

    way: str
    why: str
    steps: tuple[tuple[str, float], ...]
    """What was done, one after the other, and how long it took, in milliseconds."""
    took: float
    """Milliseconds from the page's navigation until Python ran."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What the browser says of the site's storage, in bytes; None for what it does not say."""

    usage: int | None = None
    quota: int | None = None
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How much a database held when it was last seen; `at` in milliseconds since the epoch."""

    sessions: int
    events: int
    at: int


@dataclass(frozen=True, slots=True)
class Model:
    """The page. `listing` is None until the store was read; times in milliseconds since the epoch."""

    route: Route = field(default_factory=Route)
    now: int = 0
    zone: Zone = UTC_ZONE
    listing: Listing | None = None
    found: Listing | None = None
    """What the filter finds of it; None while nothing is looked for."""
    notes: Notes = field(default_factory=Notes)
    live: Live = field(default_factory=Live)
    summaries: Mapping[str, Summary] = field(default_factory=dict)
    list_view: Viewport = Viewport()
    list_scroll: tuple[int, int] = (0, 0)
    """Where the session list was last scrolled to by the page itself: (times, pixels)."""
    events_height: int = 600
    """How much the list of events shows of itself, in CSS pixels."""
    session: OpenSession | None = None
    opening: str | None = None
    """The id of a session that is being read and not shown yet."""
    problem: Alert | None = None
    """Why there is nothing to show in the middle of the page."""
    job: Job | None = None
    alert: Alert | None = None
    status: str = ""
    sheet: str = ""
    """In a narrow window, the list that lies over the transcript: "sessions", "events" or none."""
    help: bool = False
    start: Start | None = None
    """None until the page has told how it was started."""
    dialog: str = ""
    """The dialog that is open: "delete" or none."""
    exporting: ExportDialog | None = None
    """The choice of what is to be saved as a file."""
    source: Source | None = None
    """A file of another host that the address names, until the user has said whether to fetch it."""
    site: str = ""
    """The address of the page's folder, with a slash at its end."""
    is_served: bool = False
    """Whether the usual database is that of another program, which serves this page."""
    served_name: str = ""
    """How that program calls its store; empty until it has said so."""
    is_left: bool = False
    """Whether that program does not answer any more."""
    usual_database: str = ""
    """The name of the database that is shown when the address names none."""
    databases: tuple[str, ...] = ()
    """Those of this site that may hold sessions, the usual one among them."""
    storage: Storage | None = None
    asked_to_keep: bool = False
    """Whether the browser was asked, in this page, to keep what is stored."""
    waiting: bool = False
    """Whether the store waits for another tab."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """What each database, by its name in addresses, held when it was seen before this page was loaded."""
    compared: frozenset[str] = frozenset()
    """The databases that were compared with their marks."""
    lost: Mark | None = None
    """What the database holds now, while the user is being told that it once held more."""

    @property
    def is_read_only(self) -> bool:
        """Whether what is shown belongs to another program: nothing of it can be changed here."""
        return self.is_served and not self.route.database

    @property
    def shown(self) -> Listing | None:
        """The list as the page shows it: all sessions, or what the filter finds."""
        return self.listing if self.found is None else self.found
