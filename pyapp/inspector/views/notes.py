"""Names, tags and read positions in the page: the filter above the list, the dialog, where reading had ended."""

from __future__ import annotations

from collections.abc import Sequence

import htpy as h

from ..dates import plural
from ..model import Model, OpenSession
from ..notes.update import left_position
from ..notes.values import MAX_QUERY, Editing
from .html import html, straight


def name_of(model: Model, session_id: str) -> str:
    """What a session is called: the name that it was given, or its first prompt."""
    summary = model.summaries.get(session_id)
    return straight(model.notes.of(session_id).name or (summary.title if summary else "Session"))


def sessions_head(model: Model) -> str:
    """How many sessions there are, and the field that filters them."""
    if model.listing is None or model.shown is None:
        return html(h.h2["Sessions"])
    every, shown = len(model.listing.sessions), len(model.shown.sessions)
    count = f"{every:,}" if model.found is None else f"{shown:,} of {every:,}"
    return html(
        h.h2["Sessions ", h.span(".n", aria_live="polite" if model.notes.query else None)[count]],
        every > 0 and model.session is None and _export_button(model),
        every > 0
        and h.input(
            "#filter",
            type="search",
            value=model.notes.query,
            maxlength=str(MAX_QUERY),
            placeholder="Filter",
            autocomplete="off",
            spellcheck="false",
            data_input="filter",
            aria_label="Filter sessions",
            aria_keyshortcuts="/",
            data_key="/",
            aria_controls="sessions-list",
        ),
    )


def _export_button(model: Model) -> h.Node:
    """Here and not in the middle, which the list covers in a narrow window. An open session has its own."""
    return h.button(
        "#export-all.quiet",
        type="button",
        data_click="export",
        data_opens=True,
        disabled=model.job is not None,
        aria_label="Export sessions",
    )["Export"]


def nothing_found() -> str:
    """What stands in the list when the filter finds nothing."""
    return html(
        h.li("#nothing-found.nothing", data_top="0", role="presentation")[
            "No session matches. Names, tags, agents and ids are looked through in all sessions, first prompts in "
            "those that have been in view. Esc shows all sessions again."
        ]
    )


def tags(names: Sequence[str]) -> Sequence[h.Node]:
    """Tags, quietly."""
    return [h.span(".tag")[f"#{name}"] for name in names]


def rename_button(model: Model) -> h.Node:
    """Opens the dialog; where no names are kept there is none. Those of a page that is served would go with it."""
    if model.notes.off or model.is_read_only:
        return ""
    return h.button("#rename-button.quiet", type="button", data_click="rename", data_opens=True)["Rename"]


def left_off(model: Model, session: OpenSession) -> Sequence[h.Node]:
    """Of the open session: how much is new, and the way to where reading had ended."""
    position = left_position(model)
    if position is None or position >= session.total:
        return ()
    return (
        h.span(".new")[f"{session.total - position:,} new"],
        h.button(
            "#left-off.link",
            type="button",
            data_click="left-off",
            aria_keyshortcuts="l",
            title=f"After {plural(position, 'event')}",
            disabled=position == session.playhead,
        )["Go to where you left off"],
    )


def rename_dialog(model: Model) -> str:
    """The dialog in which the open session gets its name and tags."""
    editing = model.notes.editing
    return "" if editing is None else _dialog(model, editing)


def _dialog(model: Model, editing: Editing) -> str:
    summary = model.summaries.get(editing.session_id)
    return html(
        h.dialog("#rename-dialog.rename", data_modal=True, data_cancel="rename-cancel", aria_labelledby="rename-title")[
            h.form("#rename-form", data_submit="renamed")[
                h.h2("#rename-title")["Name and tags"],
                h.label(for_="rename-name")["Name"],
                h.input(
                    "#rename-name",
                    type="text",
                    name="name",
                    value=editing.name,
                    placeholder=summary.title if summary else "",
                    autocomplete="off",
                    autofocus=True,
                ),
                h.label(for_="rename-tags")["Tags"],
                h.input(
                    "#rename-tags",
                    type="text",
                    name="tags",
                    value=editing.tags,
                    placeholder="separated, by, commas",
                    autocomplete="off",
                ),
                h.p("#rename-fault.fault", role="alert")[editing.fault],
                h.div(".answers")[
                    h.button(type="button", data_click="rename-cancel")["Cancel"],
                    h.button(".solid", type="submit")["Save"],
                ],
            ]
        ]
    )
