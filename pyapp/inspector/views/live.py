"""The server in the page: its place in the bar, the dialogs, what one writes to an agent, the requests."""

from __future__ import annotations

from collections.abc import Sequence

import htpy as h

from ... import json_text
from ..dates import Zone, plural, second_time
from ..live.update import field_id, live_session
from ..live.values import SETTING_NAMES, ConnectDialog, LiveSession, NewDialog, Server, Setting, Traffic
from ..model import Model
from .exact import exact
from .html import html, icon


def in_bar(model: Model) -> Sequence[h.Node]:
    """Connect; or the server that is connected to, with the way to its requests, and New session."""
    live, server = model.live, model.live.server
    if model.is_read_only:
        return ()
    if server is None:
        return (h.button(type="button", data_click="connect", data_opens=True)["Connect"],)
    state, where, agents = live.connection, server.url.partition("://")[2], _agents(server)
    return (
        h.button(
            "#server.quiet",
            class_=f"server {state}",
            type="button",
            data_click="traffic",
            aria_expanded=str(live.shows_traffic).lower(),
            aria_label=f"Server {where}, {_STATES[state]}, {agents}: requests",
            title=f"{server.url}: {_STATES[state]}, {agents}. Shows the requests, and lets the server go.",
        )[
            h.i,
            h.span(".where")[where],
            h.span(".wide")[agents] if state == "connected" else h.span(".state")[_STATES[state]],
        ],
        h.button(type="button", data_click="new", data_opens=True, aria_label="New session")[
            "New", h.span(".wide")[" session"]
        ],
    )


_STATES = {"connected": "connected", "reconnecting": "reconnecting…", "lost": "no answer"}


def _agents(server: Server) -> str:
    """How many agents it has; those that would have to be installed first are told apart."""
    ready, every = sum(agent.installed for agent in server.agents), len(server.agents)
    return plural(every, "agent") if ready == every else f"{ready} of {plural(every, 'agent')}"


def connect_dialog(dialog: ConnectDialog | None) -> str:
    """Which server, and its token."""
    if dialog is None:
        return ""
    return html(
        h.dialog(
            "#connect-dialog.form", data_modal=True, data_cancel="connect-cancel", aria_labelledby="connect-title"
        )[
            h.form("#connect-form", data_submit="connect-to", autocomplete="off", novalidate=True)[
                h.h2("#connect-title")["Connect to a server"],
                h.label(for_="connect-url")["Server URL"],
                h.input(
                    "#connect-url", type="url", name="url", value=dialog.url, required=True, autofocus=True,
                    spellcheck="false", autocomplete="off", aria_describedby="connect-fault",
                    aria_invalid="true" if dialog.wrong == "url" else None,
                ),
                h.label(for_="connect-token")["Token"],
                h.input(
                    "#connect-token", type="password", name="token", autocomplete="off", placeholder="none",
                    aria_describedby="connect-kept connect-fault" if dialog.wrong == "token" else "connect-kept",
                    aria_invalid="true" if dialog.wrong == "token" else None,
                ),
                h.p("#connect-kept.dim")["The address is remembered here, the token is not."],
                h.div("#connect-fault.fault", role="alert")[
                    bool(dialog.fault) and h.p[dialog.fault],
                    bool(dialog.advice) and h.ul[(h.li[_with_commands(line)] for line in dialog.advice)],
                ],
                h.div(".answers")[
                    dialog.busy and [h.span(aria_live="polite")["Connecting…"], h.progress(aria_label="Connecting")],
                    h.button(type="button", data_click="connect-cancel")["Cancel"],
                    h.button(".solid", type="submit", disabled=dialog.busy)["Connect"],
                ],
            ]
        ]
    )  # fmt: skip


def _with_commands(line: str) -> Sequence[h.Node]:
    """Words, and what stands between backticks as code."""
    return [h.code[part] if place % 2 else part for place, part in enumerate(line.split("`"))]


def new_dialog(model: Model, dialog: NewDialog | None) -> str:
    """Which agent, where, and how it is set."""
    server = model.live.server
    if dialog is None or server is None:
        return ""
    agent = model.live.agent(dialog.agent)
    return html(
        h.dialog("#new-dialog.form", data_modal=True, data_cancel="new-cancel", aria_labelledby="new-title")[
            h.form("#new-form", data_submit="create", data_changed="new-changed")[
                h.h2("#new-title")["New session"],
                h.label(for_="new-agent")["Agent"],
                h.select("#new-agent", name="agent", autofocus=True)[
                    (
                        h.option(value=one.id, selected=one.id == dialog.agent)[
                            one.id if one.installed else f"{one.id} (not installed)"
                        ]
                        for one in server.agents
                    )
                ],
                agent is not None
                and not agent.installed
                and h.p(".dim")[
                    "The server has not installed it. ",
                    h.button(".link", type="button", data_click="install", disabled=bool(dialog.busy))["Install it"],
                ],
                h.label(for_="new-cwd")["Working directory"],
                h.input(
                    "#new-cwd", type="text", name="cwd", value=dialog.cwd, placeholder="/", spellcheck="false",
                    autocomplete="off",
                ),
                (_choice(setting, dialog) for setting in (agent.settings if agent else ())),
                h.p("#new-fault.fault", role="alert")[dialog.fault],
                h.div(".answers")[
                    bool(dialog.busy) and [h.span(aria_live="polite")[dialog.busy], h.progress(aria_label=dialog.busy)],
                    h.button(type="button", data_click="new-cancel")["Cancel"],
                    h.button(
                        ".solid", type="submit", disabled=bool(dialog.busy) or agent is None or not agent.installed
                    )["Create"],
                ],
            ]
        ]
    )  # fmt: skip


