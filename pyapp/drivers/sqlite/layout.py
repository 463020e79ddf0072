"""Upstream's SQLite layout: recognised, made, brought up to date; and the statements for it.

It is upstream's own, plus two things that upstream does not look at: the table beside (`sql/rows.py`) and an index for
the order of sessions.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ...errors import UnknownLayoutError
from ..sql.rows import BESIDE, BESIDE_COLUMNS, EVENT_COLUMNS, SESSION_COLUMNS

_SESSIONS = """CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  agent TEXT NOT NULL,
  agent_session_id TEXT NOT NULL,
  last_connection_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  destroyed_at INTEGER,
  sandbox_id TEXT,
  session_init_json TEXT,
  config_options_json TEXT,
  modes_json TEXT
)"""
_EVENTS = """CREATE TABLE events (
  id TEXT PRIMARY KEY,
  event_index INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  connection_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  payload_json TEXT NOT NULL
)"""
_BESIDE = f"""CREATE TABLE {BESIDE} (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  extra_json TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID"""
_INDEXES = {
    "idx_events_session_order": "events(session_id, event_index, id)",
    "idx_pyapp_sessions_order": "sessions(created_at, id)",
}
_ADDED = ("sandbox_id", "config_options_json", "modes_json")
"""Columns that files of upstream's version 0.2 lack; both upstream and this driver add them."""

_OLD_EVENTS = "events_legacy"


@dataclass(frozen=True, slots=True)
class Found:
    """What a file has of the layout; `steps` are the statements that make it complete."""

    steps: tuple[str, ...]
    session_columns: frozenset[str]
    has_events: bool
    has_beside: bool
    is_old: bool
    """Whether its events are as upstream's first versions kept them, so that they cannot be read before `steps`."""

    @property
    def is_readable(self) -> bool:
        """Whether sessions can be read without any of the steps."""
        return bool(self.session_columns) and self.has_events


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    must_be_given: bool
    in_key: bool


def look(connection: sqlite3.Connection, name: str) -> Found:
    """What is there. Raises UnknownLayoutError for a layout that is not ours to touch; reads only."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version:
        raise _foreign(name, f"its user_version is {version}: a newer layout, or another program's database")
    schema = connection.execute("SELECT lower(name), type, sql FROM sqlite_master WHERE type != 'trigger'")
    things = {thing: (kind, sql or "") for thing, kind, sql in schema}
    for wanted, names in (("table", ("sessions", "events", BESIDE)), ("index", tuple(_INDEXES))):
        for thing in names:
            kind, sql = things.get(thing, (wanted, ""))
            if kind != wanted or "virtual" in sql[:20].lower():
                raise _foreign(name, f"its {thing!r} is not a {wanted} of this layout")
    sessions, events, beside = (_columns(connection, table) for table in ("sessions", "events", BESIDE))
    if beside and tuple(beside) != BESIDE_COLUMNS:
        raise _foreign(name, f"its table {BESIDE!r} is of a newer version of this package")
    old_events = "id" in events and ("event_index" not in events or events["id"].type.strip().upper() != "TEXT")
    steps = _steps_for_sessions(name, sessions)
    if old_events:
        steps += _rebuild(name, events, things)
        things.pop("idx_events_session_order", None)
    elif events:
        _check(name, "events", events, EVENT_COLUMNS)
    else:
        steps.append(_EVENTS)
    if not beside:
        steps.append(_BESIDE)
    steps += [f"CREATE INDEX {index} ON {on}" for index, on in _INDEXES.items() if index not in things]
    return Found(tuple(steps), frozenset(sessions), bool(events) and not old_events, bool(beside), old_events)


def _steps_for_sessions(name: str, sessions: dict[str, _Column]) -> list[str]:
    if not sessions:
        return [_SESSIONS]
    _check(name, "sessions", sessions, [column for column in SESSION_COLUMNS if column not in _ADDED])
    return [f"ALTER TABLE sessions ADD COLUMN {column} TEXT" for column in _ADDED if column not in sessions]


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, _Column]:
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return {
        name.lower(): _Column(name, type_ or "", bool(not_null) and default is None, bool(key))
        for _, name, type_, not_null, default, key in rows
    }


def _check(name: str, table: str, found: dict[str, _Column], wanted: list[str] | tuple[str, ...]) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise _foreign(name, f"its table {table!r} has no column {missing[0]!r}")
    if [column for column, about in found.items() if about.in_key] != ["id"]:
        raise _foreign(name, f"the key of its table {table!r} is not 'id'")
    known = SESSION_COLUMNS if table == "sessions" else EVENT_COLUMNS
    for column, about in found.items():
        if column not in known and about.must_be_given:
            raise _foreign(name, f"its table {table!r} wants a column {column!r}, of a newer layout")


def _rebuild(name: str, events: dict[str, _Column], things: dict[str, tuple[str, str]]) -> list[str]:
    """Events of upstream's first versions have numbers as ids, or no index: the index is their order in time."""
    _check(name, "events", events, [column for column in EVENT_COLUMNS if column != "event_index"])
    if _OLD_EVENTS in things:
        raise _foreign(name, f"it holds the table {_OLD_EVENTS!r} from an upgrade that was broken off")
    place = "ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY created_at, id)"
    index = f"COALESCE(event_index, {place})" if "event_index" in events else place
    names = ", ".join(EVENT_COLUMNS)
    return [
        f"ALTER TABLE events RENAME TO {_OLD_EVENTS}",
        *(["DROP INDEX idx_events_session_order"] if "idx_events_session_order" in things else []),
        _EVENTS,
        f"INSERT INTO events ({names}) SELECT CAST(id AS TEXT), {index}, session_id, created_at, connection_id, "
        f"sender, payload_json FROM {_OLD_EVENTS}",
        f"DROP TABLE {_OLD_EVENTS}",
    ]


def _foreign(name: str, fault: str) -> UnknownLayoutError:
    return UnknownLayoutError(f"{name} is not a session store that can be used here ({fault}); it was left alone")


class Statements:
    """The SQL of reading. A file that cannot be written may lack what would have been added to it."""

    def __init__(self, found: Found | None = None) -> None:
        beside = found is None or found.has_beside
        lacks = set() if found is None or not found.session_columns else set(_ADDED) - found.session_columns
        columns = ", ".join("NULL" if column in lacks else f"s.{column}" for column in SESSION_COLUMNS)
        events = ", ".join(f"e.{column}" for column in EVENT_COLUMNS)
        self.record = f"SELECT {columns}{_beside('session', 's', beside)} WHERE s.id = ?"
        self.records = (
            f"SELECT {columns}{_beside('session', 's', beside)} WHERE (s.created_at, s.id) > (?, ?) "
            "ORDER BY s.created_at, s.id LIMIT ?"
        )
        heads = "s.id, s.agent, s.created_at, s.destroyed_at"
        self.heads = f"SELECT {heads}{_beside('session', 's', beside)} ORDER BY s.created_at, s.id"
        of_event = f"SELECT {events}{_beside('event', 'e', beside)}"
        self.event = f"{of_event} WHERE e.id = ?"
        self.events_after = (
            f"{of_event} WHERE e.session_id = ? AND (e.event_index, e.id) > (?, ?) ORDER BY e.event_index, e.id LIMIT ?"
        )
        self.last_events = f"{of_event} WHERE e.session_id = ? ORDER BY e.event_index DESC, e.id DESC LIMIT ?"
        self.events_before = (
            f"{of_event} WHERE e.session_id = ? AND (e.event_index, e.id) < (?, ?) "
            "ORDER BY e.event_index DESC, e.id DESC LIMIT ?"
        )


def _beside(kind: str, alias: str, there: bool) -> str:
    """The column of the row beside, and the tables."""
    table = "sessions" if kind == "session" else "events"
    if not there:
        return f", NULL FROM {table} {alias}"
    return f", x.extra_json FROM {table} {alias} LEFT JOIN {BESIDE} x ON x.kind = '{kind}' AND x.id = {alias}.id"


COUNT_EVENTS = "SELECT count(*) FROM events WHERE session_id = ?"
TOTALS = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM events)"
LAST_INDEX = "SELECT max(event_index) FROM events WHERE session_id = ?"
ANY_INDEX = "SELECT event_index FROM events WHERE session_id = ? AND event_index BETWEEN ? AND ? LIMIT 1"
ANY_OF_SESSION = "SELECT (SELECT 1 FROM sessions WHERE id = ?1) OR (SELECT 1 FROM events WHERE session_id = ?1 LIMIT 1)"
IS_STORED = "SELECT 1 FROM events WHERE id = ?"

ADD_EVENT = f"INSERT INTO events ({', '.join(EVENT_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)"
PUT_RECORD = (
    f"INSERT INTO sessions ({', '.join(SESSION_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    f"ON CONFLICT(id) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in SESSION_COLUMNS[1:])}"
)
PUT_BESIDE = f"INSERT OR REPLACE INTO {BESIDE} (kind, id, extra_json) VALUES (?, ?, ?)"
DROP_BESIDE = f"DELETE FROM {BESIDE} WHERE kind = ? AND id = ?"
DELETE_SESSION = (
    f"DELETE FROM {BESIDE} WHERE kind = 'event' AND id IN (SELECT id FROM events WHERE session_id = ?)",
    "DELETE FROM events WHERE session_id = ?",
    f"DELETE FROM {BESIDE} WHERE kind = 'session' AND id = ?",
    "DELETE FROM sessions WHERE id = ?",
)
