"""What the page sends, read into messages, and what its keys mean. What is no message is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import json_text
from .dates import UTC_ZONE, Zone
from .files.messages import file_from_page
from .live.messages import live_from_page
from .messages import (
    Copied,
    DatabaseChosen,
    DayBegan,
    DeletionAsked,
    DemoWanted,
    DialogClosed,
    Dismissed,
    EventCopied,
    Expanded,
    Failed,
    HelpToggled,
    JobCancelled,
    KeepAsked,
    Message,
    NeighbourOpened,
    PlayToggled,
    PutAside,
    Scrolled,
    SheetShown,
    ShortenSet,
    Shown,
    Sought,
    SpeedSet,
    Started,
    StatusRead,
    Stepped,
    StorageRead,
    Went,
    WindowMoved,
)
from .model import SPEEDS, Alert, Mark, Start, Storage
from .notes.messages import NOTE_KEYS, note_from_page

KEYS: Mapping[str, Message] = {
    "Space": PlayToggled(),
    "ArrowLeft": Stepped(-1),
    "ArrowRight": Stepped(1),
    "Shift+ArrowLeft": Stepped(-1, marks=True),
    "Shift+ArrowRight": Stepped(1, marks=True),
    "Home": Sought(0),
    "End": Sought(2**53),
    "j": NeighbourOpened(1),
    "k": NeighbourOpened(-1),
    "?": HelpToggled(),
    "Escape": Dismissed(),
    **NOTE_KEYS,
}
"""What a key does when no field has the focus."""


def from_page(sent: Mapping[str, Any]) -> Message | None:
    """The message that the page's JSON stands for, None if it is none."""
    arg = str(sent.get("arg", sent.get("value", "")))
    match sent.get("name"):
        case "route":
            marks = _marks(sent.get("remembered"))
            server = _server(sent.get("remembered"))
            return Went(
                str(sent.get("hash", "")),
                _number(sent.get("now")),
                _zone(sent.get("zone")),
                marks,
                server,
                source if isinstance(source := sent.get("source"), str) else "",
            )
        case "day" if (now := _number(sent.get("now"))) is not None:
            return DayBegan(now)
        case "started":
            return _started(sent)
        case "aside":
            return PutAside()
        case "database":
            return DatabaseChosen(arg)
        case "keep":
            return KeepAsked()
        case "storage":
            kept = sent.get("kept")
            numbers = _number(sent.get("usage")), _number(sent.get("quota"))
            return StorageRead(Storage(*numbers, kept if isinstance(kept, bool) else None))
        case "delete":
            return DeletionAsked(confirmed=arg == "confirmed")
        case "close":
            return DialogClosed()
        case "scroll":
            return Scrolled(str(sent.get("list")), _number(sent.get("top")) or 0, _number(sent.get("height")) or 0)
        case "visible" if sent.get("value") is True:
            return Shown()
        case "key":
            key = str(sent.get("key"))
            return KEYS.get(f"Shift+{key}" if sent.get("shift") and key.startswith("Arrow") else key)
        case "seek" if (position := _number(arg)) is not None:
            return Sought(position)
        case "choose" if (position := _number(arg)) is not None:
            return Sought(position, chosen=True)
        case "step" if (by := _number(arg)) is not None:
            return Stepped(by)
        case "mark" if (by := _number(arg)) is not None:
            return Stepped(by, marks=True)
        case "play":
            return PlayToggled()
        case "speed":
            return next((SpeedSet(speed) for speed in SPEEDS if f"{speed:g}" == arg), None)
        case "shorten":
            return ShortenSet(arg == "true")
        case "window":
            return WindowMoved(_number(arg))
        case "expand":
            return Expanded(arg[:200])
        case "demo":
            return DemoWanted()
        case "cancel":
            return JobCancelled()
        case "copy":
            return EventCopied()
        case "copied":
            return Copied()
        case "trouble":
            return Failed(Alert("The browser did not do that", str(sent.get("text"))[:500]))
        case "read":
            return StatusRead(arg)
        case "dismiss":
            return Dismissed()
        case "sheet":
            return SheetShown(arg if arg in ("sessions", "events") else "")
        case "help":
            return HelpToggled()
    return note_from_page(sent) or live_from_page(sent) or file_from_page(sent)


def _started(sent: Mapping[str, Any]) -> Started | None:
    match sent:
        case {"way": str(way), "why": str(why), "steps": [*steps], "took": int() | float() as took}:
            return Started(Start(way, why[:500], tuple((str(step), float(ms)) for step, ms in steps), took))
    return None


MARK = "mark:"
"""What the name of a mark begins with, among what the page remembers; behind it stands the database."""


def _marks(remembered: Any) -> Mapping[str, Mark]:
    """The marks among what the page remembers: JSON texts by name. What cannot be read is forgotten."""
    marks = {}
    for name, text in remembered.items() if isinstance(remembered, dict) else ():
        if isinstance(text, str) and isinstance(name, str) and name.startswith(MARK):
            try:
                match json_text.parse(text[:1000]):
                    case [int(sessions), int(events), int(at)] if min(sessions, events, at) >= 0:
                        marks[name.removeprefix(MARK)] = Mark(sessions, events, at)
            except ValueError:
                pass
    return marks


def _zone(changes: Any) -> Zone:
    """When local time became how many minutes behind UTC: `[[ms, minutes], …]`, ascending. UTC if it is not that."""
    since, behind = [], []
    for change in changes if isinstance(changes, list) else ():
        match change:
            case [int(at), int(minutes)]:
                since.append(at)
                behind.append(minutes)
    return Zone(tuple(since), tuple(behind)) if since else UTC_ZONE


SERVER = "server"
"""The name under which the page remembers the last server's address."""


def _server(remembered: Any) -> str:
    """The last server, if what is remembered may be one."""
    url = remembered.get(SERVER) if isinstance(remembered, dict) else None
    return url if isinstance(url, str) and len(url) < 2_000 else ""


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 20:
        return int(value)
    return None
