"""Names, tags, read positions and the filter: what is done about them, and what other changes mean for them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ...drivers.base import SessionHead
from ...drivers.notes import SessionNote, described, marked
from .. import playback
from ..effects import Effect
from ..listing import lay_out
from ..model import Alert, Model, OpenSession, Viewport
from ..playback import Next
from .effects import Focus, ForgetNote, MarkRead, MarkSoon, ReadAllNotes, ReadNotes, SaveNote
from .messages import (
    Filtered,
    FilterFocused,
    Hidden,
    LeftOffSought,
    MarkDue,
    NoteMessage,
    NotesChanged,
    NotesLost,
    NotesRead,
    NotKept,
    RenameAsked,
    Renamed,
    RenameGivenUp,
)
from .search import find
from .values import Editing, clean_name, fault_of, split_tags

_OUT_OF_REACH = "Names, tags and read positions are out of reach"


def update_notes(model: Model, message: NoteMessage, clock: float) -> Next:
    """The next model, and the effects to carry out."""
    match message:
        case FilterFocused():
            return replace(model, sheet="sessions"), (Focus("filter"),)
        case Filtered(query):
            return _filtered(model, query)
        case RenameAsked():
            return _rename_asked(model), ()
        case RenameGivenUp():
            return _with(model, editing=None), ()
        case Renamed(name, tags):
            return _renamed(model, name, tags)
        case LeftOffSought():
            position = left_position(model)
            return (model, ()) if position is None else playback.moved(model, position, clock)
        case Hidden():
            model, effects = _saved(model, model)
            return _with(model, hidden=True), effects
        case MarkDue():
            model, effects = _saved(model, model)
            return _with(model, saving=False), effects
        case NotesRead() if message.database == model.route.database:
            return _read(model, message), ()
        case NotesChanged() if message.database == model.route.database:
            return _changed(model, message)
        case NotesLost(detail) if not model.notes.off:
            return _with(model, off=True, why_off=detail, editing=None), ()
        case NotKept(database, session_id, detail):
            effects = (ReadNotes(database, (session_id,)),) if database == model.route.database else ()
            return replace(model, alert=Alert("The name was not kept", detail)), effects
    return model, ()


def noticed(before: Model, model: Model, effects: tuple[Effect, ...]) -> Next:
    """What a change of the model, whatever made it, means for notes: sessions came in view, were opened, were read."""
    if model.route.database != before.route.database:
        model, more = _left(before, _with(model, known={}, complete=False, titles={}, query=""))
        model, effects = replace(model, found=None), effects + more
    elif _open_id(model) != _open_id(before):
        model, more = _left(before, model)
        effects += more
    if model.summaries is not before.summaries:
        titles = {session_id: summary.title for session_id, summary in model.summaries.items()}
        model = _with(model, titles={**model.notes.titles, **titles})
    if model.notes.off:
        return _with_reason(model), effects
    wanted = _wanted(before, model)
    model, more = _read_on(model)
    return model, effects + wanted + more


def seen_again(model: Model) -> Next:
    """The page is in front again; what was noted meanwhile may not have been heard."""
    ids = () if model.notes.off else _in_view(model)
    return _with(model, hidden=False), (ReadNotes(model.route.database, ids),) if ids else ()


def reason_read(model: Model) -> Model:
    """The user has read why there are no notes: it is not said again."""
    said = model.alert is not None and model.alert.title == _OUT_OF_REACH
    return _with(model, why_off="") if said else model


def _with_reason(model: Model) -> Model:
    """Says why there are no notes, also after something else has taken the words away."""
    if not model.notes.why_off or model.alert:
        return model
    words = f"The sessions are not. {model.notes.why_off}"
    return replace(model, alert=Alert(_OUT_OF_REACH, words))


def listed(model: Model, heads: Sequence[SessionHead]) -> Model:
    """The model with these sessions, oldest first, in its list."""
    return found_anew(replace(model, listing=lay_out(heads, model.now, model.zone)))


def found_anew(model: Model) -> Model:
    """The model with what the filter finds now."""
    if model.listing is None or not model.notes.query:
        return model if model.found is None else replace(model, found=None)
    return replace(model, found=find(model.listing, model.notes, model.now, model.zone))


def forgotten(model: Model, session_ids: Collection[str]) -> Next:
    """These sessions were deleted: so is what is noted about them."""
    if not session_ids:
        return model, ()
    known = {id_: note for id_, note in model.notes.known.items() if id_ not in session_ids}
    gone = _open_id(model) in session_ids
    unsaved = None if gone else model.notes.unsaved
    effects = () if model.notes.off else tuple(ForgetNote(model.route.database, id_) for id_ in session_ids)
    return _with(model, known=known, unsaved=unsaved, gone=gone or model.notes.gone), effects


def left_position(model: Model) -> int | None:
    """The position at which reading had ended when the open session was opened; None when nothing was left."""
    session, left_at = model.session, model.notes.left_at
    return None if session is None or left_at is None else playback.position_of(session, left_at)


def unread(model: Model, session_id: str) -> int:
    """How many events of a session are newer than what is noted as seen; 0 also if nothing ever was."""
    summary, read = model.summaries.get(session_id), model.notes.of(session_id).read_to
    return 0 if summary is None or read is None else max(0, min(summary.last_index - read, summary.events))


def _with(model: Model, **fields: object) -> Model:
    return replace(model, notes=replace(model.notes, **fields))  # type: ignore[arg-type]


def _open_id(model: Model) -> str | None:
    return model.session.record.id if model.session else None


# the filter


def _filtered(model: Model, query: str) -> Next:
    """The list from its top, as far as the words are found. Names of sessions out of view are read for it once."""
    database = model.route.database
    wanted = (ReadAllNotes(database),) if query and not model.notes.complete and not model.notes.off else ()
    model = found_anew(_with(model, query=query))
    view = Viewport(0, model.list_view.height)
    return replace(model, list_view=view, list_scroll=(model.list_scroll[0] + 1, 0)), wanted


# names and tags


def _rename_asked(model: Model) -> Model:
    session = model.session
    if session is None or model.notes.off:
        return model
    note = model.notes.of(session.record.id)
    return _with(model, editing=Editing(note.session_id, note.name, ", ".join(note.tags)))


def _renamed(model: Model, typed_name: str, typed_tags: str) -> Next:
    editing = model.notes.editing
    if editing is None:
        return model, ()
    name, tags = clean_name(typed_name), split_tags(typed_tags)
    if fault := fault_of(name, tags):
        return _with(model, editing=replace(editing, name=typed_name, tags=typed_tags, fault=fault)), ()
    note = described(model.notes.of(editing.session_id), name, tags)
    model = _with(model, editing=None, known={**model.notes.known, note.session_id: note})
    return found_anew(model), (SaveNote(model.route.database, note.session_id, name, tags),)


# what is known


def _read(model: Model, read: NotesRead) -> Model:
    """Who was asked for and has no note gets an empty one. The filter looks again if names or tags are others."""
    notes = model.notes
    asked = notes.known if read.everything else read.session_ids
    before = {} if read.everything else notes.known
    known = {**before, **{session_id: SessionNote(session_id) for session_id in asked}, **read.notes}
    model = _with(model, known=known, complete=notes.complete or read.everything)
    is_same = all(_found_by(known[id_]) == _found_by(notes.of(id_)) for id_ in (*asked, *read.notes))
    return model if is_same else found_anew(model)


def _found_by(note: SessionNote) -> tuple[str, tuple[str, ...]]:
    return note.name, note.tags


def _changed(model: Model, changed: NotesChanged) -> Next:
    notes, database = model.notes, model.route.database
    if not changed.everything:
        ids = tuple(sorted(id_ for id_ in changed.session_ids if notes.knows(id_)))
        return model, (ReadNotes(database, ids),) if ids else ()
    ids = _in_view(model)
    model = _with(model, known={id_: notes.of(id_) for id_ in ids if notes.knows(id_)}, complete=False)
    if notes.query:
        return model, (ReadAllNotes(database),)
    return model, (ReadNotes(database, ids),) if ids else ()


def _wanted(before: Model, model: Model) -> tuple[Effect, ...]:
    """The notes of sessions that came in view."""
    if (
        model.shown is before.shown
        and model.list_view is before.list_view
        and _open_id(model) == _open_id(before)
        and model.opening is before.opening
    ):
        return ()
    ids = tuple(id_ for id_ in _in_view(model) if not model.notes.knows(id_))
    return (ReadNotes(model.route.database, ids),) if ids else ()


def _in_view(model: Model) -> tuple[str, ...]:
    rows = model.shown.visible(model.list_view.top, model.list_view.height) if model.shown else ()
    ids = [row.head.id for row in rows if row.head]
    ids += [id_ for id_ in (_open_id(model), model.opening) if id_ is not None and id_ not in ids]
    return tuple(ids)


# read positions


def _read_on(model: Model) -> Next:
    """The event at the playhead is seen, while the page is."""
    session, notes = model.session, model.notes
    if session is None or notes.gone or notes.hidden or not notes.knows(session.record.id):
        return model, ()
    if not notes.opened:
        before = notes.of(session.record.id).read_to
        model = _with(model, opened=True, left_at=None if before is None else _left_at(session, before))
    if session.playhead == 0:
        return model, ()
    event_index = playback.event_at(session, session.playhead - 1)
    seen = (model.notes.of(session.record.id).read_to, model.notes.unsaved)
    if any(index is not None and event_index <= index for index in seen):
        return model, ()
    later = () if model.notes.saving else (MarkSoon(),)
    return _with(model, unsaved=event_index, saving=True), later


def _left_at(session: OpenSession, read: int) -> int | None:
    return read if playback.position_of(session, read) < session.total else None


def _left(before: Model, model: Model) -> Next:
    """The session that was open is not any more: what was read of it is stored at once."""
    model, effects = _saved(before, model)
    return _with(model, opened=False, left_at=None, gone=False, editing=None), effects


def _saved(before: Model, model: Model) -> Next:
    """Store how far the session that is open in `before` was read, if nobody has."""
    session, event_index = before.session, model.notes.unsaved
    if session is None or event_index is None:
        return model, ()
    note = marked(model.notes.of(session.record.id), event_index)
    if before.route.database == model.route.database:
        model = _with(model, known={**model.notes.known, note.session_id: note})
    effects = () if model.notes.off else (MarkRead(before.route.database, note.session_id, event_index),)
    return _with(model, unsaved=None), effects
