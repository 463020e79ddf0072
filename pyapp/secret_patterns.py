"""What secrets look like: the well-known shapes of keys and tokens, found in one text.

Every pattern takes time in proportion to the text, however hostile: a run of characters is either the end of its
pattern, or bounded, or tried once from its beginning (a look-behind) without a way back (possessive).
Where a shape alone says little, as in `TOKEN=…`, the value has to look as if it was drawn by lot.
"""

from __future__ import annotations

import binascii
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

MASKED = re.compile(r"\[secret: [a-z ]{2,40} [0-9]{1,7}\]")
"""What stands in the place of a secret: its kind and its number."""

PEM_LIMIT = 64 << 10
"""How far behind its beginning the end of a private key is looked for, in characters."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text: from `start` to `end`, in characters."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret. Only a text with one of the `hints` (`lower` ones in small letters) is searched.

    The secret is the group `secret` of `pattern`, or all of it; `accept` tells whether it may be one.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: str
    accept: Callable[[str], bool] | None = None
    lower: bool = False

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where such secrets are."""
        for match in _compiled(self.pattern).finditer(text):
            start, end = match.span("secret" if "secret" in match.re.groupindex else 0)
            if self.accept is None or self.accept(text[start:end]):
                yield start, end


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed, so that an import costs nothing."""
    return re.compile(pattern, re.ASCII)


def entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


_STAND_IN = (
    r"example|placeholder|changeme|change[_-]me|dummy|redacted|removed|masked|hidden|your[_-]?|my[_-]|_here|insert|"
    r"\*\*\*|xxx|\.\.\.|…|%\(|process\.env|os\.environ|getenv|secrets\.|vault:|null|none$|undefined"
)
_STAND_INS = re.compile(rf"{_STAND_IN}|<|>|\$|\{{|\(|\)", re.IGNORECASE)
_EXPRESSIONS = re.compile(
    rf"{_STAND_IN}|\$[{{(]|(?-i:\$[A-Z_][A-Z0-9_]{{2}})|\{{[^{{}}]{{0,80}}\}}|<[^<>]{{0,80}}>|[a-z_]{{4}}\(|\(\?|[\[\]]|\.[*+]",
    re.IGNORECASE,
)
"""What templates, calls and regular expressions have, and a value drawn by lot only by chance."""
_IS_NAME = re.compile(r"[A-Za-z]+[0-9]{0,2}(?:[_.-](?:[A-Za-z]+[0-9]{0,2}|[0-9]{1,3}))*+\Z")
_IS_ACCOUNT = re.compile(r"[x*!]{0,2}:[0-9]{1,10}:")
_IS_PATH = re.compile(r"(?:\.{0,2}/|~/|[A-Za-z]:\\|[a-z][a-z0-9+.-]{0,20}://)")


def drawn_by_lot(value: str) -> bool:
    """Whether a value behind the name of a secret is likely one: no stand-in, letters and digits mixed."""
    head = value[:4096]
    if len(head) < 12 or _STAND_INS.search(head) or _IS_PATH.match(head) or (_IS_NAME.match(head) and len(head) < 40):
        return False
    digits = sum(mark.isdigit() for mark in head)
    letters = sum(mark.isalpha() for mark in head)
    if not letters or (digits < 2 and not (digits and len(head) >= 16)):
        return len(head) >= 24 and bool(letters) and _mixed_case(head) and entropy(head) >= 4.0
    return entropy(head) >= 3.0


def chosen_by_hand(value: str) -> bool:
    """Whether a value behind `password` is likely one: a person's password has less of it."""
    head = value[:4096]
    if len(head) < 6 or _STAND_INS.search(head) or _IS_PATH.match(head) or _IS_ACCOUNT.match(head):
        return False
    kinds = (str.isdigit, str.islower, str.isupper, lambda mark: not mark.isalnum() and mark not in "_.-")
    mixed = sum(any(kind(mark) for mark in head) for kind in kinds)
    return mixed >= 2 and any(not mark.isalpha() and mark not in "_.-" for mark in head) and entropy(head) >= 2.0


def quoted_by_lot(value: str) -> bool:
    """`drawn_by_lot` for a quoted literal: punctuation is its own there, unless it is that of a template."""
    return drawn_by_lot(value) or (len(value) >= 12 and _is_literal(value))


