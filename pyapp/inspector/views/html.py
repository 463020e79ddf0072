"""What every view uses: rendering to safe text, icons, and the parts of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import htpy as h
from markupsafe import Markup

Attrs = Mapping[str, str | None]

_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""The marks that turn the direction of what follows them, also of words that are not theirs."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """The children of a region, each with its id: only those that changed cross to the page."""

    children: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page: the content of each region, and attributes of elements by id ("" is the root)."""

    regions: Mapping[str, str | Keyed]
    attrs: Mapping[str, Attrs] = field(default_factory=dict)
    title: str = ""


def html(*nodes: h.Node) -> str:
    """Nodes as HTML text, everything in them escaped.

    Plain text on purpose: a Markup's `replace` would escape its arguments.
    """
    return "".join(h.fragment[nodes].iter_chunks())


def straight(text: str) -> str:
    """A name for a sentence of ours, which it could write backwards otherwise: `evil[U+202E]gpj.exe`."""
    return text.translate(_TURNS)


@cache
def icon(name: str) -> Markup:
    """One of the icons that index.html holds; decoration, so hidden from assistive technology."""
    return Markup(f'<svg class="icon" aria-hidden="true"><use href="#i-{name}"></use></svg>')


def elements_in(markup: str) -> int:
    """How many elements a piece of HTML makes."""
    return markup.count("<") - markup.count("</")
