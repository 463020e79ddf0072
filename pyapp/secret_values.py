"""Values that may be secrets: where one ends in a text, and whether it looks like a secret.

A value that is masked is masked whole, so its end is read as its syntax has it: at the end of the quotes, or, without
quotes, at white space or what cannot be in it there. Everything here takes time in proportion to the value.
"""

from __future__ import annotations

import binascii
import math
import re
from collections import Counter
from functools import cache
from itertools import pairwise

LONGEST = 4096
"""What is longer, in quotes, is no password."""


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


_STAND_IN = (
    r"example|placeholder|changeme|change[_-]me|dummy|redacted|removed|masked|hidden|your[_-]?|my[_-]|_here|insert|"
    r"\*\*\*|xxx|\.\.\.|…|%\(|process\.env|os\.environ|getenv|secrets\.|vault:|null|none$|undefined|\[secret: |"
    r"\A%\w+%\Z|\b(?:required|string|confirmed)\||\|(?:min|max):"
)
_STAND_INS = re.compile(rf"{_STAND_IN}|<|>|\$|\{{|\(|\)", re.IGNORECASE)
_FIELDS = r"\$[{(]|(?-i:\$[A-Z_][A-Z0-9_]{2})|\{[\w.:!()'\" +-]{0,80}\}|\{[{%]|<[\w .,:|/-]{0,80}>"
"""What is filled in, in templates and in the shell; and types."""
_EXPRESSIONS = re.compile(
    rf"{_STAND_IN}|{_FIELDS}|[a-z_]{{4}}\(|\(\?|\[[^\[\]]{{0,80}}\]|\.[*+]",
    re.IGNORECASE,
)
"""What templates, calls and regular expressions have, and a value drawn by lot only by chance."""
_CALL = (
    # but for a word with a digit whose bracket is not closed before the end of the line, or that goes on behind it
    r"(?![A-Za-z]{1,40}[0-9]\w{0,40}[(\[][\w!#$%^~-]{1,80}(?:\n|\Z))"
    r"[A-Za-z_$]\w*(?:(?:\.|->|::|\?\.)\w+)*[!?]?[(\[](?![^()\[\]]{0,80}[)\]][\w!#$%^~])"
)
_CODE = re.compile(
    rf"{_STAND_IN}|{_FIELDS}|\A(?:[@*&!(\[{{<|-]|\$[a-z_]|0x[0-9a-f]{{1,16}}\Z|(?-i:[a-z.]+\$[a-z]+[0-9]*\Z)"
    rf"|[a-z_]\w*(?:\.[a-z_]\w*)+\Z|{_CALL})",
    re.IGNORECASE | re.ASCII,
)
"""What is code or a template where it stands without quotes: a variable, a call, an index, a type."""
_IS_CALL = re.compile(_CALL, re.ASCII)
_IS_NAME = re.compile(r"[A-Za-z]+[0-9]{0,2}(?:[_.-](?:[A-Za-z]+[0-9]{0,2}|[0-9]{1,3}))*+\Z")
_IS_ACCOUNT = re.compile(r"[x*!]{0,2}:[0-9]{1,10}:")
_IS_PATH = re.compile(r"(?:arn:|\.{0,2}/|~/|[A-Za-z]:\\|[a-z][a-z0-9+.-]{0,20}://)")
# \n and the like, and classes of regular expressions
_ESCAPES = re.compile(r"(?<!\\)(?:\\\\)*\\[nrtdwsbfvxDWSBAZ0-9]")
_JOINED = re.compile(r"[+,;).\]].*[+,(&.]\Z", re.DOTALL)
"""What stands between two quoted texts: `"…password=" + name1 + "…"`."""


def drawn_by_lot(value: str) -> bool:
    """Whether a value behind the name of a secret is likely one: no stand-in, letters and digits mixed."""
    return not _STAND_INS.search(value[:LONGEST]) and _drawn(value[:LONGEST])


def _drawn(head: str) -> bool:
    if len(head) < 12 or _IS_PATH.match(head) or (_IS_NAME.match(head) and len(head) < 40):
        return False
    digits = sum(mark.isdigit() for mark in head)
    letters = sum(mark.isalpha() for mark in head)
    if not letters or (digits < 2 and not (digits and len(head) >= 16)):
        return len(head) >= 24 and bool(letters) and _mixed_case(head) and entropy(head) >= 4.0
    return entropy(head) >= 3.0


