"""One message after the other: what the page shows next, and what has to be done for it. Pure.

`clock` is a monotonic time in milliseconds, passed in with every message.
"""

from __future__ import annotations

from dataclasses import replace

from . import following, playback, storing
from .effects import (
    CancelJob,
    CloseSession,
    Copy,
    Effect,
    ForgetStatus,
    LoadDemo,
    ReadHeads,
    ReadMore,
    ReadSession,
    ReadStorage,
    ReadSummaries,
    Release,
    ShowAddress,
)
from .files.messages import FileMessage
from .files.update import closed, offered, update_files
from .listing import SESSION_HEIGHT
from .live.messages import LiveMessage
from .live.update import deleted, update_live
from .messages import (
    Copied,
    DayBegan,
    DemoWanted,
    DetailRead,
    Dismissed,
    EventCopied,
    EverythingChanged,
    Expanded,
    Failed,
    Folded,
    Grew,
    HeadsRead,
    HelpToggled,
    JobCancelled,
    JobEnded,
    JobMoved,
    Message,
    NeighbourOpened,
    NotShown,
    PlayToggled,
    PutAside,
    RecordsChanged,
    RowsRead,
    Scrolled,
    SessionRead,
    SheetShown,
    ShortenSet,
    Shown,
    Sought,
    SpeedSet,
    Started,
    StatusRead,
    Stepped,
    SummariesRead,
    TailRead,
    Ticked,
    Went,
    WindowMoved,
)
from .model import Alert, Model, Viewport
from .notes.messages import Filtered, NoteMessage
from .notes.update import forgotten, listed, noticed, reason_read, seen_again, update_notes
from .playback import Next
from .route import Route


def update(model: Model, message: Message, clock: float) -> Next:
    """The next model, and the effects to carry out."""
    return noticed(model, *_update(model, message, clock))


def _update(model: Model, message: Message, clock: float) -> Next:
    match message:
        case Went():
            return _came(*_went(model, message, clock), message)
        case Scrolled("sessions", top, height):
            return _summarised(replace(model, list_view=Viewport(top, height)))
        case Scrolled("events", top, height):
            return playback.scrolled(replace(model, events_height=height), top)
        case HeadsRead(heads):
            return _summarised(_appeared(model, listed(model, heads)), anew=True)
        case PutAside():
            return model, (Release(),)
        case RecordsChanged(records):
            after, effects = following.records_changed(model, records)
            return _appeared(model, after), effects
        case EverythingChanged():
            return following.everything_changed(model)
        case Started(start):
            return replace(model, start=start), ()
        case DayBegan(now):
            model = replace(model, now=now)
            return (listed(model, model.listing.sessions[::-1]) if model.listing else model), ()
        case Shown():
            model, effects = seen_again(model)
            more = (ReadHeads(model.route.database), ReadStorage(), ReadMore()) if model.listing else ()
            return model, effects + more
        case SummariesRead(summaries):
            return replace(model, summaries={**model.summaries, **summaries}), ()
        case SessionRead(session):
            alert = model.alert if model.lost else None
            return _opened(replace(model, session=session, opening=None, problem=None, alert=alert))
        case NotShown(reason):
            return replace(model, session=None, opening=None, problem=reason), ()
        case Copied():
            return replace(model, status="Copied."), (ForgetStatus("Copied."),)
        case DemoWanted():
            return (model, ()) if model.job else (replace(model, alert=None), (LoadDemo(),))
        case JobMoved(job):
            alert = model.alert if model.job or model.lost else None  # what was wrong before is not of this one
            return replace(model, job=job, status="", alert=alert), ()
        case JobEnded():
            return _job_ended(model, message)
        case StatusRead(status):
            return (replace(model, status="") if model.status == status else model), ()
        case JobCancelled():
            return model, (CancelJob(),)
        case Failed(alert):
            return replace(model, alert=alert), ()
        case Dismissed():
            model = replace(reason_read(model), live=replace(model.live, shows_traffic=False))
            return storing.loss_read(replace(model, alert=None, status="", help=False, sheet="", dialog=""))
        case SheetShown(sheet):
            return _sheet_shown(model, "" if sheet == model.sheet else sheet), ()
        case HelpToggled():
            return replace(model, help=not model.help), ()
        case NeighbourOpened(by):
            return _neighbour(model, by)
    if isinstance(message, storing.StoreMessage):
        return storing.update_storing(model, message)
    if isinstance(message, LiveMessage):
        return update_live(model, message, clock)
    if isinstance(message, FileMessage):
        return update_files(model, message)
    if isinstance(message, NoteMessage):
        return _noted(model, message, clock)
    return _in_session(model, message, clock)


