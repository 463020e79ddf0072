"""Text by which somebody decides: commands, paths, code and what a tool wrote, with every mark in it to be seen.

A mark that turns the direction of text, or that has no width, makes one command look like another one ("Trojan Source",
CVE-2021-42574; Unicode Technical Report 36). What people say to each other is shown as they wrote it: such marks belong
to the writing of many languages.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from ...transcript.hostile import HIDDEN_MARKS

_HIDDEN = re.compile(f"[{HIDDEN_MARKS}]")

MAX_MARKED = 50
"""Marks in one text that get an element of their own; the others are named in plain text."""


def exact(text: str) -> Markup:
    """The text, escaped, with the name of each hidden mark in its place: `evil U+202E gpj.exe`."""
    if text.isascii() and text.isprintable():
        return escape(text)
    marked = _HIDDEN.sub(lambda match: _MARKED.format(_name(match.group())), str(escape(text)), MAX_MARKED)
    return Markup(_HIDDEN.sub(lambda match: f"[{_name(match.group())}]", marked))


def exact_json(text: str) -> str:
    """JSON with such marks as JSON's own escapes, so that it stays the same value."""
    return _HIDDEN.sub(lambda match: _escape(match.group()), text)


_MARKED = '<span class="hidden-mark" title="A mark that is not seen">{}</span>'


def _name(mark: str) -> str:
    return f"U+{ord(mark):04X}"


def _escape(mark: str) -> str:
    units = mark.encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):04x}" for at in range(0, len(units), 2))
