"""The records that every store keeps: SessionRecord, SessionEvent, EventDraft and the pages of both.

Python names are snake_case, upstream's rows are camelCase: `from_row` and `to_row` are the one
place where they meet. A field that this package does not know is kept in `extra` and written back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar
from uuid import uuid4

from .errors import InvalidRecordError

Row = dict[str, Any]
"""A record as upstream stores it: camelCase keys, JSON values."""

Sender = Literal["client", "agent"]

T = TypeVar("T")

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that JavaScript, and so every store of this layout, keeps exactly."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What is known of one session, without its events.

    `created_at` and `destroyed_at` are milliseconds since the epoch. `session_init`,
    `config_options` and `modes` are what the agent and the client said over ACP, as JSON values.
    `None` means that the field was not in the row; a field that was there and null is kept in `extra`.
    """

    id: str
    agent: str
    agent_session_id: str
    last_connection_id: str
    created_at: int
    destroyed_at: int | None = None
    sandbox_id: str | None = None
    session_init: dict[str, Any] | None = None
    config_options: list[Any] | None = None
    modes: dict[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Any) -> SessionRecord:
        """The record of a camelCase row. Raises InvalidRecordError and says which field is wrong."""
        what = "session record"
        known, extra = _split(row, _SESSION_FIELDS, what)
        return cls(
            id=_text(known, "id", what, empty=False),
            agent=_text(known, "agent", what),
            agent_session_id=_text(known, "agentSessionId", what),
            last_connection_id=_text(known, "lastConnectionId", what),
            created_at=_integer(known, "createdAt", what),
            destroyed_at=_integer(known, "destroyedAt", what) if "destroyedAt" in known else None,
            sandbox_id=_text(known, "sandboxId", what) if "sandboxId" in known else None,
            session_init=_shaped(known, "sessionInit", dict, what),
            config_options=_shaped(known, "configOptions", list, what),
            modes=_shaped(known, "modes", dict, what),
            extra=extra,
        )

    @property
    def key(self) -> tuple[int, str]:
        """Its place in the list of sessions."""
        return self.created_at, self.id

    def to_row(self) -> Row:
        """The camelCase row; optional fields that are None are left out, unknown ones written back."""
        return _to_row(self, _SESSION_FIELDS)


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One JSON-RPC envelope of a session, in either direction.

    `event_index` counts 1, 2, 3, … in its session; `created_at` is milliseconds since the epoch;
    `payload` is one JSON-RPC message.
    """

    id: str
    event_index: int
    session_id: str
    created_at: int
    connection_id: str
    sender: Sender
    payload: dict[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Any) -> SessionEvent:
        """The event of a camelCase row. Raises InvalidRecordError and says which field is wrong."""
        if _is_plain_row(row):
            return cls(
                row["id"],
                row["eventIndex"],
                row["sessionId"],
                row["createdAt"],
                row["connectionId"],
                row["sender"],
                row["payload"],
            )
        what = "event"
        known, extra = _split(row, _EVENT_FIELDS, what)
        sender = _text(known, "sender", what)
        if sender != "client" and sender != "agent":
            raise InvalidRecordError(f"{what}: sender must be 'client' or 'agent', not {_shown(sender)}")
        payload = _shaped(known, "payload", dict, what)
        if payload is None:
            raise InvalidRecordError(f"{what}: payload is missing")
        return cls(
            id=_text(known, "id", what, empty=False),
            event_index=_integer(known, "eventIndex", what, least=1),
            session_id=_text(known, "sessionId", what, empty=False),
            created_at=_integer(known, "createdAt", what),
            connection_id=_text(known, "connectionId", what),
            sender="client" if sender == "client" else "agent",
            payload=payload,
            extra=extra,
        )

    @classmethod
    def check_row(cls, row: Any) -> None:
        """Raises InvalidRecordError where `from_row` does; faster, since no event is made."""
        if not _is_plain_row(row):
            cls.from_row(row)

    @property
    def key(self) -> tuple[int, str]:
        """Its place in the list of its session's events."""
        return self.event_index, self.id

    def to_row(self) -> Row:
        """The camelCase row, unknown fields written back."""
        row: Row = {
            "id": self.id,
            "eventIndex": self.event_index,
            "sessionId": self.session_id,
            "createdAt": self.created_at,
            "connectionId": self.connection_id,
            "sender": self.sender,
            "payload": self.payload,
        }
        for name, value in self.extra.items():
            row.setdefault(name, value)
        return row


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event that has no place in its session yet: `append_event` gives it the next index.

    `created_at` is milliseconds since the epoch. Without an `id` it gets a random one; with an id that follows
    from what the event is, writing it twice stores it once.
    """

    sender: Sender
    payload: dict[str, Any]
    connection_id: str
    created_at: int
    id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def named(self) -> EventDraft:
        """The draft with an id: its own, or a random one (UUID version 4)."""
        return self if self.id is not None else replace(self, id=str(uuid4()))

    def at(self, session_id: str, event_index: int) -> SessionEvent:
        """The event in its place. Raises InvalidRecordError when the draft has no id."""
        if self.id is None:
            raise InvalidRecordError("event: the draft has no id; take named()")
        return SessionEvent(
            self.id,
            event_index,
            session_id,
            self.created_at,
            self.connection_id,
            self.sender,
            self.payload,
            self.extra,
        )


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """One page of a listing. `next_cursor` is None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


