"""What the connection and live sessions mean for the page. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from zlib import crc32

from .. import playback
from ..effects import Effect, ForgetStatus, ShowAddress
from ..model import Alert, Model
from ..notes.effects import Focus
from ..playback import Next
from .effects import (
    Answer,
    Attach,
    CancelTurn,
    Choose,
    Connect,
    Create,
    Detach,
    Disconnect,
    Install,
    Prompt,
    RememberServer,
    StopConnecting,
    StopCreating,
)
from .messages import (
    Attached,
    ConnectAsked,
    Connected,
    ConnectFailed,
    ConnectGivenUp,
    ConnectWanted,
    Created,
    DisconnectWanted,
    Installed,
    InstallWanted,
    LiveMessage,
    NewAsked,
    NewChanged,
    NewGivenUp,
    NotAttached,
    NotCreated,
    NotDone,
    NotSent,
    PermissionAnswered,
    PromptSent,
    ResumeWanted,
    SettingChosen,
    TrafficToggled,
    TrafficTold,
    TurnCancelled,
    Typed,
)
from .values import AgentChoice, ConnectDialog, LiveSession, NewDialog, Server, Traffic

MOST_TRAFFIC = 200
"""Requests that are remembered."""


def field_id(model: Model, session_id: str) -> str:
    """The id of a session's message field: a new one where a text was put back, since what is typed into one stays."""
    return f"message-{crc32(session_id.encode(errors='replace')):08x}-{model.live.refills}"


def update_live(model: Model, message: LiveMessage, clock: float) -> Next:
    """The next model, and the effects to carry out."""
    match message:
        case ConnectAsked() | ConnectWanted() | ConnectGivenUp() | Connected() | ConnectFailed() | DisconnectWanted():
            return _connecting(model, message)
        case NewAsked() | NewChanged() | NewGivenUp() | InstallWanted() | Installed() | Created() | NotCreated():
            return _creating(model, message)
        case TrafficToggled():
            return _with(model, shows_traffic=not model.live.shows_traffic), ()
        case TrafficTold(traffic):
            return _told(model, traffic), ()
        case Attached(session):
            return _attached(model, session)
        case NotAttached(session_id, fault):
            return _not_attached(model, session_id, fault)
        case NotSent():
            return _not_sent(model, message)
        case NotDone(fault):
            return replace(model, alert=Alert("The agent did not do that", fault)), ()
        case Typed(session_id, text):
            return _with(model, drafts={**model.live.drafts, session_id: text}), ()
        case PromptSent(session_id, text) if text.strip():
            return _sent(model, session_id, text, clock)
        case TurnCancelled(session_id):
            return model, (CancelTurn(session_id),)
        case PermissionAnswered(session_id, request_id, option_id):
            return model, (Answer(session_id, request_id, option_id),)
    return _in_session(model, message)


def live_session(model: Model) -> LiveSession | None:
    """The open session as far as it is live."""
    return model.live.sessions.get(model.session.record.id) if model.session else None


# the connection


def _connecting(model: Model, message: LiveMessage) -> Next:
    live = model.live
    match message:
        case ConnectAsked():
            return _with(model, connecting=ConnectDialog(live.url)), ()
        case ConnectWanted(url, token) if live.connecting and not live.connecting.busy:
            dialog = ConnectDialog(url, busy=True, resume=live.connecting.resume)
            return _with(model, connecting=dialog), (Connect(url, token),)
        case ConnectGivenUp():
            stop: tuple[Effect, ...] = (StopConnecting(),) if live.connecting and live.connecting.busy else ()
            return _with(model, connecting=None), stop
        case Connected(url, agents):
            return _connected(model, url, agents)
        case ConnectFailed(fault, advice, wrong) if live.connecting:
            dialog = replace(live.connecting, busy=False, fault=fault, advice=advice, wrong=wrong)
            return _with(model, connecting=dialog), (Focus(f"connect-{wrong or 'url'}"),)
        case DisconnectWanted() if live.server:
            model = _with(model, server=None, sessions={}, resuming=None, creating=None, shows_traffic=False)
            return _said(model, "Disconnected. The agents go on running on their server.", Disconnect())
    return model, ()


def _connected(model: Model, url: str, agents: tuple[AgentChoice, ...]) -> Next:
    wanted = model.live.connecting.resume if model.live.connecting else ""
    model = _with(model, server=Server(url, agents), url=url, connecting=None, sessions={}, resuming=wanted or None)
    attach: tuple[Effect, ...] = (Attach(model.route.database, wanted),) if wanted else ()
    return _said(model, f"Connected to {url}.", RememberServer(url), *attach)


def _told(model: Model, traffic: Traffic) -> Model:
    live = model.live
    others = tuple(one for one in live.traffic if one.id != traffic.id)
    server = live.server
    if server and traffic.took is not None and traffic.error != "cancelled":
        server = replace(server, answers=bool(traffic.status))
    newest_first = sorted((traffic, *others), key=lambda one: one.id, reverse=True)
    return _with(model, traffic=tuple(newest_first[:MOST_TRAFFIC]), server=server)


# new sessions


