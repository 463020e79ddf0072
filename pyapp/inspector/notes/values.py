"""What the model holds of names, tags and read positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...drivers.notes import MAX_NAME, MAX_TAG, MAX_TAGS, SessionNote
from ...json_text import whole_text
from ...transcript.hostile import is_seen

MAX_QUERY = 200
"""Characters that are looked for."""


@dataclass(frozen=True, slots=True)
class Editing:
    """The dialog in which a session gets its name: what is in its fields, and what is wrong with that."""

    session_id: str
    name: str
    tags: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    """`known` has the notes of the sessions that were in view, also the empty ones."""

    known: Mapping[str, SessionNote] = field(default_factory=dict)
    complete: bool = False
    """Every note was read, so that who is not in `known` has none."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of all sessions that were in view, for the filter."""
    query: str = ""
    editing: Editing | None = None
    opened: bool = False
    """It is settled how far the open session was read before it was opened."""
    left_at: int | None = None
    """That event index; None when nothing, or everything, was read."""
    unsaved: int | None = None
    """How far the open session was read since, as far as no store knows it."""
    saving: bool = False
    """A time is set at which that will be stored."""
    gone: bool = False
    """The open session was deleted: nothing is noted about it any more."""
    hidden: bool = False
    """Another tab is in front of the page: then nothing is seen."""
    off: bool = False
    """There is no store for notes."""
    why_off: str = ""
    """The reason, until the user has read it."""

    def of(self, session_id: str) -> SessionNote:
        """The note of a session; an empty one if there is none, or none known."""
        return self.known.get(session_id) or SessionNote(session_id)

    def knows(self, session_id: str) -> bool:
        """Whether the note of this session, or that it has none, is known."""
        return self.complete or session_id in self.known


def clean_name(text: str) -> str:
    """A name as it is stored: one line, no spaces at its ends; "" for one of which nothing can be seen."""
    return " ".join(whole_text(text).split()) if is_seen(text) else ""


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of a list with commas, each once, however it is written."""
    tags: dict[str, str] = {}
    for part in text.split(","):
        tag = clean_name(part).lstrip("#").lstrip()
        if tag:
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())


def fault_of(name: str, tags: tuple[str, ...]) -> str:
    """What is wrong with a name and tags, in words for the user; "" for nothing."""
    if len(name) > MAX_NAME:
        return f"The name has {len(name):,} characters; {MAX_NAME} is the most."
    if len(tags) > MAX_TAGS:
        return f"These are {len(tags):,} tags; {MAX_TAGS} is the most."
    longest = max(tags, key=len, default="")
    if len(longest) > MAX_TAG:
        return f"The tag “{longest[:MAX_TAG]}…” has {len(longest):,} characters; {MAX_TAG} is the most."
    return ""
