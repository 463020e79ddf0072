"""Upstream's tables in a Postgres schema: recognised, made, brought up to date.

They are upstream's own, and beside them `pyapp_extra` for what their columns cannot hold (`sql/rows.py`). Upstream's
index is not unique and gets no unique one beside it, which would break upstream's writers or fail on old rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import psycopg
from psycopg import sql

from ...errors import UnknownLayoutError
from ..sql.rows import BESIDE
from .connections import Connection

MAX_NAME_BYTES = 63

BUCKETS = 1024
"""Locks for the sessions of a schema. So few, because an import of many sessions holds all of theirs at once, and a
server has room for some thousand locks."""

LISTENING, LAYOUT = BUCKETS, BUCKETS + 1
"""Further locks: held shared by who listens for changes, and by who makes the tables."""

_TABLES: dict[str, dict[str, str]] = {
    "sessions": {
        "id": "text",
        "agent": "text",
        "agent_session_id": "text",
        "last_connection_id": "text",
        "created_at": "bigint",
        "destroyed_at": "bigint",
        "sandbox_id": "text",
        "session_init_json": "jsonb",
        "config_options_json": "jsonb",
        "modes_json": "jsonb",
    },
    "events": {
        "id": "text",
        "event_index": "bigint",
        "session_id": "text",
        "created_at": "bigint",
        "connection_id": "text",
        "sender": "text",
        "payload_json": "jsonb",
    },
    BESIDE: {"kind": "text", "id": "text", "extra_json": "text"},
}
_OPTIONAL = {"destroyed_at", "sandbox_id", "session_init_json", "config_options_json", "modes_json"}
_ADDED = {"sandbox_id", "config_options_json", "modes_json"}
"""Columns that tables of upstream's version 0.2 lack."""

_INDEX = "idx_events_session_order"

_FIND = """SELECT c.relname::text, c.relkind::text, a.attname::text, format_type(a.atttypid, NULL),
  a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '',
  EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL
    AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
  EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class n ON n.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND n.relname = $3)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE s.nspname = $1 AND c.relname = ANY ($2)"""

_RANK = """UPDATE {events} AS e SET event_index = ranked.place FROM
  (SELECT id, row_number() OVER (PARTITION BY session_id ORDER BY created_at, id) AS place FROM {events}) AS ranked
  WHERE e.id = ranked.id AND e.event_index IS NULL"""


_UNLIMITED = """SELECT set_config('lock_timeout', current_setting('statement_timeout'), true),
  set_config('statement_timeout', '0', true)"""
"""To bring many events up to date takes its time; only to wait for others does not."""


@dataclass(frozen=True)
class Schema:
    """A schema's name, its tables as they stand in statements, and the locks that stand for it.

    Raises ValueError for what no schema can be called.
    """

    name: str

    def __post_init__(self) -> None:
        length = len(self.name.encode(errors="surrogatepass"))
        if not self.name or "\0" in self.name or any("\ud800" <= mark <= "\udfff" for mark in self.name):
            raise ValueError(f"the schema {self.name!r} must have a name, without U+0000 and half characters")
        if length > MAX_NAME_BYTES:
            raise ValueError(
                f"the name of the schema {self.name!r} is {length} bytes long; Postgres takes {MAX_NAME_BYTES} and "
                "would cut it"
            )

    def table(self, name: str) -> str:
        """A table in a statement, quoted."""
        return sql.Identifier(self.name, name).as_string(None)

    @property
    def lock(self) -> int:
        """The first half of all locks of this schema."""
        return _int4(self.name)

    @property
    def channel(self) -> str:
        """Where changes are told: channels are the database's, and their names as short as others."""
        return f"pyapp_{blake2b(self.name.encode(), digest_size=12).hexdigest()}"

    def bucket(self, session_id: str) -> int:
        """The second half of a session's lock."""
        return _int4(session_id) % BUCKETS


def _int4(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=4).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class Found:
    """What a schema has of the layout; `steps` are the statements that make it complete."""

    steps: tuple[str, ...]
    is_there: bool
    """Whether it has any of upstream's tables."""
    has_beside: bool
    is_readable: bool
    """Whether all but the table beside, and the index, is there."""


