"""What can happen to files that go out or come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .values import Format, Found, Scope

# from the page


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """Sessions are to be saved as a file: which ones is asked now."""


@dataclass(frozen=True, slots=True)
class ExportChanged:
    """A choice was made in the dialog; `wanted` when the file is to be saved."""

    scope: Scope
    format: Format
    keeps: bool
    """Whether secrets are to stay as they are."""
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class ExportPicked:
    """A session is to go along, or not."""

    session_id: str
    is_picked: bool


@dataclass(frozen=True, slots=True)
class ExportAllPicked:
    """Every session that is offered is to go along, or none."""

    is_picked: bool


@dataclass(frozen=True, slots=True)
class ExportTriedAgain:
    """The search for secrets failed, and is wanted once more."""


@dataclass(frozen=True, slots=True)
class ExportGivenUp:
    """The dialog is not wanted."""


@dataclass(frozen=True, slots=True)
class SourceConfirmed:
    """The file that the address names may be fetched from the other host."""


@dataclass(frozen=True, slots=True)
class SourceGivenUp:
    """It is not to be fetched."""


# from effects


@dataclass(frozen=True, slots=True)
class SearchMoved:
    """The search for secrets came so far, in events."""

    search: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The search is over."""

    search: int
    found: Found


@dataclass(frozen=True, slots=True)
class SearchFailed:
    """The search could not be made; why."""

    search: int
    fault: str


FileMessage = (
    ExportAsked | ExportChanged | ExportPicked | ExportAllPicked | ExportTriedAgain | ExportGivenUp | SourceConfirmed
    | SourceGivenUp | SearchMoved | SearchEnded | SearchFailed
)  # fmt: skip


def file_from_page(sent: Mapping[str, Any]) -> FileMessage | None:
    """The message that the page's JSON stands for, None if it is none."""
    match sent:
        case {"name": "export"}:
            return ExportAsked()
        case {
            "name": "export-changed" | "export-save" as name,
            "values": {
                "scope": "this" | "chosen" | "all" as scope,
                "format": "jsonl" | "sqlite" as format_,
                **others,
            },
        }:
            return ExportChanged(scope, format_, others.get("secrets") == "keep", wanted=name == "export-save")
        case {"name": "export-pick", "arg": str(session_id), "value": str(value)}:
            return ExportPicked(session_id, value == "true")
        case {"name": "export-pick-all", "arg": "all" | "none" as which}:
            return ExportAllPicked(which == "all")
        case {"name": "export-again"}:
            return ExportTriedAgain()
        case {"name": "export-cancel"}:
            return ExportGivenUp()
        case {"name": "source-fetch"}:
            return SourceConfirmed()
        case {"name": "source-cancel"}:
            return SourceGivenUp()
    return None
