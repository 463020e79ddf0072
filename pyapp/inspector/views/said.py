"""Words: prompts, messages and thoughts, with the images and files that came with them."""

from __future__ import annotations

import re

import htpy as h

from ...transcript.content import Block, Link, Media, Resource, Text, Unknown
from ...transcript.items import Said
from ..dates import plural, size, span
from .exact import exact
from .html import icon
from .markdown import render_markdown

MAX_BLOCKS = 60
"""Content blocks of one message that are shown."""

_IMAGE_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def said(state: Said, since: int, key: str, opened: bool) -> h.Node:
    """A prompt or a message as text with an edge; a thought as one line that opens."""
    if state.kind == "thought":
        return _thought(state, since, key, opened)
    return h.div(".body")[
        state.replayed > 0
        and h.p(".aside")[f"{state.replayed:,} characters of earlier history were put before this prompt."],
        (block_node(block, plain=state.kind == "prompt") for block in state.blocks[:MAX_BLOCKS]),
        _hidden_blocks(state),
        state.omitted > 0
        and h.p(".aside")[f"{plural(state.omitted, 'more character')} stand in this message's events."],
    ]


def _thought(state: Said, since: int, key: str, opened: bool) -> h.Node:
    took = state.until - since
    return [
        h.button(".fold", type="button", data_click="expand", data_arg=key, aria_expanded=str(opened).lower())[
            icon("think"), "Thought" + (f" for {span(took)}" if took >= 100 else "")
        ],
        opened and h.div(".body")[(block_node(block) for block in state.blocks[:MAX_BLOCKS]), _hidden_blocks(state)],
    ]


def _hidden_blocks(state: Said) -> h.Node:
    hidden = len(state.blocks) - MAX_BLOCKS
    return hidden > 0 and h.p(".aside")[f"{plural(hidden, 'more block')} stand in this message's events."]


def block_node(block: Block, *, plain: bool = False) -> h.Node:
    """One content block; `plain` keeps the line breaks of a text instead of reading it as Markdown."""
    match block:
        case Text(text):
            return h.p(".plain")[text] if plain else h.div(".md")[render_markdown(text)]
        case Media():
            return _media(block)
        case Link(uri, name, description):
            return h.p(".file")[icon("read"), h.b[exact(name or uri)], bool(name) and h.code[exact(uri)], description]
        case Resource(uri, mime_type, text, characters):
            return [
                h.p(".file")[
                    icon("read"),
                    h.code[exact(uri)],
                    h.span[mime_type],
                    text is None and h.span(".dim")[f"{size(characters)} of base64"],
                ],
                text is not None and h.pre(".out")[exact(text.text)],
            ]
        case Unknown(json):
            return h.pre(".out")[exact(json)]


def _media(media: Media) -> h.Node:
    what = f"{media.mime_type or media.kind}, {size(media.characters * 3 // 4)}"
    shown = media.mime_type in _IMAGE_TYPES and _BASE64.fullmatch(media.data) is not None
    if not shown:
        return h.p(".file")[icon("read"), media.kind, h.span(".dim")[what]]
    return h.figure[
        h.img(src=f"data:{media.mime_type};base64,{media.data}", alt=f"Image from the session, {what}"),
        h.figcaption[what],
    ]