def quoted_by_hand(value: str) -> bool:
    """`chosen_by_hand` for a quoted literal."""
    return chosen_by_hand(value) or (len(value) >= 8 and _is_literal(value))


def _is_literal(value: str) -> bool:
    if len(value) > 200 or _EXPRESSIONS.search(value) or _IS_PATH.match(value):
        return False
    return has_digit(value) and any(mark.isalpha() for mark in value) and entropy(value) >= 2.75


def is_login(value: str) -> bool:
    """Whether a value is `user:password` in base64, as Docker keeps them."""
    try:
        name, colon, password = binascii.a2b_base64(value[:4096]).decode().partition(":")
    except ValueError:
        return False
    return bool(name and colon and len(password) >= 3) and (name + password).isprintable()


def _mixed_case(text: str) -> bool:
    """Small and large letters in turns, as in base64, not in words that are joined (`camelCaseName`)."""
    turns = sum(one.islower() and other.isupper() for one, other in pairwise(text))
    return turns * 6 >= len(text) and text.count("_") * 12 <= len(text)


def has_digit(value: str) -> bool:
    """A word or a name in the shape of a token has none."""
    return any(mark.isdigit() for mark in value[:4096])


def _no_stand_in(value: str) -> bool:
    return not _STAND_INS.search(value[:4096])


# The beginning of a word; in JSON within a text it may stand right behind an escape such as \n.
_B = r"(?:(?<![0-9A-Za-z_-])|(?<=\\[nrt]))"
_NAME = r"(?![a-z])[\w-]{0,40}"
_IS = r"\\{0,3}[\"'`]?\s{0,3}(?::=|=>|[:=])\s{0,3}"
_QUOTED = r"(?P<quote>\\{0,3}[\"'`])(?P<secret>[^\s\"'`\\]{6,}+)(?=(?P=quote))"
_BARE = r"(?P<secret>[A-Za-z0-9+/_.~!@#%^*-]{8,}+={0,2})(?![\w(\[])"
# PWD alone is a shell's working directory
_PASSWORD = r"(?i:passw(?:or)?d|(?<=[\w-])(?<!old)pwd|passphrase)"
_SECRET = (
    r"(?i:(?:api|secret|private|access|account|signing|encryption)[_-]?key|secret|token|credentials?"
    r"|passw(?:or)?d|_auth)"
)

_OPEN = r"\\{0,3}[\"'`]"
_GAP = r"(?:\s|\\[nrt]){0,40}+"
# --api-key VALUE, and "--api-key", "VALUE"
_FLAG_IS = rf"(?:\s{{1,3}}(?:{_OPEN})?|{_OPEN}\s?,{_GAP}{_OPEN})(?!-)"
# {"name": "API_KEY", "value": "…"}, and the same in YAML
_PAIR = (
    rf"\b(?i:name|key)(?:{_OPEN})?\s?:\s?(?:{_OPEN})?(?=[\w.-]{{0,40}}?{_SECRET}(?![a-z]))[\w.-]{{2,80}}+"
    rf"(?:{_OPEN})?\s?,?{_GAP}(?:{_OPEN})?(?i:value)(?:{_OPEN})?\s?:\s?(?:{_OPEN})?"
)

_PASSWORD_HINTS = ("passw", "pwd", "passphrase")
_SECRET_HINTS = ("key", "token", "secret", "credential", "passw", "_auth")

