"""What can happen: what the user did (from the page) and what effects found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import json_text
from ..drivers.base import SessionHead
from ..transcript.fold import Transcript
from ..types import SessionRecord
from .model import SPEEDS, Alert, EventDetail, EventRow, Job, Mark, OpenSession, Storage, Summary
from .notes.messages import NOTE_KEYS, NoteMessage, note_from_page

# from the page


@dataclass(frozen=True, slots=True)
class Went:
    """The address changed. `now`, `zone` and `remembered` come once, at the start."""

    hash: str
    now: int | None = None
    zone: int | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)


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
class ExportAsked:
    """The open session is to be saved as a recording."""


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
    """A word of success stood there long enough to be read."""

    status: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An effect could not do its work."""

    alert: Alert


Message = (
    Went | Shown | Scrolled | Sought | Stepped | PlayToggled | Ticked | SpeedSet | ShortenSet | WindowMoved | Expanded
    | NeighbourOpened | DemoWanted | JobCancelled | EventCopied | Copied | Dismissed | SheetShown | HelpToggled
    | HeadsRead | SummariesRead | SessionRead | NotShown | TailRead | Folded | RowsRead | DetailRead
    | RecordsChanged | EverythingChanged | Grew | PutAside | DatabaseChosen | DatabasesRead | KeepAsked | StorageRead
    | ExportAsked | DeletionAsked | DialogClosed | TotalsRead | Waited
    | JobMoved | JobEnded | StatusRead | Failed | NoteMessage
)  # fmt: skip

KEYS: Mapping[str, Message] = {
    "Space": PlayToggled(),
    "ArrowLeft": Stepped(-1),
    "ArrowRight": Stepped(1),
    "Shift+ArrowLeft": Stepped(-1, marks=True),
    "Shift+ArrowRight": Stepped(1, marks=True),
    "Home": Sought(0),
    "End": Sought(2**53),
    "j": NeighbourOpened(1),
    "k": NeighbourOpened(-1),
    "?": HelpToggled(),
    "Escape": Dismissed(),
    **NOTE_KEYS,
}
"""What a key does when no field has the focus."""


def from_page(sent: Mapping[str, Any]) -> Message | None:
    """The message that the page's JSON stands for, None if it is none."""
    arg = str(sent.get("arg", sent.get("value", "")))
    match sent.get("name"):
        case "route":
            marks = _marks(sent.get("remembered"))
            return Went(str(sent.get("hash", "")), _number(sent.get("now")), _number(sent.get("tzOffset")), marks)
        case "aside":
            return PutAside()
        case "database":
            return DatabaseChosen(arg)
        case "keep":
            return KeepAsked()
        case "storage":
            kept = sent.get("kept")
            numbers = _number(sent.get("usage")), _number(sent.get("quota"))
            return StorageRead(Storage(*numbers, kept if isinstance(kept, bool) else None))
        case "export":
            return ExportAsked()
        case "delete":
            return DeletionAsked(confirmed=arg == "confirmed")
        case "close":
            return DialogClosed()
        case "scroll":
            return Scrolled(str(sent.get("list")), _number(sent.get("top")) or 0, _number(sent.get("height")) or 0)
        case "visible" if sent.get("value") is True:
            return Shown()
        case "key":
            key = str(sent.get("key"))
            return KEYS.get(f"Shift+{key}" if sent.get("shift") and key.startswith("Arrow") else key)
        case "seek" if (position := _number(arg)) is not None:
            return Sought(position)
        case "choose" if (position := _number(arg)) is not None:
            return Sought(position, chosen=True)
        case "step" if (by := _number(arg)) is not None:
            return Stepped(by)
        case "mark" if (by := _number(arg)) is not None:
            return Stepped(by, marks=True)
        case "play":
            return PlayToggled()
        case "speed":
            return next((SpeedSet(speed) for speed in SPEEDS if f"{speed:g}" == arg), None)
        case "shorten":
            return ShortenSet(arg == "true")
        case "window":
            return WindowMoved(_number(arg))
        case "expand":
            return Expanded(arg[:200])
        case "demo":
            return DemoWanted()
        case "cancel":
            return JobCancelled()
        case "copy":
            return EventCopied()
        case "copied":
            return Copied()
        case "trouble":
            return Failed(Alert("The browser did not do that", str(sent.get("text"))[:500]))
        case "dismiss":
            return Dismissed()
        case "sheet":
            return SheetShown(arg if arg in ("sessions", "events") else "")
        case "help":
            return HelpToggled()
    return note_from_page(sent)


MARK = "mark:"
"""What the name of a mark begins with, among what the page remembers; behind it stands the database."""


def _marks(remembered: Any) -> Mapping[str, Mark]:
    """The marks among what the page remembers: JSON texts by name. What cannot be read is forgotten."""
    marks = {}
    for name, text in remembered.items() if isinstance(remembered, dict) else ():
        if isinstance(text, str) and isinstance(name, str) and name.startswith(MARK):
            try:
                match json_text.parse(text[:1000]):
                    case [int(sessions), int(events), int(at)] if min(sessions, events, at) >= 0:
                        marks[name.removeprefix(MARK)] = Mark(sessions, events, at)
            except ValueError:
                pass
    return marks


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 20:
        return int(value)
    return None
