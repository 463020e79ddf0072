"""What was found of secrets, as it can be shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_FINDINGS = 1_000
"""Places that are kept one by one; beyond, they are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a secret.

    `event_index` is None for a session's record. `pointer` leads to the string in the row, to the object where a key
    is the secret (RFC 6901). `preview` is the text around it, with every secret masked. Both can be shown; `session_id`
    is the session's own, which may hold a secret: it is shown by `without_secrets`.
    """

    kind: str
    number: int
    session_id: str
    event_index: int | None
    pointer: str
    preview: str


@dataclass(slots=True)
class Findings:
    """What was found: `places`, the first ones; how many places by kind; how many different secrets by kind."""

    places: list[Finding] = field(default_factory=list)
    places_by_kind: Counter[str] = field(default_factory=Counter)
    secrets_by_kind: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """How many places there are in all."""
        return self.places_by_kind.total()

    @property
    def secrets(self) -> int:
        """How many different secrets there are."""
        return self.secrets_by_kind.total()
