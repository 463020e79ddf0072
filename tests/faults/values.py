"""Rows to generate: such as must come back equal, and such as must be refused, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from pyapp.drivers.conformance.kit import event

Row = dict[str, Any]

MOST_LEVELS = 200
EXACT_TO = 2**53

ODD_TEXTS = (
    "__proto__",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "toJSON",
    "then",
    "length",
    "",
    "0",
    "-1",
    "007",
    "4294967295",
    "a\0b",
    "\ud83e",
    "\udd80\ud83e",
    "x\udc00y🦀",
    "👩‍👩‍👧",
    "e\u0301",
    "\u2028\ufeff\uffff",
    '"],["\\',
)


def joined(text: str) -> str:
    """Two halves of a character that meet are that character, to JSON and to JavaScript."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


TEXTS = st.sampled_from(ODD_TEXTS) | st.text(st.characters()).map(joined)
"""Lone surrogates among them; ids must not have any."""

IDS = st.text(min_size=1) | st.sampled_from(
    [text for text in ODD_TEXTS if text and not any("\ud800" <= mark <= "\udfff" for mark in text)]
    + ["x" * 12_000, "🦀" * 1_500]
)

LONG_INTEGERS = st.builds(
    lambda digits, zeros: digits * 10**zeros, st.integers(-(10**15) + 1, 10**15 - 1), st.integers(1, 5)
)
"""Fifteen digits and zeros behind: JavaScript writes them as they are, below 1e21."""

NUMBERS = (
    st.integers(-EXACT_TO, EXACT_TO)
    | LONG_INTEGERS
    | st.floats(-EXACT_TO, EXACT_TO)
    | st.floats(min_value=1e21, allow_infinity=False)
    | st.sampled_from([0, -0.0, 5e-324, 1.7976931348623157e308, 1e21, 10**21, 10**22, 10**20, 2**53, -(2**53)])
)


def nested(levels: int, inner: Any = None, kinds: str = "[{") -> Any:
    """`levels` arrays and objects by turns around a value."""
    value = inner
    for level in range(levels):
        value = [value] if kinds[level % len(kinds)] == "[" else {"deeper": value}
    return value


LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
# A row is one level, and what is in a payload lies two deep.
DEEP = st.builds(
    nested, st.integers(1, MOST_LEVELS - 3) | st.just(MOST_LEVELS - 3), LEAVES, st.sampled_from(["[", "{", "[{"])
)
VALUES = st.one_of(JSON, JSON, JSON, DEEP)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
TIMES = st.integers(0, EXACT_TO - 1) | st.sampled_from([0, EXACT_TO - 1])

SESSION_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS,
    "agent": TEXTS,
    "agentSessionId": TEXTS,
    "lastConnectionId": TEXTS,
    "createdAt": TIMES,
}
OPTIONAL_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "destroyedAt": st.none() | TIMES,
    "sandboxId": st.none() | TEXTS,
    "sessionInit": st.none() | OBJECTS,
    "configOptions": st.none() | st.lists(VALUES, max_size=3),
    "modes": st.none() | OBJECTS,
}
EVENT_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS,
    "eventIndex": st.integers(1, EXACT_TO - 1) | st.integers(1, 100),
    "sessionId": IDS,
    "createdAt": TIMES,
    "connectionId": TEXTS,
    "sender": st.sampled_from(["client", "agent"]),
    "payload": OBJECTS,
}
NAMES = {*SESSION_FIELDS, *OPTIONAL_FIELDS, *EVENT_FIELDS}
UNKNOWN = st.dictionaries(TEXTS.filter(lambda name: name not in NAMES), VALUES, max_size=3)


def with_unknown(rows: st.SearchStrategy[Row]) -> st.SearchStrategy[Row]:
    return st.builds(lambda unknown, row: {**unknown, **row}, UNKNOWN, rows)


SESSIONS = with_unknown(st.fixed_dictionaries(SESSION_FIELDS, optional=OPTIONAL_FIELDS))
EVENTS = with_unknown(st.fixed_dictionaries(EVENT_FIELDS))

