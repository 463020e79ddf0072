"""Texts with masks instead of secrets."""

from __future__ import annotations

from collections.abc import Sequence

from ..secret_patterns import Secret, find_secrets

Mask = tuple[str, int]
"""The kind of a secret, and its number."""

PREVIEW_BEFORE = 40
PREVIEW_AFTER = 16
"""Characters that are shown beside a mask."""


def written(mask: Mask) -> str:
    return f"[secret: {mask[0]} {mask[1]}]"


def piece_at(texts: Sequence[str], place: int) -> int:
    """Which piece holds this character of the whole."""
    for number, text in enumerate(texts):
        if place < len(text):
            return number
        place -= len(text)
    return len(texts) - 1


def replaced(texts: Sequence[str], secrets: Sequence[Secret], masks: Sequence[str]) -> list[str]:
    """The pieces with masks instead of secrets: the mask stands where the secret began, the rest of it is gone."""
    result = []
    offset = first = 0
    for text in texts:
        end = offset + len(text)
        parts, at = [], offset
        while first < len(secrets) and secrets[first].start < end:
            secret = secrets[first]
            if secret.start >= offset:
                parts += [text[at - offset : secret.start - offset], masks[first]]
            at = min(secret.end, end)
            if secret.end > end:
                break
            first += 1
        parts.append(text[at - offset :])
        result.append("".join(parts))
        offset = end
    return result


def preview_of(text: str, secrets: Sequence[Secret], masks: Sequence[Mask], place: int) -> str:
    """A little of the text around a secret, with it and its neighbours masked, on one line."""
    before, here = text[: secrets[place].start], secrets[place]
    left = max(here.start - PREVIEW_BEFORE, 0)
    if place and secrets[place - 1].end > left:
        left = secrets[place - 1].end
    right = min(here.end + PREVIEW_AFTER, len(text))
    if place + 1 < len(secrets):
        right = min(right, secrets[place + 1].start)
    sides = ["…" if find_secrets(side) else side for side in (before[left:], text[here.end : right])]
    return " ".join(f"{sides[0]}{written(masks[place])}{sides[1]}".split())
