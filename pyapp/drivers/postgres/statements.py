"""The statements of the Postgres driver, for one schema. `$1` and the like are bound by the server."""

from __future__ import annotations

from ...types import MAX_SAFE_INTEGER
from ..sql.rows import BESIDE, EVENT_COLUMNS, HEAD_COLUMNS, SESSION_COLUMNS
from .layout import Schema

ANNOUNCE = "CASE WHEN pg_try_advisory_xact_lock($1, $2) THEN NULL ELSE pg_notify($3, $4)::text END"
"""Announce a change if somebody listens: who does holds the lock $2. (Two writers at once take each other for a
listener, which costs a message that nobody hears.)"""

LOCK = f"SELECT {ANNOUNCE}, pg_advisory_xact_lock($1, $5)"
"""Take a session's lock, too. A statement of its own, since one that waited for a lock does not see what was committed
meanwhile."""

LOCK_MANY = (
    f"SELECT {ANNOUNCE} UNION ALL SELECT pg_advisory_xact_lock($1, bucket)::text FROM unnest($5::int[]) AS bucket"
)


class Statements:
    """All of them. `beside` says whether there is the table for what the columns cannot hold: where nothing may be
    made, upstream's tables alone can be read."""

    def __init__(self, schema: Schema, *, beside: bool) -> None:
        sessions, events, extra = (schema.table(name) for name in ("sessions", "events", BESIDE))
        self.has_beside = beside

        def read(kind: str, columns: tuple[str, ...], source: str) -> str:
            listed = ", ".join(f"r.{name}::text" if name.endswith("_json") else f"r.{name}" for name in columns)
            if not beside:
                return f"SELECT {listed}, NULL FROM {source} AS r"
            joined = f"LEFT JOIN {extra} AS x ON x.kind = '{kind}' AND x.id = r.id"
            return f"SELECT {listed}, x.extra_json FROM {source} AS r {joined}"

        # Ids are ordered by their code points, everywhere alike. The index has the database's own order of texts: it
        # gives the order of event indexes, and those few with the same index are sorted.
        def page_of(
            kind: str, columns: tuple[str, ...], table: str, index: str, *, of: str = "", back: bool = False
        ) -> str:
            more, down = ("<", " DESC") if back else (">", "")
            key = 'id COLLATE "C"'
            where = f"{of}{index} {more}= $1::bigint AND ({index} {more} $1::bigint OR {key} {more} $2)"
            order = f"{index}{down}, {key}{down}"
            part = f"(SELECT * FROM {table} WHERE {where} ORDER BY {order} LIMIT $3)"
            return f'{read(kind, columns, part)} ORDER BY r.{index}{down}, r.id COLLATE "C"{down}'

        self.session = f"{read('session', SESSION_COLUMNS, sessions)} WHERE r.id = $1"
        self.sessions_after = page_of("session", SESSION_COLUMNS, sessions, "created_at")
        self.heads = f'{read("session", HEAD_COLUMNS, sessions)} ORDER BY r.created_at, r.id COLLATE "C"'
        mine = "session_id = $4 AND "
        self.events_after = page_of("event", EVENT_COLUMNS, events, "event_index", of=mine)
        self.events_before = page_of("event", EVENT_COLUMNS, events, "event_index", of=mine, back=True)
        self.count = f"SELECT count(*) FROM {events} WHERE session_id = $1"
        self.totals = f"SELECT (SELECT count(*) FROM {sessions}), (SELECT count(*) FROM {events})"

        changed = ", ".join(f"{name} = excluded.{name}" for name in SESSION_COLUMNS if name != "id")
        self.put_session = f"""WITH put AS (
  INSERT INTO {sessions} ({", ".join(SESSION_COLUMNS)}) VALUES ({_numbered(len(SESSION_COLUMNS))})
    ON CONFLICT (id) DO UPDATE SET {changed}
), cleared AS (DELETE FROM {extra} WHERE kind = 'session' AND id = $1 AND $11::text IS NULL)
INSERT INTO {extra} SELECT 'session', $1, $11::text WHERE $11::text IS NOT NULL
  ON CONFLICT (kind, id) DO UPDATE SET extra_json = excluded.extra_json"""

        # One plain event, as nearly all are: 1 row when it was stored, else 0. The types of what stands twice are
        # told, since columns may be VARCHAR, too.
        self.insert = f"""INSERT INTO {events} ({", ".join(EVENT_COLUMNS)})
SELECT $1, $2::bigint, $3::text, $4::bigint, $5, $6, $7::jsonb
WHERE NOT EXISTS (SELECT FROM {events} WHERE session_id = $3::text AND event_index = $2::bigint)
ON CONFLICT (id) DO NOTHING"""

        # Several: $1 is a JSON array of them, $2 the session, $3 whether they go behind the last one (then their index
        # counts from 1) or where they say. All are stored, or none: gives what they went behind, and how many were
        # stored.
        self.insert_many = f"""WITH given AS (
  SELECT * FROM json_to_recordset($1::json) AS g(
    id text, event_index bigint, created_at bigint, connection_id text, sender text, payload jsonb, beside text)
), base AS (
  SELECT CASE WHEN $3::boolean
    THEN (SELECT coalesce(max(event_index), 0) FROM {events} WHERE session_id = $2) ELSE 0 END AS n
), stored AS (
  INSERT INTO {events} ({", ".join(EVENT_COLUMNS)})
  SELECT g.id, base.n + g.event_index, $2, g.created_at, g.connection_id, g.sender, g.payload FROM given AS g, base
  WHERE NOT EXISTS (SELECT FROM {events} AS e JOIN given AS k ON e.id = k.id)
    AND NOT EXISTS (
      SELECT FROM {events} AS e JOIN given AS k ON e.session_id = $2 AND e.event_index = base.n + k.event_index)
    AND base.n + (SELECT max(event_index) FROM given) <= {MAX_SAFE_INTEGER}
  RETURNING id
), put AS (
  INSERT INTO {extra} SELECT 'event', g.id, g.beside FROM given AS g JOIN stored USING (id) WHERE g.beside IS NOT NULL
  ON CONFLICT (kind, id) DO UPDATE SET extra_json = excluded.extra_json
), cleared AS (
  DELETE FROM {extra} WHERE kind = 'event'
    AND id IN (SELECT g.id FROM given AS g JOIN stored USING (id) WHERE g.beside IS NULL)
)
SELECT (SELECT n FROM base), (SELECT count(*) FROM stored)"""

        self.events_of_ids = f"{read('event', EVENT_COLUMNS, events)} WHERE r.id = ANY ($1)"
        self.taken = (
            f"SELECT event_index FROM {events} WHERE session_id = $1 AND event_index = ANY ($2::bigint[]) LIMIT 1"
        )
        self.last_index = f"SELECT coalesce(max(event_index), 0) FROM {events} WHERE session_id = $1"

        self.delete = (
            f"DELETE FROM {extra} WHERE kind = 'event' AND id IN (SELECT id FROM {events} WHERE session_id = $1)",
            f"DELETE FROM {extra} WHERE kind = 'session' AND id = $1",
            f"DELETE FROM {events} WHERE session_id = $1",
            f"DELETE FROM {sessions} WHERE id = $1",
        )

        self.known_sessions = f"""SELECT given.id FROM unnest($1::text[]) AS given(id)
WHERE EXISTS (SELECT FROM {sessions} AS s WHERE s.id = given.id)
  OR EXISTS (SELECT FROM {events} AS e WHERE e.session_id = given.id) LIMIT 1"""
        self.known_event = f"SELECT id FROM {events} WHERE id = ANY ($1) LIMIT 1"
        self.counts = f"SELECT session_id, count(*) FROM {events} WHERE session_id = ANY ($1) GROUP BY session_id"
        self.copy_sessions = f"COPY {sessions} ({', '.join(SESSION_COLUMNS)}) FROM STDIN"
        self.copy_events = f"COPY {events} ({', '.join(EVENT_COLUMNS)}) FROM STDIN"
        self.put_beside = f"""INSERT INTO {extra}
  SELECT $1, id, beside FROM unnest($2::text[], $3::text[]) AS g(id, beside)
ON CONFLICT (kind, id) DO UPDATE SET extra_json = excluded.extra_json"""


def _numbered(count: int) -> str:
    return ", ".join(f"${number}" for number in range(1, count + 1))
