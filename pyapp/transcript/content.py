"""ACP content blocks, read from whatever an agent sent (https://agentclientprotocol.com/protocol/content)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .hostile import MAX_BODY, as_json, as_list, as_number, as_object, as_text

MAX_MEDIA = 400_000
"""Characters of base64 that are kept of an image; a larger one is named, not shown."""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain or Markdown text. `omitted` counts the characters that were left out at its end."""

    text: str
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a sound; `data` is base64, empty when it is too large or none was sent."""

    kind: Literal["image", "audio"]
    mime_type: str
    data: str
    characters: int


@dataclass(frozen=True, slots=True)
class Link:
    """A resource that is only named."""

    uri: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with its content; `text` is None when it is binary."""

    uri: str
    mime_type: str
    text: Text | None
    characters: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A block of a kind that is not known here, as JSON: shown, never dropped."""

    json: str


Block = Text | Media | Link | Resource | Unknown


def bounded(text: str, limit: int = MAX_BODY) -> Text:
    """A text of at most `limit` characters that knows how many are missing."""
    return Text(text) if len(text) <= limit else Text(text[:limit], len(text) - limit)


def read_block(value: Any, limit: int = MAX_BODY) -> Block:
    """One content block; `limit` bounds its text in characters."""
    block = as_object(value)
    match block.get("type"):
        case "text" if isinstance(block.get("text"), str):
            return bounded(block["text"], limit)
        case "image" | "audio" as kind if isinstance(block.get("data"), str):
            data = block["data"]
            kept = data if kind == "image" and len(data) <= MAX_MEDIA else ""
            return Media(kind, as_text(block.get("mimeType"), 80), kept, len(data))
        case "resource_link":
            name = as_text(block.get("title")) or as_text(block.get("name"))
            return Link(as_text(block.get("uri"), 2000), name, as_text(block.get("description")))
        case "resource":
            return _read_resource(as_object(block.get("resource")))
    return Unknown(as_json(value))


def _read_resource(resource: dict[str, Any]) -> Block:
    text, blob = resource.get("text"), resource.get("blob")
    uri, mime_type = as_text(resource.get("uri"), 2000), as_text(resource.get("mimeType"), 80)
    if isinstance(text, str):
        return Resource(uri, mime_type, bounded(text), len(text))
    return Resource(uri, mime_type, None, len(blob) if isinstance(blob, str) else 0)


def prompt_text(params: Any) -> str:
    """The words of a `session/prompt`, without a history that was put before them, at most 2,000 characters."""
    blocks = [as_object(block) for block in as_list(as_object(params).get("prompt"))]
    texts = [as_text(block.get("text"), MAX_BODY) for block in blocks if block.get("type") == "text"]
    own = [text for text in texts if text and not text.startswith(REPLAYED_HISTORY)]
    if own:
        return as_text("\n".join(own), 2000)
    names = [as_text(block.get("name")) or as_text(block.get("type")) for block in blocks]
    return "" if texts else as_text(", ".join(name for name in names if name), 2000)


REPLAYED_HISTORY = "Previous session history is replayed below as JSON-RPC envelopes."
"""How the text block begins that a client puts before a prompt when it restores a session (upstream's words)."""


def token_count(value: Any) -> int | None:
    """A count of tokens, or None if it is none."""
    number = as_number(value)
    return int(number) if number is not None and 0 <= number < 2**53 else None
