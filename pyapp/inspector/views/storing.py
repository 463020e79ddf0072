"""The store in the page: which database is shown, how much room there is, and the question before a deletion."""

from __future__ import annotations

import htpy as h

from ..dates import plural, size
from ..model import Model, OpenSession, Storage
from ..storing import ONLY_SHOWN
from .html import html, straight

NAME_LENGTH = 40
"""Characters of the name of a store that are shown."""


def chooser(model: Model) -> h.Node:
    """The choice among the site's databases, where there is one."""
    shown = model.route.database or model.usual_database
    names = model.databases if shown in model.databases else (*model.databases, shown)
    if len(names) < 2:
        return ""
    return h.label(".database")[
        h.span(".name")["Database"],
        h.select(aria_label="Database", data_change="database")[
            (h.option(value=name, selected=name == shown)[name[:100]] for name in names)
        ],
    ]


def room(storage: Storage | None) -> str:
    """How much of the disk the site uses, and whether the browser keeps it."""
    if storage is None or (storage.usage is None and storage.kept is None):
        return ""
    facts: list[h.Node] = []
    if storage.usage is not None:
        of = f" of {size(storage.quota)}" if storage.quota else ""
        facts.append(h.span[f"{size(storage.usage)}{of}"])
    if storage.kept:
        facts.append(h.span(title="The browser deletes it only when you clear the site's data.")["kept"])
    elif storage.kept is False:
        facts.append(h.span(title="When the disk is full the browser may delete it.")["may be cleared"])
        facts.append(h.button(".quiet", type="button", data_click="keep")["Keep"])
    return html(h.p(".room")[facts])


def served(model: Model) -> str:
    """In the place of the room on the disk, where the sessions are not this browser's."""
    words = f"Sessions of {served_name(model) or 'another program'}"
    title = f"{straight(model.served_name[:500])}\n{ONLY_SHOWN}.".strip()
    return html(h.p(".room", title=title)[h.span["That program does not answer" if model.is_left else words]])


def served_name(model: Model) -> str:
    """What the page calls the store of the program that serves it: the end of its name, which tells most."""
    name = straight(model.served_name)
    return name if len(name) <= NAME_LENGTH else f"…{name[1 - NAME_LENGTH :]}"


def actions(model: Model, *more: h.Node) -> h.Node:
    """What can be done with the open session as a whole; `more` comes first. Of another program's: a copy."""
    busy = model.job is not None
    return h.div(".actions")[
        *more,
        h.button(".quiet", type="button", data_click="export", data_opens=True, disabled=busy)["Export"],
        not model.is_read_only
        and h.button(".quiet", type="button", data_click="delete", data_opens=True, disabled=busy)["Delete"],
    ]


def dialog(model: Model, session: OpenSession, name: str) -> str:
    """The question before the open session is deleted."""
    if model.dialog != "delete":
        return ""
    return html(
        h.dialog("#delete", data_modal=True, data_cancel="close", aria_labelledby="delete-title")[
            h.h2("#delete-title")["Delete this session?"],
            h.p[
                f"“{name}” and its {plural(session.total, 'event')} will be gone for good. Export it first to keep it.",
                session.record.id in model.live.sessions and " Its agent ends, too.",
            ],
            h.div(".answers")[
                h.button(type="button", data_click="close", autofocus=True)["Keep it"],
                h.button(".danger", type="button", data_click="delete", data_arg="confirmed")["Delete"],
            ],
        ]
    )
