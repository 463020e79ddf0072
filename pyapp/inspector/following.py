"""What is written while the page is open, here or in another tab: the list and the open session follow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter

from ..drivers.base import SessionHead
from ..types import SessionRecord
from . import playback
from .effects import CloseSession, Effect, ReadHeads, ReadSession, ReadSummaries
from .live.update import deleted
from .messages import Grew
from .model import Alert, Model
from .notes.update import forgotten, listed
from .playback import Next


def records_changed(model: Model, records: Mapping[str, SessionRecord | None]) -> Next:
    """Records as they are now, None for one that is gone; of those that are as before the events may be new."""
    if model.listing is None:
        return model, ()
    heads = {head.id: head for head in model.listing.sessions}
    changed = {id_: SessionHead.of(record) for id_, record in records.items() if record is not None}
    gone = [id_ for id_, record in records.items() if record is None and id_ in heads]
    if gone or any(heads.get(id_) != head for id_, head in changed.items()):
        heads |= changed
        for id_ in gone:
            del heads[id_]
        ordered = sorted(heads.values(), key=attrgetter("key"))
        summaries = {id_: summary for id_, summary in model.summaries.items() if id_ in heads}
        model = listed(replace(model, summaries=summaries), ordered)
    model, effects = forgotten(model, gone)
    model, more = deleted(model, gone)
    effects += more
    if wanted := tuple(id_ for id_ in changed if id_ in _in_view(model)):
        effects += (ReadSummaries(wanted),)
    session = model.session
    if session is None or session.record.id not in records:
        return model, effects
    record = records[session.record.id]
    if record is None:
        return replace(model, session=None, problem=_DELETED), (*effects, CloseSession())
    return replace(model, session=replace(session, record=record)), effects


def everything_changed(model: Model) -> Next:
    """The database was taken away, or too much was written to name it: all that is shown is read again."""
    effects: tuple[Effect, ...] = (ReadHeads(model.route.database),) if model.listing is not None else ()
    if model.opening is not None:  # what was read of it so far may be half of what there was
        return model, (*effects, ReadSession(model.opening, model.route.event))
    if model.session is None:
        return model, effects
    return model, (*effects, ReadSession(model.session.record.id, playback.event_of(model.session)))


def grew(model: Model, message: Grew) -> Next:
    """The open session has more events than before; who was at its end stays there, unless replay runs."""
    session = model.session
    if session is None or message.count <= session.total:
        return model, ()
    follows = session.playhead == session.total and session.playing is None
    session = replace(
        session,
        folded=message.count,
        total=message.count,
        last_created_at=max(session.last_created_at, message.last_created_at),
    )
    model = replace(model, session=session)
    return playback.followed(model, message.count) if follows else playback.with_rows(model)


def _in_view(model: Model) -> set[str]:
    """The sessions whose titles are shown, or were."""
    return {*model.summaries, *((model.session.record.id,) if model.session else ()), *_rows(model)}


def _rows(model: Model) -> set[str]:
    if model.shown is None:
        return set()
    rows = model.shown.visible(model.list_view.top, model.list_view.height)
    return {row.head.id for row in rows if row.head}


_DELETED = Alert(
    "This session was deleted",
    "It was open here while it was deleted, in this tab or another. Choose another one from the list.",
)
