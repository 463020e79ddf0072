"""What is to be done with files, as values."""

from __future__ import annotations

from dataclasses import dataclass

from .values import Format, Source


@dataclass(frozen=True, slots=True)
class SearchSecrets:
    """Look for secrets in these sessions, in place of the search that runs."""

    search: int
    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopSearch:
    """Nobody waits for the search any more."""


@dataclass(frozen=True, slots=True)
class Export:
    """Save sessions as a file of this name; `masks` says whether secrets are masked."""

    session_ids: tuple[str, ...]
    file_name: str
    format: Format
    masks: bool


@dataclass(frozen=True, slots=True)
class FetchSource:
    """Fetch a file and import it."""

    source: Source


FileEffect = SearchSecrets | StopSearch | Export | FetchSource