def _noted(model: Model, message: NoteMessage, clock: float) -> Next:
    before = model.shown
    model, effects = update_notes(model, message, clock)
    if model.shown is before and not isinstance(message, Filtered):
        return model, effects
    if isinstance(message, Filtered) and not model.notes.query:
        model = _in_sight(model)
    model, more = _summarised(model)
    return model, effects + more


def _in_session(model: Model, message: Message, clock: float) -> Next:
    """Messages that have a meaning only while a session is open."""
    session = model.session
    if session is None:
        return model, ()
    match message:
        case Sought(position, chosen):
            model, effects = playback.moved(model, position, clock)
            return (replace(model, sheet=""), effects) if chosen else (model, effects)
        case Stepped(by, marks):
            return playback.stepped(model, by, clock, marks=marks)
        case PlayToggled():
            return playback.toggled(model, clock)
        case Ticked():
            return playback.ticked(model, clock)
        case SpeedSet(speed):
            return playback.retimed(model, clock, speed=speed)
        case ShortenSet(shorten):
            return playback.retimed(model, clock, shorten=shorten)
        case WindowMoved(end):
            return replace(model, session=replace(session, window_end=end)), ()
        case Expanded(key):
            session = replace(session, expanded=session.expanded ^ {key})
            return replace(model, session=session), ()
        case EventCopied() if session.detail:
            return model, (Copy(session.detail.json),)
        case TailRead(session_id, tail) if session_id == session.record.id:
            return replace(model, session=replace(session, tail=tail)), ()
        case Folded(session_id) if session_id == session.record.id:
            return playback.folded(_counted(model, message), message)
        case Grew(session_id) if session_id == session.record.id:
            return following.grew(model, message)
        case RowsRead(session_id, rows) if session_id == session.record.id:
            return replace(model, session=replace(session, rows=rows)), ()
        case DetailRead(session_id, detail) if session_id == session.record.id:
            if detail.row.ordinal == session.playhead - 1:
                session = replace(session, detail=detail)
            return replace(model, session=session), ()
    return model, ()


def _counted(model: Model, message: Folded) -> Model:
    """When all was read the list can tell the exact number of events."""
    summary = model.summaries.get(message.session_id)
    if not message.complete or summary is None or summary.events == message.count:
        return model
    return replace(model, summaries={**model.summaries, message.session_id: replace(summary, events=message.count)})


def _came(model: Model, effects: tuple[Effect, ...], message: Went) -> Next:
    """What an address means beyond what it shows: a dialog is left, a file may be named."""
    model, more = closed(replace(model, source=None))
    if source := model.route.source or message.source:
        model, also = offered(model, source)
        more += also
    return model, effects + more


def _went(model: Model, message: Went, clock: float) -> Next:
    route = Route.read(message.hash)
    before = model.route
    if message.now is not None:
        live = replace(model.live, url=message.server or model.live.url)
        model = replace(model, now=message.now, zone=message.zone, marks=message.marks, live=live)
    first = message.now is not None
    model = replace(model, route=route, sheet="", dialog="", alert=model.alert if model.lost else None)
    effects: tuple[Effect, ...] = ()
    if first or route.database != before.database:
        model = replace(model, listing=None, found=None, summaries={}, session=None, lost=None, alert=None)
        effects += (ReadHeads(route.database), ReadStorage()) if first else (ReadHeads(route.database),)
    if route.session_id is None:
        return replace(model, session=None, opening=None, problem=None), (*effects, CloseSession())
    session = model.session
    if session is None or session.record.id != route.session_id:
        model = replace(model, opening=route.session_id, problem=None)
        return model, (*effects, ReadSession(route.session_id, route.event))
    if route.event is not None:
        model, more = playback.moved(model, playback.position_of(session, route.event), clock)
        effects += more
    return model, effects