BATCH = 8
"""Sessions and events of a batch, at least."""


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Sessions, and events of those and others; no id, and no index of a session, twice."""
    sessions = draw(st.lists(SESSIONS, min_size=2, max_size=3, unique_by=lambda row: row["id"]))
    owners = st.sampled_from([row["id"] for row in sessions] + [draw(IDS)])
    events = draw(
        st.lists(
            st.builds(lambda row, owner: {**row, "sessionId": owner}, EVENTS, owners),
            min_size=BATCH - 2,
            max_size=BATCH,
            unique_by=(lambda row: row["id"], lambda row: (row["sessionId"], row["eventIndex"])),
        )
    )
    return sessions, events


def same(given: Any, read: Any) -> bool:
    """Equal, and of one kind: to Python alone, true equals 1."""
    if isinstance(given, bool) or isinstance(read, bool):
        return given is read
    if isinstance(given, dict) and isinstance(read, dict):
        return given.keys() == read.keys() and all(same(value, read[key]) for key, value in given.items())
    if isinstance(given, list) and isinstance(read, list):
        return len(given) == len(read) and all(map(same, given, read))
    return bool(given == read)


@dataclass(frozen=True)
class Malformed:
    """A row that no store may take, and words that the refusal must have."""

    kind: Literal["session", "event"]
    row: Any
    reason: str


LIST_AS_SESSION_ID = Malformed("event", {**event(1).to_row(), "sessionId": []}, "sessionId must be text")
"""What can be no key of a dict; too rare among the generated ones for a short run."""


def unlike(*kinds: type) -> st.SearchStrategy[Any]:
    """Small JSON values of none of these kinds."""
    values: list[Any] = [None, True, 7, 1.5, "text", [], {}, [1], {"a": 1}]
    return st.sampled_from([value for value in values if type(value) not in kinds])


NO_TEXT = unlike(str)
ODD_INTEGERS = st.builds(lambda half, sign: sign * (2 * half + 1), st.integers(2**52, 2**62), st.sampled_from([1, -1]))
"""Odd and beyond 2**53: no double is equal to them."""

NO_TIME = (
    unlike(int, bool)
    | st.booleans()
    | st.integers(max_value=-1)
    | st.integers(min_value=EXACT_TO)
    | st.floats().filter(lambda value: not 0 <= value < EXACT_TO or not value.is_integer())
)
HALF = st.builds(lambda a, half, b: a + half + b, st.text("ab🦀"), st.characters(categories=["Cs"]), st.text("ab🦀"))

WRONG_FIELDS: dict[str, list[tuple[str, st.SearchStrategy[Any], str]]] = {
    "session": [
        ("id", st.just(""), "id must not be empty"),
        ("id", NO_TEXT, "id must be text"),
        ("id", HALF, "lone surrogate"),
        ("agent", NO_TEXT, "agent must be text"),
        ("agentSessionId", NO_TEXT, "agentSessionId must be text"),
        ("lastConnectionId", NO_TEXT, "lastConnectionId must be text"),
        ("createdAt", NO_TIME, "createdAt must be a whole number from 0"),
        ("destroyedAt", NO_TIME.filter(lambda value: value is not None), "destroyedAt must be a whole number from 0"),
        ("sandboxId", unlike(str, type(None)), "sandboxId must be text"),
        ("sessionInit", unlike(dict, type(None)), "sessionInit must be an object"),
        ("configOptions", unlike(list, type(None)), "configOptions must be an array"),
        ("modes", unlike(dict, type(None)), "modes must be an object"),
    ],
    "event": [
        ("id", st.just(""), "id must not be empty"),
        ("id", NO_TEXT, "id must be text"),
        ("id", HALF, "lone surrogate"),
        ("sessionId", st.just(""), "sessionId must not be empty"),
        ("sessionId", NO_TEXT, "sessionId must be text"),
        ("sessionId", HALF, "lone surrogate"),
        ("eventIndex", NO_TIME | st.just(0), "eventIndex must be a whole number from 1"),
        ("createdAt", NO_TIME, "createdAt must be a whole number from 0"),
        ("connectionId", NO_TEXT, "connectionId must be text"),
        ("sender", NO_TEXT, "sender must be text"),
        ("sender", TEXTS, "sender must be 'client' or 'agent'"),
        ("payload", unlike(dict, type(None)), "payload must be an object"),
        ("payload", st.none(), "payload is missing"),
    ],
}

WRONG_VALUES: list[tuple[st.SearchStrategy[Any], str]] = [
    (st.sampled_from([float("nan"), float("inf"), float("-inf")]), "is not a JSON number"),
    (ODD_INTEGERS, "would round the number"),
    (st.sampled_from([2.0**60, 2**60, -(2.0**69), 10**23]), "would round the number"),
    (st.sampled_from([10**400, -(10**5_000)]), "too large for JavaScript"),
    (st.builds(nested, st.integers(MOST_LEVELS - 1, 300)), "nested more than 200 levels deep"),
    (st.tuples(st.integers()), "a tuple is not a JSON value"),
    (st.binary(max_size=3), "a bytes is not a JSON value"),
    (st.frozensets(st.integers(), max_size=2), "a frozenset is not a JSON value"),
    (st.complex_numbers(), "a complex is not a JSON value"),
    (st.dictionaries(st.none() | st.integers() | st.tuples(), st.none(), min_size=1, max_size=2), "is not text"),
    (st.builds("a{}b".format, st.just("\ud83e\udd80")), "two halves of a character (surrogates) side by side"),
]
"""What a payload, or a field that nobody knows, must not hold."""

WRAPS = st.lists(st.sampled_from("[{"), max_size=4).map("".join)


@st.composite
def malformed(draw: st.DrawFn) -> Malformed:
    """A row that was right until one thing of it was spoilt."""
    kind: Literal["session", "event"] = draw(st.sampled_from(["session", "event"]))
    row = draw(SESSIONS if kind == "session" else EVENTS)
    how = draw(st.sampled_from(["field", "field", "value", "value", "missing", "no row"]))
    if how == "no row":
        return Malformed(kind, draw(unlike(dict)), "expected an object")
    if how == "missing":
        name = draw(st.sampled_from(list(SESSION_FIELDS if kind == "session" else EVENT_FIELDS)))
        return Malformed(kind, {key: value for key, value in row.items() if key != name}, f"{name} is missing")
    if how == "field":
        name, wrong, reason = draw(st.sampled_from(WRONG_FIELDS[kind]))
        value = draw(wrong.filter(lambda value: value not in ("client", "agent")) if name == "sender" else wrong)
        return Malformed(kind, {**row, name: value}, reason)
    wrong, reason = draw(st.sampled_from(WRONG_VALUES))
    wraps = draw(WRAPS)
    value = nested(len(wraps), draw(wrong), wraps) if wraps else draw(wrong)
    if kind == "event" and draw(st.booleans()):
        return Malformed(kind, {**row, "payload": {"value": value}}, reason)
    return Malformed(kind, {**row, "unheardOf": [value] if reason.startswith("nested") else value}, reason)
