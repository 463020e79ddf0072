"""Which indexes some events want: those that follow one another are looked for in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import EventConflictError


def runs_of(places: Iterable[tuple[str, int]]) -> Sequence[tuple[str, int, int]]:
    """Places, (session id, event index), as runs (session id, first index, last index).

    Raises EventConflictError for a place that comes twice.
    """
    runs: list[tuple[str, int, int]] = []
    for session_id, index in sorted(places):
        if runs and runs[-1][0] == session_id and runs[-1][2] >= index - 1:
            if runs[-1][2] == index:
                raise EventConflictError.index_taken(session_id, index)
            runs[-1] = session_id, runs[-1][1], index
        else:
            runs.append((session_id, index, index))
    return runs
