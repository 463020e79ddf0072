"""The whole page of a model."""

from __future__ import annotations

import htpy as h

from ...transcript.hostile import is_seen
from ..dates import date_time, plural, size
from ..incoming import KEYS
from ..model import Job, Model, OpenSession
from ..notes.update import left_position
from ..playback import EVENT_HEIGHT
from ..storing import ONLY_SHOWN
from . import deck, events, files, live, storing
from .help import help_panel
from .html import Attrs, Keyed, Page, html, icon, straight
from .notes import left_off, name_of, rename_button, rename_dialog, sessions_head, tags
from .sessions import agent_name, sessions
from .transcript import transcript

TAKEN = (
    ".jsonl", ".ndjson", "application/jsonl", ".db", ".sqlite", ".sqlite3", ".db-wal", ".sqlite-wal", ".sqlite3-wal",
)  # fmt: skip
"""The files that can be chosen."""

MOST_TOLD = 300
"""Characters of a name in the heading."""


def view(model: Model) -> Page:
    """The page: every region, and the attributes that say in which state it is."""
    session = model.session
    regions: dict[str, str | Keyed] = {
        "bar": _bar(model),
        "sessions-head": sessions_head(model),
        "sessions-list": sessions(model),
        "stage": _stage(model),
        "status": _status(model),
        "alert": _alert(model),
        "help": help_panel(model.start) if model.help else "",
        "sessions-foot": storing.served(model) if model.is_read_only else storing.room(model.storage),
        "dialog": storing.dialog(model, session, name_of(model, session.record.id)) if session else "",
        "export": files.export_dialog(model),
        "source": files.source_dialog(model.source),
        "rename": rename_dialog(model),
        "connect": live.connect_dialog(model.live.connecting),
        "new": live.new_dialog(model, model.live.creating),
        "requests": live.traffic_panel(model),
        "composer": live.composer(model),
    }
    attrs: dict[str, Attrs] = {
        "": {
            "data-ready": "true" if model.listing is not None else "false",
            "data-view": _which(model),
            "data-sheet": model.sheet or None,
            "data-read-only": "true" if model.is_read_only else None,
            "data-keys": " ".join(name.removeprefix("Shift+") for name in KEYS),
        },
        "sessions-scroll": {
            "data-scroll-top": str(model.list_scroll[1]),
            "data-scroll-key": str(model.list_scroll[0]),
        },
        "sessions-list": {"data-height": str(model.shown.height if model.shown else 0)},
    }
    if session:
        regions |= _session_regions(model, session)
        attrs |= {
            "log": {
                "data-scroll-top": "end",
                "data-scroll-key": f"{session.record.id}:{session.jumps}",
            },
            "events": {"data-height": str(session.total * EVENT_HEIGHT)},
            "events-scroll": {
                "data-scroll-top": str(session.events_scroll[1]),
                "data-scroll-key": f"{session.record.id}:{session.events_scroll[0]}",
            },
        }
    else:
        regions |= {"log": Keyed(), "events": Keyed(), "detail": "", "slider": ""}
        attrs["events"] = {"data-height": "0"}
    return Page(regions, attrs, _title(model))


def _session_regions(model: Model, session: OpenSession) -> dict[str, str | Keyed]:
    link = model.route.to(session.record.id, session.detail.row.event_index if session.detail else None)
    return {
        "heading": _heading(model, session),
        "log": transcript(model, session),
        "events-head": events.events_head(session),
        "events": events.events(session),
        "detail": events.detail(session.detail, link.hash()),
        "strip": deck.strip(session),
        "past": deck.past(session, left_position(model)),
        "slider": deck.slider(session),
        "controls": deck.controls(session),
    }


def _which(model: Model) -> str:
    if model.session:
        return "session"
    if model.problem:
        return "problem"
    if model.opening or model.listing is None:
        return "opening"
    return "start" if model.listing.sessions else "empty"


def _title(model: Model) -> str:
    place = (storing.served_name(model) if model.is_read_only else "") or "sessions"
    return f"{name_of(model, model.session.record.id)} · {place}" if model.session else place


def _bar(model: Model) -> str:
    return html(
        h.a(".mark", href=model.route.__class__(database=model.route.database).hash())[h.i, h.span["sessions"]],
        h.button(".quiet.sheet-button", type="button", data_click="sheet", data_arg="sessions")["Sessions"],
        h.span(".grow"),
        *live.in_bar(model),
        storing.chooser(model),
        _read_only(model) if model.is_read_only else _import(),
    )


def _read_only(model: Model) -> h.Node:
    """In the place of what would change something. In a narrow window it is all that tells that nobody answers."""
    if model.problem and not (model.listing and model.listing.sessions):
        return ""  # nothing is read, and the middle says why
    state = "lost" if model.is_left else "connected"
    return h.span(f"#source-state.server.{state}", title=f"{ONLY_SHOWN}.")[
        h.i, h.span["No answer" if model.is_left else "Read only"]
    ]


def _import() -> h.Node:
    return h.label(".button")[
        icon("import"),
        h.span(".wide")["Import"],
        h.input(
            "#import", type="file", multiple=True, accept=",".join(TAKEN), data_files="import",
            aria_label="Import a recording",
        ),
    ]  # fmt: skip


