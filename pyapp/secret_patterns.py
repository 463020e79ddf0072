"""What secrets look like: the well-known shapes of keys and tokens, found in one text.

Every pattern takes time in proportion to the text, however hostile: a run of characters is either the end of its
pattern, or bounded, or tried once from its beginning (a look-behind) without a way back (possessive).
Where a shape alone says little, as in `TOKEN=…`, the value has to look as if it was drawn by lot. What that means, and
where such a value ends, is in `secret_values.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from .secret_values import (
    bare_by_hand,
    bare_by_lot,
    chosen_by_hand,
    drawn_by_lot,
    end_of_bare,
    end_of_quoted,
    ends_of_quoted,
    has_digit,
    is_cookie,
    is_login,
    is_passphrase,
    letters_by_lot,
    no_stand_in,
    quoted_as_key,
    quoted_by_hand,
    quoted_by_lot,
    quoted_digits,
)

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

    The secret is the group `secret` of `pattern`, or all of it; `accept` tells whether it may be one. With `read` it
    is what that reads behind, or in, what the pattern matches: spans of a text.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: str
    accept: Callable[[str], bool] | None = None
    lower: bool = False
    read: Callable[[re.Match[str]], Iterable[tuple[int, int]]] | None = None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where such secrets are."""
        done = 0
        for match in _compiled(self.pattern).finditer(text):
            if match.start() < done:  # within a value that was read
                continue
            if self.read is not None:
                for start, end in self.read(match):
                    done = max(done, end)
                    yield start, end
                continue
            start, end = match.span("secret" if "secret" in match.re.groupindex else 0)
            if self.accept is None or self.accept(text[start:end]):
                yield start, end


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed, so that an import costs nothing."""
    return re.compile(pattern, re.ASCII)


# The beginning of a word; in JSON within a text it may stand right behind an escape such as \n.
_B = r"(?:(?<![0-9A-Za-z_-])|(?<=\\[nrt]))"
_NAME = r"(?![a-z])(?P<rest>[\w-]{0,40})"
_IS = r"\\{0,3}[\"'`]?\s{0,3}(?::=|=>|[:=])\s{0,3}"
_QUOTE = r"(?P<quote>\\{0,3}[\"'`])"
_BARE = r"(?P<secret>[A-Za-z0-9+/_.~!@#%^*-]{8,}+={0,2})(?![\w(\[])"
# PWD alone is a shell's working directory
_PASSWORD = r"(?i:passw(?:or)?d|(?<=[\w-])(?<!old)pwd|passphrase)"
_SECRET = (
    r"(?i:(?:api|secret|private|access|account|signing|encryption)[_-]?key|secret|token|credentials?"
    r"|passw(?:or)?d|_auth)"
)

_OPEN = r"\\{0,3}[\"'`]"
_VALUE = rf"(?:{_QUOTE}|{_BARE})"
_GAP = r"(?:\s|\\[nrt]){0,40}+"
# --api-key VALUE, and "--api-key", "VALUE"
_FLAG_IS = rf"(?:\s{{1,3}}(?!{_OPEN})|(?:\s{{1,3}}|{_OPEN}\s?,{_GAP}){_QUOTE})(?!-)"
# {"name": "API_KEY", "value": "…"}, and the same in YAML
_PAIR = (
    rf"\b(?i:name|key)(?:{_OPEN})?\s?:\s?(?:{_OPEN})?(?=[\w.-]{{0,40}}?{_SECRET}(?![a-z]))[\w.-]{{2,80}}+"
    rf"(?:{_OPEN})?\s?,?{_GAP}(?:{_OPEN})?(?i:value)(?:{_OPEN})?\s?:\s?"
)
# variables of the environment, and what else is written like one
_VARIABLE = r"(?<![a-z])(?P<word>{})(?:_?[0-9]{{1,2}})?(?![A-Za-z_])(?P<rest>)"
_BARE_IS = r"(?:=|:\s)(?![\s\"'`=>])"
_PASSWORD_VARIABLE = _VARIABLE.format(r"(?<=[A-Z0-9]_)PASS")
_SECRET_VARIABLE = _VARIABLE.format(r"KEY|TOKEN|SECRET|CREDENTIALS?")


def _is_not_hidden(value: str) -> bool:
    return bool(value.strip("*•."))


MOST = 200
"""How long a value without quotes may be that is no secret by its beginning alone."""


def _bare(
    accept: Callable[[str], bool] | None = None, whole_too: Callable[[str], bool] | None = None
) -> Callable[[re.Match[str]], Iterator[tuple[int, int]]]:
    """What reads a value without quotes: its beginning, the group `secret`, tells what it is; all of it is masked.

    If that tells nothing, `whole_too` judges the whole.
    """

    def read(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        start, end = match.span("secret")
        if _is_in_name(match):
            return
        if start >= 0 and (accept is None or accept(match["secret"])):
            whole = end_of_bare(match.string, match.start(), start, end)
            if whole >= end or (whole > start and (accept is None or accept(match.string[start:whole]))):
                yield start, whole
                return
        if whole_too is not None:
            start = match.end() if start < 0 else start
            whole = end_of_bare(match.string, match.start(), start, start, MOST)
            if whole > start and whole_too(match.string[start:whole]):
                yield start, whole

    return read


def _quoted_or(
    judge: Callable[[re.Match[str], str], bool],
    bare: Callable[[re.Match[str]], Iterator[tuple[int, int]]] | None = None,
) -> Callable[[re.Match[str]], Iterator[tuple[int, int]]]:
    """What reads a value behind the group `quote`, up to the end of the quotes; if it was not there, by `bare`."""

    def read(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        if match["quote"] is None:
            if bare is not None:
                yield from bare(match)
            return
        text, start = match.string, match.end("quote")
        ends = ends_of_quoted(text, start, match["quote"])
        if not ends and (rest := _CUT_OFF.match(text, start)):
            ends = [rest.end()]
        for end in ends:
            if judge(match, text[start:end]):
                yield start, end
                return

    return read


_CUT_OFF = re.compile(r"[^\s\"'`\\]{6,256}+(?=…|\Z|\n)")


def _is_exact(match: re.Match[str]) -> bool:
    """Whether the name ends there: `password`, not `passwordField`."""
    rest = match.groupdict().get("rest")
    return not rest or rest.strip("_-").isdigit()


def _hand(match: re.Match[str], value: str) -> bool:
    """Whether this quoted value is a password."""
    return quoted_by_hand(value) or (
        _is_exact(match) and (quoted_digits(value) or letters_by_lot(value) or is_passphrase(value))
    )


def _lot(match: re.Match[str], value: str) -> bool:
    """Whether this quoted value was drawn by lot."""
    return quoted_by_lot(value) or (_is_exact(match) and letters_by_lot(value))


def _key(_match: re.Match[str], value: str) -> bool:
    """Whether this quoted value is a key, and not the name of one."""
    return quoted_as_key(value) or letters_by_lot(value)


def _whole(judge: Callable[[str, str], bool]) -> Callable[[re.Match[str]], Iterator[tuple[int, int]]]:
    """What reads a value without quotes and judges all of it, with its name. The name begins a word of its own."""

    def read(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        text, start = match.string, match.end()
        before = text[max(0, match.start() - 80) : match.start()]
        outside = before.rstrip(_NAME_MARKS)
        name = before[len(outside) :]
        if outside.endswith("\\") and name[:1] in ("n", "r", "t"):  # \n of JSON within a text
            outside, name = " ", name[1:]
        if outside and not outside[-1].isspace() and outside[-1] not in "\"'`([{,;&?|":
            return
        if (end := end_of_bare(text, match.start(), start, start, MOST)) > start and judge(
            name + text[match.start() : start], text[start:end]
        ):
            yield start, end

    return read


_NAME_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def _whole_password(name: str, value: str) -> bool:
    if not name.isupper():
        return bare_by_hand(value) and not value.isalpha()
    return bare_by_hand(value) or (quoted_digits(value) and "PASS_" not in f"{name.strip(' :=')}_")


def _whole_token(name: str, value: str) -> bool:
    return name.isupper() and bare_by_lot(value)


def _is_in_name(match: re.Match[str]) -> bool:
    """Whether it is a part of a longer name: `arn:…:012345678901:secret:name`."""
    at = match.start()
    return match.string[at - 1 : at] == ":" and match.string[at - 2 : at - 1].isdigit()


def _of_command(
    names: tuple[str, ...], accept: Callable[[str], bool]
) -> Callable[[re.Match[str]], Iterator[tuple[int, int]]]:
    """What reads the value of an option that only some commands have: their name stands before it."""

    def read(match: re.Match[str]) -> Iterator[tuple[int, int]]:
        text, (start, end) = match.string, match.span("secret")
        before = text[max(0, match.start() - _COMMAND) : match.start()]
        at = max(before.rfind(name) for name in names)
        if at < 0 or _COMMAND_ENDS.search(before, at):
            return
        quote = match["quote"]
        stop = end_of_quoted(text, start, quote) if quote else end_of_bare(text, match.start(), start, end)
        if stop is not None and stop - start <= MOST and accept(text[start:stop]):
            yield start, stop

    return read


_COMMAND = 600
"""How long a command may be before the option."""
_COMMAND_ENDS = re.compile(r"(?<!\\)\n|&&|[;|]\s")


def _is_password_of_command(value: str) -> bool:
    return len(value) >= 3 and no_stand_in(value) and value.lower() not in _WORDS_FOR_IT


_WORDS_FOR_IT = {
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api_token",
    "x-oauth-basic",
}


def _cookies(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """The values of cookies that let somebody in: by their names, or as they were drawn by lot."""
    for cookie in _COOKIE.finditer(match.string, *match.span("jar")):
        name, value = cookie["name"], cookie["secret"]
        if _COOKIE_FIELD.fullmatch(name):
            continue
        if drawn_by_lot(value) or (_COOKIE_OF_SESSION.search(name) and is_cookie(value)):
            yield cookie.span("secret")


_COOKIE = re.compile(r"(?P<name>[\w.$!#%&*+^|~-]{1,80}+)=\"?(?P<secret>[^\s;,\"]{6,}+)", re.ASCII)
_COOKIE_FIELD = re.compile(r"(?i:path|domain|expires|max-age|samesite|priority|version)")
_COOKIE_OF_SESSION = re.compile(
    r"(?i:sess|auth|token|jwt|csrf|xsrf|login|remember|secret|passw|(?<![a-z])s?sid(?![a-z])|sid\Z|key)"
)

_PASSWORD_HINTS = ("passw", "pwd", "passphrase")
_VARIABLE_HINTS = ("key", "token", "secret", "credential")
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
    # no letters of it are always the same, so a word beside it has to lead here
    Shape("discord token", ("discord", "token", "bot "), _B + r"[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}", has_digit,
          lower=True),
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
        r"(?i:authorization)" + _IS + r"(?:\\{0,3}[\"'`])?(?i:bearer|basic|bot|token|apikey|negotiate)\s{1,3}"
        r"(?P<secret>[A-Za-z0-9._~+/=:-]{6,})",
        read=_bare(no_stand_in),
        lower=True,
    ),
    Shape("authorization", ("earer ",), r"\b[Bb]earer (?P<secret>[A-Za-z0-9._~+/=-]{16,})", read=_bare(drawn_by_lot)),
    Shape("password", ("://",),
          # up to the last @, since a password may hold some; but what stands before a port is a host
          r"://(?!(?:localhost|[0-9.]{7,15}):[0-9]{1,5}@)[^\s/:@\"'`<>\\\[\]]{0,128}:"
          r"(?P<secret>(?:[^\s/@\"'`<>\\\[\]${}]|(?<!:)\$(?![{(]|[A-Z_]{3})){0,256}+"
          r"(?:@[^\s/@?#,;\"'`<>\\\[\]${}]{0,64}+){0,4})@[\w\[(%]", _is_not_hidden),
    Shape(
        "password",
        ("password=", "pwd=", "password =", "pwd ="),
        # with spaces, if another field follows
        r";\s?(?i:password|pwd)\s?=\s?(?![\s${<*])"
        r"(?P<secret>(?:[^;\n\"'`\\\[]|\[(?!secret: )){3,256}+(?=;\s?[A-Za-z][\w ]{0,40}=)"
        r"|(?:[^;\s\"'`\\\[]|\[(?!secret: )){3,256})",
        lower=True,
    ),
    Shape("password", _PASSWORD_HINTS, _PASSWORD + _NAME + _IS + _QUOTE, read=_quoted_or(_hand), lower=True),
    Shape("password", _PASSWORD_HINTS, _PASSWORD + _NAME + r"\s?[:=]\s?(?P<secret>[^\s\"'`\\;&,)(\[\]<>]{6,})",
          read=_bare(chosen_by_hand), lower=True),
    Shape("password", _PASSWORD_HINTS, _PASSWORD + r"(?:_?[0-9]{1,2})?\s?[:=]\s?(?![\s\"'`=>])",
          read=_whole(_whole_password), lower=True),
    Shape("token", _SECRET_HINTS, _SECRET + _NAME + _IS + _VALUE, read=_quoted_or(_lot, _bare(drawn_by_lot)),
          lower=True),
    Shape("password", _PASSWORD_HINTS,
          r"\blogin\s{1,8}\S{1,64}+\s{1,8}password\s{1,8}(?P<secret>[^\s\"'`\\\[\]<>${}]{3,256})", read=_bare()),
    Shape("password", _PASSWORD_HINTS, r"(?<![\w-])--(?=[\w-]{0,40}?(?:passw(?:or)?d|passphrase)(?![\w-]))[\w-]{2,80}+"
          + _FLAG_IS + r"(?P<secret>[^\s\"'`\\;&|,)(\[\]<>]{6,}+)?",
          read=_quoted_or(_hand, _bare(chosen_by_hand, bare_by_hand)), lower=True),
    Shape("token", _SECRET_HINTS, rf"(?<![\w-])--(?=[\w-]{{0,40}}?{_SECRET}(?![a-z]))[\w-]{{2,80}}+" + _FLAG_IS
          + rf"(?:(?<=[\"'`])|{_BARE})", read=_quoted_or(_lot, _bare(drawn_by_lot)), lower=True),
    Shape("token", _SECRET_HINTS, _PAIR + _VALUE, read=_quoted_or(_lot, _bare(drawn_by_lot)), lower=True),
    Shape("token", _SECRET_HINTS, _SECRET + rf"s?(?:{_OPEN})?\s?[:=]\s?\[{_GAP}" + _QUOTE, read=_quoted_or(_lot),
          lower=True),
    Shape(
        "authorization",
        ('auth"', "auth'", "auth`", "auth\\", "auth:", "auth=", "auth "),
        r"(?<![\w-])auth" + _IS + _OPEN + r"(?P<secret>[A-Za-z0-9+/]{8,4096}={0,2})(?=\\{0,3}[\"'`])",
        is_login,
        lower=True,
    ),
    Shape("token", ("KEY",), r"(?<![A-Z])KEY(?:_[A-Z0-9_]{1,20})?\s?=\s?" + _VALUE,
          read=_quoted_or(_key, _bare(drawn_by_lot))),
    Shape(
        "cookie",
        ("cookie", "curl"),
        r"(?:(?<![a-z0-9])(?i:(?:set-?)?cookies?)" + _IS + rf"|(?:--cookie|(?<=\s)-b)[\s=]{{1,3}})(?:{_OPEN})?"
        r"(?P<jar>[\w.$!#%&*+^|~-]{1,80}=(?:[^\n\r\"'`\\]|(?<==)\"[^\n\"\\]{0,256}\"){6,4096}+)",
        read=_cookies,
        lower=True,
    ),
    Shape(
        "password",
        ("curl",),
        rf"(?:(?<![\w-])-u|--(?:proxy-)?user)(?:{_OPEN}\s?,{_GAP}|=|\s{{0,3}}){_QUOTE}?"
        r"[^\s\"'`\\:]{0,80}:(?P<secret>[^\s\"'`\\]{1,256})",
        read=_of_command(("curl",), _is_password_of_command),
        lower=True,
    ),
    Shape(
        "password",
        ("mysql", "mariadb"),
        rf"(?<=\s)-p{_QUOTE}?(?P<secret>(?![a-z-]{{1,40}}=)[^\s\"'`\\]{{1,256}})",
        read=_of_command(("mysql", "mariadb"), chosen_by_hand),
    ),
    Shape("password", ("_pass",), _PASSWORD_VARIABLE + _BARE_IS, read=_whole(_whole_password), lower=True),
    Shape("password", ("_pass",), _PASSWORD_VARIABLE + _IS + _QUOTE, read=_quoted_or(_hand), lower=True),
    Shape("token", _VARIABLE_HINTS, _SECRET_VARIABLE + _BARE_IS, read=_whole(_whole_token), lower=True),
    Shape("token", _VARIABLE_HINTS, _SECRET_VARIABLE + _IS + _QUOTE, read=_quoted_or(_key), lower=True),
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


def secrets_named(name: str, value: str) -> list[Secret]:
    """The secrets in a field's value, which only the field's name tells: `{"apiKey": …}`, or a header's."""
    head = f"{name}: "
    if not HINTS.meet(head) or len(value) > 4096 or MASKED.search(value):
        return []
    scheme = _AUTHORIZATION.match(value) if name.lower() in _HEADERS else None
    if scheme and scheme["secret"] and no_stand_in(scheme["secret"]):
        return [Secret(scheme.start("secret"), scheme.end("secret"), "authorization")]
    for kind, pattern, judge in _NAMES:
        for match in _compiled(pattern).finditer(f'{head}"'):
            if match.end() == len(head) + 1 and judge(match, value):
                return [Secret(0, len(value), kind)]
    if name.lower() in _COOKIES:
        found = find_secrets(f"{head}{value}")
        return [Secret(one.start - len(head), one.end - len(head), one.kind) for one in found if one.start >= len(head)]
    found = [one for one in find_secrets(f'{head}"{value}"') if one.start > len(head)]
    # what is a secret in its beginning is one in all: a quote in it would end it in a text, not here
    return [Secret(0, len(value), found[0].kind)] if found and found[0].start == len(head) + 1 else []


_NAMES = (
    ("password", _PASSWORD + _NAME + _IS + _QUOTE, _hand),
    ("password", _PASSWORD_VARIABLE + _IS + _QUOTE, _hand),
    ("token", _SECRET + _NAME + _IS + _QUOTE, _lot),
    ("token", _SECRET_VARIABLE + _IS + _QUOTE, _key),
)
"""Names of fields whose values are secrets if they look so."""
_COOKIES = ("cookie", "set-cookie")
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
