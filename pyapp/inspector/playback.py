"""The playhead: where it goes, what has to be read for it, and how replay moves it. Pure."""

from __future__ import annotations

from dataclasses import replace

from .effects import Effect, ReadDetail, ReadRows, ReadTail, ShowAddress, Tick
from .messages import Folded
from .model import Model, OpenSession, Playing, Viewport

EVENT_HEIGHT = 24
"""CSS pixels of a row in the list of events."""

MARGIN = 40
"""Rows that are read above and below the visible ones."""

TICK = (30.0, 250.0)
"""The shortest and the longest time between two steps of replay, in milliseconds."""

Next = tuple[Model, tuple[Effect, ...]]


def started(model: Model) -> Next:
    """A session was opened: bring the list of events to its playhead."""
    session = model.session
    if session is None:
        return model, ()
    session = replace(session, events_view=Viewport(0, model.events_height))
    return _looking_at(replace(model, session=session), session.playhead, jump=True)


def scrolled(model: Model, top: int) -> Next:
    """The list of events was scrolled, or has another height: then the playhead's row stays in sight."""
    session = model.session
    if session is None:
        return model, ()
    resized = session.events_view.height != model.events_height
    session = replace(session, events_view=Viewport(top, model.events_height))
    return with_rows(replace(model, session=_revealed(session) if resized else session))


def moved(model: Model, position: int, clock: float) -> Next:
    """The user put the playhead somewhere; replay that runs goes on from there."""
    session = model.session
    if session is None:
        return model, ()
    if session.playing:
        session = replace(session, playing=_anchor(session, position, clock))
        return _looking_at(replace(model, session=session), position, jump=True)
    model, effects = _looking_at(model, position, jump=True)
    return model, effects + _address(model)


def stepped(model: Model, by: int, clock: float, *, marks: bool) -> Next:
    """The user steps by events, or to the next mark in a direction."""
    session = model.session
    if session is None:
        return model, ()
    if not marks:
        return moved(model, session.playhead + by, clock)
    timeline = session.log.timeline
    target = timeline.mark_after(session.playhead) if by > 0 else timeline.mark_before(session.playhead)
    if target is None:
        target = session.total if by > 0 else 0
    return moved(model, target, clock)


def toggled(model: Model, clock: float) -> Next:
    """Play, or pause. At the end, playing begins again from the start."""
    session = model.session
    if session is None:
        return model, ()
    if session.playing:
        model = replace(model, session=replace(session, playing=None))
        return model, _address(model)
    position = 0 if session.playhead >= session.total else session.playhead
    session = replace(session, playing=_anchor(session, position, clock))
    model, effects = _looking_at(replace(model, session=session), position, jump=True)
    return model, (*effects, Tick(0))


def retimed(model: Model, clock: float, *, speed: float | None = None, shorten: bool | None = None) -> Next:
    """Another speed, or pauses shortened or not; what plays goes on from where it is."""
    session = model.session
    if session is None:
        return model, ()
    session = replace(
        session,
        speed=session.speed if speed is None else speed,
        shorten=session.shorten if shorten is None else shorten,
    )
    if session.playing:
        session = replace(session, playing=_anchor(session, session.playhead, clock))
    return replace(model, session=session), ()


def ticked(model: Model, clock: float) -> Next:
    """Replay comes further: to where the session was after so much of its own time."""
    session = model.session
    if session is None or session.playing is None:
        return model, ()
    if session.playhead > session.folded:  # the background reading has not come here yet
        playing = _anchor(session, session.playhead, clock)
        return replace(model, session=replace(session, playing=playing)), (Tick(TICK[1]),)
    timeline = session.log.timeline
    moment = session.playing.moment + (clock - session.playing.clock) * session.speed
    reached = min(timeline.position_at(moment, shorten=session.shorten), session.folded)
    position = max(session.playhead, reached)
    if position >= session.total and session.complete:
        model, effects = _looking_at(replace(model, session=replace(session, playing=None)), position)
        return model, effects + _address(model)
    if position == session.folded:
        session = replace(session, playing=_anchor(session, position, clock))
        pause = TICK[1]
    else:
        pause = (timeline.moment(position + 1, shorten=session.shorten) - moment) / session.speed
    model, effects = _looking_at(replace(model, session=session), position)
    return model, (*effects, Tick(min(max(pause, TICK[0]), TICK[1])))