def _heading(model: Model, session: OpenSession) -> str:
    fold = session.covered(session.playhead)
    heading = fold.heading_at(session.playhead) if fold else None
    init = session.record.session_init or {}
    cwd = init.get("cwd")
    facts: list[h.Node] = [_cut(agent_name(session.record.agent))]
    if heading and is_seen(heading.title):
        facts.append(_cut(f"“{heading.title}”"))
    if heading and heading.mode:
        facts.append(_cut(f"mode {heading.mode}"))
    if heading and heading.model:
        facts.append(_cut(heading.model))
    if isinstance(cwd, str):
        facts.append(h.span(title="Working directory")["in ", h.code[cwd[:MOST_TOLD]]])
    if heading and heading.connections > 1:
        facts.append(h.span[plural(heading.connections, "connection")])
    if heading and heading.used_tokens:
        of = f" of {heading.context_tokens:,}" if heading.context_tokens else ""
        facts.append(h.span[f"{heading.used_tokens:,}{of} tokens"])
    if heading and heading.cost:
        facts.append(h.span[heading.cost])
    facts.append(h.span[date_time(session.record.created_at, model.zone)])
    note = model.notes.of(session.record.id)
    facts += [*tags(note.tags), *left_off(model, session)]
    return html(
        h.h1[name_of(model, session.record.id)],
        storing.actions(model, rename_button(model)),
        h.div(".facts")[facts],
    )


def _cut(words: str) -> h.Node:
    """Words of others, of any length: the page shows what there is room for, and more of it when one asks."""
    return h.span(".cut", title=words[:MOST_TOLD])[words[:MOST_TOLD]]


def _stage(model: Model) -> str:
    """What stands in the middle while no session is open."""
    match _which(model):
        case "problem" if model.problem:
            return html(
                h.div(".card-page", role="alert")[
                    h.h1[model.problem.title],
                    h.p[straight(model.problem.detail)],
                    bool(model.route.database) and h.p[h.a(href="#/")["Show the usual database"]],
                ]
            )
        case "empty":
            return html(_nothing_served() if model.is_read_only else _welcome(model.job))
        case "start":
            return html(
                h.div(".card-page")[
                    h.h1["Choose a session"],
                    h.p["Pick one from the list, or press ", h.kbd["j"], " for the newest."],
                    h.p(".dim")[
                        f"{ONLY_SHOWN}. Export saves copies."
                        if model.is_read_only
                        else "To add some, drop a .jsonl recording or a SQLite .db file anywhere on this page."
                    ],
                ]
            )
        case "opening":
            return html(h.div("#reading.card-page.quiet-page")[h.p["Reading…"]])
    return ""


def _nothing_served() -> h.Node:
    return h.div(".card-page")[
        h.h1["No sessions yet"],
        h.p["The program that serves this page has none to show. What is added to a database appears here by itself."],
        h.p(".dim")["This page only reads: sessions are not imported, changed or begun here."],
    ]


def _welcome(job: Job | None) -> h.Node:
    return h.div(".card-page")[
        h.h1["Keep, list and replay agent sessions"],
        h.p[
            "This page is Python, running in your browser. It keeps the sessions of coding agents in the "
            "browser's own database, where they survive reloads, restarts and crashes, and replays them event by "
            "event. Nothing leaves this machine, unless you connect to a server elsewhere."
        ],
        h.p(".first")[
            h.button(".solid", type="button", data_click="demo", disabled=job is not None)["Load the demo sessions"],
            h.span(".dim")["Six recorded sessions of two agents: about 3,200 events, 1.8 MB."],
        ],
        h.p[
            "Or drop a .jsonl recording or a SQLite .db file anywhere on this page, or choose it with Import. ",
            "To talk to agents, connect to their server.",
        ],
    ]


def _status(model: Model) -> str:
    job = model.job
    if model.waiting:
        return html(
            h.span["Waiting for another tab of this site to let go of the database. Close that tab if this stays."]
        )
    if job is None:
        if not model.status:
            return ""
        words = h.span(data_click="read", data_arg=model.status, title="A click or Esc takes this away")
        return html(words[straight(model.status)])
    known = job.total > 0
    return html(
        h.span[straight(_progress(job))],
        h.progress(
            value=str(job.done) if known else None,
            max=str(job.total) if known else None,
            aria_label=job.title,
        ),
        h.button(type="button", data_click="cancel")["Cancel"],
    )


def _progress(job: Job) -> str:
    """How far it came. How much there is of a file is not always known, how much of it has come is."""
    if job.unit == "bytes":
        amount = f"{size(job.done)} of {size(job.total)}" if job.total else size(job.done) if job.done else ""
    else:
        amount = f"{job.done:,} of {job.total:,} {job.unit}" if job.total else ""
    return f"{job.title}: {amount}" if amount else f"{job.title}…"


def _alert(model: Model) -> str:
    if model.alert is None:
        return ""
    return html(
        h.div[h.b[model.alert.title], bool(model.alert.detail) and h.p[straight(model.alert.detail)]],
        h.button(type="button", data_click="dismiss")["Dismiss"],
    )