async def find_layout(connection: Connection, schema: Schema) -> Found:
    """Look, and change nothing. Raises UnknownLayoutError for tables that are somebody else's."""
    cursor = await connection.execute(_FIND, (schema.name, list(_TABLES), _INDEX))
    found: dict[str, dict[str, tuple[str, bool, bool]]] = {}
    has_index = False
    for table, kind, column, type_, must, unique, indexed in await cursor.fetchall():
        if kind not in ("r", "p"):
            raise UnknownLayoutError(f"{schema.table(table)} is not a table; name another schema")
        columns = found.setdefault(table, {})
        if column is not None:
            columns[column] = (type_, must, unique)
        has_index |= indexed
    steps: tuple[str, ...] = (
        () if found else (f"CREATE SCHEMA IF NOT EXISTS {sql.Identifier(schema.name).as_string(None)}",)
    )
    lacking = False
    for table in _TABLES:
        if table not in found:
            steps += (_create(schema, table),)
            lacking |= table != BESIDE
        elif more := _completing(schema, table, found[table]):
            steps += more
            lacking = True
    if not has_index:
        steps += (f"CREATE INDEX IF NOT EXISTS {_INDEX} ON {schema.table('events')} (session_id, event_index, id)",)
    return Found(steps, bool(found.keys() - {BESIDE}), BESIDE in found, not lacking)


async def make_layout(connection: Connection, schema: Schema) -> None:
    """Make what is missing, under a lock: of many processes that start at once one does it. Raises as `find_layout`
    does."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", (schema.lock, LAYOUT))
        await connection.execute(_UNLIMITED)
        for step in (await find_layout(connection, schema)).steps:
            await connection.execute(step)


MADE_MEANWHILE = (
    psycopg.errors.DuplicateSchema,
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateColumn,
    psycopg.errors.DuplicateObject,
    psycopg.errors.UniqueViolation,
)
"""What making raises when upstream's driver, which takes no lock, makes the same at the same time."""

NOT_ALLOWED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
"""What making raises where nothing may be made."""


def _create(schema: Schema, table: str) -> str:
    columns = [
        f"{name} {type_.upper()}"
        + (" PRIMARY KEY" if name == "id" and table != BESIDE else "" if name in _OPTIONAL else " NOT NULL")
        for name, type_ in _TABLES[table].items()
    ]
    if table == BESIDE:
        columns.append("PRIMARY KEY (kind, id)")
    return f"CREATE TABLE IF NOT EXISTS {schema.table(table)} ({', '.join(columns)})"


def _completing(schema: Schema, table: str, found: dict[str, tuple[str, bool, bool]]) -> tuple[str, ...]:
    """The statements that bring an older table of upstream's up to date. Raises UnknownLayoutError."""
    where, wanted = schema.table(table), _TABLES[table]
    steps: tuple[str, ...] = ()
    for name, type_ in wanted.items():
        if name in found:
            if name == "id" and table == "events" and found[name][0] in ("integer", "bigint"):
                steps += (f"ALTER TABLE {where} ALTER COLUMN id TYPE TEXT USING id::TEXT",)
            elif found[name][0] not in (type_, {"text": "character varying"}.get(type_)):
                raise _foreign(where, f"its column {name} is {found[name][0]}, not {type_}")
        elif name in _ADDED:
            steps += (f"ALTER TABLE {where} ADD COLUMN IF NOT EXISTS {name} {type_.upper()}",)
        elif name == "event_index":
            steps += (
                f"ALTER TABLE {where} ADD COLUMN IF NOT EXISTS event_index BIGINT",
                _RANK.format(events=where),
                f"ALTER TABLE {where} ALTER COLUMN event_index SET NOT NULL",
            )
        else:
            raise _foreign(where, f"it has no column {name}")
    for name, (_, must, _) in found.items():
        if must and name not in wanted:
            raise _foreign(where, f"its column {name} must be filled, and is not known here")
    if table != BESIDE and not found["id"][2]:
        raise _foreign(where, "its column id is no primary key")
    return steps


def _foreign(where: str, reason: str) -> UnknownLayoutError:
    return UnknownLayoutError(
        f"the table {where} is not sandbox-agent's, or of a newer version: {reason}. It was left alone; "
        "name another schema"
    )