# attribute -> (name in the row, may be left out)
_SESSION_FIELDS = {
    "id": ("id", False),
    "agent": ("agent", False),
    "agent_session_id": ("agentSessionId", False),
    "last_connection_id": ("lastConnectionId", False),
    "created_at": ("createdAt", False),
    "sandbox_id": ("sandboxId", True),
    "session_init": ("sessionInit", True),
    "config_options": ("configOptions", True),
    "modes": ("modes", True),
    "destroyed_at": ("destroyedAt", True),  # upstream adds it last, to a record that exists
}
_EVENT_FIELDS = {
    "id": ("id", False),
    "event_index": ("eventIndex", False),
    "session_id": ("sessionId", False),
    "created_at": ("createdAt", False),
    "connection_id": ("connectionId", False),
    "sender": ("sender", False),
    "payload": ("payload", False),
}


def is_plain(event: SessionEvent) -> bool:
    """Whether each of the seven fields is of its type: nearly every event is, and this is the fastest way to see it."""
    return _are_plain(
        event.id,
        event.event_index,
        event.session_id,
        event.created_at,
        event.connection_id,
        event.sender,
        event.payload,
    )


def _are_plain(
    id_: Any, event_index: Any, session_id: Any, created_at: Any, connection_id: Any, sender: Any, payload: Any
) -> bool:
    return (
        type(id_) is str
        and id_ != ""
        and type(session_id) is str
        and session_id != ""
        and type(connection_id) is str
        and type(event_index) is int
        and 1 <= event_index <= MAX_SAFE_INTEGER
        and type(created_at) is int
        and 0 <= created_at <= MAX_SAFE_INTEGER
        and (sender == "client" or sender == "agent")
        and type(sender) is str
        and type(payload) is dict
    )


def _is_plain_row(row: Any) -> bool:
    """Whether a row has the seven fields, rightly typed, and no other.

    Nearly every row is such a row, and this is several times faster than looking at field after field.
    """
    if type(row) is not dict or len(row) != 7:
        return False
    try:
        return _are_plain(
            row["id"],
            row["eventIndex"],
            row["sessionId"],
            row["createdAt"],
            row["connectionId"],
            row["sender"],
            row["payload"],
        )
    except KeyError:
        return False


def _split(row: Any, fields: Mapping[str, tuple[str, bool]], what: str) -> tuple[Row, Row]:
    """The known and the unknown fields of a row. A null in an optional field counts as unknown."""
    if not isinstance(row, Mapping):
        raise InvalidRecordError(f"{what}: expected an object, not {_shown(row)}")
    names = dict(fields.values())
    known: Row = {}
    extra: Row = {}
    for name, value in row.items():
        is_known = name in names and not (value is None and names[name])
        (known if is_known else extra)[name] = value
    return known, extra


def _to_row(record: Any, fields: Mapping[str, tuple[str, bool]]) -> Row:
    row: Row = {}
    for attribute, (name, optional) in fields.items():
        value = getattr(record, attribute)
        if value is not None or not optional:
            row[name] = value
        elif name in record.extra:  # null, in its place
            row[name] = record.extra[name]
    for name, value in record.extra.items():
        row.setdefault(name, value)
    return row


def _text(row: Row, name: str, what: str, *, empty: bool = True) -> str:
    value = _present(row, name, what)
    if not isinstance(value, str):
        raise InvalidRecordError(f"{what}: {name} must be text, not {_shown(value)}")
    if not value and not empty:
        raise InvalidRecordError(f"{what}: {name} must not be empty")
    return value


def _integer(row: Row, name: str, what: str, *, least: int = 0) -> int:
    value = _present(row, name, what)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_SAFE_INTEGER:
        raise InvalidRecordError(
            f"{what}: {name} must be a whole number from {least} to 2**53 - 1, not {_shown(value)}"
        )
    return value


def _shaped(row: Row, name: str, shape: type, what: str) -> Any:
    value = row.get(name)
    if value is not None and not isinstance(value, shape):
        kind = "an object" if shape is dict else "an array"
        raise InvalidRecordError(f"{what}: {name} must be {kind}, not {_shown(value)}")
    return value


def _present(row: Row, name: str, what: str) -> Any:
    if name not in row:
        raise InvalidRecordError(f"{what}: {name} is missing")
    return row[name]


def _shown(value: Any) -> str:
    """A value in an error message: its kind and at most 40 characters of it."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of over 4,300 digits
        return f"a {type(value).__name__} that is too long to show"
    return text if len(text) <= 40 else f"{text[:40]}… ({type(value).__name__})"