def chosen_by_hand(value: str) -> bool:
    """Whether a value behind `password` is likely one: a person's password has less of it."""
    return not _STAND_INS.search(value[:LONGEST]) and _chosen(value[:LONGEST])


def _chosen(head: str) -> bool:
    if len(head) < 6 or _IS_PATH.match(head) or _IS_ACCOUNT.match(head):
        return False
    kinds = (str.isdigit, str.islower, str.isupper, lambda mark: not mark.isalnum() and mark not in "_.-")
    mixed = sum(any(kind(mark) for mark in head) for kind in kinds)
    return mixed >= 2 and any(not mark.isalpha() and mark not in "_.-" for mark in head) and entropy(head) >= 2.0


def quoted_by_lot(value: str) -> bool:
    """`drawn_by_lot` for a quoted literal: punctuation is its own there, unless it is that of a template."""
    return _is_one_literal(value) and (drawn_by_lot(value) or (len(value) >= 12 and _is_literal(value)))


def quoted_as_key(value: str) -> bool:
    """`quoted_by_lot` behind `…_KEY`, which may be the name of anything: no names that are joined by dots."""
    return quoted_by_lot(value) and (not _IS_NAME.match(value) or len(value) >= 40)


def quoted_by_hand(value: str) -> bool:
    """`chosen_by_hand` for a quoted literal."""
    return _is_one_literal(value) and (chosen_by_hand(value) or (len(value) >= 8 and _is_literal(value)))


def quoted_digits(value: str) -> bool:
    """Whether a quoted password is a number, which has no other sense behind such a name."""
    return 6 <= len(value) <= 64 and value.isdigit()


def bare_by_lot(value: str) -> bool:
    """Whether the whole value of a variable of the environment, without quotes, is likely drawn by lot."""
    head = value[:LONGEST]
    return not _CODE.search(head) and (_drawn(head) or letters_by_lot(head))


def bare_by_hand(value: str) -> bool:
    """Whether the whole value of a variable of the environment, without quotes, is likely a password."""
    head = value[:LONGEST]
    return not _CODE.search(head) and (_chosen(head) or letters_by_lot(head))


def _is_one_literal(value: str) -> bool:
    """Whether a text between quotes is one word, and no regular expression, and nothing that joins two texts."""
    if any(mark.isspace() for mark in value[:LONGEST]) or _JOINED.match(value):
        return False
    return "\\" not in value or (has_digit(value) and not _ESCAPES.search(value) and not _EXPRESSIONS.search(value))


def _is_literal(value: str) -> bool:
    if len(value) > 200 or _EXPRESSIONS.search(value) or _IS_PATH.match(value):
        return False
    return has_digit(value) and any(mark.isalpha() for mark in value) and entropy(value) >= 2.75


_LETTERS = re.compile(r"[A-Za-z]{12,64}\Z")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SPOKEN = re.compile(r"(?i:(?=.*[aeiouy])(?!.*[^aeiouy]{5}|.*(.)\1\1).{3,})\Z")


def letters_by_lot(value: str) -> bool:
    """Whether letters alone, small and large, are no words that are joined (`camelCaseName`)."""
    if not _LETTERS.match(value) or value.islower() or value.isupper() or _STAND_INS.search(value):
        return False
    humps = [hump[0] for hump in _HUMP.finditer(value)]
    spoken = sum(len(hump) for hump in humps if _SPOKEN.match(hump))
    return (spoken * 2 < len(value) or len(humps) * 3 > len(value)) and len(set(value.lower())) >= 6


