"""The page and its store: room on the disk, what was lost, other databases, and deletion. Pure."""

from __future__ import annotations

from dataclasses import replace

from .dates import Zone, date_time, plural
from .effects import (
    AskToKeep,
    DeleteSession,
    Effect,
    ReadStorage,
    Remember,
    ShowAddress,
)
from .messages import (
    DatabaseChosen,
    DatabasesRead,
    DeletionAsked,
    DialogClosed,
    KeepAsked,
    SourceReached,
    StorageRead,
    TotalsRead,
    Waited,
)
from .model import Alert, Mark, Model
from .playback import Next
from .route import Route

StoreMessage = (
    DatabaseChosen | DatabasesRead | DeletionAsked | DialogClosed | KeepAsked | StorageRead | TotalsRead
    | Waited | SourceReached
)  # fmt: skip


def update_storing(model: Model, message: StoreMessage) -> Next:
    """The next model, and the effects to carry out."""
    match message:
        case DatabasesRead(names):
            return replace(model, databases=names), ()
        case DatabaseChosen(name):
            return _choose(model, name)
        case StorageRead(storage):
            return replace(model, storage=storage), ()
        case KeepAsked():
            return model, (AskToKeep(),)
        case TotalsRead():
            return _compare(model, message)
        case Waited(waits):
            return replace(model, waiting=waits), ()
        case SourceReached(is_there, name):
            return _reached(replace(model, served_name=name or model.served_name), is_there=is_there), ()
        case DeletionAsked(confirmed):
            return _delete(model, confirmed=confirmed)
        case DialogClosed():
            return replace(model, dialog=""), ()
    return model, ()


def stored_something(model: Model) -> Next:
    """The user has stored something: the first time, the browser is asked to keep it."""
    if model.asked_to_keep:
        return model, (ReadStorage(),)
    return replace(model, asked_to_keep=True), (AskToKeep(),)


def loss_read(model: Model) -> Next:
    """The user has read that something is gone: from now on what is there is what counts."""
    if model.lost is None:
        return model, ()
    return replace(model, lost=None), (Remember(model.route.database, model.lost),)


ONLY_SHOWN = "These sessions belong to the program that serves this page and are only shown here"

_LEFT = Alert(
    "The program that serves this page does not answer",
    "What you see stays until you leave it. To go on, start the program again and open the address that it prints.",
)


def _reached(model: Model, *, is_there: bool) -> Model:
    model = replace(model, is_left=not is_there)
    if is_there:
        return replace(model, alert=None) if model.alert == _LEFT else model
    return model if model.problem or model.lost else replace(model, alert=_LEFT)


def _choose(model: Model, name: str) -> Next:
    if name not in model.databases or name == (model.route.database or model.usual_database):
        return model, ()
    return model, (ShowAddress(Route(database="" if name == model.usual_database else name), replace=False),)


def _compare(model: Model, read: TotalsRead) -> Next:
    """Compare what is stored with what was there when it was last seen; the first time in each database."""
    if read.database != model.route.database:
        return model, ()
    now = Mark(read.sessions, read.events, model.now)
    before = model.marks.get(read.database)
    is_first = read.database not in model.compared
    model = replace(model, compared=model.compared | {read.database})
    if is_first and before and (now.sessions < before.sessions or now.events < before.events):
        return replace(model, lost=now, alert=_loss(before, now, model.zone)), ()
    if model.lost:  # said, and not read yet: what is there by then is what will count
        return replace(model, lost=now), ()
    return model, (Remember(read.database, now),)


def _loss(before: Mark, now: Mark, zone: Zone) -> Alert:
    return Alert(
        "Some of what was stored here is gone",
        f"On {date_time(before.at, zone)} this database held {_held(before)}; now it holds {_held(now)}. "
        "Another page of this site may have deleted them; or the browser has cleared or lost its files, as it may when "
        "the disk is full or damaged. Recordings that you have kept can be imported again.",
    )


def _held(mark: Mark) -> str:
    return f"{plural(mark.sessions, 'session')} with {plural(mark.events, 'event')}"


def _delete(model: Model, *, confirmed: bool) -> Next:
    session = model.session
    if session is None or model.job:
        return model, ()
    if not confirmed:
        return replace(model, dialog="delete"), ()
    effects: tuple[Effect, ...] = (DeleteSession(session.record.id, session.total),)
    return replace(model, dialog=""), effects
