"""What changed in the page since it was last sent, as the smallest JSON that says it."""

from __future__ import annotations

from typing import Any

from ..inspector.views.html import Keyed, Page


class Patches:
    """Remembers what the page shows. A region whose HTML is the same is not sent again.

    A keyed region is sent as the list of its children, `[id]` for one that the page has already, `[id, html]`
    for one that is new or changed: a long transcript costs what changed in it.
    """

    def __init__(self) -> None:
        self._regions: dict[str, str | Keyed] = {}
        self._attrs: dict[str, dict[str, str | None]] = {}
        self._title = ""

    def changes(self, page: Page) -> dict[str, Any] | None:
        """The patch message that brings the page from what it shows to `page`, None if it shows it already."""
        regions: dict[str, Any] = {}
        for name, content in page.regions.items():
            before = self._regions.get(name)
            if content == before:
                continue
            regions[name] = _keyed(before, content) if isinstance(content, Keyed) else content
            self._regions[name] = content
        attrs: dict[str, dict[str, str | None]] = {}
        for name, wanted in page.attrs.items():
            before_attrs = self._attrs.get(name, {})
            changed = {key: value for key, value in wanted.items() if before_attrs.get(key) != value}
            if changed:
                attrs[name] = changed
                self._attrs[name] = {**before_attrs, **changed}
        if not regions and not attrs and page.title == self._title:
            return None
        self._title = page.title
        root = attrs.pop("", {})
        return {"type": "patch", "regions": regions, "root": root, "attrs": attrs, "title": page.title}


def _keyed(before: str | Keyed | None, content: Keyed) -> list[list[str]]:
    known = dict(before.children) if isinstance(before, Keyed) else {}
    return [[key] if known.get(key) == html else [key, html] for key, html in content.children]
