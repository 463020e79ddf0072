"""Exports chosen and searched for secrets, and files that an address offers: what is done about them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from ..effects import Effect, ReadSummaries, ShowAddress
from ..model import Alert, Model
from ..playback import Next
from ..storing import ONLY_SHOWN
from .effects import Export, FetchSource, SearchSecrets, StopSearch
from .messages import (
    ExportAllPicked,
    ExportAsked,
    ExportChanged,
    ExportGivenUp,
    ExportPicked,
    ExportTriedAgain,
    FileMessage,
    SearchEnded,
    SearchFailed,
    SearchMoved,
    SourceConfirmed,
    SourceGivenUp,
)
from .values import ENDINGS, MOST_OFFERED, ExportDialog, read_source


def update_files(model: Model, message: FileMessage) -> Next:
    """The next model, and the effects to carry out."""
    dialog = model.exporting
    match message:
        case ExportAsked():
            return _asked(model)
        case SourceConfirmed() if model.source and not model.job:
            return replace(model, source=None), (FetchSource(model.source),)
        case SourceGivenUp():
            return replace(model, source=None), ()
    if dialog is None:
        return model, ()
    match message:
        case ExportChanged():
            return _changed(model, dialog, message)
        case ExportPicked(session_id, is_picked) if session_id in dialog.offered:
            picked = dialog.picked | {session_id} if is_picked else dialog.picked - {session_id}
            return _searched(model, replace(dialog, picked=picked))
        case ExportAllPicked(is_picked):
            return _searched(model, replace(dialog, picked=frozenset(dialog.offered if is_picked else ())))
        case ExportTriedAgain():
            return _searched(model, dialog)
        case ExportGivenUp():
            return closed(model)
        case SearchMoved(search, done, total) if search == dialog.search:
            return replace(model, exporting=replace(dialog, done=done, total=total, masks=True)), ()
        case SearchEnded(search, found) if search == dialog.search:
            return _titled(
                replace(model, exporting=replace(dialog, found=found)), {one.session_id for one in found.places}
            )
        case SearchFailed(search, fault) if search == dialog.search:
            return replace(model, exporting=replace(dialog, fault=fault)), ()
    return model, ()


def closed(model: Model) -> Next:
    """The dialog goes, and with it its search."""
    return (model, ()) if model.exporting is None else (replace(model, exporting=None), (StopSearch(),))


def offered(model: Model, text: str) -> Next:
    """The address names a file. One of this site is fetched, any other when the user says so."""
    if model.is_read_only:
        return replace(model, alert=Alert("The file in the address was not fetched", f"{ONLY_SHOWN}.")), _forget(model)
    try:
        source = read_source(text, model.site)
    except ValueError as error:
        return replace(model, alert=Alert("The file in the address was not fetched", str(error))), _forget(model)
    if source.is_foreign:
        return replace(model, source=source), _forget(model)
    return model, (FetchSource(source), *_forget(model))


def ids_of(model: Model, dialog: ExportDialog) -> tuple[str, ...]:
    """The sessions that are to go along, the oldest first."""
    if dialog.scope == "this":
        return (model.session.record.id,) if model.session else ()
    if model.listing is None:
        return ()
    every = [head.id for head in reversed(model.listing.sessions)]
    return tuple(id_ for id_ in every if dialog.scope == "all" or id_ in dialog.picked)


def _asked(model: Model) -> Next:
    if model.job or model.shown is None or model.listing is None or not model.listing.sessions:
        return model, ()
    picked = frozenset([model.session.record.id] if model.session else ())
    others = (head.id for head in model.shown.sessions if head.id not in picked)
    ids = (*picked, *islice(others, MOST_OFFERED - len(picked)))
    return _searched(model, ExportDialog(ids, "this" if model.session else "all", picked))


def _changed(model: Model, dialog: ExportDialog, message: ExportChanged) -> Next:
    changed = replace(dialog, scope=message.scope, format=message.format, keeps=message.keeps)
    if changed.scope != dialog.scope:
        changed = replace(changed, offered=_picked_first(changed.offered, changed.picked))
        model, effects = _searched(model, changed)
        model, more = _titled(model, dialog.offered if changed.scope == "chosen" else ())
        return model, effects + more
    if not message.wanted:
        return replace(model, exporting=changed), ()
    ids = ids_of(model, changed)
    if changed.found is None or not ids or model.job:
        return model, ()
    model, effects = closed(model)
    name = _file_name(model, ids, ENDINGS[changed.format], plain=changed.keeps or not changed.found.count)
    return model, (*effects, Export(ids, name, changed.format, masks=not changed.keeps))


def _picked_first(session_ids: tuple[str, ...], picked: frozenset[str]) -> tuple[str, ...]:
    """In the order of the list, but so that what goes along is in sight."""
    return tuple(sorted(session_ids, key=lambda id_: id_ not in picked))


def _titled(model: Model, session_ids: Iterable[str]) -> Next:
    """Sessions are named in the dialog: the titles of those that were not in view are read."""
    unknown = tuple(sorted(id_ for id_ in session_ids if id_ not in model.summaries))
    return model, (ReadSummaries(unknown),) if unknown else ()


def _searched(model: Model, dialog: ExportDialog) -> Next:
    """The sessions are others now: what was found in those before does not count."""
    dialog = replace(dialog, search=dialog.search + 1, done=0, total=0, found=None, fault="")
    ids = ids_of(model, dialog)
    return replace(model, exporting=dialog), (SearchSecrets(dialog.search, ids) if ids else StopSearch(),)


def _forget(model: Model) -> tuple[Effect, ...]:
    """The address without the file: a reload, or the way back, does not fetch it again."""
    return (ShowAddress(replace(model.route, source="")),)


def _file_name(model: Model, session_ids: tuple[str, ...], ending: str, *, plain: bool) -> str:
    """After the session; unless it is `plain`, not after its first prompt, which may hold a part of a secret."""
    if len(session_ids) > 1:
        return f"{len(session_ids)}-sessions{ending}"
    summary = model.summaries.get(session_ids[0])
    title = model.notes.of(session_ids[0]).name or (summary.title if summary and plain else session_ids[0])
    marks = "".join(mark if mark.isalnum() else "-" for mark in title[:60])
    return f"{'-'.join(filter(None, marks.split('-'))) or 'session'}{ending}"