def folded(model: Model, message: Folded) -> Next:
    """The background reading came further; at its end the number of events is exact."""
    session = model.session
    if session is None:
        return model, ()
    total = message.count if message.complete else max(session.total, message.count)
    at_end = session.playhead == session.total
    if message.complete and total != session.total:
        return _corrected(model, session, message, at_end)
    session = replace(
        session,
        folded=message.count,
        complete=message.complete,
        total=total,
        last_created_at=message.last_created_at if message.complete else session.last_created_at,
        tail=None if message.complete else session.tail,
    )
    model = replace(model, session=session)
    position = total if at_end else min(session.playhead, total)
    if position == session.playhead:
        return model, ()
    return _looking_at(model, position)


def _corrected(model: Model, session: OpenSession, message: Folded, at_end: bool) -> Next:
    """The indexes have holes, so places were guessed wrong: stay at the same event, read what is around it anew."""
    event_index = session.detail.row.event_index if session.detail else session.first_index
    session = replace(
        session,
        folded=message.count,
        complete=True,
        total=message.count,
        last_created_at=message.last_created_at,
        tail=None,
        rows={},
        detail=None,
    )
    position = session.total if at_end else position_of(session, event_index)
    return _looking_at(replace(model, session=session), position, jump=True)


def followed(model: Model, position: int) -> Next:
    """The playhead stays at the end of a session that grows; the transcript stays where it was scrolled to."""
    return _looking_at(model, position)


def event_of(session: OpenSession) -> int | None:
    """The event index that an address names for the playhead: 0 before the first event, None at the end."""
    if session.playhead >= session.total:
        return None
    return event_at(session, session.playhead - 1) if session.playhead else 0


def position_of(session: OpenSession, event_index: int) -> int:
    """The position right after the event with this index, or the nearest one."""
    if event_index < session.first_index:
        return 0
    if session.complete:
        found = session.log.timeline.ordinal_of(event_index) + 1
    else:
        found = event_index - session.first_index + 1
    return max(0, min(found, session.total))


def event_at(session: OpenSession, ordinal: int) -> int:
    """The event index at a place; before all is read, as if the indexes had no holes."""
    if ordinal < session.folded:
        return session.log.timeline.event_index(ordinal)
    return session.first_index + ordinal


def with_rows(model: Model) -> Next:
    """Ask for the rows of the list of events that are visible and not read yet."""
    session = model.session
    if session is None:
        return model, ()
    first = max(0, session.events_view.top // EVENT_HEIGHT)
    last = min(session.total, first + session.events_view.height // EVENT_HEIGHT + 2)
    if all(ordinal in session.rows for ordinal in range(first, last)):
        return model, ()
    start = max(0, first - MARGIN)
    return model, (ReadRows(start, min(session.total, last + MARGIN) - start),)


def _anchor(session: OpenSession, position: int, clock: float) -> Playing:
    known = min(position, session.folded)
    return Playing(clock, session.log.timeline.moment(known, shorten=session.shorten))


def _looking_at(model: Model, position: int, *, jump: bool = False) -> Next:
    """The playhead is here now. After a `jump` the transcript is shown at its end, wherever it was scrolled to."""
    session = model.session
    if session is None:
        return model, ()
    position = max(0, min(position, session.total))
    session = replace(session, playhead=position)
    if jump:
        session = replace(session, window_end=None, jumps=session.jumps + 1)
    effects: tuple[Effect, ...] = ()
    if position and session.covered(position) is None:
        effects += (ReadTail(position),)
    if position == 0:
        session = replace(session, detail=None)
    elif session.detail is None or session.detail.row.ordinal != position - 1:
        effects += (ReadDetail(position - 1),)
    model, more = with_rows(replace(model, session=_revealed(session)))
    return model, effects + more


def _revealed(session: OpenSession) -> OpenSession:
    """Scroll the list of events so that the playhead's row is visible, if it is not."""
    top, height = session.events_view.top, session.events_view.height
    row = max(0, session.playhead - 1) * EVENT_HEIGHT
    if top <= row and row + EVENT_HEIGHT <= top + height:
        return session
    longest = max(0, session.total * EVENT_HEIGHT - height)
    new_top = min(max(0, row - height * 2 // 5), longest)
    return replace(
        session,
        events_view=Viewport(new_top, height),
        events_scroll=(session.events_scroll[0] + 1, new_top),
    )


def _address(model: Model) -> tuple[Effect, ...]:
    """The address names the event at the playhead: 0 before the first one, none when the playhead is at the end."""
    session = model.session
    if session is None:
        return ()
    return (ShowAddress(model.route.to(session.record.id, event_of(session))),)
