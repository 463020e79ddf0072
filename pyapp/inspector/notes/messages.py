"""What can happen to names, tags, read positions and the filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...drivers.notes import SessionNote
from .values import MAX_QUERY

MAX_FIELD = 10_000
"""Characters of a field of the dialog that are looked at."""

# from the page


@dataclass(frozen=True, slots=True)
class FilterFocused:
    """The field above the list is out of sight, and is to have the focus."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """The list is to show the sessions in which these words are, or all."""

    query: str


@dataclass(frozen=True, slots=True)
class RenameAsked:
    """The open session is to get a name and tags."""


@dataclass(frozen=True, slots=True)
class RenameGivenUp:
    """It is to keep those that it has."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """The name and the tags, as they were typed."""

    name: str
    tags: str


@dataclass(frozen=True, slots=True)
class LeftOffSought:
    """The playhead is to go where reading had ended when the session was opened."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Another tab came before the page, or it is about to be closed."""


# from effects


@dataclass(frozen=True, slots=True)
class NotesRead:
    """The notes of these sessions, as far as they have any; `everything` when nobody else has one."""

    database: str
    session_ids: tuple[str, ...]
    notes: Mapping[str, SessionNote]
    everything: bool = False


@dataclass(frozen=True, slots=True)
class NotesChanged:
    """The notes of some sessions are not as before."""

    database: str
    session_ids: frozenset[str]
    everything: bool


@dataclass(frozen=True, slots=True)
class NotesLost:
    """There is no store for notes."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotKept:
    """A name and tags could not be stored."""

    database: str
    session_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class MarkDue:
    """It is time to store how far the open session was read."""


NoteMessage = (
    FilterFocused | Filtered | RenameAsked | RenameGivenUp | Renamed | LeftOffSought | Hidden
    | NotesRead | NotesChanged | NotesLost | NotKept | MarkDue
)  # fmt: skip

NOTE_KEYS: Mapping[str, NoteMessage] = {"/": FilterFocused(), "l": LeftOffSought()}
"""What a key does when no field has the focus."""


def note_from_page(sent: Mapping[str, Any]) -> NoteMessage | None:
    """The message that the page's JSON stands for, None if it is none."""
    match sent:
        case {"name": "filter", "value": str(query)}:
            return Filtered(query[:MAX_QUERY])
        case {"name": "rename"}:
            return RenameAsked()
        case {"name": "rename-cancel"}:
            return RenameGivenUp()
        case {"name": "renamed", "values": {"name": str(name), "tags": str(tags)}}:
            return Renamed(name[:MAX_FIELD], tags[:MAX_FIELD])
        case {"name": "left-off"}:
            return LeftOffSought()
        case {"name": "visible", "value": False}:
            return Hidden()
    return None