def _choice(setting: Setting, dialog: NewDialog) -> h.Node:
    name, chosen = SETTING_NAMES[setting.kind], dialog.chosen.get(setting.kind, "")
    return [
        h.label(for_=f"new-{setting.kind}")[name],
        h.select(f"#new-{setting.kind}", name=setting.kind)[
            h.option(value="", selected=not chosen)["Agent’s default"],
            (h.option(value=value, selected=value == chosen)[words] for value, words in setting.choices),
        ],
    ]


def composer(model: Model) -> str:
    """What stands under the transcript: the message field of a live session, or the way to make it live."""
    if model.session is None or model.is_read_only:
        return ""
    session = live_session(model)
    if session is not None and model.live.server is not None:
        return _form(model, session)
    resuming = model.live.resuming == model.session.record.id
    words = "Stored here. Resume it to go on with its agent." if model.live.server else "Stored here."
    return html(
        h.div(".dormant")[
            h.span["Resuming…" if resuming else words],
            resuming and h.progress(aria_label="Resuming"),
            h.button(
                type="button",
                data_click="resume",
                disabled=model.live.resuming is not None,
                title=None if model.live.server else "Connects to a server first",
            )["Resume"],
        ]
    )


def _form(model: Model, session: LiveSession) -> str:
    is_away = session.state in ("connecting", "reconnecting")
    opened = model.session
    asks_later = bool(session.asked) and opened is not None and opened.playhead < opened.total
    end = opened.total if opened and asks_later else None
    return html(
        h.form(".composer", data_submit="prompt", data_arg=session.id, data_clears=True)[
            h.textarea(
                id=field_id(model, session.id),
                name="text",
                rows="1",
                aria_label="Message",
                placeholder="Message the agent",
                data_input="draft",
                data_arg=session.id,
                data_enter="submit",
            )[model.live.drafts.get(session.id, "")],
            h.div(".settings")[
                (_setting(setting) for setting in session.settings),
                h.span("#composer-state.state", aria_live="polite")[_state(session)],
                end is not None and h.button(".link", type="button", data_click="seek", data_arg=str(end))["Show"],
                h.div(".answers")[
                    session.running
                    and h.button(type="button", data_click="cancel-turn", data_arg=session.id)["Cancel"],
                    h.button(".solid", type="submit", disabled=is_away, aria_describedby="composer-state")["Send"],
                ],
            ],
        ]
    )


def _state(session: LiveSession) -> str:
    match session.state:
        case "reconnecting":
            return "The server does not answer; trying again…"
        case "connecting":
            return "Connecting…"
        case "closed":
            return f"The agent is gone: the next message starts a new one with the history. {session.fault}".strip()
    if session.asked:
        return "The agent asks for permission"
    return "Working…" if session.running else ""


def _setting(setting: Setting) -> h.Node:
    name = SETTING_NAMES[setting.kind]
    known = any(value == setting.current for value, _ in setting.choices)
    return h.select(aria_label=name, title=name, data_change="setting", data_arg=setting.kind)[
        not known and h.option(value="", selected=True)[setting.current or name],
        (h.option(value=value, selected=value == setting.current)[words] for value, words in setting.choices),
    ]


def traffic_panel(model: Model) -> str:
    """The requests to the server, the newest first."""
    live = model.live
    if not live.shows_traffic or live.server is None:
        return ""
    return html(
        h.div("#traffic.traffic", role="dialog", aria_label="Requests")[
            h.div(".head")[
                h.h2["Requests"],
                h.span(".dim")[live.server.url],
                h.span(".grow"),
                h.button(type="button", data_click="disconnect")["Disconnect"],
                h.button(type="button", data_click="traffic")["Close"],
            ],
            h.div(".scroll")[
                h.table[
                    h.thead[h.tr[(h.th(scope="col")[name] for name in ("Time", "Request", "Answer", "Took"))]],
                    h.tbody[(_request(one, model.zone) for one in live.traffic)],
                ]
            ],
        ]
    )


def _request(traffic: Traffic, zone: Zone) -> h.Node:
    answer = "…" if traffic.took is None else str(traffic.status or "none")
    failed = traffic.took is not None and not 200 <= (traffic.status or 0) < 300 and traffic.error != "cancelled"
    took = "" if traffic.took is None else f"{traffic.took:,.0f} ms"
    return h.tr(f"#request-{traffic.id}", class_="bad" if failed else None)[
        h.td[second_time(traffic.started_at, zone)],
        h.td[
            bool(traffic.message) and [h.b[traffic.message], " "],
            h.code[f"{traffic.method} {traffic.path}"],
            bool(traffic.error) and h.p(".dim")[traffic.error],
        ],
        h.td[answer],
        h.td(".n")[took],
    ]


def permission_buttons(session_id: str, request_id: str, options: Sequence[tuple[str, str, str]]) -> h.Node:
    """One button for each answer, (id, name, kind), that a waiting permission request takes."""
    return h.div(".answers")[
        (
            h.button(
                type="button",
                class_="solid" if kind == "allow_once" else None,
                data_click="permission",
                data_arg=json_text.dump([session_id, request_id, id_]),
            )[kind.startswith("allow") and icon("check"), exact(name or id_)]
            for id_, name, kind in options
        )
    ]
