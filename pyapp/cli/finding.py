"""A session by its id, or by the beginning of it."""

from __future__ import annotations

from ..drivers.base import SessionStore
from ..errors import UnknownSessionError
from ..types import SessionRecord
from .exits import UsageError

SHOWN = 5
"""Ids that are named when a beginning is that of several."""


async def find_session(store: SessionStore, name: str) -> SessionRecord:
    """The session with this id, or the only one whose id begins so.

    An ellipsis at the end, with which `ls` cuts ids, counts for nothing. Raises UnknownSessionError, and UsageError
    when several ids begin so.
    """
    if (record := await store.get_session(name)) is not None:
        return record
    beginning = name.removesuffix("…")
    if not beginning:
        raise UnknownSessionError(name)
    ids = [head.id for head in await store.session_heads() if head.id.startswith(beginning)]
    if len(ids) > 1:
        some = ", ".join(ids[:SHOWN]) + (", …" if len(ids) > SHOWN else "")
        raise UsageError(f"{len(ids)} sessions have ids that begin with {beginning!r}: {some}")
    record = await store.get_session(ids[0]) if ids else None
    if record is None:
        raise UnknownSessionError(name)
    return record
