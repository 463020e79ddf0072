"""The dialogs of files: what is to be saved, with the secrets that are in it, and what is to be fetched."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import htpy as h

from ..dates import date_time, plural
from ..files.update import ids_of
from ..files.values import MOST_OFFERED, ExportDialog, Found, Source
from ..model import Model
from ..route import Route
from .html import html
from .notes import name_of

if TYPE_CHECKING:
    from ...redaction import Finding


def export_dialog(model: Model) -> str:
    """Which sessions, in which form, and with or without their secrets."""
    dialog = model.exporting
    if dialog is None or model.listing is None:
        return ""
    ids = ids_of(model, dialog)
    return html(
        h.dialog(
            "#export-dialog.form.export", data_modal=True, data_cancel="export-cancel", aria_labelledby="export-title"
        )[
            h.form("#export-form", data_submit="export-save", data_changed="export-changed", autocomplete="off")[
                h.h2("#export-title")["Export"],
                h.label(for_="export-scope")["Sessions"],
                _scope(model, dialog),
                dialog.scope == "chosen" and _picks(model, dialog),
                h.fieldset[
                    h.legend["File"],
                    _choice("format", "jsonl", dialog.format == "jsonl", "JSON lines", "one event a line, .jsonl"),
                    _choice("format", "sqlite", dialog.format == "sqlite", "SQLite", "sandbox-agent's own layout, .db"),
                ],
                _secrets(model, dialog, ids),
                h.div(".answers")[
                    h.button(type="button", data_click="export-cancel")["Cancel"],
                    h.button("#export-save.solid", type="submit", disabled=dialog.found is None or not ids)["Save"],
                ],
            ]
        ]
    )  # fmt: skip


def source_dialog(source: Source | None) -> str:
    """The question before anything is asked of another host."""
    if source is None:
        return ""
    return html(
        h.dialog("#source-dialog.form", data_modal=True, data_cancel="source-cancel", aria_labelledby="source-title")[
            h.h2("#source-title")["Fetch a recording from ", h.b[source.host], "?"],
            h.p["The address of this page asks for this file. Its sessions would be stored in this browser."],
            h.code(".url")[source.url],
            h.p(".dim")[
                "Nothing was sent yet. The host would see your network address and this site's name, but no cookies."
            ],
            h.div(".answers")[
                h.button(type="button", data_click="source-cancel", autofocus=True)["Cancel"],
                h.button(".solid", type="button", data_click="source-fetch")["Fetch"],
            ],
        ]
    )


def _scope(model: Model, dialog: ExportDialog) -> h.Node:
    every = len(model.listing.sessions) if model.listing else 0
    named = f"This session: {_shown(model, dialog, model.session.record.id)[:80]}" if model.session else ""
    options = [("this", named), ("chosen", "Chosen ones"), ("all", f"All: {plural(every, 'session')}")]
    return h.select("#export-scope", name="scope", autofocus=True)[
        (h.option(value=value, selected=value == dialog.scope)[words] for value, words in options if words)
    ]


def _picks(model: Model, dialog: ExportDialog) -> h.Node:
    heads = {head.id: head for head in model.listing.sessions} if model.listing else {}
    more = len(heads) - len(dialog.offered)
    offered = [session_id for session_id in dialog.offered if session_id in heads]
    return h.fragment[
        h.div(".picked")[
            h.span(aria_live="polite")[f"{len(dialog.picked & heads.keys())} of {len(offered)} chosen"],
            h.button(".quiet", type="button", data_click="export-pick-all", data_arg="all", aria_label="Choose all")[
                "All"
            ],
            h.button(".quiet", type="button", data_click="export-pick-all", data_arg="none", aria_label="Choose none")[
                "None"
            ],
        ],
        h.fieldset(".picks", aria_label="Chosen sessions")[
            (
                h.label(".pick")[
                    h.input(
                        f"#pick-{number}", type="checkbox", data_change="export-pick", data_arg=session_id,
                        checked=session_id in dialog.picked,
                    ),
                    h.span(".t")[_shown(model, dialog, session_id)],
                    h.span(".when")[date_time(heads[session_id].created_at, model.zone)[:16]],
                ]
                for number, session_id in enumerate(offered)
            )
        ],
        more > 0
        and h.p(".dim")[
            f"{plural(more, 'session')} more are not offered here. To choose among them, cancel, and filter the list "
            "of sessions first."
        ],
    ]  # fmt: skip


def _choice(name: str, value: str, checked: bool, words: str, more: str) -> h.Node:
    return h.label(".choice")[
        h.input(f"#export-{value}", type="radio", name=name, value=value, checked=checked),
        h.span[words],
        h.span(".dim")[more],
    ]


def _secrets(model: Model, dialog: ExportDialog, ids: tuple[str, ...]) -> h.Node:
    """What the search has found so far, and what is to become of it."""
    return h.fieldset("#export-secrets", aria_describedby="export-found")[
        h.legend["Secrets"],
        h.div("#export-found", aria_live="polite")[_state(dialog, ids)],
        dialog.found is not None
        and dialog.found.count > 0
        and _found(model, dialog, dialog.found, several=len(ids) > 1),
    ]


def _state(dialog: ExportDialog, ids: tuple[str, ...]) -> h.Node:
    if not ids:
        return h.p(".dim")["No session is chosen."]
    if dialog.fault:
        return h.div(".fault")[
            h.p[dialog.fault], h.button("#export-again", type="button", data_click="export-again")["Try again"]
        ]
    found = dialog.found
    if found is None:
        words = f"{dialog.done:,} of {dialog.total:,} events" if dialog.total else "…"
        progress = h.progress(value=str(dialog.done), max=str(dialog.total), aria_label="Looking for secrets")
        return h.p(".searching")[
            h.span["Looking for secrets: ", words],
            progress if dialog.total else h.progress(aria_label="Looking for secrets"),
        ]
    if not found.count:
        return h.p[
            f"None found in {plural(dialog.total, 'event')}. ",
            h.span(".dim")["Keys, tokens and passwords of known shapes are looked for; others are not found."],
        ]
    return h.p[h.b[found.words], f" in {plural(found.count, 'place')}"]


def _found(model: Model, dialog: ExportDialog, found: Found, *, several: bool) -> h.Node:
    """The choice comes before the places: with the keyboard nobody has to pass a hundred links to reach it."""
    rest = found.count - len(found.places)
    return h.fragment[
        _choice("secrets", "mask", not dialog.keeps, "Mask them", "a name and a number stand in their place"),
        _choice("secrets", "keep", dialog.keeps, "Keep them", "whoever gets the file has them"),
        h.ol(".places", aria_label="Places of secrets", tabindex="0")[
            (
                [
                    several and h.li(".of")[_shown(model, dialog, session_id)],
                    (_place(model, place) for place in places),
                ]
                for session_id, places in groupby(found.places, lambda place: place.session_id)
            ),
            rest > 0 and h.li(".more")[f"and {rest:,} more"],
        ],
    ]


def _shown(model: Model, dialog: ExportDialog, session_id: str) -> str:
    """A session's name in this dialog, without secrets: its first prompt may hold the very one that is masked below.

    Not before the search has begun: what knows secrets is loaded for that, not with the page.
    """
    return _without_secrets(name_of(model, session_id)) if dialog.masks else "…"


@lru_cache(maxsize=2 * MOST_OFFERED)
def _without_secrets(name: str) -> str:
    from ...secret_patterns import without_secrets

    return without_secrets(name)


def _place(model: Model, place: Finding) -> h.Node:
    route = Route(place.session_id, place.event_index, model.route.database)
    where = "session" if place.event_index is None else f"event {place.event_index:,}"
    return h.li[
        h.a(href=route.hash(), target="_blank", rel="noopener", title=f"{place.pointer[:300]} (opens in a new tab)")[
            where
        ],
        h.code[place.preview],
    ]
