"""What a Postgres server or the way to it says, as one line that tells what to do, and never a password."""

from __future__ import annotations

import re
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ...errors import (
    InvalidRecordError,
    PyappError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnknownLayoutError,
)

PASSING = {"40001", "40P01", "53300", "57P01", "57P02", "57P03", "57P05", "25P03", "55P03"}
"""SQLSTATEs of what may go well a moment later: deadlocks, a server that stops or starts, too many connections. See
PostgreSQL's documentation, appendix A."""

GONE = {"57P01", "57P02", "57P03", "57P05"}
"""Those of them with which the server closes a connection, idle ones too (57P05)."""

_SECRETS = ("password", "sslpassword")


_UNREADABLE = "the connection string cannot be read"
_ENCODED = "the characters / @ : % ? # of a password percent-encoded"
_LIKE = f"it must be like postgresql://USER@HOST:5432/DATABASE, with {_ENCODED}"
_PORT = "a port is a number from 1 to 65535"


class Place:
    """Where a connection string leads, in words that may be shown."""

    def __init__(self, connection_string: str) -> None:
        """Raises ValueError, without its words, for what is not a connection string."""
        try:
            self.parameters = conninfo_to_dict(connection_string)
        except psycopg.Error as error:
            raise ValueError(f"{_UNREADABLE}: {_fault(connection_string, str(error))}") from None
        _check_ports(str(self.parameters.get("port", "")))
        secrets = [str(self.parameters[name]) for name in _SECRETS if self.parameters.get(name)]
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote(secret))}
        self._secrets = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None

    def __repr__(self) -> str:
        known = self.parameters
        user = f"{known['user']}@" if "user" in known else ""
        port = f":{known['port']}" if "port" in known else ""
        return self.without_secrets(f"postgresql://{user}{known.get('host', '')}{port}/{known.get('dbname', '')}")

    def without_secrets(self, text: str) -> str:
        """The text with *** where a password stands in it."""
        return text if self._secrets is None else self._secrets.sub("***", text)


def _fault(connection_string: str, said: str) -> str:
    """What is wrong with it. libpq's own words may hold a part of a password."""
    found = re.search(r'invalid (?:URI query parameter:|connection option) "(.*)"', said)
    if found is None:
        return _LIKE
    if "://" not in connection_string:
        return "Postgres knows no such parameter; a password with spaces must be in quotes: password='…'"
    if "@" in connection_string.partition("?")[2]:  # then the ? may be one of the password
        return f"Postgres knows no such parameter as is behind its ?, or it must have {_ENCODED}"
    return f"Postgres knows no parameter {found[1]!r}"


def _check_ports(ports: str) -> None:
    """Raises ValueError, which does not repeat them: after a password with a / in it, they are its beginning."""
    for port in filter(None, ports.split(",")):
        if not (port.isascii() and port.isdigit()):
            raise ValueError(f"{_UNREADABLE}: {_LIKE}")
        if len(port) > 5 or not 1 <= int(port) <= 65_535:
            raise ValueError(f"{_UNREADABLE}: {_PORT}")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or none could be had."""
    if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return False
    return error.sqlstate is None or error.sqlstate.startswith("08") or error.sqlstate in GONE


def is_crowded(said: str) -> bool:
    """Whether the server, or a role, has all the connections that it takes; who is not let in gets words alone."""
    return "too many" in said or "connection slots" in said


def is_outdated(error: BaseException) -> bool:
    """Whether the statement was prepared for columns that were altered since: then a new connection is as good as
    before."""
    return isinstance(error, psycopg.Error) and error.sqlstate == "0A000"


def is_passing(error: BaseException) -> bool:
    """Whether the same may go well a moment later."""
    return is_lost(error) or is_outdated(error) or (isinstance(error, psycopg.Error) and error.sqlstate in PASSING)


def told(error: psycopg.Error, place: Place, schema: str) -> PyappError:
    """The error of this package for one of psycopg's."""
    said = place.without_secrets(error.diag.message_primary or _one_line(error))
    match error.sqlstate:
        case None:
            return StoreUnavailableError(f"no connection to {place}: {said}. {_advice(said)}")
        case "28P01" | "28000":
            return StoreUnavailableError(f"{place} refused user or password: {said}")
        case "3D000":
            return StoreUnavailableError(f"{place}: {said}; create it with createdb")
        case "42501":
            return StoreError(
                f"no right to do this in the schema {schema!r} of {place}: {said}; its owner has to GRANT USAGE, "
                "CREATE ON SCHEMA and SELECT, INSERT, UPDATE, DELETE ON its tables"
            )
        case "25006":
            return StoreError(f"{place} is read-only, nothing was written: {said}; connect to the primary server")
        case "53100":
            return StoreFullError(f"the disk of {place} is full: {said}; what was stored before is whole, make room")
        case "54000" if "index" not in said:
            return InvalidRecordError(f"larger than Postgres keeps in one value, nothing was written: {said}")
        case "54000":
            return InvalidRecordError(f"an id is too long for Postgres, whose keys hold about 2,700 bytes: {said}")
        case "26000" | "42P05":
            return StoreError(
                f"something between here and {place} mixes the connections of its clients: {said}; let it keep one for "
                "each (pgbouncer: pool_mode = session)"
            )
        case "57014":
            return StoreError(f"{place} did not answer in time, and the statement was cancelled: {said}")
        case "42P01" | "42703" | "3F000":
            return UnknownLayoutError(f"the tables in the schema {schema!r} of {place} are not those of before: {said}")
        case state if state.startswith("08") or state in PASSING:
            return StoreUnavailableError(f"{place} does not do it now: {said}; try again later")
    return StoreError(f"{place} refused it: {said} (SQLSTATE {error.sqlstate})")


def _advice(said: str) -> str:
    """What to do where no connection came about. The server's words are all that libpq gives, in the server's
    language."""
    if "password" in said or "authentication" in said or "pg_hba" in said:
        return "Is it the right user and password?"
    if "invalid port number" in said:  # of the environment, or of a service file
        return _PORT.capitalize()
    if is_crowded(said):
        return "Close other connections, or let the server take more (max_connections)"
    if "does not exist" in said:
        return "Create the database with createdb, the user with createuser"
    return "Does the server run, and is this its address?"


def _one_line(error: BaseException) -> str:
    """Its words without the questions that libpq adds, in lines of their own: the advice asks them too."""
    words = re.sub(r"\n\t[^\n]*\?", "", str(error))
    return " ".join(words.split()).rstrip(".") or type(error).__name__