SHAPES: tuple[Shape, ...] = (
    Shape("anthropic key", ("sk-ant-",), r"sk-ant-[\w-]{16,}"),
    Shape("openrouter key", ("sk-or-",), r"sk-or-v1-[0-9a-f]{32,}"),
    Shape(
        "openai key",
        ("sk-",),
        _B + r"sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,}|[A-Za-z0-9]{32,}|[\w-]{20,74}T3BlbkFJ[\w-]{20,})",
        has_digit,
    ),
    Shape(
        "github token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"(?:gh[pousr]_[A-Za-z0-9_]{20,}|github_pat_\w{22,})",
        has_digit,
    ),
    Shape(
        "gitlab token",
        ("glpat-", "gldt-", "glrt", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-", "glffct-",
         "glwt-", "GR1348941"),
        _B + r"(?:gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?"
        r"|GR1348941[\w-]{20,})",
    ),
    Shape("aws key id", ("AKIA", "ASIA", "ABIA", "ACCA"), _B + r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Shape(
        "aws secret key",
        ("aws", "secret"),
        r"(?i:aws[\w-]{0,20}secret[\w-]{0,20}|secret_?access_?key)" + _IS
        + r"(?:\\{0,3}[\"'`])?(?P<secret>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])",
        lower=True,
    ),
    Shape("google key", ("AIza",), r"AIza[\w-]{35}(?![\w-])"),
    Shape("google token", ("ya29.", "GOCSPX-"), _B + r"(?:ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})"),
    Shape("slack token", ("xox", "xapp-"), r"(?:xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{15,})",
          has_digit),
    Shape(
        "webhook",
        ("hooks.slack.com/", "/api/webhooks/"),
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/+-]{20,}))",
    ),
    Shape("webhook", ("/api/webhooks/",), r"discord(?:app)?\.com/api/webhooks/[0-9]{5,25}/(?P<secret>[\w-]{40,})"),
    Shape("stripe key", ("k_live_", "k_test_", "whsec_"),
          _B + r"(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,})"),
    Shape("npm token", ("npm_",), _B + r"npm_[A-Za-z0-9]{30,}", has_digit),
    Shape("pypi token", ("pypi-",), _B + r"pypi-A[\w-]{30,}"),
    Shape("hugging face token", ("hf_", "api_org_"), _B + r"(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    Shape("azure key", ("AccountKey=", "SharedAccessKey="),
          r"(?:Account|SharedAccess)Key=(?P<secret>[A-Za-z0-9+/]{40,}={0,2})"),
    Shape("azure key", ("Q~",), _B + r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])"),
    Shape("azure signature", ("sig=",), r"[?&]sig=(?P<secret>[A-Za-z0-9%+/=]{30,})"),
    Shape("twilio key", ("SK",), _B + r"SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    Shape("sendgrid key", ("SG.",), _B + r"SG\.[\w-]{16,40}+\.[\w-]{16,}"),
    Shape("mailgun key", ("key-",), _B + r"key-[0-9a-f]{32}(?![0-9A-Za-z])"),
    Shape("telegram token", (":AA",), _B + r"[0-9]{8,10}:AA[\w-]{33}(?![\w-])"),
    Shape("age key", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[0-9A-Z]{40,}"),
    Shape(
        "service key",
        ("shp", "lin_api_", "ntn_", "gsk_", "xai-", "r8_", "pplx-", "dapi", "hvs.", "dckr_pat_", "ATATT3", "figd_",
         "glsa_", "sntry", "NRAK-", "tskey-", "dop_v1_", "doo_v1_", "dor_v1_", "sbp_", "PMAK-", "rubygems_", "dp.pt."),
        _B + r"(?:shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32,}|lin_api_[A-Za-z0-9]{32,}|ntn_[A-Za-z0-9]{40,}"
        r"|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{37,}|pplx-[A-Za-z0-9]{40,}|dapi[0-9a-f]{32,}|hvs\.[\w-]{24,}"
        r"|dckr_pat_[\w-]{20,}|ATATT3[\w=-]{50,}|figd_[\w-]{20,}|glsa_\w{32,}|sntry[su]_[\w=+/-]{40,}|NRAK-[A-Z0-9]{27,}"
        r"|tskey-[\w-]{20,}|do[opr]_v1_[0-9a-f]{64}|sbp_[0-9a-f]{40,}|PMAK-[0-9a-f-]{50,}|rubygems_[0-9a-f]{48,}"
        r"|dp\.pt\.[A-Za-z0-9]{40,})",
        has_digit,
    ),
    Shape("jwt", ("eyJ",), _B + r"eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]{8,}"),
    Shape(
        "authorization",
        ("authorization",),
        r"(?i:authorization)" + _IS + r"(?:\\{0,3}[\"'`])?(?i:bearer|basic|token|apikey|negotiate)\s{1,3}"
        r"(?P<secret>[A-Za-z0-9._~+/=:-]{6,})",
        _no_stand_in,
        lower=True,
    ),
    Shape("authorization", ("earer ",), r"\b[Bb]earer (?P<secret>[A-Za-z0-9._~+/=-]{16,})", drawn_by_lot),
    Shape("password", ("://",),
          # up to the last @, since a password may hold some; but what stands before a port is a host
          r"://(?!(?:localhost|[0-9.]{7,15}):[0-9]{1,5}@)[^\s/:@\"'`<>\\\[\]]{0,128}:"
          r"(?P<secret>[^\s/@\"'`<>\\\[\]${}*]{0,256}+(?:@[^\s/@?#,;\"'`<>\\\[\]${}*]{0,64}+){0,4})@[\w\[(%]"),
    Shape(
        "password",
        ("password=", "pwd=", "password =", "pwd ="),
        r";\s?(?i:password|pwd)\s?=\s?(?P<secret>[^;\s\"'`\\\[\]{}$<>*]{3,256})",
        lower=True,
    ),
    Shape("password", _PASSWORD_HINTS, _PASSWORD + _NAME + _IS + _QUOTED, quoted_by_hand, lower=True),
    Shape("password", _PASSWORD_HINTS, _PASSWORD + _NAME + r"\s?[:=]\s?(?P<secret>[^\s\"'`\\;&,)(\[\]<>]{6,})",
          chosen_by_hand, lower=True),
    Shape("token", _SECRET_HINTS, _SECRET + _NAME + _IS + _QUOTED, quoted_by_lot, lower=True),
    Shape("token", _SECRET_HINTS, _SECRET + _NAME + _IS + _BARE, drawn_by_lot, lower=True),
    Shape("password", _PASSWORD_HINTS,
          r"\blogin\s{1,8}\S{1,64}+\s{1,8}password\s{1,8}(?P<secret>[^\s\"'`\\\[\]<>${}]{3,256})"),
    Shape("password", _PASSWORD_HINTS, r"(?<![\w-])--(?=[\w-]{0,40}?(?:passw(?:or)?d|passphrase)(?![\w-]))[\w-]{2,80}+"
          + _FLAG_IS + r"(?P<secret>[^\s\"'`\\;&|,)(\[\]<>]{6,}+)", chosen_by_hand, lower=True),
    Shape("token", _SECRET_HINTS, rf"(?<![\w-])--(?=[\w-]{{0,40}}?{_SECRET}(?![a-z]))[\w-]{{2,80}}+" + _FLAG_IS + _BARE,
          drawn_by_lot, lower=True),
    Shape("token", _SECRET_HINTS, _PAIR + _BARE, drawn_by_lot, lower=True),
    Shape("token", _SECRET_HINTS, _SECRET + rf"s?(?:{_OPEN})?\s?[:=]\s?\[{_GAP}" + _QUOTED, drawn_by_lot, lower=True),
    Shape(
        "authorization",
        ('auth"', "auth'", "auth`", "auth\\", "auth:", "auth=", "auth "),
        r"(?<![\w-])auth" + _IS + _OPEN + r"(?P<secret>[A-Za-z0-9+/]{8,4096}={0,2})(?=\\{0,3}[\"'`])",
        is_login,
        lower=True,
    ),
    Shape("token", ("KEY",), r"(?<![A-Z])KEY(?:_[A-Z0-9_]{1,20})?\s?=\s?[\"']?" + _BARE, drawn_by_lot),
)  # fmt: skip

PEM_HINT = "PRIVATE KEY"
_PEM = r"-----(?P<what>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
# with the marks of what quotes each line
_PEM_BODY = r"(?:[A-Za-z0-9+/=:,\s>|]|\\[nrt])*+"


@dataclass(frozen=True, slots=True)
class Hints:
    """Words that secrets come with, as they are written and in small letters; looking for them costs little."""

    written: frozenset[str]
    small: frozenset[str]

    def within(self, text: str) -> Hints:
        """Those of them that are in a text."""
        small = text.lower()
        return Hints(
            frozenset(hint for hint in self.written if hint in text),
            frozenset(hint for hint in self.small if hint in small),
        )

    def meet(self, text: str) -> bool:
        """Whether one of them is in a text."""
        for hint in self.written:
            if hint in text:
                return True
        small = text.lower()
        return any(hint in small for hint in self.small)

    def lead_to(self, shape: Shape) -> bool:
        """Whether one of them is a hint of this shape."""
        return not (self.small if shape.lower else self.written).isdisjoint(shape.hints)

    def __bool__(self) -> bool:
        return bool(self.written or self.small)


HINTS = Hints(
    frozenset({hint for shape in SHAPES if not shape.lower for hint in shape.hints} | {PEM_HINT}),
    frozenset(hint for shape in SHAPES if shape.lower for hint in shape.hints),
)
"""All of them. A text without one has no secret that is known here."""


def find_secrets(text: str) -> list[Secret]:
    """The secrets of a text, in their order; none overlaps another, or a mask."""
    hints = HINTS.within(text)
    if not hints:
        return []
    taken = _Spans((match.span() for match in MASKED.finditer(text)) if "[secret: " in text else ())
    for start, end in _private_keys(text):
        taken.add(start, end, "private key")
    for shape in SHAPES:
        if hints.lead_to(shape):
            for start, end in shape.spans(text):
                taken.add(start, end, shape.kind)
    return taken.secrets()


def without_secrets(text: str, rounds: int = 4) -> str:
    """A text that is shown, not exported: what kinds of secrets there were stands in their place, without numbers."""
    for _ in range(rounds):
        secrets = find_secrets(text)
        for secret in reversed(secrets):
            text = f"{text[: secret.start]}[secret: {secret.kind}]{text[secret.end :]}"
        if not secrets:
            break
    return text


def secret_named(name: str, value: str) -> Secret | None:
    """The secret in a field's value, which only the field's name tells: `{"apiKey": …}`, or a header's."""
    head = f"{name}: "
    if not HINTS.meet(head) or len(value) > 4096 or MASKED.search(value):
        return None
    scheme = _AUTHORIZATION.match(value) if name.lower() in _HEADERS else None
    if scheme and scheme["secret"] and _no_stand_in(scheme["secret"]):
        return Secret(scheme.start("secret"), scheme.end("secret"), "authorization")
    found = [one for one in find_secrets(f'{head}"{value}"') if one.start > len(head)]
    if len(found) != 1:
        return None
    shift = len(head) + 1
    return Secret(max(0, found[0].start - shift), min(len(value), found[0].end - shift), found[0].kind)


_HEADERS = ("authorization", "proxy-authorization")
_AUTHORIZATION = re.compile(r"(?:[A-Za-z]{3,12} )?(?P<secret>\S{6,})\Z", re.ASCII)


def _private_keys(text: str) -> Iterator[tuple[int, int]]:
    """Private keys in PEM and of PGP, also those whose end is missing."""
    if PEM_HINT not in text:
        return
    marks = list(_compiled(_PEM).finditer(text))
    for place, mark in enumerate(marks):
        if mark["what"] != "BEGIN":
            continue
        after = marks[place + 1] if place + 1 < len(marks) else None
        if after and after["what"] == "END" and after.start() - mark.end() <= PEM_LIMIT:
            if after.start() - mark.end() >= 40 and not MASKED.search(text, mark.end(), after.start()):
                yield mark.start(), after.end()
            continue
        body = _compiled(_PEM_BODY).match(text, mark.end(), after.start() if after else len(text))
        if body and body.end() - body.start() >= 40:
            yield mark.start(), body.end()


class _Spans:
    """Pieces of a text that do not overlap. What overlaps a secret becomes part of it; a mask stays as it is."""

    def __init__(self, masks: Iterable[tuple[int, int]]) -> None:
        self._found: list[tuple[int, int, str]] = [(start, end, "") for start, end in masks]
        self._fresh: list[tuple[int, int, str]] = []

    def add(self, start: int, end: int, kind: str) -> None:
        """One more, of less weight than those before."""
        if start < end:
            self._fresh.append((start, end, kind))

    def secrets(self) -> list[Secret]:
        """All of them, joined where they overlap; the kind is that of the one with the most weight."""
        ranked = [*self._found, *self._fresh]
        order = sorted(range(len(ranked)), key=lambda place: ranked[place][0])
        joined: list[tuple[int, int, int]] = []  # start, end, the place of the one with the most weight
        for place in order:
            start, end, _ = ranked[place]
            if joined and start < joined[-1][1]:
                first_start, first_end, best = joined[-1]
                joined[-1] = (first_start, max(first_end, end), min(best, place))
            else:
                joined.append((start, end, place))
        return [Secret(start, end, ranked[best][2]) for start, end, best in joined if ranked[best][2]]
