"""Markdown from an agent as HTML that can do no harm.

Raw HTML is shown as text. Links are http, https or mailto, say where they go, and open elsewhere.
Images are named, never loaded: loading one would tell its server who reads this.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from .exact import exact
from .html import elements_in

MAX_MARKDOWN = 16_000
"""Characters that are laid out as Markdown; a longer text is shown as it was written."""

MAX_ELEMENTS = 500
"""Elements that one text may make; more, and it is shown as it was written."""


class _Renderer(RendererHTML):
    def link_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        href = escape(str(tokens[index].attrGet("href") or ""))
        return f'<a href="{href}" title="{href}" target="_blank" rel="noopener noreferrer">'

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        return f'<span class="unloaded">image {escape(token.content)} {escape(str(token.attrGet("src")))}</span>'

    def heading_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f"<h{_level(tokens[index])}>"

    def heading_close(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f"</h{_level(tokens[index])}>"

    def th_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return _cell(tokens[index])

    def td_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return _cell(tokens[index])

    def fence(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f"<pre><code>{exact(tokens[index].content)}</code></pre>"

    def code_inline(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f"<code>{exact(tokens[index].content)}</code>"

    def code_block(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return self.fence(tokens, index, options, env)


def _cell(token: Token) -> str:
    """A cell of a table. The page's policy allows no style attributes, so how it is aligned becomes a class."""
    align = str(token.attrGet("style") or "").removeprefix("text-align:")
    return f'<{token.tag} class="{align}">' if align in ("center", "right") else f"<{token.tag}>"


def _level(token: Token) -> int:
    """The page's own headings are h1 and h2; what an agent says begins below them."""
    return min(6, int(token.tag[1:]) + 2)


def _allowed(url: str) -> bool:
    return url.lower().startswith(("https://", "http://", "mailto:"))


_markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
_markdown.enable(["table", "strikethrough"])
_markdown.validateLink = _allowed  # type: ignore[method-assign]


@lru_cache(maxsize=128)
def render_markdown(text: str) -> Markup:
    """Safe HTML for a text; as it was written where it is too long, or makes too many elements."""
    if len(text) <= MAX_MARKDOWN:
        rendered = _markdown.render(text)
        if elements_in(rendered) <= MAX_ELEMENTS:
            return Markup(rendered)
    return Markup('<pre class="plain">') + escape(text) + Markup("</pre>")