_PHRASE = re.compile(r"[^\s]+(?: [^\s]+){1,11}\Z")
# what is said about passwords, where a passphrase has other words
_TALK = re.compile(
    r"\b(?:password|passwd|passwort|passphrase|pass|secret|token|enter|type|your|you|my|the|this|that|must|should|least|most|min|max"
    r"|minimum|maximum|length|characters?|chars?|letters?|digits?|numbers?|words?|required|invalid|wrong|please|is|are|be|and|or|of|to"
    r"|for|at|an?|in|if|with|not|no|forgot|reset|new|old|current|confirm|repeat|show|hide|step|from|use|used|by|on|when|via)\b",
    re.IGNORECASE,
)
_MIXED_WORD = re.compile(
    r"(?=\S*[A-Za-z][0-9]+[A-Za-z]|\S*[0-9]\S*[!#$%&*?^@]|\S*[!#$%&*?^@]\S*[0-9])[\x21-\x7e]{4,}\Z"
)
_PLAIN_WORD = re.compile(r"(?:[a-z]+[0-9]{0,4}|[0-9]{1,4})[!?#.]?\Z")
_TITLE_WORD = re.compile(r"(?:[A-Z][a-z]*[0-9]{0,4}|[0-9]{1,4})[!?#.]?\Z")


def is_passphrase(value: str) -> bool:
    """Whether a quoted password with spaces is one, and not what a form says: words and a number, or a word as of lots.

    A sentence begins with a large letter and goes on in small ones, or has one of the words that such sentences have.
    """
    if len(value) > 120 or not _PHRASE.match(value) or not has_digit(value):
        return False
    if _TALK.search(value) or _EXPRESSIONS.search(value) or _ESCAPES.search(value) or _JOINED.match(value):
        return False
    words = value.split(" ")
    if any(_MIXED_WORD.match(word) for word in words):
        return True
    return len(words) >= 4 and (all(map(_PLAIN_WORD.match, words)) or all(map(_TITLE_WORD.match, words)))


def is_cookie(value: str) -> bool:
    """Whether the value of a cookie for a session is no word and no code."""
    head = value[:LONGEST]
    return (has_digit(head) or letters_by_lot(head)) and not _CODE.search(head)


def is_login(value: str) -> bool:
    """Whether a value is `user:password` in base64, as Docker keeps them."""
    try:
        name, colon, password = binascii.a2b_base64(value[:LONGEST]).decode().partition(":")
    except ValueError:
        return False
    return bool(name and colon and len(password) >= 3) and (name + password).isprintable()


def _mixed_case(text: str) -> bool:
    """Small and large letters in turns, as in base64, not in words that are joined (`camelCaseName`)."""
    turns = sum(one.islower() and other.isupper() for one, other in pairwise(text))
    return turns * 6 >= len(text) and text.count("_") * 12 <= len(text)


def has_digit(value: str) -> bool:
    """A word or a name in the shape of a token has none."""
    return any(mark.isdigit() for mark in value[:LONGEST])


def no_stand_in(value: str) -> bool:
    """Whether a value stands for itself."""
    return not _STAND_INS.search(value[:LONGEST])


def ends_of_quoted(text: str, start: int, quote: str) -> list[int]:
    """Where it may end, the best first: that quote may be doubled, or closed and opened again at once."""
    end = end_of_quoted(text, start, quote)
    if end is None:
        return []
    last: int | None = end
    for _ in range(8):
        joint = _JOINT.match(text, last) if last is not None and last > start and len(quote) == 1 else None
        if not joint or joint[1] != quote:
            break
        last = end_of_quoted(text, joint.end(), quote)
    return [end] if last is None or last == end else [last, end]


# it''s, and in the shell it'\''s
_JOINT = re.compile(r"(['\"])(?:\\\1)?\1(?=[^\s,;)\]}])")


def end_of_quoted(text: str, start: int, quote: str) -> int | None:
    """Where a quoted text ends that begins at `start`, behind its `quote` (`"`, or in JSON within a text `\\"`).

    None if it does not on this line. Within, a quote is written with more backslashes than the one at its end.
    """
    level, mark = len(quote) - 1, quote[-1]
    limit = min(len(text), start + LONGEST)
    line_end = text.find("\n", start, limit)
    limit = limit if line_end < 0 else line_end
    at = start
    while (at := text.find(mark, at, limit)) >= 0:
        slashes = 0
        while at - slashes > start and text[at - slashes - 1] == "\\":
            slashes += 1
        if slashes % (2 * (level + 1)) == level:
            return at - level
        at += 1
    return None


_WITHIN = (
    r"[^\s\"'`\\<&;,\[]"
    r"|\\{1,3}(?![nrt\"'`\\])"  # \n of JSON within a text ends it
    r"|<(?!/[A-Za-z][\w-]{0,30}>|(?:a|b|br|code|div|em|h[1-6]|hr|i|li|p|pre|span|strong|t[drh])[\s/>])"  # so does a tag
    r"|\[(?!secret: )"
)