def _creating(model: Model, message: LiveMessage) -> Next:
    live, dialog = model.live, model.live.creating
    match message:
        case NewAsked() if live.server:
            return _with(model, creating=NewDialog(_first_agent(live.server.agents))), ()
        case NewChanged() if dialog and not dialog.busy:
            return _changed(model, dialog, message)
        case NewGivenUp() if dialog:
            return _with(model, creating=None), (StopCreating(),) if dialog.busy else ()
        case InstallWanted() if dialog and not dialog.busy:
            busy = f"Installing {dialog.agent}; this may take minutes…"
            return _with(model, creating=replace(dialog, busy=busy, fault="")), (Install(dialog.agent),)
        case Installed(agents, fault) if dialog:
            server = replace(live.server, agents=agents) if live.server and agents else live.server
            return _with(model, server=server, creating=replace(dialog, busy="", fault=fault)), ()
        case NotCreated(fault) if dialog:
            return _with(model, creating=replace(dialog, busy="", fault=fault)), ()
        case Created(session):
            model = _with(model, creating=None, sessions={**live.sessions, session.id: session})
            return model, (ShowAddress(model.route.to(session.id), replace=False), Focus(field_id(model, session.id)))
    return model, ()


def _first_agent(agents: tuple[AgentChoice, ...]) -> str:
    """The agent that is offered first: one that is installed."""
    ready = [agent.id for agent in agents if agent.installed]
    return (ready or [agent.id for agent in agents] or [""])[0]


def _changed(model: Model, dialog: NewDialog, message: NewChanged) -> Next:
    """Another agent has other settings: what was chosen for one is not kept for the next."""
    chosen = {} if message.agent != dialog.agent else {kind: value for kind, value in message.chosen.items() if value}
    dialog = replace(dialog, agent=message.agent, cwd=message.cwd, chosen=chosen, fault="")
    if not message.wanted:
        return _with(model, creating=dialog), ()
    busy = f"Starting {dialog.agent}…"
    effect = Create(model.route.database, dialog.agent, dialog.cwd.strip(), chosen)
    return _with(model, creating=replace(dialog, busy=busy)), (effect,)


# in a session


def _attached(model: Model, session: LiveSession) -> Next:
    live = model.live
    if live.server is None:
        return model, ()
    resumed = live.resuming == session.id
    model = _with(model, sessions={**live.sessions, session.id: session}, resuming=None if resumed else live.resuming)
    is_open = model.session is not None and model.session.record.id == session.id
    return model, (Focus(field_id(model, session.id)),) if resumed and is_open else ()


def _not_attached(model: Model, session_id: str, fault: str) -> Next:
    live = model.live
    if live.server is None:
        return model, ()
    resuming = None if live.resuming == session_id else live.resuming
    return replace(_with(model, resuming=resuming), alert=Alert("This session was not resumed", fault)), ()


def deleted(model: Model, session_ids: Collection[str]) -> Next:
    """These sessions are stored no more: nothing of their agents is to be stored either."""
    live = model.live
    gone = tuple(id_ for id_ in session_ids if id_ in live.sessions)
    if not gone:
        return model, ()
    sessions = {id_: session for id_, session in live.sessions.items() if id_ not in gone}
    drafts = {id_: draft for id_, draft in live.drafts.items() if id_ not in gone}
    return _with(model, sessions=sessions, drafts=drafts), tuple(Detach(id_) for id_ in gone)


def _in_session(model: Model, message: LiveMessage) -> Next:
    if model.session is None:
        return model, ()
    session_id, live = model.session.record.id, model.live
    match message:
        case ResumeWanted() if live.server is None:
            return _with(model, connecting=ConnectDialog(live.url, resume=session_id)), ()
        case ResumeWanted() if live.resuming is None:
            return replace(_with(model, resuming=session_id), alert=None), (Attach(model.route.database, session_id),)
        case SettingChosen(kind, value):
            return model, (Choose(session_id, kind, value),)
    return model, ()


def _sent(model: Model, session_id: str, text: str, clock: float) -> Next:
    """A message is on its way; wherever the playhead was, it goes to the end, where the answer will be."""
    drafts = {id_: draft for id_, draft in model.live.drafts.items() if id_ != session_id}
    model, effects = replace(_with(model, drafts=drafts), alert=None), (Prompt(session_id, text),)
    session = model.session
    if session is None or session.record.id != session_id:
        return model, effects
    model, more = playback.moved(replace(model, session=replace(session, playing=None)), session.total, clock)
    return model, (*more, *effects)


def _not_sent(model: Model, message: NotSent) -> Next:
    """Why a message did not go, or its turn was cut off. What was never sent stands in the field again, before what was
    typed since."""
    if message.arrived:
        return replace(model, alert=Alert("The turn was cut off", message.fault)), ()
    since = model.live.drafts.get(message.session_id, "")
    text = f"{message.text}\n\n{since}" if since.strip() else message.text
    drafts = {**model.live.drafts, message.session_id: text}
    model = _with(model, drafts=drafts, refills=model.live.refills + 1)
    model = replace(model, alert=Alert("The message was not sent", message.fault))
    return model, (Focus(field_id(model, message.session_id)),) if model.route.session_id == message.session_id else ()


def _with(model: Model, **fields: object) -> Model:
    return replace(model, live=replace(model.live, **fields))  # type: ignore[arg-type]


def _said(model: Model, status: str, *effects: Effect) -> Next:
    return replace(model, status=status, alert=None), (ForgetStatus(status), *effects)