def _summarised(model: Model, *, anew: bool = False) -> Next:
    """Ask for the titles of the visible sessions that have none yet; `anew` when all may have changed."""
    if model.shown is None:
        return model, ()
    rows = model.shown.visible(model.list_view.top, model.list_view.height)
    visible = [row.head.id for row in rows if row.head]
    if model.session and model.session.record.id not in visible:
        visible.append(model.session.record.id)
    if anew:  # what is shown stays until the new titles are there
        kept = {session_id: model.summaries[session_id] for session_id in visible if session_id in model.summaries}
        return replace(model, summaries=kept), (ReadSummaries(tuple(visible)),) if visible else ()
    ids = tuple(session_id for session_id in visible if session_id not in model.summaries)
    return model, (ReadSummaries(ids),) if ids else ()


def _opened(model: Model) -> Next:
    """A session was read: its title is wanted, and its row in the list in sight."""
    model, effects = _summarised(_in_sight(model))
    model, more = playback.started(model)
    return model, effects + more


def _sheet_shown(model: Model, sheet: str) -> Model:
    """A list that was out of sight could not be scrolled to the open session."""
    model = replace(model, sheet=sheet)
    return _in_sight(model) if sheet == "sessions" else model


def _appeared(before: Model, model: Model) -> Model:
    """The list is another one. What is open may be in it only now, as a session that was just begun: show it."""
    if model.shown is before.shown or model.route.session_id is None:
        return model
    was_there = before.shown is not None and before.shown.top_of(model.route.session_id) is not None
    return model if was_there else _in_sight(model)


def _in_sight(model: Model) -> Model:
    """Scroll the session list to the open session, if its row is not visible."""
    if model.shown is None or model.route.session_id is None:
        return model
    top = model.shown.top_of(model.route.session_id)
    view = model.list_view
    if top is None or view.top <= top <= view.top + view.height - SESSION_HEIGHT:
        return model
    new_top = max(0, top - (view.height or Viewport().height) // 3)
    return replace(model, list_view=Viewport(new_top, view.height), list_scroll=(model.list_scroll[0] + 1, new_top))


def _job_ended(model: Model, message: JobEnded) -> Next:
    model = replace(model, job=None, status=message.status, alert=message.alert)
    effects: list[Effect] = [ForgetStatus(message.status)]
    if message.alert is None:
        effects.append(ReadHeads(model.route.database))
    if message.open is not None:
        effects.append(ShowAddress(model.route.to(message.open), replace=False))
    if message.closed is not None:
        for forget in (forgotten, deleted):
            model, more = forget(model, (message.closed,))
            effects += more
    if message.closed is not None and message.closed == model.route.session_id:
        effects.append(ShowAddress(Route(database=model.route.database), replace=False))
    if not message.stored:
        return model, tuple(effects)
    model, more = storing.stored_something(model)
    return model, (*effects, *more)


def _neighbour(model: Model, by: int) -> Next:
    if model.shown is None:
        return model, ()
    session_id = model.shown.neighbour(model.route.session_id, by)
    if session_id is None:
        return model, ()
    return model, (ShowAddress(model.route.to(session_id), replace=False),)


def cannot_open(error: Exception) -> Alert:
    """The words for a database that is not there, or is not one of ours."""
    return Alert("This database cannot be opened", str(error))


def cannot_read(error: Exception) -> Alert:
    """The words for a session that is in the list and cannot be had."""
    return Alert("This session cannot be read", str(error))


def not_found(session_id: str) -> Alert:
    """The words for an address whose session is not stored."""
    return Alert(
        "This session is not stored here",
        f"No session with the id “{session_id[:200]}” is in this database. It may have been kept in another "
        "browser, or the site's data was cleared. Choose one from the list, or import its recording.",
    )