@cache
def _run(*, ampersand: bool, semicolon: bool, comma: bool) -> re.Pattern[str]:
    """What goes on to the end of a value without quotes; tells which marks end it where the name of another begins."""
    return re.compile(
        rf"(?:{_WITHIN}"
        + (r"|&(?!&|\s|\Z|(?:amp;)?[\w.%-]{1,64}(?:\[\w{0,20}\])?=)" if ampersand else "|&")
        + r"|;(?!\s|\Z|[\"'`\\]"
        + (r"|[A-Za-z][\w ]{0,40}=)" if semicolon else ")")
        + r"|,(?!\s|\Z|[\"'`\\]"
        + (r"|[A-Za-z_][\w.-]{1,64}[\"'`]?\s?[:=])" if comma else ")")
        + ")*+",
        re.ASCII,
    )


_BRACKETS = re.compile(r"[()\[\]{}]")
_OPENS = {")": "(", "]": "[", "}": "{"}
_AT_END = re.compile(r"[)\]}>,;:.!?]*\Z")
_ENVIRONMENT = re.compile(r"(?:\A|(?<=\An))[A-Z][A-Z0-9_]{0,80}=\Z")
_LINE_START = re.compile(r"(?:(?:.*\\n)?\s*(?:[-+>]\s+)?(?:(?:export|set|ENV|ARG|declare -x)\s+)?|.*\\)\Z", re.DOTALL)
_NAME_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_BEFORE = 256
"""How far before a value on its line quotes and brackets are looked for that enclose it."""


def end_of_bare(text: str, name: int, start: int, end: int, most: int | None = None) -> int:
    """Where a value without quotes ends, which goes to `end` at least by what is known of it.

    `name` is where its name begins, or a part of it. A quote or a closing bracket is part of the value unless it was
    opened before, or stands at the end. `start` if it is none, but code, or longer than `most`.
    """
    if text[end : end + 1] in ("(", "[") and _IS_CALL.match(text, start, end + 164):
        return start
    before = text[max(0, name - _BEFORE) : name]
    before = before[before.rfind("\n") + 1 :]
    outside = before.rstrip(_NAME_MARKS)
    head = before[len(outside) :] + text[name:start]
    is_line = bool(_ENVIRONMENT.search(head) and _LINE_START.match(outside))
    is_field = head.endswith("=") and not is_line
    is_listed = not is_line and any(mark in outside for mark in "{([,")
    run = _run(ampersand=is_field, semicolon=is_field, comma=is_listed)
    limit = len(text) if most is None else min(len(text), start + most + 1)
    stop = _end(run, text, start, limit)
    for _ in range(4):
        mark = text[stop : stop + 1]
        if not mark or mark not in "\"'`" or mark in before or not text[stop + 1 : stop + 2].isalnum():
            break
        stop = _end(run, text, stop + 1, limit)
    if most is not None and stop - start > most:
        return start
    value = text[start:stop]
    if is_line:
        return start + len(value.rstrip(",;"))
    value = value[: _closed(value, before)]
    return start + len(value.rstrip(",;:|" if "<" in value else ",;:|>"))


def _end(run: re.Pattern[str], text: str, start: int, limit: int) -> int:
    found = run.match(text, start, limit)
    return found.end() if found else start


def _closed(value: str, before: str) -> int:
    """Where a bracket closes what was opened before the value, or stands at its end without one that opens.

    One with a letter or a digit right behind it closes nothing.
    """
    opened: list[str] = []
    closing: dict[str, list[int]] = {}
    for bracket in _BRACKETS.finditer(value):
        mark = bracket[0]
        if mark in "([{":
            opened.append(mark)
        elif opened and opened[-1] == _OPENS[mark]:
            opened.pop()
        elif not value[bracket.end() : bracket.end() + 1].isalnum():
            closing.setdefault(mark, []).append(bracket.start())
    ends = [len(value)]
    for mark, places in closing.items():
        outer = before.count(_OPENS[mark]) - before.count(mark)
        if outer > 0:  # the last ones close it, those before are part of the value
            ends.append(places[max(0, len(places) - outer)])
        ends += [place for place in places[-8:] if _AT_END.match(value, place)]
    return min(ends)
